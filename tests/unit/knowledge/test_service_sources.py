"""Sources are loaded when they are due, embedded where there is something to embed with."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from fairdatabase.authorization.schemas import ANONYMOUS, Actor
from fairdatabase.jobs.backends.memory import MemoryQueue
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import ConflictError, PermissionDeniedError, UnavailableError
from fairdatabase.knowledge.backends import library
from fairdatabase.knowledge.schemas import Scoped, SourceIn
from fairdatabase.services import Services, build_services
from fairdatabase.worker import register_tasks
from knowledge_base.embedding import Matrix, unit
from knowledge_base.errors import UnreachableError
from tests.factories.kernel import ManualClock

LAB = SourceIn(location="folder:lab", refresh_days=7)
QUESTION = Scoped(q="zeolite freezer")


class Letters:
    """An embedder that counts letters, or is not there."""

    model = "letters"

    def __init__(self, *, answers: bool = True) -> None:
        self.answers = answers

    def embed(self, texts: Sequence[str]) -> Matrix:
        """Return one row of 26 for each text."""
        if not self.answers:
            raise UnreachableError("It does not answer.")
        letters = [[text.lower().count(chr(97 + each)) for each in range(26)] for text in texts]
        return unit(np.array(letters, dtype=np.float32))


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """An instance that may read a folder with one document."""
    folder = tmp_path / "documents"
    (folder / "lab").mkdir(parents=True)
    (folder / "lab" / "guide.md").write_text("# Guide\n\nIn the zeolite freezer.\n")
    return settings.model_copy(update={"knowledge_folder": folder})


@pytest.fixture
def clock() -> ManualClock:
    """A clock that the test moves."""
    return ManualClock()


@pytest.fixture
def services(
    settings: Settings, database: Database, queue: MemoryQueue, clock: ManualClock
) -> Iterator[Services]:
    """All services, at a time that the test moves."""
    settings.instance_path.mkdir(parents=True, exist_ok=True)
    built = build_services(settings, database, queue=queue, clock=clock)
    register_tasks(built)
    yield built
    built.knowledge.close()


@pytest.fixture
def work(services: Services, queue: MemoryQueue) -> Callable[[], int]:
    """``work()`` does all jobs that are waiting, and says how many."""
    return lambda: queue.drain(services.jobs.run)


def test_a_source_is_loaded_again_when_it_is_due(
    services: Services,
    admin: Actor,
    work: Callable[[], int],
    clock: ManualClock,
    settings: Settings,
) -> None:
    services.knowledge.sources.add(admin, LAB)
    assert work() == 1
    clock.advance(days=6, hours=23)
    assert services.knowledge.sources.sweep() == 0
    clock.advance(hours=1)
    assert settings.knowledge_folder
    (settings.knowledge_folder / "lab").rename(settings.knowledge_folder / "moved")
    assert services.knowledge.sources.sweep() == 1
    assert work() == 1
    # What failed is left alone for a day, and what is there stays.
    assert services.knowledge.sources.sweep() == 0
    assert services.knowledge.search(ANONYMOUS, QUESTION).sections
    clock.advance(days=1)
    assert services.knowledge.sources.sweep() == 1


def test_only_curators_look_after_sources(
    services: Services, member: Actor, curator: Actor, admin: Actor
) -> None:
    with pytest.raises(PermissionDeniedError):
        services.knowledge.sources.add(member, SourceIn(location="tool:uv"))
    with pytest.raises(PermissionDeniedError):
        services.knowledge.sources.add(curator, LAB)
    services.knowledge.sources.add(admin, LAB)
    with pytest.raises(ConflictError, match="folder:lab"):
        services.knowledge.sources.add(curator, SourceIn(location="pypi:lab"))


def test_a_source_that_was_removed_meanwhile_is_not_loaded(
    services: Services, admin: Actor, work: Callable[[], int]
) -> None:
    services.knowledge.sources.add(admin, LAB)
    services.knowledge.sources.remove(admin, "lab")
    assert work() == 1
    assert services.knowledge.list_sources(admin) == ()


def test_the_starter_set_is_a_job_for_each_source(services: Services, curator: Actor) -> None:
    assert len(services.knowledge.sources.add_starter(curator)) == 9
    listed = services.knowledge.list_sources(curator)
    assert {each.job.state for each in listed if each.job} == {"queued"}
    assert "cheatsheetseries" in {each.id for each in listed}


def test_meaning_counts_where_there_is_an_embedder(
    services: Services,
    admin: Actor,
    work: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    letters = Letters(answers=False)
    monkeypatch.setattr(library, "embedder_of", lambda _settings: letters)
    job = services.knowledge.sources.add(admin, LAB)
    assert work() == 2
    assert services.jobs.get(admin, job.public_id).state == "done"
    assert services.knowledge.search(ANONYMOUS, QUESTION).mode == "lexical"
    letters.answers = True
    services.knowledge.sources.refresh(admin, "lab")
    assert work() == 2
    assert services.knowledge.search(ANONYMOUS, QUESTION).mode == "hybrid"


def test_a_store_of_another_version_is_unavailable_and_stops_nobody_else(
    services: Services, database: Database, settings: Settings
) -> None:
    if not database.is_sqlite:
        pytest.skip("the same on both; the file is easier to change")
    services.knowledge.search(ANONYMOUS, QUESTION)
    services.knowledge.close()
    with sqlite3.connect(settings.instance_path / "knowledge.db") as connection:
        connection.execute("UPDATE layout SET version = 999")
    with pytest.raises(UnavailableError, match="999"):
        services.knowledge.search(ANONYMOUS, QUESTION)
    services.knowledge.sweep()
