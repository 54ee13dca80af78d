"""Reads Parquet: its types are taken over where they are exact, and nested columns are refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fairdatabase.tables.engine.limits import IngestLimits, cell_too_long
from fairdatabase.tables.engine.store import ParquetFileWriter
from fairdatabase.tables.errors import (
    CorruptFileError,
    ExpansionLimitError,
    HeaderError,
    NestedDataError,
    TableError,
)
from fairdatabase.tables.rules import shorten
from fairdatabase.tables.schemas import ColumnType, Finding, Severity

_BATCH_CELLS = 4_000_000
_BATCH_ROWS = 65_536
_UINT64_DIGITS = 20


@dataclass(slots=True)
class ParquetTable:
    """An opened Parquet file and the types its columns are stored with."""

    file: pq.ParquetFile
    file_name: str
    names: list[str]
    types: list[ColumnType]
    arrow_types: list[pa.DataType]
    cell_bytes: int
    missing: Counter[int] = field(default_factory=Counter)
    not_a_number: Counter[int] = field(default_factory=Counter)
    coded: dict[int, Counter[str]] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Number of rows by the file's own footer."""
        count: int = self.file.metadata.num_rows
        return count


def open_parquet(path: Path, name: str, limits: IngestLimits) -> ParquetTable:
    """Open a Parquet file.

    Args:
        path: The file.
        name: Its name, for messages.
        limits: Limits of the ingestion.

    Raises:
        CorruptFileError: It cannot be read.
        NestedDataError: A column holds lists, structures or maps.
        HeaderError: There are no columns, or more than allowed.
        ExpansionLimitError: There are more cells than allowed.
        TableError: A column has a type without a counterpart.
    """
    try:
        file = pq.ParquetFile(path)
        schema = file.schema_arrow
    except pa.ArrowMemoryError:
        raise
    except (pa.ArrowException, OSError) as error:
        message = f"{name} begins like a Parquet file and is damaged ({error}); send it again."
        raise CorruptFileError(message) from error
    if not 0 < len(schema) <= limits.columns:
        message = f"{name} has {len(schema):,} columns; 1 to {limits.columns:,} are possible."
        raise HeaderError(message)
    if file.metadata.num_rows * len(schema) > limits.cells:
        message = (
            f"{name} has {file.metadata.num_rows:,} rows of {len(schema):,} columns, more than the"
            f" {limits.cells:,} cells allowed. Send it in parts."
        )
        raise ExpansionLimitError(message)
    arrow_types = [_stored_type(item, name) for item in schema]
    types = [column_type(item) for item in arrow_types]
    return ParquetTable(file, name, list(schema.names), types, arrow_types, limits.cell_bytes)


def store_parquet(
    table: ParquetTable,
    target: Path,
    missing_codes: tuple[str, ...],
    progress: Callable[[float, str], None],
) -> int:
    """Copy a Parquet file under physical column names.

    Args:
        table: The opened file; counts of missing values are added to it.
        target: The file to write.
        missing_codes: Texts that mean a missing value.
        progress: Told the share done and what is being done.

    Returns:
        Number of rows written.

    Raises:
        CorruptFileError: A part of the file cannot be read.
        ExpansionLimitError: A text is longer than allowed.
    """
    size = max(1, min(_BATCH_ROWS, _BATCH_CELLS // len(table.names)))
    codes = pa.array(missing_codes, pa.string())
    rows = 0
    with ParquetFileWriter(target) as writer:
        try:
            for batch in table.file.iter_batches(batch_size=size):
                writer.write([_column(table, n, item, codes) for n, item in enumerate(batch)])
                rows += batch.num_rows
                progress(rows / max(table.rows, 1), "Copying")
        except pa.ArrowMemoryError:
            raise
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            message = f"{table.file_name} is damaged after row {rows:,} ({error}); send it again."
            raise CorruptFileError(message) from error
        if not rows:
            writer.write([pa.nulls(0, item) for item in table.arrow_types])
    return rows


def nan_findings(table: ParquetTable, names: list[str]) -> list[Finding]:
    """One finding per column in which NaN was stored as missing."""
    return [
        Finding(
            code="nan_missing",
            severity=Severity.INFO,
            message="NaN (not a number) was stored as missing.",
            column=names[position],
            count=count,
        )
        for position, count in sorted(table.not_a_number.items())
    ]


def column_type(arrow_type: pa.DataType) -> ColumnType:
    """The logical type of a stored Arrow type."""
    tests: tuple[tuple[Callable[[pa.DataType], bool], ColumnType], ...] = (
        (pa.types.is_boolean, ColumnType.BOOLEAN),
        (pa.types.is_integer, ColumnType.INTEGER),
        (pa.types.is_floating, ColumnType.NUMBER),
        (pa.types.is_date, ColumnType.DATE),
        (pa.types.is_timestamp, ColumnType.DATETIME),
        (pa.types.is_time, ColumnType.TIME),
    )
    if pa.types.is_decimal(arrow_type):
        return ColumnType.INTEGER if arrow_type.scale == 0 else ColumnType.NUMBER
    return next((result for test, result in tests if test(arrow_type)), ColumnType.TEXT)


def _stored_type(item: pa.Field, name: str) -> pa.DataType:
    kind = item.type.value_type if pa.types.is_dictionary(item.type) else item.type
    label = f"The column {shorten(item.name)!r} of {name}"
    if pa.types.is_nested(kind):
        message = f"{label} holds {kind}. Cells hold single values: flatten it to one column each."
        raise NestedDataError(message)
    for test, stored in _STORED_TYPES:
        if test(kind):
            return stored or kind
    message = f"{label} has the type {kind}, which a table here cannot hold. Convert it to text."
    raise TableError(message)


_STORED_TYPES: tuple[tuple[Callable[[pa.DataType], bool], pa.DataType | None], ...] = (
    (pa.types.is_boolean, None),
    (pa.types.is_decimal, None),
    (pa.types.is_timestamp, None),
    (pa.types.is_uint64, pa.decimal128(_UINT64_DIGITS, 0)),
    (pa.types.is_integer, pa.int64()),
    (pa.types.is_floating, pa.float64()),
    (pa.types.is_date, pa.date32()),
    (pa.types.is_time64, None),
    (pa.types.is_time32, pa.time64("us")),
    (pa.types.is_null, pa.string()),
    (pa.types.is_string, pa.string()),
    (pa.types.is_large_string, pa.string()),
)
"""Types that are exact in the stored file; None keeps the type as it is."""


def _column(table: ParquetTable, position: int, values: pa.Array, codes: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(values.type):
        _check_length(table, position, values.dictionary)
        values = values.dictionary_decode()
    _check_length(table, position, values)
    stored = pc.cast(values, table.arrow_types[position])
    if pa.types.is_floating(stored.type):
        nan = pc.is_nan(stored)
        if count := pc.sum(nan).as_py():
            table.not_a_number[position] += count
            stored = pc.if_else(nan, None, stored)
    if pa.types.is_string(stored.type) and len(codes):
        coded = pc.is_in(pc.ascii_trim(stored, characters=" \t"), value_set=codes)
        counts = table.coded.setdefault(position, Counter())
        for entry in pc.value_counts(pc.filter(stored, coded)).to_pylist():
            counts[entry["values"]] += entry["counts"]
        stored = pc.if_else(coded, None, stored)
    table.missing[position] += stored.null_count
    return stored


def _check_length(table: ParquetTable, position: int, values: pa.Array) -> None:
    """Refuse texts that are stored once, stand in any number of cells, and fill every answer."""
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return
    longest = pc.max(pc.binary_length(values)).as_py() or 0
    if longest > table.cell_bytes:
        raise cell_too_long(table.file_name, table.names[position], longest, table.cell_bytes)
