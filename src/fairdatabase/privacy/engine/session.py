"""DuckDB sessions of the engine: bounded, private, and reading one Parquet file."""

import glob
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from fairdatabase.tables.schemas import ColumnSchema, ColumnType

Source: TypeAlias = Path | pa.Table
"""A Parquet file, or a table in memory."""

MEMORY_LIMIT = "1GB"
"""What DuckDB may hold in memory; larger intermediate results are spilled to a scratch folder."""

_ARROW_TYPES = (
    (pa.types.is_integer, ColumnType.INTEGER),
    (pa.types.is_floating, ColumnType.NUMBER),
    (pa.types.is_decimal, ColumnType.NUMBER),
    (pa.types.is_boolean, ColumnType.BOOLEAN),
    (pa.types.is_date, ColumnType.DATE),
    (pa.types.is_time, ColumnType.TIME),
    (pa.types.is_timestamp, ColumnType.DATETIME),
)


@contextmanager
def open_session(memory_limit: str = MEMORY_LIMIT) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an in-memory DuckDB whose scratch files disappear with it.

    Args:
        memory_limit: In DuckDB's notation, such as ``1GB``.

    Yields:
        A connection that loads no extensions and sees no Python variables.
    """
    with TemporaryDirectory(prefix="fairdatabase-privacy-") as scratch:
        connection = duckdb.connect(
            config={
                "memory_limit": memory_limit,
                "temp_directory": scratch,
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "python_enable_replacements": "false",
            }
        )
        try:
            # A bar would be written between the lines of whoever runs the command line.
            connection.execute("SET enable_progress_bar = false")
            yield connection
        finally:
            connection.close()


def quote(name: str) -> str:
    """Return a column name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def scan_argument(source: Path) -> str:
    """Return a path as the argument of ``read_parquet``, in which it is not a pattern."""
    return glob.escape(str(source))


def relation(connection: duckdb.DuckDBPyConnection, source: Source, *, name: str = "given") -> str:
    """Return SQL for the rows of a table; one in memory is known to the session by ``name``."""
    if isinstance(source, pa.Table):
        connection.register(name, source)
        return name
    escaped = scan_argument(source).replace("'", "''")
    return f"read_parquet('{escaped}')"


def row_count(source: Source) -> int:
    """Return how many rows a table has."""
    if isinstance(source, pa.Table):
        return int(source.num_rows)
    return int(pq.read_metadata(source).num_rows)


def described(source: Source, columns: Sequence[ColumnSchema] | None) -> dict[str, ColumnSchema]:
    """Return the columns of a table by the name people see, in its order.

    Args:
        source: Parquet file or Arrow table.
        columns: Its schema; without one its own names and types are taken.
    """
    if columns is not None:
        return {column.name: column for column in columns}
    schema = source.schema if isinstance(source, pa.Table) else pq.read_schema(source)
    return {
        field.name: ColumnSchema(key=field.name, name=field.name, type=_arrow_type(field.type))
        for field in schema
    }


def _arrow_type(kind: pa.DataType) -> ColumnType:
    if pa.types.is_dictionary(kind):
        return _arrow_type(kind.value_type)
    for check, logical in _ARROW_TYPES:
        if check(kind):
            return logical
    return ColumnType.TEXT


def as_texts(values: pa.Array) -> list[str | None]:
    """Return values as the texts that SQL makes of them."""
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        found: list[str | None] = values.to_pylist()
        return found
    if pa.types.is_integer(values.type):
        return [None if value is None else str(value) for value in values.to_pylist()]
    with open_session() as connection:
        connection.register("given", pa.table({"v": values, "place": range(len(values))}))
        rows = connection.execute("SELECT CAST(v AS VARCHAR) FROM given ORDER BY place").fetchall()
    return [text for (text,) in rows]
