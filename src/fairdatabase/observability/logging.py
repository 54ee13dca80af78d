"""Logs: one JSON object a line, with the correlation id, without secrets.

Code logs through the standard library (``logging.getLogger(__name__)``, particulars in
``extra``); structlog writes every record, other libraries' as well. The correlation id connects
a request, its log lines and the jobs it started.
"""

import logging
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.identifiers import new_uuid

REDACTED = "[redacted]"
_SECRET_WORDS = {
    "authorization", "cookie", "cookies", "credentials", "csrf", "jwt", "key", "passphrase",
    "passwd", "password", "secret", "token", "tokens",
}  # fmt: skip
_WORDS = re.compile(r"[a-z0-9]+", re.IGNORECASE)
_SECRET_TEXTS = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), rf"\1 {REDACTED}"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), REDACTED),
    (re.compile(r"(?<=://)([^/\s:@]*):[^/\s@]+@"), rf"\1:{REDACTED}@"),
    (
        re.compile(
            r"(?i)\b((?:\w*_)?(?:password|passwd|secret|token|key)\b[\"']?\s*[=:]\s*)[^\s,;&]+"
        ),
        rf"\1{REDACTED}",
    ),
)


def configure_logging(settings: Settings, *, stream: TextIO | None = None) -> None:
    """Send all logs of this process through one formatter.

    Args:
        settings: Name the level and whether lines are JSON or for a person's eyes.
        stream: Where lines go; standard error by default.
    """
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=before,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *_closing(as_json=settings.log_format == "json"),
        ],
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(settings.log_level)
    logging.captureWarnings(capture=True)


def _closing(*, as_json: bool) -> list[Processor]:
    if as_json:
        return [structlog.processors.format_exc_info, redact, structlog.processors.JSONRenderer()]
    return [structlog.processors.format_exc_info, redact, structlog.dev.ConsoleRenderer()]


def redact(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Replace secrets: values under telling names, and tokens inside texts."""
    return {key: _without_secrets(key, value) for key, value in event.items()}


def _without_secrets(key: str, value: object) -> object:
    if _SECRET_WORDS & {word.lower() for part in key.split("_") for word in _WORDS.findall(part)}:
        return REDACTED
    if isinstance(value, str):
        for pattern, replacement in _SECRET_TEXTS:
            value = pattern.sub(replacement, value)
        return value
    if isinstance(value, Mapping):
        return {name: _without_secrets(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets("", inner) for inner in value]
    return value


def new_correlation_id() -> str:
    """Return an id for a piece of work that nobody gave one."""
    return new_uuid().hex


def correlation_id() -> str | None:
    """Return the id of the request or job that this code runs for."""
    found = structlog.contextvars.get_contextvars().get("correlation_id")
    return found if isinstance(found, str) else None


@contextmanager
def log_context(**values: Any) -> Iterator[None]:  # noqa: ANN401 - whatever a log line can carry
    """Add these values to every log line of the block, ``correlation_id`` first of all."""
    with structlog.contextvars.bound_contextvars(**values):
        yield
