"""The migrations lead to the models and back, on both databases."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from psycopg import sql
from sqlalchemy import inspect, text

from fairdatabase.kernel.database import Database
from fairdatabase.migrations import configuration, downgrade, upgrade
from tests.conftest import BACKENDS


@pytest.fixture(params=BACKENDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
        return
    server: str = request.getfixturevalue("postgresql_server")
    name = f"fairdatabase_test_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield server.rpartition("/")[0] + "/" + name
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def schema_of(url: str) -> dict[str, list[str]]:
    """Return the columns, indexes and unique constraints of each table."""
    database = Database(url)
    inspector = inspect(database.engine)
    found = {
        name: sorted(
            [f"{column['name']} {column['type']!r}" for column in inspector.get_columns(name)]
            + [str(index["name"]) for index in inspector.get_indexes(name)]
            + [str(constraint["name"]) for constraint in inspector.get_unique_constraints(name)]
        )
        for name in inspector.get_table_names()
    }
    database.dispose()
    return found


def triggers_of(url: str) -> int:
    """Return how many triggers a SQLite database has."""
    database = Database(url)
    with database.reading() as session:
        statement = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"
        number = session.scalar(text(statement)) if database.is_sqlite else 0
    database.dispose()
    return number or 0


def test_up_down_and_up_again_is_the_same(empty_url: str) -> None:
    upgrade(empty_url)
    first, triggers = schema_of(empty_url), triggers_of(empty_url)
    assert {"versions", "files", "search_documents"} <= set(first)
    downgrade(empty_url, "base")
    assert set(schema_of(empty_url)) == {"alembic_version"}
    assert triggers_of(empty_url) == 0
    upgrade(empty_url)
    assert schema_of(empty_url) == first
    assert triggers_of(empty_url) == triggers


def test_each_step_goes_down_and_up(empty_url: str) -> None:
    upgrade(empty_url)
    last = schema_of(empty_url)
    downgrade(empty_url, "-1")
    assert schema_of(empty_url) != last
    upgrade(empty_url)
    assert schema_of(empty_url) == last


def test_the_models_are_what_the_migrations_make(empty_url: str) -> None:
    upgrade(empty_url)
    command.check(configuration(empty_url))
