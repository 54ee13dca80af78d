"""A worker dies in the middle of an ingestion: the job resumes and the dataset is whole."""

import io
import random

import pytest

from fairdatabase.authorization.schemas import Actor
from fairdatabase.deposits.schemas import DepositFile, DepositIn, FileStage
from fairdatabase.jobs.schemas import JobState
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.services import Services, build_services
from fairdatabase.tables.schemas import QuerySpec, Sort
from tests.factories.processes import start, until

ROWS = 1_500_000


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings with a short lease, so that a dead worker is noticed soon."""
    settings.instance_path.mkdir()
    return settings.model_copy(update={"job_lease_seconds": 5})


@pytest.fixture
def services(settings: Settings, database: Database) -> Services:
    """Services as a web process has them: jobs go to the worker's queue."""
    return build_services(settings, database)


def large_table() -> bytes:
    """Return a CSV file that takes a while to read: id, value, text."""
    chance = random.Random(7)
    words = [f"word-{chance.randrange(10**9)}" for _ in range(1000)]
    lines = [f"{n},{n % 1000 / 8},{words[n % 1000]}" for n in range(ROWS)]
    return ("id,value,text\n" + "\n".join(lines) + "\n").encode()


def test_an_ingestion_survives_the_death_of_its_worker(
    services: Services, settings: Settings, member: Actor
) -> None:
    deposit = services.deposits.open(member, DepositIn()).version.public_id
    added = services.deposits.add_file(member, deposit, "big.csv", io.BytesIO(large_table()))

    def state() -> DepositFile:
        return services.deposits.get(member, deposit).files[0]

    def is_reading() -> bool:
        job = state().job
        assert job is None or job.state is not JobState.DONE, "too fast to be killed in between"
        return job is not None and job.state is JobState.RUNNING and job.progress > 0

    first = start(settings, "worker")
    until(is_reading, seconds=180)
    first.kill()
    first.wait()
    assert state().table is None

    second = start(settings, "worker")
    try:
        until(lambda: state().stage is not FileStage.WORKING, seconds=180)
    finally:
        second.terminate()
        second.wait()
    whole = state()
    assert whole.table is not None, whole.job
    assert whole.job is not None
    assert whole.job.attempts > 1
    assert whole.table.row_count == ROWS
    last = services.tables.query(
        member,
        added.file.public_id,
        QuerySpec(sort=(Sort(column="id", descending=True),), limit=1),
    )
    assert last.rows[0][:2] == (ROWS - 1, (ROWS - 1) % 1000 / 8)
