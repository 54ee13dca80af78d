"""DuckDB instances that can read exactly one Parquet file, within limits.

Every file has its own instance without access to any other file, the network or extensions; every
query has its own connection to it. Instances are kept for a while, because making one costs more
than most queries. Stored files never change, so an instance never goes stale.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb

from fairdatabase.tables.errors import QueryMemoryError, QueryTimeoutError

_INSTANCES = 16
_SPILL_GIB = 4
ROW_NUMBER = "file_row_number"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query may cost.

    Attributes:
        memory_mib: Most memory in MiB.
        threads: Most threads.
        seconds: Most time; None for as long as it takes.
    """

    memory_mib: int = 512
    threads: int = 2
    seconds: float | None = 10.0


def identifier(name: str) -> str:
    """Quote a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text as an SQL literal, where no parameter is possible."""
    return "'" + text.replace("'", "''") + "'"


class Table:
    """A connection to the one file, and the SQL that names it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path, limits: Limits) -> None:
        self.connection = connection
        self.limits = limits
        self.sql = f"read_parquet({literal(str(path))}, {ROW_NUMBER} = true)"

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a query and return its rows.

        Raises:
            QueryTimeoutError: It took too long.
            QueryMemoryError: It needed too much memory.
        """
        with self.limited(self.limits.seconds):
            return self.connection.execute(sql, list(parameters)).fetchall()

    @contextmanager
    def limited(self, seconds: float | None) -> Iterator[None]:
        """Within, the connection is interrupted after a time, and limits raise their errors.

        Args:
            seconds: Most time; None for as long as it takes.

        Raises:
            QueryTimeoutError: The time is over.
            QueryMemoryError: More memory is needed than allowed.
        """
        timer = None
        if seconds is not None:
            timer = threading.Timer(seconds, self.connection.interrupt)
            timer.start()
        try:
            yield
        except duckdb.InterruptException as error:
            message = (
                f"The query took longer than the {seconds:g} seconds allowed. "
                "Ask for fewer columns or rows, or export the table."
            )
            raise QueryTimeoutError(message) from error
        except duckdb.OutOfMemoryException as error:
            message = (
                f"The query needed more than the {self.limits.memory_mib} MiB of memory allowed. "
                "Ask for fewer columns or groups, or export the table."
            )
            raise QueryMemoryError(message) from error
        finally:
            if timer is not None:
                timer.cancel()


@contextmanager
def open_table(path: Path, limits: Limits) -> Iterator[Table]:
    """Open a connection that can read one Parquet file and nothing else.

    Args:
        path: The Parquet file.
        limits: What a query may cost.
    """
    path = path.resolve()
    state = path.stat()
    version = (state.st_mtime_ns, state.st_size)
    instance = _instance(path, version, limits.memory_mib, limits.threads)
    with instance.cursor() as connection:
        yield Table(connection, path, limits)


@lru_cache(maxsize=_INSTANCES)
def _instance(
    path: Path,
    version: tuple[int, int],  # noqa: ARG001  part of the key
    memory_mib: int,
    threads: int,
) -> duckdb.DuckDBPyConnection:
    spill = Path(tempfile.gettempdir()) / "fairdatabase-engine"
    connection = duckdb.connect(
        config={
            "threads": threads,
            "memory_limit": f"{memory_mib}MiB",
            "temp_directory": str(spill),
            "max_temp_directory_size": f"{_SPILL_GIB}GiB",
        }
    )
    connection.execute(
        f"""
        SET TimeZone = 'UTC';
        SET parquet_metadata_cache = true;
        SET allowed_paths = [{literal(str(path))}];
        SET enable_external_access = false;
        SET lock_configuration = true
        """
    )
    return connection
