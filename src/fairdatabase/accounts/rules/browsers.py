"""Whether the browser that answers is the one that was asked."""

import hashlib
import hmac


def browser_hash(secret: str) -> str:
    """Return what is kept of the secret in a browser's cookie."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_same_browser(secret: str, kept: str) -> bool:
    """Tell whether a browser's secret is the one of which this was kept."""
    return bool(secret) and hmac.compare_digest(browser_hash(secret), kept)
