"""Rows of typed values, as Excel and JSON Lines have them, brought into columns of text.

A value that is a text in the file stays a text: an identifier ``"007"`` does not become a number
because it looks like one. Numbers keep their digits, and mixed columns become text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import pyarrow as pa

from fairdatabase.tables.engine.prove import MAX_EXACT_INTEGER
from fairdatabase.tables.schemas import ColumnType

_TEXT_TYPES = (ColumnType.DATE, ColumnType.DATETIME, ColumnType.TIME)
_TYPES_OF_KIND: dict[frozenset[str], Sequence[ColumnType]] = {
    frozenset(): (),
    frozenset({"number"}): (ColumnType.INTEGER, ColumnType.NUMBER),
    frozenset({"boolean"}): (ColumnType.BOOLEAN,),
    frozenset({"date"}): (ColumnType.DATE,),
    frozenset({"datetime"}): (ColumnType.DATETIME,),
    frozenset({"time"}): (ColumnType.TIME,),
    frozenset({"text"}): _TEXT_TYPES,
}

Value = str | int | float | bool | date | datetime | time | timedelta | None


class NumberText(str):
    """The digits of a number as they stand in a file."""

    __slots__ = ()


def candidates(kinds: set[str]) -> Sequence[ColumnType]:
    """Types that a column with these kinds of values may be proven to be."""
    return _TYPES_OF_KIND.get(frozenset(kinds), ())


def as_text(value: Value) -> tuple[str | None, str]:
    """A value as text without loss, and its kind; a missing value has the kind ``""``."""
    return _CONVERSIONS.get(type(value), _other)(value)


def _other(value: Any) -> tuple[str, str]:  # noqa: ANN401  any type a reader may know
    return str(value), "text"


def _float(value: float) -> tuple[str, str]:
    whole = value.is_integer() and abs(value) < MAX_EXACT_INTEGER
    return (str(int(value)) if whole else repr(value)), "number"


_CONVERSIONS: dict[type, Callable[[Any], tuple[str | None, str]]] = {
    type(None): lambda _: (None, ""),
    NumberText: lambda value: (str(value), "number"),
    bool: lambda value: ("true" if value else "false", "boolean"),
    int: lambda value: (str(value), "number"),
    float: _float,
    datetime: lambda value: (value.isoformat(sep=" "), "datetime"),
    date: lambda value: (value.isoformat(), "date"),
    time: lambda value: (value.isoformat(), "time"),
}


def text_arrays(columns: Sequence[Sequence[str | None]]) -> list[pa.Array]:
    """Arrow string arrays of columns of text."""
    return [pa.array(column, pa.string()) for column in columns]
