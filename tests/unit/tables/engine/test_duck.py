"""Queries: filters, sort, pages, aggregates, statistics, limits, and what they may not touch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairdatabase.tables.engine import duck
from fairdatabase.tables.engine.connection import identifier, literal, open_table
from fairdatabase.tables.errors import (
    CursorError,
    FilterValueError,
    QueryMemoryError,
    QueryTimeoutError,
    UnknownColumnError,
)
from fairdatabase.tables.rules import FORMULA_STARTS
from fairdatabase.tables.schemas import (
    AggregateSpec,
    ColumnSchema,
    ColumnType,
    ExportFormat,
    Filter,
    FilterOp,
    Measure,
    MeasureFunction,
    QuerySpec,
    Sort,
)

TYPES = {
    "text": ColumnType.TEXT,
    "n": ColumnType.INTEGER,
    "x": ColumnType.NUMBER,
    "flag": ColumnType.BOOLEAN,
    "day": ColumnType.DATE,
    "moment": ColumnType.DATETIME,
    "clock": ColumnType.TIME,
    "utc": ColumnType.DATETIME,
    "exact": ColumnType.NUMBER,
}
KEY = b"a key of the instance"
COLUMNS = tuple(
    ColumnSchema(key=f"c{n}", name=name, type=kind) for n, (name, kind) in enumerate(TYPES.items())
)
ARROW = [
    pa.string(),
    pa.int64(),
    pa.float64(),
    pa.bool_(),
    pa.date32(),
    pa.timestamp("us"),
    pa.time64("us"),
    pa.timestamp("us", "UTC"),
    pa.decimal128(30, 10),
]
# Few values, so that there are many ties.
SMALL: list[st.SearchStrategy[Any]] = [
    st.sampled_from(["a", "B", "b%", "", "é_"]),
    st.sampled_from([-1, 0, 2**62, 2**62 + 1]),
    st.sampled_from([-0.5, 0.0, 1e300, math.inf, -math.inf, 0.1]),
    st.booleans(),
    st.sampled_from([date(2020, 1, 1), date(1800, 1, 2)]),
    st.sampled_from([datetime(2020, 1, 1), datetime(2020, 1, 1, 0, 0, 0, 5)]),  # noqa: DTZ001
    st.sampled_from([time(1), time(23, 59, 59, 999_999)]),
    st.sampled_from([datetime(2020, 1, 1), datetime(2021, 1, 1, 1)]),  # noqa: DTZ001
    st.sampled_from([Decimal("0.1"), Decimal("12345678901234567890.0000000001"), Decimal(2)]),
]
ROWS = st.lists(st.tuples(*(st.none() | values for values in SMALL)), max_size=25)
FEW = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


class Files:
    """Parquet files of rows, each with a name of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0

    def write(self, rows: list[tuple[Any, ...]]) -> Path:
        self.count += 1
        path = self.folder / f"it's {self.count}.parquet"
        columns = [pa.array([row[n] for row in rows], kind) for n, kind in enumerate(ARROW)]
        names = [column.key for column in COLUMNS]
        pq.write_table(pa.table(columns, names=names), path, row_group_size=7)
        return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("tables"))


def json_of(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, datetime | time):
        text = value.isoformat()
        return text if value.microsecond == 0 else text.rstrip("0")
    if isinstance(value, Decimal):
        if value == int(value):
            return int(value)
        return float(value) if Decimal(repr(float(value))) == value else str(value)
    return value.isoformat() if isinstance(value, date) else value


def page_rows(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [
        tuple(
            f"{json_of(cell)}Z" if name == "utc" and cell is not None else json_of(cell)
            for name, cell in zip(TYPES, row, strict=True)
        )
        for row in rows
    ]


def pages(path: Path, spec: QuerySpec) -> Iterator[tuple[Any, ...]]:
    cursor = None
    while True:
        page = duck.query(path, COLUMNS, spec.model_copy(update={"cursor": cursor}), key=KEY)
        assert len(page.rows) <= spec.limit
        yield from page.rows
        cursor = page.next_cursor
        if cursor is None:
            return
        assert len(page.rows) == spec.limit


@FEW
@given(
    rows=ROWS,
    sort=st.lists(
        st.builds(Sort, column=st.sampled_from(list(TYPES)), descending=st.booleans()),
        max_size=3,
        unique_by=lambda item: item.column,
    ),
    limit=st.integers(1, 9),
)
def test_pages_visit_every_row_once_in_order(
    files: Files, rows: list[tuple[Any, ...]], sort: list[Sort], limit: int
) -> None:
    expected = list(rows)
    for item in reversed(sort):
        position = list(TYPES).index(item.column)
        present = [row for row in expected if row[position] is not None]
        absent = [row for row in expected if row[position] is None]

        def value(row: tuple[Any, ...], position: int = position) -> Any:  # noqa: ANN401
            cell = row[position]
            return cell.encode() if isinstance(cell, str) else cell

        # sorted(reverse=True) keeps the order of ties, as the engine does.
        expected = [*sorted(present, key=value, reverse=item.descending), *absent]
    found = list(pages(files.write(rows), QuerySpec(sort=tuple(sort), limit=limit)))
    assert found == page_rows(expected)


OPERATORS: dict[FilterOp, Callable[[Any, Any], bool]] = {
    FilterOp.EQ: lambda a, b: a == b,
    FilterOp.NE: lambda a, b: a != b,
    FilterOp.LT: lambda a, b: a < b,
    FilterOp.LE: lambda a, b: a <= b,
    FilterOp.GT: lambda a, b: a > b,
    FilterOp.GE: lambda a, b: a >= b,
    FilterOp.IN: lambda a, b: a in b,
    FilterOp.CONTAINS: lambda a, b: b in a,
    FilterOp.STARTS_WITH: lambda a, b: a.startswith(b),
    FilterOp.IS_NULL: lambda _, __: False,
    FilterOp.NOT_NULL: lambda _, __: True,
}


@FEW
@given(rows=ROWS, data=st.data())
def test_filters_equal_python(
    files: Files, rows: list[tuple[Any, ...]], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(list(TYPES)))
    position = list(TYPES).index(name)
    textual = {FilterOp.CONTAINS, FilterOp.STARTS_WITH}
    choices = [op for op in FilterOp if name == "text" or op not in textual]
    op = data.draw(st.sampled_from(choices))
    operands = SMALL[position].filter(lambda value: not isinstance(value, Decimal))
    if name == "exact":
        operands = st.just(2.0)
    if name == "x":
        operands = operands.filter(math.isfinite)
    number = 0 if op in (FilterOp.IS_NULL, FilterOp.NOT_NULL) else 1
    values = data.draw(
        st.lists(operands, min_size=number, max_size=2 if op is FilterOp.IN else number)
    )
    sent: Any = tuple(json_of(value) for value in values)
    operand: Any = values
    if op is not FilterOp.IN:
        sent = sent[0] if sent else None
        operand = values[0] if values else None
    expected = [
        row
        for row in rows
        if (row[position] is None) == (op is FilterOp.IS_NULL)
        and (row[position] is None or OPERATORS[op](row[position], operand))
    ]
    spec = QuerySpec(filters=(Filter(column=name, op=op, value=sent),), with_total=True)
    page = duck.query(files.write(rows), COLUMNS, spec, key=KEY)
    assert list(page.rows) == page_rows(expected)
    assert page.total == len(expected)


def test_search_looks_into_text_in_any_case(files: Files) -> None:
    row: tuple[Any, ...] = (None,) * (len(TYPES) - 1)
    path = files.write([("Äpfel%", *row), ("pears", *row), (None, *row)])
    for search, count in (("äPF", 1), ("%", 1), ("e", 2), ("_", 0)):
        assert len(duck.query(path, COLUMNS, QuerySpec(search=search), key=KEY).rows) == count
    assert duck.query(path, COLUMNS[1:], QuerySpec(search="e"), key=KEY).rows == ()


@pytest.mark.parametrize(
    ("column", "value", "wanted"),
    [
        ("n", "1", "type integer: a value has to be a whole number, not '1'"),
        ("n", True, "integer"),
        ("n", 2**127, "integer"),
        ("n", None, "integer"),
        ("x", "1", "number"),
        ("x", math.inf, "number"),
        ("x", 10**400, "number"),
        ("flag", 1, "boolean"),
        ("day", "01/02/2020", "type date"),
        ("day", 5, "date"),
        ("moment", "soon", "datetime"),
        ("clock", "noon", "time"),
        ("text", 1, "text"),
    ],
)
def test_values_of_another_type_are_refused(
    files: Files,
    column: str,
    value: Any,  # noqa: ANN401
    wanted: str,
) -> None:
    spec = QuerySpec(filters=(Filter(column=column, op=FilterOp.EQ, value=value),))
    with pytest.raises(FilterValueError, match=f"{column}.*{wanted}"):
        duck.query(files.write([]), COLUMNS, spec, key=KEY)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (Filter(column="n", op=FilterOp.CONTAINS, value="1"), "works on text"),
        (Filter(column="n", op=FilterOp.IS_NULL, value=1), "takes no value"),
        (Filter(column="n", op=FilterOp.EQ, value=(1, 2)), "takes one value"),
        (Filter(column="n", op=FilterOp.IN, value=1), "takes a list"),
        (Filter(column="n", op=FilterOp.IN, value=()), "takes a list"),
    ],
)
def test_operators_that_do_not_fit_are_refused(files: Files, item: Filter, message: str) -> None:
    with pytest.raises(FilterValueError, match=message):
        duck.query(files.write([]), COLUMNS, QuerySpec(filters=(item,)), key=KEY)


def test_unknown_columns_are_refused_with_a_suggestion(files: Files) -> None:
    path = files.write([])
    for spec in (
        QuerySpec(columns=("momentt",)),
        QuerySpec(sort=(Sort(column="momentt"),)),
        QuerySpec(filters=(Filter(column="momentt", op=FilterOp.IS_NULL),)),
    ):
        with pytest.raises(UnknownColumnError, match=r"'momentt'.*Did you mean 'moment'"):
            duck.query(path, COLUMNS, spec, key=KEY)
    with pytest.raises(UnknownColumnError, match="no column"):
        duck.export(path, COLUMNS, QuerySpec(columns=('"; DROP',)), ExportFormat.CSV)


def test_a_cursor_belongs_to_its_query_and_file(files: Files) -> None:
    row: tuple[Any, ...] = (None,) * (len(TYPES) - 1)
    path = files.write([(text, *row) for text in "abc"])
    spec = QuerySpec(limit=1, sort=(Sort(column="text"),))
    cursor = duck.query(path, COLUMNS, spec, key=KEY).next_cursor
    assert cursor is not None
    assert (
        duck.query(path, COLUMNS, spec.model_copy(update={"cursor": cursor}), key=KEY).rows[0][0]
        == "b"
    )
    with pytest.raises(CursorError, match="not made by this site"):
        duck.query(path, COLUMNS, spec.model_copy(update={"cursor": cursor}), key=b"another")
    wider = QuerySpec(limit=2, sort=spec.sort, columns=("text",), cursor=cursor)
    assert duck.query(path, COLUMNS, wider, key=KEY).rows == (("b",), ("c",))
    others = (
        QuerySpec(cursor=cursor),
        QuerySpec(sort=(Sort(column="text", descending=True),), cursor=cursor),
        QuerySpec(sort=spec.sort, search="b", cursor=cursor),
        QuerySpec(sort=spec.sort, cursor=cursor[:-2]),
        QuerySpec(sort=spec.sort, cursor="A" + cursor[1:]),
        QuerySpec(sort=spec.sort, cursor="not a cursor"),
    )
    for other in others:
        with pytest.raises(CursorError, match="Begin again without a cursor"):
            duck.query(path, COLUMNS, other, key=KEY)
    with pytest.raises(CursorError):
        duck.query(files.write([]), COLUMNS, spec.model_copy(update={"cursor": cursor}), key=KEY)


def test_aggregates_per_group(files: Files) -> None:
    day = date(2020, 1, 1)
    rest: tuple[Any, ...] = (None,) * 5
    path = files.write(
        [
            ("a", 1, 0.5, None, day, *rest[1:]),
            ("a", 2, 1.5, None, None, *rest[1:]),
            (None, 2**62, None, None, day, *rest[1:]),
            (None, 2**62, 9.0, None, day, *rest[1:]),
            ("b", None, None, None, day, *rest[1:]),
        ]
    )
    measures = [Measure(function=MeasureFunction.COUNT)]
    measures += [Measure(function=function, column="n") for function in MeasureFunction]
    measures += [Measure(function=MeasureFunction.MAX, column="day")]
    spec = AggregateSpec(group_by=("text",), measures=tuple(measures))
    page = duck.aggregate(path, COLUMNS, spec)
    assert page.columns[:3] == ("text", "count", "count(n)")
    assert page.columns[-1] == "max(day)"
    assert list(page.rows) == [
        ("a", 2, 2, 2, 3, 1.5, 1, 2, 1.5, pytest.approx(0.5**0.5), "2020-01-01"),
        ("b", 1, 0, 0, None, None, None, None, None, None, "2020-01-01"),
        (None, 2, 2, 1, 2**63, 2.0**62, 2**62, 2**62, 2.0**62, 0.0, "2020-01-01"),
    ]
    assert page.total == 3
    assert duck.aggregate(path, COLUMNS, spec.model_copy(update={"limit": 1})).total == 3
    everything = duck.aggregate(path, COLUMNS, AggregateSpec(search="zzz"))
    assert everything.rows == ((0,),)
    grouped = AggregateSpec(group_by=("text",), search="zzz")
    assert duck.aggregate(path, COLUMNS, grouped).total == 0


@pytest.mark.parametrize(
    ("measure", "message"),
    [
        (Measure(function=MeasureFunction.SUM), "needs a column"),
        (Measure(function=MeasureFunction.MEAN, column="text"), "works on numbers"),
    ],
)
def test_measures_that_do_not_fit_are_refused(files: Files, measure: Measure, message: str) -> None:
    with pytest.raises(FilterValueError, match=message):
        duck.aggregate(files.write([]), COLUMNS, AggregateSpec(measures=(measure,)))


def test_statistics(files: Files) -> None:
    rows = [
        ("a" if n % 2 else None, n, float(n), n % 2 == 0, date(2020, 1, 1 + n % 3), *(None,) * 4)
        for n in range(100)
    ]
    found = {item.name: item for item in duck.describe(files.write(rows), COLUMNS)}
    assert (found["text"].nulls, found["text"].null_share) == (50, 0.5)
    assert [(item.value, item.count) for item in found["text"].top] == [("a", 50)]
    assert (found["n"].minimum, found["n"].maximum, found["n"].mean) == (0, 99, 49.5)
    assert found["x"].quantiles == {
        "0.05": 4.0,
        "0.25": 24.0,
        "0.5": 49.0,
        "0.75": 74.0,
        "0.95": 94.0,
    }
    assert found["x"].stddev == pytest.approx(29.011, abs=1e-3)
    assert (found["day"].minimum, found["day"].maximum) == ("2020-01-01", "2020-01-03")
    assert found["flag"].top[0].count == 50
    assert found["clock"].minimum is None
    empty = duck.describe(files.write([]), COLUMNS)
    assert (empty[0].rows, empty[0].null_share, empty[1].quantiles) == (0, 0.0, {})


@pytest.mark.parametrize("kind", [ExportFormat.CSV, ExportFormat.JSON_LINES, ExportFormat.PARQUET])
def test_exports_keep_the_order_of_the_file(files: Files, kind: ExportFormat) -> None:
    """In every run, although several threads read the row groups."""
    texts = [f"row {number}" for number in range(80)]
    path = files.write([(text, *(None,) * 8) for text in texts])
    made = {b"".join(duck.export(path, COLUMNS[:1], QuerySpec(), kind)) for _ in range(20)}
    (export,) = made
    if kind is not ExportFormat.PARQUET:
        places = [export.index(text.encode() + b'"') for text in texts]
        assert places == sorted(places)


def test_csv_exports_guard_spreadsheets(files: Files) -> None:
    row: tuple[Any, ...] = (-5, -0.5, *(None,) * 6)
    texts = [f"{start}cmd" for start in FORMULA_STARTS]
    path = files.write([(text, *row) for text in [*texts, "a=b"]])
    risky = (COLUMNS[0].model_copy(update={"name": "=name"}), *COLUMNS[1:3])
    spec = QuerySpec()
    for kind, delimiter in ((ExportFormat.CSV, ","), (ExportFormat.TSV, "\t")):
        lines = b"".join(duck.export(path, risky, spec, kind)).decode().split("\n")
        assert lines[0].split(delimiter)[0] == "'=name"
        assert lines[1] == delimiter.join(['"\'=cmd"', "-5", "-0.5"])
        assert lines[-2].startswith('"a=b"')
    plain = b"".join(duck.export(path, risky, spec, ExportFormat.CSV, guard_formulas=False))
    assert plain.startswith(b'=name,n,x\n"=cmd",-5,-0.5\n')


def test_exports_follow_the_query(files: Files) -> None:
    row: tuple[Any, ...] = (None,) * (len(TYPES) - 2)
    path = files.write([("b", 2, *row), ("a", 1, *row), ("c", 3, *row)])
    spec = QuerySpec(
        columns=("n", "text"),
        filters=(Filter(column="n", op=FilterOp.LT, value=3),),
        sort=(Sort(column="text"),),
        limit=1,
    )
    assert b"".join(duck.export(path, COLUMNS, spec, ExportFormat.CSV)) == b'n,text\n1,"a"\n2,"b"\n'
    nothing = spec.model_copy(update={"search": "zzz"})
    for kind, content in {
        ExportFormat.CSV: b"n,text\n",
        ExportFormat.JSON: b"[]\n",
        ExportFormat.JSON_LINES: b"",
    }.items():
        assert b"".join(duck.export(path, COLUMNS, nothing, kind)) == content
    empty = b"".join(duck.export(path, COLUMNS, nothing, ExportFormat.PARQUET))
    assert pq.read_table(pa.BufferReader(empty)).schema.names == ["n", "text"]
    assert set(duck.MEDIA_TYPES) == set(ExportFormat)


def test_an_export_can_be_left_early(files: Files) -> None:
    row: tuple[Any, ...] = (None,) * (len(TYPES) - 1)
    path = files.write([(str(n), *row) for n in range(1000)])
    stream = duck.export(path, COLUMNS, QuerySpec(), ExportFormat.JSON)
    assert next(stream) == b"["
    stream.close()  # type: ignore[attr-defined]
    assert duck.row_count(path) == 1000


def test_queries_reach_no_other_file(files: Files, tmp_path: Path) -> None:
    path, other = files.write([]), files.write([])
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    with open_table(path, duck.Limits()) as table:
        for sql in (
            f"FROM read_text({literal(str(secret))})",
            f"FROM read_parquet({literal(str(other))})",
            f"COPY (SELECT 1) TO {literal(str(tmp_path / 'out.csv'))}",
            f"ATTACH {literal(str(tmp_path / 'x.duckdb'))}",
            "INSTALL httpfs",
            "SET enable_external_access = true",
        ):
            with pytest.raises((duckdb.PermissionException, duckdb.InvalidInputException)):
                table.fetch(sql)
    assert identifier('a"b') == '"a""b"'


def test_queries_end_at_their_limits(files: Files) -> None:
    path = files.write([])
    hurried, narrow = duck.Limits(seconds=0.2), duck.Limits(memory_mib=20, seconds=None)
    with (
        open_table(path, hurried) as table,
        pytest.raises(QueryTimeoutError, match=r"longer than the 0.2 seconds"),
    ):
        table.fetch("SELECT sum(a.range * b.range) FROM range(10000000) a, range(100000) b")
    with open_table(path, narrow) as table, pytest.raises(QueryMemoryError, match="20 MiB"):
        table.fetch("SELECT list(range) FROM range(20000000)")
