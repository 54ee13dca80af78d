"""Questions about jobs; every change of state is one conditional statement."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from fairdatabase.jobs.models import Job
from fairdatabase.jobs.schemas import JobState
from fairdatabase.kernel.database import Repository


class JobRepository(Repository[Job]):
    """The rows of all jobs."""

    model = Job

    def by_public_id(self, public_id: str) -> Job | None:
        """Return the job with this outside identifier."""
        return self._session.scalar(select(Job).where(Job.public_id == public_id))

    def by_public_ids(self, public_ids: Collection[str]) -> Sequence[Job]:
        """Return the jobs with these outside identifiers."""
        return self._session.scalars(select(Job).where(Job.public_id.in_(public_ids))).all()

    def of_owner(self, owner_id: UUID) -> Sequence[Job]:
        """Return the jobs of a user, the oldest first."""
        statement = select(Job).where(Job.owner_id == owner_id).order_by(Job.created_at, Job.id)
        return self._session.scalars(statement).all()

    def latest_of(self, subject_ids: Collection[UUID]) -> Sequence[Job]:
        """Return the newest job of each subject."""
        rank = (
            func.row_number()
            .over(partition_by=Job.subject_id, order_by=(Job.created_at.desc(), Job.id.desc()))
            .label("rank")
        )
        ranked = select(Job.id, rank).where(Job.subject_id.in_(subject_ids)).subquery()
        newest = select(Job).join(ranked, ranked.c.id == Job.id).where(ranked.c.rank == 1)
        return self._session.scalars(newest).all()

    def claim(self, job_id: UUID, now: datetime, lease_until: datetime) -> Job | None:
        """Take a waiting job; None where it is not waiting (any more)."""
        statement = (
            update(Job)
            .where(Job.id == job_id, Job.state == JobState.QUEUED)
            .values(
                state=JobState.RUNNING,
                attempts=Job.attempts + 1,
                lease_until=lease_until,
                started_at=func.coalesce(Job.started_at, now),
                progress=0.0,
                message="",
                error=None,
            )
            .returning(Job)
        )
        return self._session.scalar(statement, execution_options={"populate_existing": True})

    def change(self, job_id: UUID, attempt: int, **values: object) -> bool:
        """Change a job that this attempt still holds; False where it was lost to a later one."""
        statement = (
            update(Job)
            .where(Job.id == job_id, Job.state == JobState.RUNNING, Job.attempts == attempt)
            .values(**values)
            .returning(Job.id)
        )
        return self._session.scalar(statement) is not None

    def cancel(self, job_id: UUID, now: datetime) -> Job | None:
        """End a job that has not ended; None where it has."""
        statement = (
            update(Job)
            .where(Job.id == job_id, Job.state.in_([JobState.QUEUED, JobState.RUNNING]))
            .values(
                state=JobState.CANCELLED, message="Cancelled", finished_at=now, lease_until=None
            )
            .returning(Job)
        )
        return self._session.scalar(statement, execution_options={"populate_existing": True})

    def signal_due(self, now: datetime, next_due: datetime) -> Sequence[UUID]:
        """Return the waiting jobs that a worker has to be told of (again)."""
        due = update(Job).where(Job.state == JobState.QUEUED, Job.due_at <= now)
        return self._ids(due.values(due_at=next_due).returning(Job.id))

    def requeue_abandoned(self, now: datetime, next_due: datetime) -> Sequence[UUID]:
        """Give back the running jobs that gave no sign of life, unless they had their chances."""
        abandoned = update(Job).where(
            Job.state == JobState.RUNNING,
            Job.lease_until < now,
            Job.attempts < Job.max_attempts,
        )
        values = {"state": JobState.QUEUED, "due_at": next_due, "lease_until": None}
        return self._ids(abandoned.values(**values).returning(Job.id))

    def fail_abandoned(self, now: datetime, error: str) -> Sequence[UUID]:
        """End the running jobs that gave no sign of life too often."""
        abandoned = update(Job).where(Job.state == JobState.RUNNING, Job.lease_until < now)
        values = {
            "state": JobState.FAILED,
            "error": error,
            "finished_at": now,
            "lease_until": None,
        }
        return self._ids(abandoned.values(**values).returning(Job.id))

    def erase_payloads(self, job_ids: Collection[UUID], kinds: Collection[str]) -> None:
        """Erase what jobs of these kinds were given."""
        erased = update(Job).where(Job.id.in_(job_ids), Job.kind.in_(kinds)).values(payload={})
        self._session.execute(erased)

    def _ids(self, statement: ReturningUpdate[UUID]) -> Sequence[UUID]:
        return self._session.scalars(statement).all()
