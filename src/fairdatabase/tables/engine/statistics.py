"""Statistics of stored columns."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from fairdatabase.tables.engine.connection import (
    ROW_NUMBER,
    Limits,
    Table,
    identifier,
    open_table,
)
from fairdatabase.tables.engine.rendering import json_value, rendered
from fairdatabase.tables.schemas import ColumnSchema, ColumnStatistics, ColumnType, ValueCount

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
TOP_VALUES = 10
TOP_COLUMNS = 200
"""Frequent values are counted for at most so many columns at a time."""
TOP_DISTINCT = 10_000
QUANTILE_ROWS = 100_000
"""Quantiles are exact up to so many rows, and of so many evenly spaced ones beyond."""

_CHUNK = 64
_NUMERIC = (ColumnType.INTEGER, ColumnType.NUMBER)
_DEFAULT_LIMITS = Limits()


def describe(
    source: Path, columns: Sequence[ColumnSchema], *, limits: Limits = _DEFAULT_LIMITS
) -> tuple[ColumnStatistics, ...]:
    """Summarise columns.

    The most frequent values are left out of columns with more than about ``TOP_DISTINCT`` different
    ones, and when more than ``TOP_COLUMNS`` columns are summarised.

    Args:
        source: The stored Parquet file.
        columns: The columns to summarise.
        limits: What each query may cost.

    Raises:
        QueryTimeoutError: A query took too long.
        QueryMemoryError: A query needed too much memory.
    """
    result: list[ColumnStatistics] = []
    remaining = iter(columns)
    with open_table(source, limits) as table:
        rows = table.fetch(f"SELECT count(*) FROM {table.sql}")[0][0]
        step = max(1, rows // QUANTILE_ROWS)
        while chunk := list(islice(remaining, _CHUNK)):
            selected = ", ".join(part for column in chunk for part in _aggregates(column, step))
            row = table.fetch(f"SELECT {selected} FROM {table.sql}")[0]
            width = len(row) // len(chunk)
            parts = [row[start : start + width] for start in range(0, len(row), width)]
            few = [
                column
                for column, values in zip(chunk, parts, strict=True)
                if values[1] <= TOP_DISTINCT and len(columns) <= TOP_COLUMNS
            ]
            top = _top(table, few)
            result += [
                _statistics(column, rows, values, top.get(column.key, ()))
                for column, values in zip(chunk, parts, strict=True)
            ]
    return tuple(result)


def _aggregates(column: ColumnSchema, step: int) -> list[str]:
    name = identifier(column.key)
    numeric = column.type in _NUMERIC
    shares = ", ".join(str(share) for share in QUANTILES)
    finite = f"CASE WHEN isfinite(CAST({name} AS DOUBLE)) THEN CAST({name} AS DOUBLE) END"
    return [
        f"count({name})",
        f"approx_count_distinct({name})",
        rendered(column, f"min({name})"),
        rendered(column, f"max({name})"),
        f"avg({finite})" if numeric else "NULL",
        f"stddev_samp({finite})" if numeric else "NULL",
        f"quantile_disc({finite}, [{shares}]) FILTER ({ROW_NUMBER} % {step} = 0)"
        if numeric
        else "NULL",
    ]


def _top(table: Table, columns: Sequence[ColumnSchema]) -> dict[str, tuple[ValueCount, ...]]:
    """The most frequent values of columns with few different ones, in one pass."""
    if not columns:
        return {}
    selected = ", ".join(f"histogram({rendered(column)})" for column in columns)
    found = table.fetch(f"SELECT {selected} FROM {table.sql}")[0]
    return {
        column.key: tuple(
            ValueCount(value=json_value(value), count=count)
            for value, count in sorted((counts or {}).items(), key=_most_frequent)[:TOP_VALUES]
        )
        for column, counts in zip(columns, found, strict=True)
    }


def _most_frequent(item: tuple[Any, int]) -> tuple[int, Any]:
    return -item[1], item[0]


def _statistics(
    column: ColumnSchema, rows: int, values: Sequence[Any], top: tuple[ValueCount, ...]
) -> ColumnStatistics:
    present, distinct, minimum, maximum, mean, stddev, quantiles = values
    return ColumnStatistics(
        name=column.name,
        type=column.type,
        rows=rows,
        nulls=rows - present,
        null_share=(rows - present) / rows if rows else 0.0,
        distinct=min(distinct, present),
        minimum=json_value(minimum),
        maximum=json_value(maximum),
        mean=mean,
        stddev=stddev,
        quantiles={
            str(share): value for share, value in zip(QUANTILES, quantiles or (), strict=False)
        },
        top=top,
    )
