"""Fixtures of the jobs tests: a clock that stands still until it is moved, a queue in memory."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from fairdatabase.authorization.schemas import OPERATOR
from fairdatabase.jobs.backends.memory import MemoryQueue
from fairdatabase.jobs.schemas import JobRecord
from fairdatabase.jobs.service import Jobs
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database


class HandClock:
    """A clock that tests move by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def queue() -> MemoryQueue:
    return MemoryQueue()


@pytest.fixture
def jobs(database: Database, queue: MemoryQueue, settings: Settings, clock: HandClock) -> Jobs:
    """Jobs with a lease of 30 seconds and three attempts."""
    return Jobs(database, queue, settings, clock)


Look = Callable[[JobRecord], JobRecord]


@pytest.fixture
def look(jobs: Jobs) -> Look:
    """Return a function that reads a job again."""
    return lambda job: jobs.get(OPERATOR, job.public_id)
