"""Records and inputs of the audit log."""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BeforeValidator, Field, StringConstraints

from fairdatabase.kernel.records import Closed, Record

NOBODY: Final = "anonymous"
"""How a filter calls whoever is not signed in."""


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


Day = Annotated[date | None, BeforeValidator(_none_if_empty)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=64)]


class AuditRecord(Record):
    """One event of the chain."""

    sequence: int = Field(description="Place in the chain, from 1 without gaps.", examples=[1])
    at: datetime
    actor: str = Field(
        description="Public id of the account, or the name of a program; empty: nobody signed in.",
        examples=["5k9z2m4xqvb"],
    )
    token: str | None = Field(
        description="Public id of the access token that the account came with; null: none."
    )
    action: str = Field(examples=["dataset.published"])
    subject_type: str = Field(examples=["dataset"])
    subject: str = Field(description="Public id of the thing.", examples=["7h3k9z2m4xq"])
    request_id: str | None = Field(description="Of the request or job, as in the logs.")
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    previous_hash: str
    hash: str


class Head(Record):
    """An event as the place where a chain ends or goes on."""

    sequence: int
    hash: str

    def __str__(self) -> str:
        """Return both, as ``fairdatabase audit verify --expect`` takes them."""
        return f"{self.sequence}:{self.hash}"


class Fault(Record):
    """The first event that does not hold, and why."""

    sequence: int
    reason: Literal["changed", "missing", "reordered", "truncated", "added"]
    message: str


class Verification(Record):
    """What came of walking the whole chain."""

    events: int = Field(description="That hold, from the first on.")
    head: Head = Field(description="The last of them; keep it elsewhere.")
    fault: Fault | None


class AuditFilters(Closed):
    """Which events are asked for; all conditions have to hold."""

    actor: Text = Field(
        default="",
        description=f"Public id of an account, name of a program, or `{NOBODY}`.",
    )
    token: Text = Field(default="", description="Public id of the access token that was used.")
    action: Text = Field(
        default="",
        description="How the action begins.",
        json_schema_extra={"example": "dataset."},
    )
    subject: Text = Field(default="", description="Public id of what was acted on.")
    since: AwareDatetime | None = Field(default=None, description="From this moment on.")
    until: AwareDatetime | None = Field(default=None, description="Before this moment.")


class AuditQuery(AuditFilters):
    """Which page of events is asked for, newest first."""

    before: int | None = Field(
        default=None, ge=1, le=2**62, description="Events before this one; from `meta.next`."
    )
    limit: int = Field(default=50, ge=1, le=500, description="Events on a page.")


class AuditForm(Closed):
    """What the form of the page asks for: days, and both of them included."""

    actor: Text = ""
    token: Text = ""
    action: Text = ""
    subject: Text = ""
    first_day: Day = None
    last_day: Day = None
    before: Annotated[int | None, BeforeValidator(_none_if_empty)] = Field(
        default=None, ge=1, le=2**62
    )

    @property
    def conditions(self) -> dict[str, Any]:
        """What is asked for in the words of :class:`AuditFilters`."""
        asked: dict[str, Any] = self.model_dump(include={"actor", "token", "action", "subject"})
        if self.first_day:
            asked["since"] = datetime.combine(self.first_day, time(), UTC)
        if self.last_day:
            asked["until"] = datetime.combine(self.last_day, time(), UTC) + timedelta(days=1)
        return asked


class ExportFormat(StrEnum):
    """What an export is written as."""

    JSON_LINES = "jsonl"
    CSV = "csv"


class AuditExportQuery(AuditFilters):
    """Which events are exported, oldest first."""

    format: ExportFormat = ExportFormat.JSON_LINES


class AuditPage(Record):
    """Some events, newest first."""

    events: tuple[AuditRecord, ...]
    next: int | None = Field(description="Value of `before` for the next page; none: no more.")
    head: Head


class AuditMeta(Record):
    """Where a page stands."""

    next: int | None = Field(description="Value of `before` for the next page; none: no more.")
    head: Head = Field(description="The last event there is; keep it elsewhere.")
