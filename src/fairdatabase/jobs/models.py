"""Tables of the jobs feature."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Float, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from fairdatabase.jobs.schemas import JobState
from fairdatabase.kernel.database import Base
from fairdatabase.kernel.identifiers import new_public_id, new_uuid


class Job(Base):
    """A piece of work; this row, not the queue, is the truth about it."""

    __tablename__ = "jobs"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_uuid)
    public_id: Mapped[str] = mapped_column(String(16), unique=True, default=new_public_id)
    kind: Mapped[str] = mapped_column(String(64))
    subject_id: Mapped[UUID | None]
    """What the job is about, such as a file; the newest job of a subject tells its state."""
    owner_id: Mapped[UUID | None]
    payload: Mapped[dict[str, Any]]
    state: Mapped[JobState]
    attempts: Mapped[int] = mapped_column(default=0)
    max_attempts: Mapped[int]
    progress: Mapped[float] = mapped_column(Float, default=0.0)
    message: Mapped[str] = mapped_column(String(500), default="")
    error: Mapped[str | None] = mapped_column(Text)
    correlation_id: Mapped[str | None] = mapped_column(String(128))
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_jobs_state_due", "state", "due_at"),
        Index("ix_jobs_subject", "subject_id", "created_at"),
        Index("ix_jobs_owner", "owner_id", "created_at"),
    )
