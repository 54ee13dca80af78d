"""Fixtures of the storage tests."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fairdatabase.kernel.database import Database
from fairdatabase.storage.backends.base import Backend
from fairdatabase.storage.backends.local import LocalBackend
from fairdatabase.storage.backends.memory import MemoryBackend
from fairdatabase.storage.service import Storage


class SteppingClock:
    """A clock that goes on by one minute whenever it is asked."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "storage"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "work"


@pytest.fixture
def local(root: Path, work: Path) -> LocalBackend:
    return LocalBackend(root, work)


@pytest.fixture(params=["local", "memory"])
def backend(request: pytest.FixtureRequest, tmp_path: Path, local: LocalBackend) -> Backend:
    """Every backend in turn."""
    return local if request.param == "local" else MemoryBackend(tmp_path)


@pytest.fixture
def storage(database: Database, local: LocalBackend, clock: SteppingClock) -> Storage:
    return Storage(database, local, clock)
