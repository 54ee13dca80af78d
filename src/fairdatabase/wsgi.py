"""``application`` for other WSGI servers; live progress then falls back to asking now and then.

``fairdatabase serve`` needs no other server, and slow clients do not hold its threads. Whoever
uses another one should put a proxy in front that buffers requests and answers.
"""

from fairdatabase.app import create_app
from fairdatabase.kernel.config import load_settings
from fairdatabase.observability.logging import configure_logging

_settings = load_settings()
configure_logging(_settings)
application = create_app(_settings)
