"""Browsers that visit the application."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from fairdatabase.app import create_app
from fairdatabase.authorization.schemas import Actor
from fairdatabase.jobs.backends.memory import MemoryQueue
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.services import Services, build_services
from fairdatabase.worker import register_tasks
from tests.factories.accounts import make_actor
from tests.factories.providers import (
    PERSON_EMAIL,
    HostileProvider,
    RealProvider,
    hostile_provider,
    real_provider,
)
from tests.factories.web import Browser

Connect = Callable[..., Services]


@pytest.fixture
def new_browser(app: Flask) -> Callable[[], Browser]:
    return lambda: Browser(app)


@pytest.fixture
def browser(app: Flask) -> Browser:
    return Browser(app)


@pytest.fixture
def steward(browser: Browser, member: Actor) -> Browser:
    """A browser on which the member is signed in."""
    browser.sign_in(member)
    return browser


@pytest.fixture(scope="module")
def campus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealProvider]:
    """A real provider."""
    callback = "http://127.0.0.1:8000/sign-in/with/campus/answer"
    with real_provider(callback, log=tmp_path_factory.mktemp("campus") / "log") as provider:
        yield provider


@pytest.fixture
def shady() -> Iterator[HostileProvider]:
    """A provider that does as it is told."""
    with hostile_provider() as provider:
        yield provider


@pytest.fixture
def connect(
    settings: Settings,
    database: Database,
    queue: MemoryQueue,
    campus: RealProvider,
    shady: HostileProvider,
) -> Connect:
    """Return a maker of services that know both providers."""

    def build(*, instance: dict[str, object] | None = None, **changes: object) -> Services:
        settings.instance_path.mkdir(parents=True, exist_ok=True)
        providers = (campus.settings(), shady.settings(**changes))
        changed = settings.model_copy(update={"oidc_providers": providers} | (instance or {}))
        services = build_services(changed, database, queue=queue)
        register_tasks(services)
        return services

    return build


@pytest.fixture
def connected(connect: Connect) -> Services:
    return connect()


@pytest.fixture
def site(connected: Services) -> Flask:
    return create_app(services=connected)


@pytest.fixture
def owner(connected: Services) -> Actor:
    """Somebody who has an account with the address that the providers know."""
    return make_actor(connected.accounts, name="Marie Curie", email=PERSON_EMAIL)
