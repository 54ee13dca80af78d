"""Health: is this process alive, and are the parts it needs ready."""

import logging
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import Field
from sqlalchemy.exc import SQLAlchemyError

from fairdatabase.kernel.errors import UnavailableError
from fairdatabase.kernel.records import Record

Check = Callable[[], str]
LEAST_FREE_BYTES = 256 * 2**20
_MIB = 2**20
logger = logging.getLogger(__name__)


class PartHealth(Record):
    """The state of one part."""

    name: str = Field(examples=["database"])
    ready: bool
    detail: str = Field(examples=["answers"])


class HealthReport(Record):
    """The state of everything this process needs."""

    ready: bool
    parts: tuple[PartHealth, ...]


class Health:
    """Asks every part how it is.

    Args:
        checks: One call per part, by its name. It returns a line on its state or raises
            ``UnavailableError``, whose message is shown to everybody.
    """

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = dict(checks)

    def report(self) -> HealthReport:
        """Ask all parts, one after the other."""
        parts = tuple(_ask(name, check) for name, check in self._checks.items())
        return HealthReport(ready=all(part.ready for part in parts), parts=parts)


def answering(ping: Callable[[], None]) -> str:
    """Tell that a part answers, by asking it something that raises when it does not."""
    ping()
    return "answers"


def disk(folder: Path) -> str:
    """Return how much space is left on the disk of ``folder``.

    Raises:
        UnavailableError: It is nearly full.
    """
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        raise UnavailableError(f"Only {free / _MIB:,.0f} MiB are free on the disk.")
    return f"{free / _MIB:,.0f} MiB free"


def _ask(name: str, check: Check) -> PartHealth:
    try:
        return PartHealth(name=name, ready=True, detail=check())
    except UnavailableError as error:
        return PartHealth(name=name, ready=False, detail=error.message)
    except (SQLAlchemyError, OSError):
        logger.exception("A health check failed", extra={"part": name})
        return PartHealth(name=name, ready=False, detail=f"The {name} does not answer.")
