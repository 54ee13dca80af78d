"""Differencing: what two versions of a table tell together that neither tells alone.

Both may be k-anonymous, and still a group of twelve rows that had eleven before says which
sensitive value the newcomer brought along (Xiao and Tao 2007 call what prevents it m-invariance).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from fairdatabase.privacy.engine.session import Source, described, open_session, quote, relation
from fairdatabase.privacy.errors import AssessmentError
from fairdatabase.privacy.schemas import EquivalenceClass, VersionRisk
from fairdatabase.tables.schemas import ColumnSchema, ColumnType

_NUMBERS = frozenset({ColumnType.INTEGER, ColumnType.NUMBER})
_TELLING = "(came BETWEEN 1 AND $k - 1 OR went BETWEEN 1 AND $k - 1)"


def compare_versions(
    earlier: Source,
    later: Source,
    *,
    quasi_identifiers: Sequence[str],
    sensitive: Sequence[str],
    k: int = 5,
    max_listed: int = 50,
    earlier_columns: Sequence[ColumnSchema] | None = None,
    later_columns: Sequence[ColumnSchema] | None = None,
) -> VersionRisk:
    """Find groups whose difference between two versions is about fewer than k people.

    Rows that left and others that came may make up for each other in number; therefore rows are
    counted by their sensitive values, and those that came apart from those that left. Groups are
    compared as they are: two versions that were generalised differently are not seen through.

    Args:
        earlier: Parquet file, or Arrow table in memory.
        later: The same.
        quasi_identifiers: Columns that form the groups, in both.
        sensitive: Columns whose values may come or leave with a person, in both.
        k: Fewest people that a difference may be about.
        max_listed: Longest list of groups.
        earlier_columns: Schema of the earlier one; without it its own names and types are taken.
        later_columns: The same of the later one.

    Raises:
        AssessmentError: If a column is not in both versions.
    """
    old, new = described(earlier, earlier_columns), described(later, later_columns)
    pairs = _pairs(old, new, [*quasi_identifiers, *sensitive])
    with open_session() as connection:
        _find_changes(connection, earlier, later, pairs, len(quasi_identifiers))
        totals, found = _telling(connection, len(quasi_identifiers), k, max_listed)
    return VersionRisk(
        groups=totals[0],
        telling_groups=totals[1],
        telling_rows=totals[2],
        listed=tuple(
            EquivalenceClass(
                values=dict(zip(quasi_identifiers, cells, strict=True)), rows=moved, size=size
            )
            for *cells, moved, size in found
        ),
    )


def _pairs(
    earlier: Mapping[str, ColumnSchema], later: Mapping[str, ColumnSchema], names: Sequence[str]
) -> list[tuple[ColumnSchema, ColumnSchema]]:
    missing = sorted(set(names) - (set(earlier) & set(later)))
    if missing:
        raise AssessmentError(
            f"Both versions need the column {', '.join(map(repr, missing))} to be compared.",
            details={"columns": missing},
        )
    return [(earlier[name], later[name]) for name in names]


def _find_changes(
    connection: duckdb.DuckDBPyConnection,
    earlier: Source,
    later: Source,
    pairs: Sequence[tuple[ColumnSchema, ColumnSchema]],
    quasi_identifiers: int,
) -> None:
    """Create the table of groups: their later ``size``, and the rows that ``came`` and ``went``."""
    names = [f"q{place}" for place in range(len(pairs))]
    groups = "".join(f"{name}, " for name in names[:quasi_identifiers])
    cells = "".join(f"{name}, " for name in names)
    old = _projected([one for one, _ in pairs], pairs)
    new = _projected([other for _, other in pairs], pairs)
    before = relation(connection, earlier, name="earlier_rows")
    after = relation(connection, later, name="later_rows")
    connection.execute(
        f"CREATE TEMP TABLE changes AS SELECT {groups}"
        " sum(greatest(grown, 0))::BIGINT AS came, sum(greatest(-grown, 0))::BIGINT AS went,"
        " sum(n)::BIGINT AS size FROM"
        f" (SELECT {cells} count(*) FILTER (is_new) AS n,"
        " n - count(*) FILTER (NOT is_new) AS grown FROM"
        f" (SELECT {old} false AS is_new FROM {before}"
        f" UNION ALL BY NAME SELECT {new} true AS is_new FROM {after})"
        " GROUP BY ALL) GROUP BY ALL"
    )


def _projected(
    columns: Sequence[ColumnSchema], pairs: Sequence[tuple[ColumnSchema, ColumnSchema]]
) -> str:
    """Return SQL for the columns of one version; as texts where the types do not compare."""
    told = []
    for place, (column, (one, other)) in enumerate(zip(columns, pairs, strict=True)):
        alike = one.type is other.type or {one.type, other.type} <= _NUMBERS
        value = quote(column.key) if alike else f"CAST({quote(column.key)} AS VARCHAR)"
        told.append(f"{value} AS q{place}, ")
    return "".join(told)


def _telling(
    connection: duckdb.DuckDBPyConnection, columns: int, k: int, limit: int
) -> tuple[tuple[int, int, int], list[tuple[Any, ...]]]:
    """Return the groups, the telling ones and their rows, and some of them."""
    totals = connection.execute(
        f"SELECT count(*), count(*) FILTER ({_TELLING}),"
        f" coalesce(sum(came + went) FILTER ({_TELLING}), 0)::BIGINT FROM changes",
        {"k": k},
    ).fetchall()[0]
    texts = "".join(f"CAST(q{place} AS VARCHAR), " for place in range(columns))
    places = "".join(f"q{place}, " for place in range(columns))
    found = connection.execute(
        f"SELECT {texts} came + went AS moved, size FROM changes WHERE {_TELLING}"
        f" ORDER BY moved, {places} size LIMIT $limit",
        {"k": k, "limit": limit},
    ).fetchall()
    return totals, found
