"""Fixtures that every test may use: settings, databases, services, the application."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from jinja2 import FileSystemBytecodeCache
from psycopg import sql
from sqlalchemy import make_url, text

from fairdatabase.app import create_app
from fairdatabase.authorization.schemas import Actor, Role
from fairdatabase.jobs.backends.memory import MemoryQueue
from fairdatabase.kernel.config import Settings, load_settings
from fairdatabase.kernel.current import SERVICES_KEY
from fairdatabase.kernel.database import Base, Database
from fairdatabase.migrations import upgrade
from fairdatabase.services import Services, build_services
from fairdatabase.worker import register_tasks
from tests.factories.accounts import ClientAs, client_of, make_actor
from tests.factories.deposits import Work

BACKENDS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """URL of a migrated, empty database of this test process."""
    name = f"fairdatabase_test_{uuid4().hex[:12]}"
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        # No test survives a power cut, so none has to wait for the disk.
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(sql.Identifier(name))
        )
    server = make_url(postgresql_server)
    url = server.set(database=name).render_as_string(hide_password=False)
    upgrade(url)
    yield url
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file; tests work on copies of it."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session", autouse=True)
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Compile each template once for all applications of this test process."""
    Flask.jinja_options["bytecode_cache"] = FileSystemBytecodeCache(
        str(tmp_path_factory.mktemp("templates"))
    )


@pytest.fixture(params=BACKENDS)
def database_url(
    request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path
) -> Iterator[str]:
    """URL of an empty, migrated database; each test using it runs on both backends."""
    if request.param == "sqlite":
        path = tmp_path / "test.db"
        shutil.copy(sqlite_template, path)
        yield f"sqlite:///{path}"
        return
    url: str = request.getfixturevalue("postgresql_url")
    yield url
    _empty(url)


SEARCH_TABLES = ("search_misses", "search_subjects", "search_documents")
"""Without models, because they differ between the databases."""


KNOWLEDGE_TABLES = """
    SELECT tablename FROM pg_tables WHERE schemaname = 'knowledge' AND tablename <> 'layout'
"""
"""Made when documents are first kept, and slower to make than to empty."""


def _empty(url: str) -> None:
    """Remove all rows, from the leaves of the foreign keys on.

    TRUNCATE makes new files for every table, which takes a hundred times as long.
    """
    database = Database(url)
    tables = [*SEARCH_TABLES, *(each.name for each in reversed(Base.metadata.sorted_tables))]
    deletes = "; ".join(f"DELETE FROM {name}" for name in tables)  # noqa: S608 - our own names
    with database.transaction() as session:
        # What still holds a lock now is a leak of the test that just ended.
        session.execute(text("SET LOCAL lock_timeout = '20s'"))
        # Its triggers keep the audit log from being emptied; only their owner can put them aside.
        session.execute(text("ALTER TABLE audit_events DISABLE TRIGGER USER"))
        session.execute(text(deletes))
        for name in session.scalars(text(KNOWLEDGE_TABLES)).all():
            session.execute(text(f"DELETE FROM knowledge.{name}"))  # noqa: S608 - our own names
        session.execute(text("ALTER TABLE audit_events ENABLE TRIGGER USER"))
    database.dispose()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty, migrated database."""
    database = Database(database_url, pool_size=5)
    yield database
    database.dispose()


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Settings of a throw-away instance; argon2 at its cheapest."""
    return load_settings(
        _env_file=None,
        environment="development",
        instance_path=tmp_path / "instance",
        database_url=database_url,
        secret_key="t" * 32,
        jwt_secret_key="j" * 64,
        data_key="d" * 32,
        pseudonym_key="p" * 32,
        argon2_memory_kib=8,
        argon2_time_cost=1,
        argon2_parallelism=1,
        rate_limits_enabled=False,
    )


@pytest.fixture
def queue() -> MemoryQueue:
    """A queue whose jobs run when the test says so: ``queue.drain(run)``."""
    return MemoryQueue()


@pytest.fixture
def services(settings: Settings, database: Database, queue: MemoryQueue) -> Iterator[Services]:
    """All services over an empty database."""
    settings.instance_path.mkdir(parents=True, exist_ok=True)
    built = build_services(settings, database, queue=queue)
    yield built
    built.knowledge.close()


@pytest.fixture(scope="session")
def applications() -> list[tuple[dict[str, Any], OpenAPI]]:
    """Applications and their settings: to make two hundred routes takes longer than most tests."""
    return []


@pytest.fixture
def app(
    services: Services, applications: list[tuple[dict[str, Any], OpenAPI]]
) -> Iterator[OpenAPI]:
    """The application over these services; its rate limits are off.

    It is one that earlier tests used, unless its settings differ by more than where things are.
    """
    wanted = services.settings.model_dump(exclude={"instance_path", "database_url"})
    made = next((app for settings, app in applications if settings == wanted), None)
    if made is None:
        made = create_app(services=services)
        applications.append((wanted, made))
    made.extensions[SERVICES_KEY] = services
    config = dict(made.config)
    yield made
    made.config.update(config)


@pytest.fixture
def client(app: OpenAPI) -> FlaskClient:
    """A client nobody is signed in on."""
    return app.test_client()


@pytest.fixture
def member(services: Services) -> Actor:
    """A user who may deposit."""
    return make_actor(services.accounts, name="Mary Anning")


@pytest.fixture
def curator(services: Services) -> Actor:
    """A user who reviews deposits."""
    return make_actor(services.accounts, Role.CURATOR, name="Hans Sloane")


@pytest.fixture
def admin(services: Services) -> Actor:
    """A user who runs the instance."""
    return make_actor(services.accounts, Role.ADMIN, name="Ada Lovelace")


@pytest.fixture
def client_as(app: OpenAPI, request: pytest.FixtureRequest) -> ClientAs:
    """``client_as(Role.CURATOR)`` is a client signed in as the fixture of that name."""

    def sign_in(role: Role) -> FlaskClient:
        return client_of(app, request.getfixturevalue(role.value))

    return sign_in


@pytest.fixture
def work(services: Services, queue: MemoryQueue) -> Work:
    """``work()`` does all jobs that are waiting, as a worker would."""
    register_tasks(services)

    def drain() -> None:
        queue.drain(services.jobs.run)

    return drain


@pytest.fixture
def stranger(app: OpenAPI, services: Services) -> FlaskClient:
    """A client signed in as a member who has nothing to do with the others."""
    return client_of(app, make_actor(services.accounts, name="Alfred Wegener"))
