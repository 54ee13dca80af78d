"""Use cases of jobs: enqueue, run, retry, find again what was lost.

The table of jobs is the truth. A queue only carries ids, so a lost, late or doubled signal does
no harm: a job is taken by one conditional UPDATE, its worker shows by a lease that it lives, and
every later change names the attempt, so that a worker that was taken for dead and comes back
cannot overwrite what its successor wrote. Work may therefore be started twice; handlers write
their result in one transaction and replace what an earlier attempt left.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from fairdatabase.authorization.rules import may, require
from fairdatabase.authorization.schemas import Action, Actor, Resource
from fairdatabase.jobs.backends.base import Queue
from fairdatabase.jobs.errors import JobNotFoundError, LeaseLostError
from fairdatabase.jobs.models import Job
from fairdatabase.jobs.repository import JobRepository
from fairdatabase.jobs.schemas import Claim, JobRecord, JobState
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import ConflictError, FAIRDatabaseError, UnavailableError
from fairdatabase.observability.logging import correlation_id, log_context, new_correlation_id

_HEARTBEATS_PER_LEASE = 3
_PROGRESS_SECONDS = 0.5
_FIRST_RETRY_SECONDS = 2.0
_LONGEST_RETRY_SECONDS = 300.0
_MESSAGE_LENGTH = 500
_UNEXPECTED = (
    "Something went wrong on our side while working on this. Please try again; if it stays, tell"
    " the admin the job's number."
)
_ABANDONED = (
    "The work stopped several times without saying why, for example because the memory of the"
    " server was not enough. Please tell the admin the job's number."
)
logger = logging.getLogger(__name__)


class JobContext:
    """What a handler knows of the job it works on.

    Args:
        job: As it was when this attempt began.
        lease: Of this attempt.
    """

    def __init__(self, job: JobRecord, lease: "_Lease") -> None:
        self.job = job
        self._lease = lease

    def progress(self, fraction: float, message: str = "") -> None:
        """Tell the owner how far the work is; calls in quick succession are skipped.

        Args:
            fraction: Share of the work that is done, 0 to 1.
            message: What is being done now.

        Raises:
            LeaseLostError: The job was cancelled, or another worker has taken over; let it pass
                to stop this attempt.
        """
        self._lease.report(fraction, message)


Handler = Callable[[JobContext, dict[str, Any]], None]


class Jobs:
    """Durable work.

    Args:
        database: Holds the table of jobs.
        queue: Carries ids of waiting jobs to workers.
        settings: Length of a lease and number of attempts.
        clock: Source of the present time.
    """

    def __init__(self, database: Database, queue: Queue, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._queue = queue
        self._clock = clock
        self._lease = timedelta(seconds=settings.job_lease_seconds)
        self._max_attempts = settings.job_max_attempts
        self._jobs = JobRepository(database)
        self._handlers: dict[str, Handler] = {}
        self._confidential: set[str] = set()

    def register(self, kind: str, handler: Handler, *, confidential: bool = False) -> None:
        """Have jobs of this kind done by ``handler(context, payload)``.

        A handler may be called again for the same job after a crash. A ``FAIRDatabaseError`` it
        raises ends the job and its message is shown to the owner; an ``UnavailableError`` and
        every other exception lead to another attempt.

        Args:
            kind: Of the jobs.
            handler: Does them.
            confidential: Whether the payload is erased once the job has ended, well or not.
        """
        self._handlers[kind] = handler
        if confidential:
            self._confidential.add(kind)

    def enqueue(
        self,
        kind: str,
        payload: Mapping[str, Any],
        *,
        subject_id: UUID | None = None,
        owner_id: UUID | None = None,
        max_attempts: int | None = None,
    ) -> JobRecord:
        """Have work done after the present transaction has committed, and only then.

        Args:
            kind: Names the handler.
            payload: JSON-compatible values for it.
            subject_id: What the job is about, such as a file.
            owner_id: User who may see the job.
            max_attempts: How often it is started before it fails; by default as the settings say.
        """
        now = self._clock()
        with self._database.transaction():
            job = self._jobs.add(
                Job(
                    kind=kind,
                    payload=dict(payload),
                    subject_id=subject_id,
                    owner_id=owner_id,
                    state=JobState.QUEUED,
                    max_attempts=max_attempts or self._max_attempts,
                    correlation_id=correlation_id(),
                    created_at=now,
                    due_at=now + self._lease,
                )
            )
            self._signal([job.id])
            return JobRecord.model_validate(job)

    def run(self, job_id: UUID) -> bool:
        """Do a job if it waits; called by workers with ids from the queue.

        Returns:
            Whether it waited, and was worked on.
        """
        claim = self._claim(job_id)
        if claim is None:
            return False
        with log_context(
            correlation_id=claim.correlation_id or new_correlation_id(),
            job=claim.job.public_id,
            kind=claim.job.kind,
            attempt=claim.attempt,
        ):
            self._work(claim)
        return True

    def sweep(self) -> int:
        """Find waiting jobs whose signal was lost and running ones whose worker died.

        Returns:
            How many jobs workers were told of again.
        """
        now = self._clock()
        with self._database.transaction():
            abandoned = self._jobs.requeue_abandoned(now, now + self._lease)
            failed = self._jobs.fail_abandoned(now, _ABANDONED)
            self._jobs.erase_payloads(failed, self._confidential)
            waiting = self._jobs.signal_due(now, now + self._lease)
            self._signal([*abandoned, *waiting])
        for job_id in abandoned:
            logger.warning("A worker gave no sign of life; its job starts anew: %s", job_id)
        for job_id in failed:
            logger.error("Every worker on a job gave no sign of life; it failed: %s", job_id)
        return len(abandoned) + len(waiting)

    def latest(self, subject_ids: Collection[UUID]) -> dict[UUID, JobRecord]:
        """Return the newest job of each subject that has one."""
        with self._database.reading():
            rows = self._jobs.latest_of(subject_ids)
            return {row.subject_id: JobRecord.model_validate(row) for row in rows if row.subject_id}

    def get(self, actor: Actor, public_id: str) -> JobRecord:
        """Return a job.

        Args:
            actor: Who asks.
            public_id: Its outside identifier.

        Raises:
            JobNotFoundError: There is none, or it is another's.
        """
        with self._database.reading():
            job = self._jobs.by_public_id(public_id)
        if job is None or not may(actor, Resource.JOB, Action.READ, owner_id=job.owner_id):
            raise JobNotFoundError(public_id)
        return JobRecord.model_validate(job)

    def cancel(self, actor: Actor, public_id: str) -> JobRecord:
        """End a job that waits or runs; what runs notices it when it next reports progress.

        Args:
            actor: Who asks.
            public_id: The job's outside identifier.

        Raises:
            JobNotFoundError: There is none, or it is another's.
            ConflictError: It has ended.
        """
        known = self.get(actor, public_id)
        require(actor, Resource.JOB, Action.DISCARD, owner_id=known.owner_id)
        with self._database.transaction():
            job = self._jobs.cancel(known.id, self._clock())
            if job is None:
                raise ConflictError("The work has ended already; there is nothing to cancel.")
            self._jobs.erase_payloads([known.id], self._confidential)
            return JobRecord.model_validate(job)

    def of_owner(self, owner_id: UUID, _public_id: str) -> list[JobRecord]:
        """Return all jobs of a user, for the user's copy of personal data."""
        with self._database.reading():
            return [JobRecord.model_validate(row) for row in self._jobs.of_owner(owner_id)]

    def progress_of(self, public_ids: Collection[str]) -> list[JobRecord]:
        """Return these jobs as they stand, for listeners whom :meth:`get` has let in."""
        with self._database.reading():
            rows = self._jobs.by_public_ids(public_ids)
            return [JobRecord.model_validate(row) for row in rows]

    def _signal(self, job_ids: Collection[UUID]) -> None:
        for job_id in job_ids:
            self._database.after_commit(partial(self._queue.put, job_id))

    def _claim(self, job_id: UUID) -> Claim | None:
        now = self._clock()
        with self._database.transaction():
            job = self._jobs.claim(job_id, now, now + self._lease)
            if job is None:
                return None
            return Claim(
                job=JobRecord.model_validate(job),
                payload=job.payload,
                attempt=job.attempts,
                max_attempts=job.max_attempts,
                correlation_id=job.correlation_id,
            )

    def _work(self, claim: Claim) -> None:
        logger.info("Job started")
        try:
            with _Lease(self._database, self._jobs, self._clock, self._lease, claim) as lease:
                self._handler(claim.job.kind)(JobContext(claim.job, lease), claim.payload)
        except LeaseLostError:
            logger.warning("Job stopped: it was cancelled, or another worker has taken it over")
        except UnavailableError as error:
            logger.warning("Job could not be done now: %s", error.message)
            self._retry(claim, error.message)
        except FAIRDatabaseError as error:
            logger.info("Job failed: %s", error.message)
            self._end(claim, JobState.FAILED, error=error.message)
        except Exception:
            logger.exception("Job failed unexpectedly")
            self._retry(claim, _UNEXPECTED)
        else:
            self._end(claim, JobState.DONE, progress=1.0, message="")

    def _handler(self, kind: str) -> Handler:
        if kind not in self._handlers:
            message = f"this worker knows no job of the kind {kind!r}; update it or its queue"
            raise RuntimeError(message)
        return self._handlers[kind]

    def _end(self, claim: Claim, state: JobState, **values: object) -> None:
        values |= {"state": state, "finished_at": self._clock(), "lease_until": None}
        if claim.job.kind in self._confidential:
            values["payload"] = {}
        with self._database.transaction():
            held = self._jobs.change(claim.job.id, claim.attempt, **values)
        logger.log(
            logging.INFO if held else logging.WARNING,
            "Job ended as %s" if held else "Job was taken over before it ended as %s",
            state,
        )

    def _retry(self, claim: Claim, error: str) -> None:
        if claim.attempt >= claim.max_attempts:
            self._end(claim, JobState.FAILED, error=error)
            return
        wait = min(_FIRST_RETRY_SECONDS * 2 ** (claim.attempt - 1), _LONGEST_RETRY_SECONDS)
        with self._database.transaction():
            self._jobs.change(
                claim.job.id,
                claim.attempt,
                state=JobState.QUEUED,
                due_at=self._clock() + timedelta(seconds=wait),
                lease_until=None,
                message=f"Waiting for attempt {claim.attempt + 1} of {claim.max_attempts}",
            )


class _Lease(AbstractContextManager["_Lease"]):
    """Holds a claimed job: a thread extends the lease while the block runs."""

    def __init__(
        self,
        database: Database,
        jobs: JobRepository,
        clock: Clock,
        length: timedelta,
        claim: Claim,
    ) -> None:
        self._database = database
        self._jobs = jobs
        self._clock = clock
        self._length = length
        self._claim = claim
        self._ended = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="lease", daemon=True)
        self._next_report = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def report(self, fraction: float, message: str) -> None:
        """Write progress at most every half second; see ``JobContext.progress``."""
        if self._lost.is_set():
            raise LeaseLostError
        if time.monotonic() < self._next_report:
            return
        self._next_report = time.monotonic() + _PROGRESS_SECONDS
        if not self._extend(
            progress=min(max(fraction, 0.0), 1.0), message=message[:_MESSAGE_LENGTH]
        ):
            raise LeaseLostError

    def _beat(self) -> None:
        interval = self._length.total_seconds() / _HEARTBEATS_PER_LEASE
        while not self._ended.wait(interval):
            try:
                if not self._extend():
                    self._lost.set()
                    return
            except SQLAlchemyError:
                logger.warning("A lease could not be extended; trying again", exc_info=True)

    def _extend(self, **values: object) -> bool:
        values["lease_until"] = self._clock() + self._length
        with self._database.transaction():
            return self._jobs.change(self._claim.job.id, self._claim.attempt, **values)
