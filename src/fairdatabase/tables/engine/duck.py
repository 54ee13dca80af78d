"""Questions about a stored table: pages of rows, aggregates, statistics, exports.

Names of columns come from the schema alone, values are parameters, and every query runs in an
instance that sees one file (see ``connection``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from fairdatabase.tables.engine.connection import (
    ROW_NUMBER,
    Limits,
    identifier,
    open_table,
)
from fairdatabase.tables.engine.cursor import decode_cursor, encode_cursor
from fairdatabase.tables.engine.export import MEDIA_TYPES, export
from fairdatabase.tables.engine.predicates import (
    Columns,
    conjunction,
    operand,
    placeholder,
    where,
)
from fairdatabase.tables.engine.rendering import json_value, order_by, rendered
from fairdatabase.tables.engine.statistics import describe
from fairdatabase.tables.errors import FilterValueError
from fairdatabase.tables.rules import shorten
from fairdatabase.tables.schemas import (
    AggregateSpec,
    ColumnSchema,
    ColumnType,
    Measure,
    MeasureFunction,
    Page,
    QuerySpec,
)

__all__ = ["MEDIA_TYPES", "Limits", "aggregate", "describe", "export", "query", "row_count"]

_DEFAULT_LIMITS = Limits()
_NUMERIC = (ColumnType.INTEGER, ColumnType.NUMBER)
_MEASURES = {
    MeasureFunction.COUNT: "count({})",
    MeasureFunction.COUNT_DISTINCT: "count(DISTINCT {})",
    MeasureFunction.SUM: "sum({})",
    MeasureFunction.MEAN: "avg({})",
    MeasureFunction.MIN: "min({})",
    MeasureFunction.MAX: "max({})",
    MeasureFunction.MEDIAN: "median({})",
    MeasureFunction.STDDEV: "stddev_samp({})",
}
_ARITHMETIC = (
    MeasureFunction.SUM,
    MeasureFunction.MEAN,
    MeasureFunction.MEDIAN,
    MeasureFunction.STDDEV,
)


def row_count(source: Path) -> int:
    """Number of rows of a stored table, by its footer."""
    count: int = pq.read_metadata(source).num_rows
    return count


def query(
    source: Path,
    columns: Sequence[ColumnSchema],
    spec: QuerySpec,
    *,
    key: bytes,
    limits: Limits = _DEFAULT_LIMITS,
) -> Page:
    """Return one page of rows.

    Rows are ordered by the sort columns, missing values last, and then by their place in the file;
    a page begins behind the last row of the page before, so that no row is given twice or left out.

    Args:
        source: The stored Parquet file.
        columns: Its column schema.
        spec: What to return.
        key: Seals the cursors.
        limits: What the query may cost.

    Raises:
        UnknownColumnError: The query names a column that is not there.
        FilterValueError: An operand does not fit the type of its column.
        CursorError: The cursor is damaged, forged or of another query.
        QueryTimeoutError: The query took too long.
        QueryMemoryError: The query needed too much memory.
    """
    known = Columns(columns)
    chosen = known.all if spec.columns is None else [known.get(name) for name in spec.columns]
    keys = [known.get(item.column) for item in spec.sort]
    conditions, parameters = where(known, spec.filters, spec.search)
    matching = conjunction(conditions), list(parameters)
    if spec.cursor is not None:
        sql, values = _behind(spec, keys, *decode_cursor(source.name, spec, key=key))
        conditions.append(sql)
        parameters += values
    selected = ", ".join([*map(rendered, [*chosen, *keys]), ROW_NUMBER])
    with open_table(source, limits) as table:
        found = table.fetch(
            f"SELECT {selected} FROM {table.sql}{conjunction(conditions)} "
            f"{order_by(spec, keys)} LIMIT {spec.limit + 1}",
            parameters,
        )
        total = None
        if spec.with_total:
            total = table.fetch(f"SELECT count(*) FROM {table.sql}{matching[0]}", matching[1])[0][0]
    seal = partial(encode_cursor, source.name, spec, key=key)
    return _page(spec, chosen, found, total, seal)


def _page(
    spec: QuerySpec,
    chosen: Sequence[ColumnSchema],
    found: list[tuple[Any, ...]],
    total: int | None,
    seal: Callable[[list[Any], int], str],
) -> Page:
    """The page of rows that were found, one more than it may hold if there is another page."""
    rows, width = found[: spec.limit], len(chosen)
    cursor = None
    if len(found) > spec.limit:
        *sort_values, number = rows[-1][width:]
        cursor = seal([_key(value) for value in sort_values], number)
    return Page(
        columns=tuple(column.name for column in chosen),
        rows=tuple(tuple(json_value(cell) for cell in row[:width]) for row in rows),
        next_cursor=cursor,
        total=total,
    )


def _key(value: Any) -> Any:  # noqa: ANN401  a cell of any type
    """A sort value as exact JSON; unlike cells, infinities and decimals keep their value."""
    return str(value) if isinstance(value, Decimal) else value


def _behind(
    spec: QuerySpec, keys: Sequence[ColumnSchema], values: Sequence[Any], row: int
) -> tuple[str, list[Any]]:
    """The condition that a row comes behind the one with these sort values, NULLs last."""
    alternatives: list[str] = []
    parameters: list[Any] = []
    equal: list[str] = []
    equal_values: list[Any] = []
    for item, column, value in zip(spec.sort, keys, values, strict=True):
        name = identifier(column.key)
        if value is None:
            equal.append(f"{name} IS NULL")
            continue
        operator = "<" if item.descending else ">"
        later = f"({name} {operator} {placeholder(column)} OR {name} IS NULL)"
        parameter = _sort_parameter(column, value)
        alternatives.append(" AND ".join([*equal, later]))
        parameters += [*equal_values, parameter]
        equal.append(f"{name} = {placeholder(column)}")
        equal_values.append(parameter)
    alternatives.append(" AND ".join([*equal, f"{ROW_NUMBER} > ?"]))
    parameters += [*equal_values, row]
    return f"(({') OR ('.join(alternatives)}))", parameters


def _sort_parameter(column: ColumnSchema, value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, str) and column.type in _NUMERIC:
        return Decimal(value)
    if isinstance(value, float):  # may be infinite
        return value
    return operand(column, value)


def aggregate(
    source: Path,
    columns: Sequence[ColumnSchema],
    spec: AggregateSpec,
    *,
    limits: Limits = _DEFAULT_LIMITS,
) -> Page:
    """Return aggregates per group, ordered by the group's values; ``total`` counts all groups.

    Args:
        source: The stored Parquet file.
        columns: Its column schema.
        spec: Groups and measures.
        limits: What the query may cost.

    Raises:
        UnknownColumnError: The query names a column that is not there.
        FilterValueError: An operand or a measure does not fit the type of its column.
        QueryTimeoutError: The query took too long.
        QueryMemoryError: The query needed too much memory.
    """
    known = Columns(columns)
    groups = [known.get(name) for name in spec.group_by]
    measures = [_measure(known, measure) for measure in spec.measures]
    conditions, parameters = where(known, spec.filters, spec.search)
    names = [identifier(column.key) for column in groups]
    selected = ", ".join([*map(rendered, groups), *(sql for sql, _ in measures)])
    grouping = ordering = ""
    if names:
        grouping = f" GROUP BY {', '.join(names)}"
        ordering = f" ORDER BY {', '.join(f'{name} NULLS LAST' for name in names)}"
    with open_table(source, limits) as table:
        found = table.fetch(
            f"SELECT {selected}, count(*) OVER () FROM {table.sql}{conjunction(conditions)}"
            f"{grouping}{ordering} LIMIT {spec.limit}",
            parameters,
        )
    return Page(
        columns=(*(column.name for column in groups), *(label for _, label in measures)),
        rows=tuple(tuple(json_value(cell) for cell in row[:-1]) for row in found),
        total=found[0][-1] if found else 0,
    )


def _measure(columns: Columns, measure: Measure) -> tuple[str, str]:
    """SQL and label of a measure."""
    function = measure.function
    if measure.column is None:
        if function is not MeasureFunction.COUNT:
            raise FilterValueError(f"The measure {function.value} needs a column.")
        return "count(*)", "count"
    column = columns.get(measure.column)
    if function in _ARITHMETIC and column.type not in _NUMERIC:
        message = (
            f"The measure {function.value} works on numbers; the column "
            f"{shorten(column.name)!r} is of the type {column.type.value}."
        )
        raise FilterValueError(message)
    sql = _MEASURES[function].format(identifier(column.key))
    if function in (MeasureFunction.MIN, MeasureFunction.MAX):
        sql = rendered(column, sql)
    return sql, f"{function.value}({column.name})"
