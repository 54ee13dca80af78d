"""What attackers find: an inhabited instance, and whatever they do to it undone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories.serving import Server, instance_settings, running
from tests.factories.world import World, inhabited, undone


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[World]:
    """An instance with a thing of every kind in every state; do not change it."""
    with inhabited(tmp_path_factory.mktemp("world"), sqlite_template) as made:
        yield made


@pytest.fixture
def scene(world: World) -> Iterator[World]:
    """The same instance, whose database forgets what the test did."""
    with undone(world.database):
        yield world


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Server]:
    """An empty instance with its worker behind the real server."""
    folder = tmp_path_factory.mktemp("server")
    settings = instance_settings(folder / "instance", sqlite_template)
    with running(settings, with_worker=True, log=folder / "log") as made:
        yield made
