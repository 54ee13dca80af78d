"""Jobs on both databases: from enqueuing to their end."""

import logging
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from fairdatabase.authorization.schemas import ANONYMOUS, OPERATOR, Actor, Role
from fairdatabase.jobs.backends.memory import MemoryQueue
from fairdatabase.jobs.errors import JobNotFoundError
from fairdatabase.jobs.models import Job
from fairdatabase.jobs.schemas import JobState
from fairdatabase.jobs.service import JobContext, Jobs
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import UnavailableError, ValidationError
from fairdatabase.observability.logging import correlation_id, log_context
from tests.unit.jobs.conftest import HandClock, Look


def test_a_job_is_done_with_its_payload(jobs: Jobs, queue: MemoryQueue, look: Look) -> None:
    seen: list[dict[str, Any]] = []
    jobs.register("count", lambda _context, payload: seen.append(payload))
    job = jobs.enqueue("count", {"n": 1, "names": ["é"]})
    assert look(job).state is JobState.QUEUED
    assert queue.drain(jobs.run) == 1
    assert seen == [{"n": 1, "names": ["é"]}]
    done = look(job)
    assert done.state is JobState.DONE
    assert done.state.has_ended
    assert (done.progress, done.message, done.error, done.attempts) == (1.0, "", None, 1)
    assert done.started_at
    assert done.finished_at


def test_nothing_is_done_when_the_transaction_is_rolled_back(
    jobs: Jobs, queue: MemoryQueue, database: Database
) -> None:
    with pytest.raises(RuntimeError, match="later"), database.transaction():
        jobs.enqueue("count", {})
        raise RuntimeError("later")
    assert not queue.waiting


def test_workers_are_told_after_the_commit_only(
    jobs: Jobs, queue: MemoryQueue, database: Database
) -> None:
    with database.transaction():
        jobs.enqueue("count", {})
        assert not queue.waiting
    assert len(queue.waiting) == 1


def test_a_doubled_signal_does_the_work_once(jobs: Jobs, queue: MemoryQueue) -> None:
    calls: list[int] = []
    jobs.register("count", lambda *_: calls.append(1))
    job = jobs.enqueue("count", {})
    queue.put(job.id)
    queue.put(uuid4())
    assert queue.drain(jobs.run) == 3
    assert calls == [1]


def test_a_job_enqueued_by_a_job_is_done(jobs: Jobs, queue: MemoryQueue) -> None:
    calls: list[str] = []

    def first(_context: JobContext, _payload: dict[str, Any]) -> None:
        jobs.enqueue("second", {})

    jobs.register("first", first)
    jobs.register("second", lambda *_: calls.append("second"))
    jobs.enqueue("first", {})
    assert queue.drain(jobs.run) == 2
    assert calls == ["second"]


def test_progress_is_shown_while_the_job_runs(jobs: Jobs, queue: MemoryQueue, look: Look) -> None:
    shown: list[tuple[float, str]] = []

    def handler(context: JobContext, _payload: dict[str, Any]) -> None:
        context.progress(0.25, "Reading")
        seen = look(context.job)
        shown.append((seen.progress, seen.message))
        assert seen.state is JobState.RUNNING

    jobs.register("read", handler)
    jobs.enqueue("read", {})
    queue.drain(jobs.run)
    assert shown == [(0.25, "Reading")]


@pytest.mark.parametrize(("told", "shown"), [(-1.0, 0.0), (7.0, 1.0)])
def test_progress_stays_between_nothing_and_all(
    jobs: Jobs, queue: MemoryQueue, look: Look, told: float, shown: float
) -> None:
    seen: list[float] = []

    def handler(context: JobContext, _payload: dict[str, Any]) -> None:
        context.progress(told, "x" * 2000)
        seen.append(look(context.job).progress)

    jobs.register("read", handler)
    jobs.enqueue("read", {})
    queue.drain(jobs.run)
    assert seen == [shown]


def test_progress_in_quick_succession_is_written_once(
    jobs: Jobs, queue: MemoryQueue, look: Look
) -> None:
    seen: list[str] = []

    def handler(context: JobContext, _payload: dict[str, Any]) -> None:
        for n in range(50):
            context.progress(n / 50, f"Row {n}")
        seen.append(look(context.job).message)

    jobs.register("read", handler)
    jobs.enqueue("read", {})
    queue.drain(jobs.run)
    assert seen[0] != "Row 49"


def test_what_the_owner_can_mend_ends_the_job_with_its_message(
    jobs: Jobs, queue: MemoryQueue, look: Look
) -> None:
    def refuse(_context: JobContext, _payload: dict[str, Any]) -> None:
        raise ValidationError("Row 3 has four values instead of three.")

    jobs.register("read", refuse)
    job = jobs.enqueue("read", {})
    queue.drain(jobs.run)
    failed = look(job)
    assert failed.state is JobState.FAILED
    assert failed.error == "Row 3 has four values instead of three."
    assert failed.attempts == 1
    assert jobs.sweep() == 0


def test_an_unexpected_error_is_retried_and_never_shown(
    jobs: Jobs,
    queue: MemoryQueue,
    look: Look,
    clock: HandClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def break_down(_context: JobContext, _payload: dict[str, Any]) -> None:
        raise LookupError("secret detail")

    jobs.register("read", break_down)
    job = jobs.enqueue("read", {})
    queue.drain(jobs.run)
    waiting = look(job)
    assert (waiting.state, waiting.message) == (JobState.QUEUED, "Waiting for attempt 2 of 3")
    assert jobs.sweep() == 0, "the second attempt comes after a pause"
    for attempt, pause in ((2, 2), (3, 4)):
        clock.forward(pause)
        assert jobs.sweep() == 1
        queue.drain(jobs.run)
        assert look(job).attempts == attempt
    failed = look(job)
    assert failed.state is JobState.FAILED
    assert failed.error is not None
    assert failed.error.startswith("Something went wrong on our side")
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 3
    assert all(record.exc_info for record in errors)


def test_a_part_that_is_down_is_waited_for(
    jobs: Jobs, queue: MemoryQueue, look: Look, clock: HandClock
) -> None:
    answers = iter([UnavailableError("The disk is full."), None])

    def handler(_context: JobContext, _payload: dict[str, Any]) -> None:
        if error := next(answers):
            raise error

    jobs.register("read", handler)
    job = jobs.enqueue("read", {})
    queue.drain(jobs.run)
    assert look(job).state is JobState.QUEUED
    clock.forward(2)
    jobs.sweep()
    queue.drain(jobs.run)
    assert look(job).state is JobState.DONE
    assert look(job).error is None


def test_a_part_that_stays_down_ends_the_job_with_its_message(
    jobs: Jobs, queue: MemoryQueue, look: Look, clock: HandClock
) -> None:
    def handler(_context: JobContext, _payload: dict[str, Any]) -> None:
        raise UnavailableError("The disk is full.")

    jobs.register("read", handler)
    job = jobs.enqueue("read", {})
    for _ in range(3):
        queue.drain(jobs.run)
        clock.forward(60)
        jobs.sweep()
    assert look(job).state is JobState.FAILED
    assert look(job).error == "The disk is full."


def test_a_worker_that_does_not_know_the_kind_leaves_the_job_to_others(
    jobs: Jobs, queue: MemoryQueue, look: Look, caplog: pytest.LogCaptureFixture
) -> None:
    job = jobs.enqueue("unknown", {})
    queue.drain(jobs.run)
    assert look(job).state is JobState.QUEUED
    assert "knows no job of the kind 'unknown'" in caplog.text


def test_the_id_of_the_request_goes_with_the_job(jobs: Jobs, queue: MemoryQueue) -> None:
    seen: list[str | None] = []
    jobs.register("read", lambda *_: seen.append(correlation_id()))
    with log_context(correlation_id="request-1"):
        jobs.enqueue("read", {})
    jobs.enqueue("read", {})
    queue.drain(jobs.run)
    assert seen[0] == "request-1"
    assert seen[1] not in {None, "request-1"}
    assert correlation_id() is None


def test_the_newest_job_of_each_subject_is_found(jobs: Jobs, clock: HandClock) -> None:
    file, other, without = uuid4(), uuid4(), uuid4()
    jobs.enqueue("read", {}, subject_id=file)
    clock.forward(1)
    newest = jobs.enqueue("screen", {}, subject_id=file)
    of_other = jobs.enqueue("read", {}, subject_id=other)
    jobs.enqueue("read", {})
    assert jobs.latest([file, other, without]) == {file: newest, other: of_other}
    assert jobs.latest([]) == {}


def test_the_later_of_two_jobs_of_the_same_moment_is_the_newest(jobs: Jobs) -> None:
    file = uuid4()
    made = [jobs.enqueue("read", {}, subject_id=file) for _ in range(5)]
    assert jobs.latest([file])[file].id == max(job.id for job in made)


def test_a_job_is_its_owners_business(jobs: Jobs) -> None:
    owner = Actor(user_id=uuid4(), roles=frozenset({Role.MEMBER}))
    job = jobs.enqueue("read", {}, owner_id=owner.user_id)
    assert jobs.get(owner, job.public_id) == job
    assert jobs.get(OPERATOR, job.public_id) == job
    for stranger in (replace(owner, user_id=uuid4()), ANONYMOUS):
        with pytest.raises(JobNotFoundError, match=job.public_id):
            jobs.get(stranger, job.public_id)


def test_a_job_of_nobody_is_not_everybodys(jobs: Jobs) -> None:
    job = jobs.enqueue("read", {})
    with pytest.raises(JobNotFoundError):
        jobs.get(ANONYMOUS, job.public_id)
    with pytest.raises(JobNotFoundError):
        jobs.get(OPERATOR, "no-such-job")


def test_a_job_says_nothing_of_whose_it_is(jobs: Jobs) -> None:
    shown = jobs.enqueue("read", {"private": 1}, owner_id=uuid4(), subject_id=uuid4())
    assert not {"id", "owner_id", "subject_id", "payload"} & set(shown.model_dump())


def test_what_a_confidential_job_was_given_is_erased_at_its_end(
    jobs: Jobs, queue: MemoryQueue, database: Database
) -> None:
    def payloads() -> list[dict[str, Any]]:
        with database.reading() as session:
            return list(session.scalars(select(Job.payload).order_by(Job.created_at, Job.id)))

    def fail(_context: JobContext, _payload: dict[str, Any]) -> None:
        raise ValidationError("No.")

    jobs.register("letter", lambda *_: None, confidential=True)
    jobs.register("refused", fail, confidential=True)
    jobs.register("open", lambda *_: None)
    for kind in ("letter", "refused", "open"):
        jobs.enqueue(kind, {"secret": kind})
    queue.drain(jobs.run)
    assert payloads() == [{}, {}, {"secret": "open"}]


def test_a_job_may_have_more_attempts_than_others(jobs: Jobs, database: Database) -> None:
    jobs.enqueue("letter", {}, max_attempts=20)
    with database.reading() as session:
        assert session.scalars(select(Job.max_attempts)).one() == 20
