"""Writes rows of text as one typed Parquet file, whatever format they came from.

Columns are stored under safe physical names (``c0``, ``c1``, ...): names people chose may be of
any length, hold any character and differ in case only, which no query engine keeps apart. The
column schema maps one to the other.

Rows come in batches of bounded size and keep their order. One reading is enough when the types
that the first batch suggests hold for all rows; when they do not, the first reading goes on to
find the types that do, and a second one writes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from fairdatabase.tables.engine.columns import ColumnReader, MissingCodes
from fairdatabase.tables.schemas import ColumnType

ROW_GROUP_ROWS = 32_768
"""Small, because a page of a hundred rows costs the decoding of whole row groups."""
COMPRESSION = "zstd"

Progress = Callable[[float, str], None]


class TextTable(Protocol):
    """Rows of text that can be read more than once."""

    @property
    def names(self) -> Sequence[str]:
        """Names of the columns, as in the file."""

    @property
    def rows(self) -> int:
        """Number of rows."""

    def candidates(self, position: int) -> Sequence[ColumnType]:
        """Types that the texts of a column may be proven to be, in the order of trial."""

    def batches(self) -> Iterator[Sequence[pa.Array]]:
        """String arrays of equal length, one per column; NULL where there is no value at all."""


def physical_names(count: int) -> list[str]:
    """Physical names of the columns of a stored table."""
    return [f"c{position}" for position in range(count)]


def store(
    table: TextTable,
    readers: Sequence[ColumnReader],
    target: Path,
    *,
    threads: int,
    progress: Progress,
) -> int:
    """Write a table of text as typed Parquet.

    Args:
        table: The rows.
        readers: One reader per column; hold the types and counts afterwards.
        target: The file to write.
        threads: Number of threads that convert columns.
        progress: Told the share done, 0 to 1, and what is being done.

    Returns:
        Number of rows written.
    """
    with ThreadPoolExecutor(threads) as pool:
        reading = _Reading(table, readers, pool, threads)
        rows = reading.run(target, progress, "Reading and typing")
        if any(reader.retyped for reader in readers):
            for reader in readers:
                reader.restart()
            rows = reading.run(target, progress, "Writing with the types that hold for all rows")
    if any(reader.retyped for reader in readers):
        raise RuntimeError("The source changed between two readings of it.")
    return rows


class _Reading:
    """Readings of the whole table."""

    def __init__(
        self,
        table: TextTable,
        readers: Sequence[ColumnReader],
        pool: ThreadPoolExecutor,
        threads: int,
    ) -> None:
        self.table = table
        self.readers = readers
        self.pool = pool
        self.threads = threads

    def run(self, target: Path, progress: Progress, activity: str) -> int:
        """Convert all rows, and write them until a column changes its type; count them."""
        rows = 0
        with ParquetFileWriter(target) as writer, ThreadPoolExecutor(1) as background:
            writing: Future[None] | None = None
            for values in self.table.batches():
                arrays = self._convert(values, rows)
                rows += len(values[0])
                if writing is not None:
                    writing.result()
                    writing = None
                if not any(reader.retyped for reader in self.readers):
                    writing = background.submit(writer.write, arrays)
                progress(min(rows / max(self.table.rows, 1), 1.0), activity)
            if writing is not None:
                writing.result()
            if not rows:
                writer.write([pa.nulls(0, reader.arrow_type) for reader in self.readers])
        return rows

    def _convert(self, values: Sequence[pa.Array], row: int) -> list[pa.Array]:
        size = max(1, -(-len(values) // (self.threads * 4)))
        starts = range(0, len(values), size)

        def convert(start: int) -> list[pa.Array]:
            end = start + size
            chunk = zip(self.readers[start:end], values[start:end], strict=True)
            return [reader.read(texts, row) for reader, texts in chunk]

        return [array for arrays in self.pool.map(convert, starts) for array in arrays]


class ParquetFileWriter:
    """A Parquet file with physical column names, synced to disk when closed without an error."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> ParquetFileWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()
        if kind is None:
            with self._target.open("rb") as file:
                os.fsync(file.fileno())

    def write(self, arrays: Sequence[pa.Array]) -> None:
        """Append rows; the first ones fix the types."""
        if self._writer is None:
            fields = zip(physical_names(len(arrays)), arrays, strict=True)
            schema = pa.schema([pa.field(name, array.type) for name, array in fields])
            texts = [item.name for item in schema if pa.types.is_string(item.type)]
            self._writer = pq.ParquetWriter(
                self._target, schema, compression=COMPRESSION, use_dictionary=texts
            )
        batch = pa.RecordBatch.from_arrays(list(arrays), schema=self._writer.schema)
        self._writer.write_batch(batch, row_group_size=ROW_GROUP_ROWS)


def make_readers(
    table: TextTable,
    names: Sequence[str],
    missing: MissingCodes,
    types: dict[str, ColumnType],
    *,
    trim: bool,
) -> list[ColumnReader]:
    """One reader per column; a wished type replaces the candidates of its column.

    Args:
        table: The rows.
        names: Final names of the columns.
        missing: Texts that mean a missing value.
        types: Wished types by name of the column.
        trim: Whether text loses the spaces around it.
    """
    readers = []
    for position, name in enumerate(names):
        candidates = [types[name]] if name in types else table.candidates(position)
        readers.append(ColumnReader(candidates, missing, trim=trim))
    return readers
