"""Exports rows of a stored table as a stream of bytes, in any of the export formats.

Spreadsheet programs take text that begins with ``=``, ``+``, ``-``, ``@``, one of these in full
width, a tab or a line break for a formula. In CSV and TSV such text therefore gets an apostrophe
in front, unless the caller switches that off; numbers are not touched. [1]

[1] OWASP, "CSV Injection", https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from fairdatabase.tables.engine.connection import (
    Limits,
    identifier,
    literal,
    open_table,
)
from fairdatabase.tables.engine.predicates import Columns, conjunction, where
from fairdatabase.tables.engine.rendering import order_by, rendered
from fairdatabase.tables.engine.store import COMPRESSION, ROW_GROUP_ROWS
from fairdatabase.tables.rules import FORMULA_STARTS
from fairdatabase.tables.schemas import ColumnSchema, ColumnType, ExportFormat, QuerySpec

MEDIA_TYPES = {
    ExportFormat.CSV: "text/csv; charset=utf-8; header=present",
    ExportFormat.TSV: "text/tab-separated-values; charset=utf-8",
    ExportFormat.JSON: "application/json",
    ExportFormat.JSON_LINES: "application/jsonl",
    ExportFormat.PARQUET: "application/vnd.apache.parquet",
}
_DELIMITERS = {ExportFormat.CSV: ",", ExportFormat.TSV: "\t"}
_JSON_FRAMES = {
    ExportFormat.JSON: (b"[", b",\n", b"]\n"),
    ExportFormat.JSON_LINES: (b"", b"\n", b"\n"),
}
_BATCH_CELLS = 400_000
_BATCH_ROWS = 32_768
_DEFAULT_LIMITS = Limits()

_ENCODE = json.JSONEncoder(ensure_ascii=False).encode
_JSON_ESCAPED = r'["\\\x00-\x1f]'

Batches = Callable[[str], Iterator[pa.RecordBatch]]
"""Rows of a select list, in batches; the first one is empty and shows the types."""


def export(
    source: Path,
    columns: Sequence[ColumnSchema],
    spec: QuerySpec,
    export_format: ExportFormat,
    *,
    guard_formulas: bool = True,
    limits: Limits = _DEFAULT_LIMITS,
) -> Iterator[bytes]:
    """Export all rows that match, in order; memory stays bounded and the source is streamed.

    Args:
        source: The stored Parquet file.
        columns: Its column schema.
        spec: Columns, filters, search and sort; limit and cursor do not matter here.
        export_format: The format.
        guard_formulas: Whether CSV and TSV protect spreadsheets from formulas in text.
        limits: What the query may cost; its time is not limited, as the reader sets the pace.

    Returns:
        An iterator of bytes; closing it ends the query.

    Raises:
        UnknownColumnError: The query names a column that is not there.
        FilterValueError: An operand does not fit the type of its column.
    """
    known = Columns(columns)
    chosen = list(known.all) if spec.columns is None else [known.get(name) for name in spec.columns]
    keys = [known.get(item.column) for item in spec.sort]
    conditions, parameters = where(known, spec.filters, spec.search)
    rest = f"{conjunction(conditions)}{order_by(spec, keys)}"
    size = max(1, min(_BATCH_ROWS, _BATCH_CELLS // len(chosen)))

    def stream() -> Iterator[bytes]:
        with open_table(source, limits) as table:

            def batches(selected: str) -> Iterator[pa.RecordBatch]:
                sql = f"SELECT {selected} FROM {table.sql}{rest}"
                with table.limited(None):
                    reader = table.connection.sql(sql, params=parameters).to_arrow_reader(size)
                    yield pa.RecordBatch.from_pylist([], schema=reader.schema)
                    yield from reader

            yield from _written(export_format, chosen, batches, guard=guard_formulas)

    return stream()


def _written(
    export_format: ExportFormat, columns: Sequence[ColumnSchema], batches: Batches, *, guard: bool
) -> Iterator[bytes]:
    if export_format is ExportFormat.PARQUET:
        return _parquet(columns, batches)
    if export_format in _DELIMITERS:
        return _delimited(columns, batches, _DELIMITERS[export_format], guard=guard)
    return _json(columns, batches, *_JSON_FRAMES[export_format])


def _delimited(
    columns: Sequence[ColumnSchema], batches: Batches, delimiter: str, *, guard: bool
) -> Iterator[bytes]:
    parts = []
    for position, column in enumerate(columns):
        sql = rendered(column)
        guarded = _guarded(sql) if guard and column.type is ColumnType.TEXT else sql
        parts.append(f"{guarded} AS c{position}")
    header = io.StringIO(newline="")
    names = [_guarded_name(column.name) if guard else column.name for column in columns]
    csv.writer(header, delimiter=delimiter, lineterminator="\n").writerow(names)
    yield header.getvalue().encode()
    options = pa.csv.WriteOptions(include_header=False, delimiter=delimiter)
    for batch in batches(", ".join(parts)):
        sink = pa.BufferOutputStream()
        pa.csv.write_csv(batch, sink, options)
        yield sink.getvalue().to_pybytes()


def _guarded(sql: str) -> str:
    # A long IN would become a join, and a join does not keep the order of the rows.
    armed = f"{sql} <> '' AND contains({literal(FORMULA_STARTS)}, left({sql}, 1))"
    return f"CASE WHEN {armed} THEN concat(chr(39), {sql}) ELSE {sql} END"


def _guarded_name(name: str) -> str:
    return "'" + name if name.startswith(tuple(FORMULA_STARTS)) else name


def _json(
    columns: Sequence[ColumnSchema], batches: Batches, begin: bytes, between: bytes, end: bytes
) -> Iterator[bytes]:
    labels = [f"{json.dumps(column.name, ensure_ascii=False)}:" for column in columns]
    starts = ["{" + labels[0], *("," + label for label in labels[1:])]
    selected = ", ".join(
        f"{rendered(column)} AS c{position}" for position, column in enumerate(columns)
    )
    yield begin
    separator = b""
    for batch in batches(selected):
        if batch.num_rows:
            cells = (_json_cells(values) for values in batch.columns)
            parts = [part for pair in zip(starts, cells, strict=True) for part in pair]
            lines = pc.binary_join_element_wise(*parts, "}", "")
            yield separator + between.join(line.encode() for line in lines.to_pylist())
            separator = between
    if begin or separator:
        yield end


def _json_cells(values: pa.Array) -> pa.Array:
    """Values as JSON texts; infinite numbers, which JSON does not have, become null."""
    if not pa.types.is_string(values.type):
        cells = pc.cast(values, pa.string())
        if pa.types.is_floating(values.type):
            cells = pc.if_else(pc.is_finite(values), cells, None)
    elif pc.any(pc.match_substring_regex(values, _JSON_ESCAPED)).as_py():
        texts = values.to_pylist()
        encoded = [None if text is None else _ENCODE(text) for text in texts]
        cells = pa.array(encoded, pa.string())
    else:
        cells = pc.binary_join_element_wise('"', values, '"', "")
    return pc.fill_null(cells, "null")


def _parquet(columns: Sequence[ColumnSchema], batches: Batches) -> Iterator[bytes]:
    selected = ", ".join(identifier(column.key) for column in columns)
    names = [column.name for column in columns]
    sink = _Chunks()
    rows = batches(selected)
    schema = next(rows).rename_columns(names).schema
    with pq.ParquetWriter(pa.PythonFile(sink, "w"), schema, compression=COMPRESSION) as writer:
        for batch in rows:
            writer.write_batch(batch.rename_columns(names), row_group_size=ROW_GROUP_ROWS)
            yield sink.take()
    yield sink.take()


class _Chunks(io.RawIOBase):
    """A file to write to, whose bytes can be taken away while it is being written."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:  # noqa: ANN401  any buffer
        self._parts.append(bytes(content))
        return len(self._parts[-1])

    def take(self) -> bytes:
        """All bytes written since the last time."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken
