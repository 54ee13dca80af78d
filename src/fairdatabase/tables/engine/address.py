"""Queries as addresses write them: text in, typed ``QuerySpec`` out."""

import re
from collections.abc import Callable, Sequence

from fairdatabase.kernel.errors import ValidationError
from fairdatabase.tables.engine.predicates import Columns
from fairdatabase.tables.rules import shorten
from fairdatabase.tables.schemas import (
    ColumnSchema,
    ColumnType,
    Filter,
    FilterOp,
    QuerySpec,
    RowsQuery,
    Scalar,
    Sort,
)

_CONDITION = re.compile(
    rf"(?P<column>.+?):(?P<op>{'|'.join(FilterOp)})(?::(?P<value>.*))?", re.DOTALL
)
_VALUE_SEPARATOR = "|"
_WITHOUT_VALUE = {FilterOp.IS_NULL, FilterOp.NOT_NULL}
_AS_TEXT = {FilterOp.CONTAINS, FilterOp.STARTS_WITH}
_TRUTH = {"true": True, "false": False}
_READERS: dict[ColumnType, Callable[[str], Scalar]] = {
    ColumnType.INTEGER: int,
    ColumnType.NUMBER: float,
    ColumnType.BOOLEAN: lambda word: _TRUTH[word.lower()],
}


def query_spec(query: RowsQuery, columns: Sequence[ColumnSchema]) -> QuerySpec:
    """Read a query out of an address, with values of the columns' types.

    Raises:
        ValidationError: A condition is malformed, or a value does not fit.
        UnknownColumnError: A condition or a sorting names no column.
    """
    known = Columns(columns)
    return QuerySpec(
        columns=tuple(query.columns) or None,
        filters=tuple(_filter(text, known) for text in query.filter),
        sort=tuple(_sort(text, known) for text in query.sort),
        search=query.search or None,
        limit=query.limit,
        cursor=query.cursor or None,
        with_total=query.with_total,
    )


def _sort(text: str, known: Columns) -> Sort:
    descending = text not in known.by_name and text.startswith("-")
    column = known.get(text[1:] if descending else text)
    return Sort(column=column.name, descending=descending)


def _filter(text: str, known: Columns) -> Filter:
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise ValidationError(
            f"The filter {shorten(text)!r} cannot be read. Write column:operator:value, "
            "for example age:ge:30."
        )
    op = FilterOp(match["op"])
    column = known.get(match["column"])
    if op in _WITHOUT_VALUE:
        return Filter(column=column.name, op=op)
    value = match["value"]
    if value is None:
        raise ValidationError(f"The filter {shorten(text)!r} lacks a value after its last colon.")
    if op is FilterOp.IN:
        values = tuple(_value(part, column) for part in value.split(_VALUE_SEPARATOR))
        return Filter(column=column.name, op=op, value=values)
    return Filter(
        column=column.name, op=op, value=value if op in _AS_TEXT else _value(value, column)
    )


def _value(text: str, column: ColumnSchema) -> Scalar:
    read = _READERS.get(column.type)
    if read is None:
        return text
    try:
        return read(text.strip())
    except (ValueError, KeyError):
        raise ValidationError(
            f"{shorten(text)!r} is no value of the column {column.name!r}, "
            f"which holds values of type {column.type.value}."
        ) from None
