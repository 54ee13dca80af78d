"""The accounts service over a clock that stands still."""

from collections.abc import Callable

import pytest

from fairdatabase.accounts.service import Accounts
from fairdatabase.jobs.backends.memory import MemoryQueue
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.mail.schemas import KeptLetter
from fairdatabase.services import Services, build_services
from fairdatabase.worker import register_tasks
from tests.factories.kernel import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def services_of(
    database: Database, queue: MemoryQueue, clock: ManualClock
) -> Callable[[Settings], Services]:
    """Return a maker of services over the same database and clock, with other settings."""

    def build(settings: Settings) -> Services:
        settings.instance_path.mkdir(parents=True, exist_ok=True)
        services = build_services(settings, database, queue=queue, clock=clock)
        register_tasks(services)
        return services

    return build


@pytest.fixture
def services(settings: Settings, services_of: Callable[[Settings], Services]) -> Services:
    return services_of(settings)


@pytest.fixture
def accounts(services: Services) -> Accounts:
    return services.accounts


@pytest.fixture
def letters(services: Services, queue: MemoryQueue) -> Callable[[], list[KeptLetter]]:
    """Return a function that does all waiting jobs and returns the letters, newest first."""

    def read() -> list[KeptLetter]:
        queue.drain(services.jobs.run)
        return services.mail.kept()

    return read
