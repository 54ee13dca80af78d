"""SQL that gives cells the form in which they leave the engine, and rows their order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from fairdatabase.tables.engine.connection import ROW_NUMBER, identifier
from fairdatabase.tables.schemas import ColumnSchema, ColumnType, QuerySpec, Scalar


def rendered(column: ColumnSchema, sql: str | None = None) -> str:
    """SQL of a column, or of an expression of its type, with dates and times as ISO 8601 text."""
    sql = sql or identifier(column.key)
    if column.type in (ColumnType.DATE, ColumnType.TIME):
        return f"CAST({sql} AS VARCHAR)"
    if column.type is ColumnType.DATETIME:
        # Times in UTC end in +00, because the session's zone is UTC; others have no zone.
        return f"replace(replace(CAST({sql} AS VARCHAR), ' ', 'T'), '+00', 'Z')"
    return sql


def order_by(spec: QuerySpec, keys: Sequence[ColumnSchema]) -> str:
    """The order of a query's rows: sort columns with NULLs last, then the place in the file.

    Without sort columns there is no clause: the engine keeps the order of the file by itself, and
    can stop as soon as a page is full.
    """
    terms = [
        f"{identifier(column.key)} {'DESC' if item.descending else 'ASC'} NULLS LAST"
        for item, column in zip(spec.sort, keys, strict=True)
    ]
    return f" ORDER BY {', '.join([*terms, ROW_NUMBER])}" if terms else ""


def json_value(value: Any) -> Scalar:  # noqa: ANN401  a cell of any type
    """A cell as a JSON value: infinite numbers become null, decimals stay exact."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Decimal):
        if value == value.to_integral_value():
            return int(value)
        return float(value) if Decimal(repr(float(value))) == value else str(value)
    result: Scalar = value
    return result
