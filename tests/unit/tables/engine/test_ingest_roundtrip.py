"""What is stored equals what was sent, for generated tables in every format."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairdatabase.tables.engine import duck
from fairdatabase.tables.engine.limits import IngestLimits
from fairdatabase.tables.schemas import (
    DEFAULT_MISSING_CODES,
    ColumnType,
    ExportFormat,
    QuerySpec,
)
from tests.unit.tables.engine.table_files import Stored, ingested

OURS = IngestLimits(isolated=False)
"""A process for each of hundreds of files would only take time."""
SETTINGS = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])

# Texts that could be anything: quotes, delimiters, line ends, padding, codes, digits.
TEXT = st.text(
    alphabet=st.one_of(
        st.sampled_from("\"',;|\t\n\r =+-@0NA.#"),
        st.characters(exclude_categories=["Cs", "Cc"]),
    ),
    max_size=12,
)
VALUES: dict[ColumnType, st.SearchStrategy[Any]] = {
    ColumnType.TEXT: TEXT,
    ColumnType.INTEGER: st.integers(-(2**63), 2**63 - 1),
    ColumnType.NUMBER: st.floats(allow_nan=False, allow_infinity=False),
    ColumnType.BOOLEAN: st.booleans(),
    ColumnType.DATE: st.dates(date(1900, 3, 1), date(2200, 1, 1)),
    ColumnType.DATETIME: st.datetimes(datetime(1900, 3, 1), datetime(2200, 1, 1)),  # noqa: DTZ001
    ColumnType.TIME: st.times(),
}


@st.composite
def tables(draw: st.DrawFn, *, columns: int = 4) -> tuple[list[ColumnType], list[list[Any]]]:
    types = draw(st.lists(st.sampled_from(list(ColumnType)), min_size=1, max_size=columns))
    row = st.tuples(*(st.none() | VALUES[column_type] for column_type in types))
    rows = draw(st.lists(row.map(list), min_size=1, max_size=8))
    return types, rows


def as_text(value: Any) -> str:  # noqa: ANN401
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date | time) else str(value)


def is_missing(text: str) -> bool:
    return text.strip(" \t") in DEFAULT_MISSING_CODES


def check_text_table(stored: Stored, types: list[ColumnType], rows: list[list[Any]]) -> None:
    """Each cell reads back as the value, or as exactly its text where the type was not proven."""
    assert len(stored.rows) == len(rows)
    for position, column_type in enumerate(types):
        sent = [row[position] for row in rows]
        found = [row[position] for row in stored.rows]
        if column_type is not ColumnType.TEXT and any(value is not None for value in sent):
            assert found == sent
            continue
        texts = [as_text(value) for value in sent]
        for text, value in zip(texts, found, strict=True):
            if is_missing(text):
                assert value is None
            elif stored.types[position] is ColumnType.TEXT:
                assert value == text
            elif stored.types[position] is ColumnType.NUMBER:
                assert value == float(text)
            else:
                assert as_text(value) == text.strip(" \t").lower().replace(" ", "T")


@pytest.mark.parametrize(
    ("delimiter", "newline", "quoting", "encoding"),
    [
        (",", "\n", csv.QUOTE_ALL, "utf-8"),
        (",", "\r\n", csv.QUOTE_MINIMAL, "utf-8-sig"),
        (";", "\r", csv.QUOTE_ALL, "utf-8"),
        ("\t", "\r\n", csv.QUOTE_MINIMAL, "utf-16"),
        ("|", "\r\n", csv.QUOTE_NONNUMERIC, "utf-16-be"),
    ],
)
@SETTINGS
@given(table=tables())
def test_delimited_text(
    delimiter: str,
    newline: str,
    quoting: Any,  # noqa: ANN401
    encoding: str,
    table: tuple[list[ColumnType], list[list[Any]]],
) -> None:
    types, rows = table
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=newline, quoting=quoting)
    writer.writerow([f"name {n}" for n in range(len(types))])
    for row in rows:
        writer.writerow([as_text(value) for value in row])
    content = out.getvalue().encode(encoding)
    stated = encoding if encoding == "utf-16-be" else None
    with ingested(content, delimiter=delimiter, quote='"', header=True, encoding=stated) as stored:
        assert stored.report.rows_rejected == 0
        check_text_table(stored, types, rows)


@SETTINGS
@given(table=tables(), spoiled=st.booleans())
def test_careful_reading_equals_fast_reading(
    table: tuple[list[ColumnType], list[list[Any]]],
    spoiled: bool,
) -> None:
    """One bad row makes the whole file go the careful way; all others stay what they are."""
    types, rows = table
    width = len(types)
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow([f"name {n}" for n in range(width)])
    writer.writerows([as_text(value) for value in row] for row in rows)
    lines = out.getvalue().count("\n") + out.getvalue().replace("\r\n", "").count("\r")
    bad = '"x"y' + "\r\n" if spoiled else "x," * width + "x\r\n"
    with ingested(out.getvalue() + bad, delimiter=",", header=True) as stored:
        [rejected] = stored.report.rejected
        assert rejected.line == lines + 1
        check_text_table(stored, types, rows)


@SETTINGS
@given(table=tables())
def test_json_lines(table: tuple[list[ColumnType], list[list[Any]]]) -> None:
    types, rows = table
    lines = [
        json.dumps(
            {
                f"k{n}": as_text(value) if isinstance(value, date | time) else value
                for n, value in enumerate(row)
            },
            ensure_ascii=False,
        )
        for row in rows
    ]
    with ingested("\n".join(lines)) as stored:
        for position, column_type in enumerate(types):
            sent = [row[position] for row in rows]
            found = [row[position] for row in stored.rows]
            if column_type is ColumnType.TEXT and stored.types[position] is not column_type:
                assert [as_text(value) for value in found] == [
                    as_text(value).replace(" ", "T") for value in sent
                ]
            else:
                assert found == sent


@SETTINGS
@given(table=tables())
def test_parquet(table: tuple[list[ColumnType], list[list[Any]]]) -> None:
    types, rows = table
    arrays = [pa.array([row[n] for row in rows]) for n in range(len(types))]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(arrays, names=[f"k{n}" for n in range(len(types))]), sink)
    with ingested(sink.getvalue().to_pybytes(), limits=OURS) as stored:
        assert [list(row) for row in stored.rows] == rows


EXCEL_VALUES: dict[ColumnType, st.SearchStrategy[Any]] = {
    ColumnType.TEXT: st.text(alphabet="abcé \"',;=0", min_size=1, max_size=9).filter(
        lambda text: not text.startswith("=") and not is_missing(text)
    ),
    ColumnType.INTEGER: st.integers(-(2**53) + 1, 2**53 - 1),
    ColumnType.NUMBER: st.floats(-1e15, 1e15).map(
        lambda number: float(f"{number:.16g}")  # as many digits as openpyxl writes
    ),
    ColumnType.BOOLEAN: st.booleans(),
    ColumnType.DATE: st.dates(date(1900, 3, 1), date(2200, 1, 1)),
}


@settings(SETTINGS, max_examples=20)
@given(data=st.data())
def test_excel(data: st.DataObject) -> None:
    types = data.draw(st.lists(st.sampled_from(list(EXCEL_VALUES)), min_size=1, max_size=4))
    row = st.tuples(*(st.none() | EXCEL_VALUES[column_type] for column_type in types))
    # A row of missing cells only does not exist in a worksheet.
    rows = data.draw(st.lists(row.filter(any), min_size=1, max_size=6))
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append([f"name {n}" for n in range(len(types))])
    for cells in rows:
        sheet.append(list(cells))
    out = io.BytesIO()
    book.save(out)
    with ingested(out.getvalue(), limits=OURS) as stored:
        for position in range(len(types)):
            sent = [cells[position] for cells in rows]
            found = [cells[position] for cells in stored.rows]
            assert found == sent


def _read_csv(content: bytes) -> list[list[str]]:
    """Rows of a CSV; a blank line is the row of a table with one missing cell."""
    return [row or [""] for row in csv.reader(io.StringIO(content.decode(), newline=""))]


@SETTINGS
@given(table=tables())
def test_exports_hold_what_is_stored(table: tuple[list[ColumnType], list[list[Any]]]) -> None:
    types, rows = table
    arrays = [pa.array([row[n] for row in rows]) for n in range(len(types))]
    sink = pa.BufferOutputStream()
    names = [f"k{n}" if n % 2 else f"K{n - 1}\"'" for n in range(len(types))]
    pq.write_table(pa.table(arrays, names=names), sink)
    with ingested(sink.getvalue().to_pybytes(), limits=OURS) as stored:
        export: Callable[..., bytes] = lambda kind, **options: b"".join(  # noqa: E731
            duck.export(stored.path, stored.columns, QuerySpec(), kind, **options)
        )
        page = duck.query(stored.path, stored.columns, QuerySpec(limit=1000), key=b"any")
        objects = [dict(zip(names, row, strict=True)) for row in page.rows]
        assert json.loads(export(ExportFormat.JSON)) == objects
        lines = export(ExportFormat.JSON_LINES).decode().split("\n")
        assert [json.loads(line) for line in lines[:-1]] == objects
        again = pq.read_table(pa.BufferReader(export(ExportFormat.PARQUET)))
        assert again.schema.names == names
        assert [list(row.values()) for row in again.to_pylist()] == rows
        text = _read_csv(export(ExportFormat.CSV, guard_formulas=False))
        assert text[0] == names
        for cells, row, kept in zip(text[1:], page.rows, rows, strict=True):
            for cell, value, exact in zip(cells, row, kept, strict=True):
                if isinstance(exact, float):
                    assert float(cell) == exact
                else:
                    assert cell == as_text(value)
