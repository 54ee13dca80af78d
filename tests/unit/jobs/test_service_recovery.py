"""Jobs whose signal or worker was lost, on both databases."""

import threading
from typing import Any

import pytest
from sqlalchemy import select, update

from fairdatabase.authorization.schemas import OPERATOR
from fairdatabase.jobs.backends.memory import MemoryQueue
from fairdatabase.jobs.errors import LeaseLostError
from fairdatabase.jobs.models import Job
from fairdatabase.jobs.schemas import JobRecord, JobState
from fairdatabase.jobs.service import JobContext, Jobs
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from tests.unit.jobs.conftest import HandClock, Look

LEASE = 30


def die(jobs: Jobs, job: JobRecord) -> None:
    """Claim the job as a worker does that is killed right afterwards."""
    assert jobs._claim(job.id) is not None


def test_a_lost_signal_is_sent_again(
    jobs: Jobs, queue: MemoryQueue, look: Look, clock: HandClock
) -> None:
    jobs.register("read", lambda *_: None)
    job = jobs.enqueue("read", {})
    queue.waiting.clear()
    assert jobs.sweep() == 0
    clock.forward(LEASE)
    assert jobs.sweep() == 1
    assert jobs.sweep() == 0, "a signal is not repeated at every sweep"
    queue.drain(jobs.run)
    assert look(job).state is JobState.DONE


def test_the_job_of_a_dead_worker_starts_anew(
    jobs: Jobs, queue: MemoryQueue, look: Look, clock: HandClock
) -> None:
    calls: list[int] = []
    jobs.register("read", lambda *_: calls.append(1))
    job = jobs.enqueue("read", {})
    queue.waiting.clear()
    die(jobs, job)
    clock.forward(LEASE - 1)
    assert jobs.sweep() == 0, "the worker may still live"
    clock.forward(2)
    assert jobs.sweep() == 1
    queue.drain(jobs.run)
    assert calls == [1]
    assert (look(job).state, look(job).attempts) == (JobState.DONE, 2)


def test_a_job_that_kills_its_workers_ends(
    jobs: Jobs, queue: MemoryQueue, look: Look, clock: HandClock, database: Database
) -> None:
    jobs.register("read", lambda *_: None, confidential=True)
    job = jobs.enqueue("read", {"secret": "of somebody"})
    for _ in range(3):
        die(jobs, job)
        clock.forward(LEASE + 1)
        jobs.sweep()
    assert look(job).state is JobState.FAILED
    assert look(job).error is not None
    with database.reading() as session:
        assert session.scalars(select(Job.payload)).one() == {}
    queue.waiting.clear()
    assert jobs.sweep() == 0


def test_a_worker_that_comes_back_does_not_overwrite_its_successor(
    jobs: Jobs, queue: MemoryQueue, look: Look, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The first attempt sleeps through its lease, the second ends before it wakes up."""
    attempts: list[str] = []

    def handler(context: JobContext, _payload: dict[str, Any]) -> None:
        attempts.append("started")
        if len(attempts) == 1:
            clock.forward(LEASE + 1)
            assert jobs.sweep() == 1
            queue.drain(jobs.run)
            raise LookupError("the first attempt fails, too late to matter")
        context.progress(0.5, "Second attempt")

    jobs.register("read", handler)
    job = jobs.enqueue("read", {})
    queue.drain(jobs.run)
    assert len(attempts) == 2
    assert (look(job).state, look(job).attempts) == (JobState.DONE, 2)


def test_a_late_end_is_not_written(
    jobs: Jobs, queue: MemoryQueue, look: Look, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    def handler(_context: JobContext, _payload: dict[str, Any]) -> None:
        clock.forward(LEASE + 1)
        jobs.sweep()

    jobs.register("read", handler)
    job = jobs.enqueue("read", {})
    jobs.run(job.id)
    assert look(job).state is JobState.QUEUED
    assert "taken over before it ended" in caplog.text


def test_progress_of_a_lost_job_stops_the_work_and_undoes_its_transaction(
    jobs: Jobs, look: Look, clock: HandClock, database: Database
) -> None:
    after: list[str] = []

    def handler(context: JobContext, _payload: dict[str, Any]) -> None:
        clock.forward(LEASE + 1)
        jobs.sweep()
        with database.transaction() as session:
            session.execute(update(Job).values(message="written by the dead"))
            context.progress(0.9)
        after.append("went on")

    jobs.register("read", handler)
    job = jobs.enqueue("read", {})
    jobs.run(job.id)
    assert after == []
    assert (look(job).state, look(job).message) == (JobState.QUEUED, "")


def test_a_living_worker_keeps_its_job(
    database: Database, queue: MemoryQueue, settings: Settings, clock: HandClock
) -> None:
    """With a lease of 0.3 s its heart beats every 0.1 s; the job lasts two leases."""
    short = settings.model_copy(update={"job_lease_seconds": 0.3})
    jobs = Jobs(database, queue, short, clock)
    leases: list[object] = []

    def lease() -> object:
        with database.reading() as session:
            row = session.query(Job).one()
            return row.lease_until

    def handler(_context: JobContext, _payload: dict[str, Any]) -> None:
        before = lease()
        clock.forward(1)
        waiter = threading.Event()
        for _ in range(200):
            if lease() != before:
                break
            waiter.wait(0.05)
        leases.extend([before, lease()])
        assert jobs.sweep() == 0

    jobs.register("read", handler)
    job = jobs.enqueue("read", {})
    jobs.run(job.id)
    assert leases[0] != leases[1]
    assert jobs.get(OPERATOR, job.public_id).state is JobState.DONE


def test_the_heart_notices_that_the_job_was_lost(
    database: Database, queue: MemoryQueue, settings: Settings, clock: HandClock
) -> None:
    short = settings.model_copy(update={"job_lease_seconds": 0.06})
    jobs = Jobs(database, queue, short, clock)
    lost: list[bool] = []

    def handler(context: JobContext, _payload: dict[str, Any]) -> None:
        context.progress(0.1)
        with database.transaction() as session:
            session.execute(update(Job).values(attempts=2))
        waiter = threading.Event()
        try:
            for _ in range(200):
                context.progress(0.2)
                waiter.wait(0.05)
        except LeaseLostError:
            lost.append(True)
            raise

    jobs.register("read", handler)
    jobs.enqueue("read", {})
    queue.drain(jobs.run)
    assert lost == [True]


def test_two_workers_do_not_take_the_same_job(jobs: Jobs, database: Database) -> None:
    calls: list[int] = []
    jobs.register("read", lambda *_: calls.append(1))
    made = [jobs.enqueue("read", {}) for _ in range(6)]
    start = threading.Barrier(4)

    def worker() -> None:
        start.wait()
        for job in made:
            jobs.run(job.id)

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 6
