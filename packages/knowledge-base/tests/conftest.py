"""A knowledge base on every database."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from knowledge_base.documents import Format, Page, Source
from knowledge_base.knowledge import KnowledgeBase
from knowledge_base.store import Store

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FLASK = Source("flask", "pypi:flask", "Flask", "3.1", "BSD-3-Clause")
BLUEPRINTS = Page(
    "https://flask.example/blueprints",
    "# Blueprints\n\nGroup the views of an application.\n\n## Nesting\n\nA blueprint registers"
    " another:\n\n```python\nparent.register_blueprint(child)\n```\n\n## Prefixes\n\nGive"
    " `url_prefix` to put all routes below a path.\n",
    Format.MARKDOWN,
)
TESTING = Page(
    "https://flask.example/testing",
    "Testing\n=======\n\nUse the test client to send requests.\n\n.. function:: test_client()\n\n"
    "   Returns a client.\n",
    Format.REST,
)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store; each test using it runs on both databases."""
    if request.param == "sqlite":
        made = Store(f"sqlite:///{tmp_path / 'knowledge.db'}")
        yield made
        made.close()
        return
    server: str = request.getfixturevalue("postgresql_server")
    name = f"knowledge_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = make_url(server).set(database=name, drivername="postgresql+psycopg")
    made = Store(url.render_as_string(hide_password=False))
    yield made
    made.close()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def moment() -> datetime:
    """When everything happens."""
    return NOW


@pytest.fixture
def flask() -> Source:
    """The source that the knowledge base has."""
    return FLASK


@pytest.fixture
def blueprints() -> Page:
    """One of its pages."""
    return BLUEPRINTS


@pytest.fixture
def knowledge(store: Store) -> KnowledgeBase:
    """A knowledge base with two pages of Flask, where it is always the same moment."""
    made = KnowledgeBase(store, clock=lambda: NOW)
    made.refresh(FLASK, [BLUEPRINTS, TESTING])
    return made
