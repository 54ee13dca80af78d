"""Follows a request: gives it an id, returns the id, and writes one line when it ends.

The id comes from ``X-Request-ID`` or from the trace id of a W3C ``traceparent``, where they are
well-formed, and is made otherwise. It stands in every log line of the request and of the jobs
that the request started, in error answers and in the header ``X-Request-ID`` of every answer.
"""

import logging
import re
import time

from flask import Flask, Response, g, request
from structlog.contextvars import bind_contextvars, clear_contextvars

from fairdatabase.observability.logging import new_correlation_id

HEADER = "X-Request-ID"
_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"
)
_QUIET = ("/health/", "/static/")
logger = logging.getLogger(__name__)


def init_tracing(app: Flask) -> None:
    """Follow every request of this application; call it before anything else hooks in."""
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_forget)


def request_id(given: str | None, traceparent: str | None) -> str:
    """Return the id of a request.

    Args:
        given: Value of ``X-Request-ID``; taken only if it cannot harm a log line.
        traceparent: Value of the W3C header of this name.
    """
    if given and _REQUEST_ID.fullmatch(given):
        return given
    trace = _TRACEPARENT.fullmatch(traceparent or "")
    return trace.group(1) if trace else new_correlation_id()


def _begin() -> None:
    g.started = time.perf_counter()
    g.request_id = request_id(request.headers.get(HEADER), request.headers.get("traceparent"))
    clear_contextvars()
    bind_contextvars(correlation_id=g.request_id)


def _end(response: Response) -> Response:
    response.headers[HEADER] = g.request_id
    actor = g.get("actor")
    logger.log(
        logging.DEBUG if request.path.startswith(_QUIET) else logging.INFO,
        "Request",
        extra={
            "method": request.method,
            # The rule, not the address: addresses and query strings can hold personal data.
            "route": request.url_rule.rule if request.url_rule else None,
            "status": response.status_code,
            "ms": round((time.perf_counter() - g.started) * 1000, 1),
            "actor": (actor.public_id or None) if actor else None,
        },
    )
    return response


def _forget(_error: BaseException | None) -> None:
    clear_contextvars()
