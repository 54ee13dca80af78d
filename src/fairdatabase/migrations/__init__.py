"""Alembic migrations and the two calls that run them from Python."""

from pathlib import Path

from alembic import command
from alembic.config import Config

_HERE = Path(__file__).parent


def configuration(database_url: str) -> Config:
    """Return an Alembic configuration for this database, without any ini file."""
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.attributes["database_url"] = database_url
    return config


def upgrade(database_url: str, revision: str = "head") -> None:
    """Bring the database to ``revision``, creating it where it is an SQLite file."""
    command.upgrade(configuration(database_url), revision)


def downgrade(database_url: str, revision: str) -> None:
    """Take the database back to ``revision``; ``base`` is the empty database."""
    command.downgrade(configuration(database_url), revision)
