"""Records of the jobs feature."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import Field

from fairdatabase.kernel.records import Record


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen."""
        return self in {JobState.DONE, JobState.FAILED, JobState.CANCELLED}


class JobRecord(Record):
    """A piece of work as its owner sees it."""

    id: UUID = Field(exclude=True)
    subject_id: UUID | None = Field(exclude=True)
    owner_id: UUID | None = Field(exclude=True)
    public_id: str = Field(examples=["5k9z2m4xqvb"])
    kind: str = Field(examples=["deposits.validate"])
    state: JobState
    progress: float = Field(ge=0, le=1, description="Share of the work that is done.")
    message: str = Field(examples=["Reading rows"], description="What is being done now.")
    error: str | None = Field(description="Why it failed, in words for the owner.")
    attempts: int = Field(description="How often it was started.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class Claim(Record):
    """A job taken by one worker; ``attempt`` fences off workers that took it before."""

    job: JobRecord
    payload: dict[str, Any]
    attempt: int
    max_attempts: int
    correlation_id: str | None
