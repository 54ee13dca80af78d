"""Cancelled jobs: by whom, when, and what becomes of the work."""

from typing import Any
from uuid import uuid4

import pytest

from fairdatabase.authorization.schemas import OPERATOR, Actor, Role
from fairdatabase.jobs.backends.memory import MemoryQueue
from fairdatabase.jobs.errors import JobNotFoundError
from fairdatabase.jobs.schemas import JobState
from fairdatabase.jobs.service import JobContext, Jobs
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import ConflictError
from fairdatabase.services import Services
from tests.factories.accounts import ClientAs
from tests.unit.jobs.conftest import Look


def test_a_waiting_job_is_never_started(jobs: Jobs, queue: MemoryQueue, look: Look) -> None:
    calls: list[int] = []
    jobs.register("count", lambda *_: calls.append(1))
    job = jobs.enqueue("count", {})
    cancelled = jobs.cancel(OPERATOR, job.public_id)
    assert cancelled.state is JobState.CANCELLED
    assert cancelled.state.has_ended
    assert cancelled.finished_at
    queue.drain(jobs.run)
    assert not calls
    assert look(job).state is JobState.CANCELLED


def test_a_running_job_stops_where_it_reports_progress(
    jobs: Jobs, queue: MemoryQueue, look: Look
) -> None:
    reached: list[str] = []

    def handler(context: JobContext, _payload: dict[str, Any]) -> None:
        jobs.cancel(OPERATOR, context.job.public_id)
        context.progress(0.5, "half")
        reached.append("the end")

    jobs.register("count", handler)
    job = jobs.enqueue("count", {})
    queue.drain(jobs.run)
    assert not reached
    assert (look(job).state, look(job).message) == (JobState.CANCELLED, "Cancelled")


def test_work_that_ends_without_noticing_stays_cancelled(
    jobs: Jobs, queue: MemoryQueue, look: Look
) -> None:
    def handler(context: JobContext, _payload: dict[str, Any]) -> None:
        jobs.cancel(OPERATOR, context.job.public_id)

    jobs.register("count", handler)
    job = jobs.enqueue("count", {})
    queue.drain(jobs.run)
    assert look(job).state is JobState.CANCELLED


def test_what_has_ended_is_not_cancelled(jobs: Jobs, queue: MemoryQueue) -> None:
    jobs.register("count", lambda *_: None)
    job = jobs.enqueue("count", {})
    queue.drain(jobs.run)
    with pytest.raises(ConflictError, match="ended already"):
        jobs.cancel(OPERATOR, job.public_id)


def test_a_cancelled_letter_is_erased(jobs: Jobs, queue: MemoryQueue, database: Database) -> None:
    jobs.register("letter", lambda *_: None, confidential=True)
    job = jobs.enqueue("letter", {"secret": 1})
    jobs.cancel(OPERATOR, job.public_id)
    with database.reading():
        row = jobs._jobs.get(job.id)
        assert row
        assert row.payload == {}


def test_others_cannot_cancel(jobs: Jobs) -> None:
    job = jobs.enqueue("count", {}, owner_id=uuid4())
    stranger = Actor(user_id=uuid4(), roles=frozenset({Role.MEMBER}))
    with pytest.raises(JobNotFoundError):
        jobs.cancel(stranger, job.public_id)


def test_the_owner_cancels_over_rest(
    services: Services, member: Actor, client_as: ClientAs
) -> None:
    job = services.jobs.enqueue("read", {}, owner_id=member.user_id)
    answer = client_as(Role.MEMBER).delete(f"/api/v1/jobs/{job.public_id}")
    assert answer.status_code == 200
    assert answer.get_json()["data"]["state"] == "cancelled"
    assert client_as(Role.MEMBER).delete(f"/api/v1/jobs/{job.public_id}").status_code == 409
