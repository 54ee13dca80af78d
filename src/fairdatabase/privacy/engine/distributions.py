"""How often which values of a column occur: what plots of a column before and after show."""

import math
import re
from pathlib import Path

import duckdb

from fairdatabase.privacy.engine.session import open_session, quote, scan_argument
from fairdatabase.privacy.engine.steps import NUMBERS
from fairdatabase.privacy.schemas.previews import Bar, Distribution
from fairdatabase.tables.schemas import ColumnSchema, ColumnType

MAX_BARS = 8
"""Values or intervals that are told apart; more cannot be read off a plot."""

_BOUND = re.compile(r"[\[<>=\s]*(-?\d+(?:\.\d+)?)")
_SIGNIFICANT = 4


def distributions(source: Path, columns: tuple[ColumnSchema, ...]) -> tuple[Distribution, ...]:
    """Return how often which values of these columns of a Parquet file occur."""
    with open_session() as connection:
        return tuple(_distribution(connection, source, column) for column in columns)


def _distribution(
    connection: duckdb.DuckDBPyConnection, source: Path, column: ColumnSchema
) -> Distribution:
    value = quote(column.key)
    scan = {"source": scan_argument(source)}
    rows, present, distinct = connection.execute(
        f"SELECT count(*), count({value}), count(DISTINCT {value}) FROM read_parquet($source)",
        scan,
    ).fetchall()[0]
    if column.type in NUMBERS and distinct > MAX_BARS:
        bars = _histogram(connection, value, scan, whole=column.type is ColumnType.INTEGER)
    else:
        found = connection.execute(
            f"SELECT CAST({value} AS VARCHAR) AS label, count(*) AS n FROM read_parquet($source)"
            f" WHERE {value} IS NOT NULL GROUP BY label ORDER BY n DESC, label LIMIT {MAX_BARS}",
            scan,
        ).fetchall()
        bars = in_order(tuple(Bar(label=label, rows=n) for label, n in found))
    return Distribution(
        column=column.name,
        rows=rows,
        missing=rows - present,
        distinct=distinct,
        bars=bars,
        other=present - sum(bar.rows for bar in bars),
    )


def _histogram(
    connection: duckdb.DuckDBPyConnection, value: str, scan: dict[str, str], *, whole: bool
) -> tuple[Bar, ...]:
    """Return equal intervals from the smallest to the largest finite number."""
    number = f"CAST({value} AS DOUBLE)"
    low, high = connection.execute(
        f"SELECT min({number}), max({number}) FROM read_parquet($source) WHERE isfinite({number})",
        scan,
    ).fetchall()[0]
    width = math.ceil((high - low + 1) / MAX_BARS) if whole else (high - low) / MAX_BARS
    places = math.ceil((high - low + 1) / width) if whole else MAX_BARS
    found = dict(
        connection.execute(
            f"SELECT least(floor(({number} - {low!r}::DOUBLE) / {width!r}::DOUBLE),"
            f" {MAX_BARS - 1})::INTEGER AS place, count(*) FROM read_parquet($source)"
            f" WHERE isfinite({number}) GROUP BY place",
            scan,
        ).fetchall()
    )
    return tuple(
        Bar(label=f"{_short(start)} \u2013 {_short(start + width - whole)}", rows=found.get(n, 0))
        for n, start in ((n, low + n * width) for n in range(places))
    )


def in_order(bars: tuple[Bar, ...]) -> tuple[Bar, ...]:
    """Return bars by the numbers their labels begin with where all do, else as they came."""
    bounds = {bar.label: float(low[1]) for bar in bars if (low := _BOUND.match(bar.label))}
    if not all(bar.label in bounds for bar in bars):
        return bars
    return tuple(sorted(bars, key=lambda bar: (bounds[bar.label], not bar.label.startswith("<"))))


def _short(number: float) -> str:
    return f"{number:.{_SIGNIFICANT}g}" if abs(number) < 10**_SIGNIFICANT else f"{number:,.0f}"
