"""Letters from being written to being sent, on both databases."""

import pytest
from sqlalchemy import select

from fairdatabase.jobs.backends.memory import MemoryQueue
from fairdatabase.jobs.models import Job
from fairdatabase.jobs.schemas import JobState
from fairdatabase.jobs.service import JobContext
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import NotFoundError, UnavailableError
from fairdatabase.mail.backends.memory import MemoryBackend
from fairdatabase.mail.errors import LetterRefusedError
from fairdatabase.mail.service import LETTER_JOB, Mail
from fairdatabase.services import Services
from tests.factories.mail import letter


@pytest.fixture
def backend() -> MemoryBackend:
    return MemoryBackend()


@pytest.fixture
def mail(services: Services, backend: MemoryBackend, settings: Settings) -> Mail:
    mail = Mail(services.jobs, backend, settings)

    def send(context: JobContext, payload: dict[str, str]) -> None:
        mail.deliver(context, payload["sealed"])

    services.jobs.register(LETTER_JOB, send, confidential=True)
    return mail


def job(database: Database) -> Job:
    with database.reading() as session:
        return session.scalars(select(Job)).one()


def test_a_letter_is_sent_by_a_job_and_forgotten(
    mail: Mail, backend: MemoryBackend, services: Services, queue: MemoryQueue, database: Database
) -> None:
    mail.send(letter(text="https://data.example.org/reset/secret\n"))
    assert not backend.sent
    assert "secret" not in str(job(database).payload)
    queue.drain(services.jobs.run)
    (message,) = backend.sent
    assert (message["To"], message["Message-ID"]) == (
        "ada@example.org",
        f"<{job(database).public_id}@127.0.0.1>",
    )
    assert (job(database).state, job(database).payload) == (JobState.DONE, {})


def test_nothing_is_sent_of_what_is_rolled_back(
    mail: Mail, queue: MemoryQueue, database: Database
) -> None:
    with pytest.raises(RuntimeError), database.transaction():
        mail.send(letter())
        raise RuntimeError
    assert not queue.waiting


def test_a_server_that_is_down_is_tried_again_for_an_hour(
    mail: Mail, backend: MemoryBackend, services: Services, queue: MemoryQueue, database: Database
) -> None:
    backend.refusal = UnavailableError("The mail server is away.")
    mail.send(letter())
    queue.drain(services.jobs.run)
    backend.refusal = None
    assert (job(database).state, job(database).max_attempts) == (JobState.QUEUED, 20)
    services.jobs.run(job(database).id)
    assert len(backend.sent) == 1


def test_a_letter_that_is_refused_ends_its_job_and_is_forgotten(
    mail: Mail, backend: MemoryBackend, services: Services, queue: MemoryQueue, database: Database
) -> None:
    backend.refusal = LetterRefusedError("The mail server said 550 no such mailbox.")
    mail.send(letter())
    queue.drain(services.jobs.run)
    ended = job(database)
    assert (ended.state, ended.payload) == (JobState.FAILED, {})
    assert ended.error == "The mail server said 550 no such mailbox."


def test_only_a_folder_keeps_letters(mail: Mail, services: Services) -> None:
    assert mail.kept() == []
    with pytest.raises(NotFoundError, match="not kept"):
        mail.kept_letter("1")
    assert services.mail.kept() == []
    mail.sweep()
    services.mail.sweep()
