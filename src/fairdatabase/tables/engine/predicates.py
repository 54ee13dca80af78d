"""Typed conditions: filters and search become SQL with parameters, never with values in it."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from fairdatabase.tables.engine.connection import identifier
from fairdatabase.tables.errors import FilterValueError, UnknownColumnError
from fairdatabase.tables.rules import shorten
from fairdatabase.tables.schemas import ColumnSchema, ColumnType, Filter, FilterOp, Scalar

MAX_IN_VALUES = 10_000
_LARGEST_INTEGER = 2**127
_COMPARISONS = {
    FilterOp.EQ: "=",
    FilterOp.NE: "<>",
    FilterOp.LT: "<",
    FilterOp.LE: "<=",
    FilterOp.GT: ">",
    FilterOp.GE: ">=",
}
_TEXT_FUNCTIONS = {FilterOp.CONTAINS: "contains", FilterOp.STARTS_WITH: "starts_with"}
_NULL_TESTS = {FilterOp.IS_NULL: "IS NULL", FilterOp.NOT_NULL: "IS NOT NULL"}
_WANTED = {
    ColumnType.TEXT: "text",
    ColumnType.INTEGER: "a whole number",
    ColumnType.NUMBER: "a number",
    ColumnType.BOOLEAN: "true or false",
    ColumnType.DATE: "a date as text, such as '2026-01-31'",
    ColumnType.DATETIME: "a date with time as text, such as '2026-01-31T12:00:00'",
    ColumnType.TIME: "a time as text, such as '12:00:00'",
}


class Columns:
    """The columns of a table by name."""

    def __init__(self, columns: Sequence[ColumnSchema]) -> None:
        self.all = tuple(columns)
        self.by_name: Mapping[str, ColumnSchema] = {column.name: column for column in columns}

    def get(self, name: str) -> ColumnSchema:
        """The column of a name.

        Raises:
            UnknownColumnError: There is none; names that are near are suggested.
        """
        column = self.by_name.get(name)
        if column is None:
            near = difflib.get_close_matches(name, self.by_name, n=1) if name else []
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise UnknownColumnError(f"There is no column {shorten(name)!r} in this table.{hint}")
        return column


def where(
    columns: Columns, filters: Iterable[Filter], search: str | None
) -> tuple[list[str], list[Any]]:
    """Conditions that all have to hold, with their parameters.

    Raises:
        UnknownColumnError: A filter names no column.
        FilterValueError: An operand does not fit the type of its column.
    """
    conditions: list[str] = []
    parameters: list[Any] = []
    for item in filters:
        sql, values = _condition(columns.get(item.column), item)
        conditions.append(sql)
        parameters += values
    if search is not None:
        texts = [column for column in columns.all if column.type is ColumnType.TEXT]
        tests = [f"contains(lower({identifier(column.key)}), lower(?))" for column in texts]
        conditions.append(f"({' OR '.join(tests)})" if tests else "false")
        parameters += [search] * len(tests)
    return conditions, parameters


def conjunction(conditions: Sequence[str]) -> str:
    """A WHERE clause, or nothing."""
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _condition(column: ColumnSchema, item: Filter) -> tuple[str, list[Any]]:
    name = identifier(column.key)
    if item.op in _NULL_TESTS:
        if item.value is not None:
            raise FilterValueError(f"The operator {item.op.value} takes no value.")
        return f"{name} {_NULL_TESTS[item.op]}", []
    if item.op is FilterOp.IN:
        values = _in_values(column, item.value)
        return f"{name} IN ({', '.join([placeholder(column)] * len(values))})", values
    if isinstance(item.value, tuple):
        message = f"The operator {item.op.value} takes one value; a list goes with `in`."
        raise FilterValueError(message)
    if item.op in _TEXT_FUNCTIONS:
        if column.type is not ColumnType.TEXT:
            message = (
                f"The operator {item.op.value} works on text; the column "
                f"{shorten(column.name)!r} is of the type {column.type.value}."
            )
            raise FilterValueError(message)
        return f"{_TEXT_FUNCTIONS[item.op]}({name}, ?)", [operand(column, item.value)]
    sql = f"{name} {_COMPARISONS[item.op]} {placeholder(column)}"
    return sql, [operand(column, item.value)]


def _in_values(column: ColumnSchema, value: object) -> list[Any]:
    if not isinstance(value, tuple) or not 0 < len(value) <= MAX_IN_VALUES:
        message = f"The operator in takes a list of 1 to {MAX_IN_VALUES:,} values."
        raise FilterValueError(message)
    return [operand(column, entry) for entry in value]


def placeholder(column: ColumnSchema) -> str:
    """The SQL of a parameter that is compared with a column."""
    return "CAST(? AS TIMESTAMPTZ)" if column.type is ColumnType.DATETIME else "?"


def operand(column: ColumnSchema, value: Scalar) -> Any:  # noqa: ANN401  by the column's type
    """Check a value against the type of its column and bring it into the engine's type.

    Raises:
        FilterValueError: The value is not of the column's type.
    """
    try:
        return _OPERANDS[column.type](value)
    except (TypeError, ValueError) as error:
        message = (
            f"The column {shorten(column.name)!r} is of the type {column.type.value}: a value has "
            f"to be {_WANTED[column.type]}, not {shorten(repr(value))}."
        )
        raise FilterValueError(message) from error


def _text(value: Scalar) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _integer(value: Scalar) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= _LARGEST_INTEGER:
        raise ValueError
    return value


def _number(value: Scalar) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    try:
        number = float(value)
    except OverflowError as error:
        raise ValueError from error
    if not math.isfinite(number):
        raise ValueError
    return number


def _boolean(value: Scalar) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _datetime(value: Scalar) -> str:
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat()


_OPERANDS: dict[ColumnType, Callable[[Scalar], Any]] = {
    ColumnType.TEXT: _text,
    ColumnType.INTEGER: _integer,
    ColumnType.NUMBER: _number,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.DATE: lambda value: date.fromisoformat(_text(value)),
    ColumnType.DATETIME: _datetime,
    ColumnType.TIME: lambda value: time.fromisoformat(_text(value)),
}
