"""A catalogue on both databases, and people who use it."""

import pytest

from fairdatabase.audit.service import Audit
from fairdatabase.authorization.schemas import Actor, Role
from fairdatabase.catalog.service import Catalog
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.events import Events
from tests.factories.catalog import MOMENT, make_actor


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def catalog(database: Database, events: Events, settings: Settings) -> Catalog:
    audit = Audit(database, settings, lambda: MOMENT)
    return Catalog(database, events, settings, lambda: MOMENT, audit=audit)


@pytest.fixture
def owner(database: Database) -> Actor:
    return make_actor(database)


@pytest.fixture
def stranger(database: Database) -> Actor:
    return make_actor(database)


@pytest.fixture
def curator(database: Database) -> Actor:
    return make_actor(database, Role.CURATOR)
