"""The command line on an instance of its own, called as the shell calls it."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fairdatabase.cli import main

Run = Callable[..., Result]


@pytest.fixture
def cli(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Result]]:
    """``cli("user", "list")`` is the command's result; the instance is in ``./instance``."""
    monkeypatch.chdir(tmp_path)
    environment = {
        "ENVIRONMENT": "development",
        "DATABASE_URL": database_url,
        "ARGON2_MEMORY_KIB": "8",
        "ARGON2_TIME_COST": "1",
        "ARGON2_PARALLELISM": "1",
    }
    for name, value in environment.items():
        monkeypatch.setenv(f"FAIRDATABASE_{name}", value)
    handlers = logging.getLogger().handlers[:]

    def run(*arguments: str, given: str | None = None) -> Result:
        return CliRunner().invoke(main, arguments, input=given)

    yield run
    logging.getLogger().handlers[:] = handlers


@pytest.fixture
def instance(cli: Run) -> Run:
    """The same, with an instance and its user ada@example.org."""
    assert cli("init").exit_code == 0
    made = cli("user", "create", "ada@example.org", "--name", "Ada Lovelace", "--generate")
    assert made.exit_code == 0, made.output
    return cli
