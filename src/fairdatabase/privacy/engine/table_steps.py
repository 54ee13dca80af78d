"""Steps of a recipe that look at other rows: cells suppressed, imputed, shuffled, disturbed.

Each is SQL over a relation ``cells`` with the position of a row (``place``), the value of the
column (``x``) and those of the other quasi-identifiers (``c0``, ``c1`` ...), whose combinations are
the classes. It gives each ``place`` its ``value`` after the step.

Whatever is random comes from HMAC-SHA-256 under a key derived from the dataset's: the same table,
recipe and key give the same release, and nobody without the key can compute what was drawn.
"""

import hmac
import math

from fairdatabase.privacy.engine.pseudonyms import KEPT_DIGITS, pseudonym_sql
from fairdatabase.privacy.engine.steps import Expression
from fairdatabase.privacy.schemas.recipes import Impute, Noise, Shuffle, SuppressCells, TableStep
from fairdatabase.tables.schemas import ColumnType

_HALF = KEPT_DIGITS // 2
_HALF_VALUES = 16.0**_HALF
_LARGEST_INTEGER = 2.0**62
"""Noise does not carry a whole number beyond this, where its type would end."""

_DRAWN = {
    "uniform": "2 * u - 1",
    "laplace": "-sign(u - 0.5) * ln(1 - 2 * abs(u - 0.5))",
    "normal": f"sqrt(-2 * ln(u)) * cos({2 * math.pi!r}::DOUBLE * v)",
}
"""Distributions with scale 1, from two independent numbers above 0 and below 1."""


def derive_seed(key: bytes, label: str) -> bytes:
    """Return the key of one step's random numbers.

    Args:
        key: Of the dataset.
        label: Names the step, so that no two steps draw the same numbers.
    """
    return hmac.digest(key, f"fairdatabase/draw/{label}".encode(), "sha256")


def table_step_sql(
    step: TableStep, found: ColumnType, classes: int, index: int, seed: bytes | None
) -> Expression:
    """Return the query that does a step.

    Args:
        step: Step that was checked.
        found: Type of its column.
        classes: Number of columns that form the classes.
        index: Place of the step in the recipe.
        seed: Key of its random numbers, for steps that draw some.
    """
    keys = [f"c{place}" for place in range(classes)]
    match step:
        case SuppressCells():
            return _suppress_cells(step, keys, index)
        case Impute():
            return Expression(_impute(step, found, keys if step.within == "class" else []))
        case Shuffle():
            return _shuffle(keys if step.within == "class" else [], index, seed or b"")
    return _noise(step, found, index, seed or b"")


def _suppress_cells(step: SuppressCells, keys: list[str], index: int) -> Expression:
    rare = step.rarer_than is not None
    group = ["x"] if rare else keys
    by = f"PARTITION BY {', '.join(group)}" if group else ""
    least = step.rarer_than if rare else step.groups_below
    sql = f"SELECT place, CASE WHEN count(*) OVER ({by}) >= $least{index} THEN x END AS value"
    return Expression(f"{sql} FROM cells", {f"least{index}": least})


def _impute(step: Impute, found: ColumnType, keys: list[str]) -> str:
    """Return the imputing query; a class without a value takes that of the whole table.

    A mean adds up sorted values, so that it does not depend on how the work was divided.
    """
    finite = "FILTER (isfinite(x::DOUBLE))"
    centre = {
        "mean": f"list_sum(list_sort(list(x::DOUBLE) {finite})) / count(*) {finite}",
        "median": f"median(x::DOUBLE) {finite}",
        "mode": "first(x ORDER BY n DESC, x)",
    }[step.by]
    if found is ColumnType.INTEGER and step.by != "mode":
        centre = f"CAST(round({centre}) AS BIGINT)"
    columns = ", ".join([*keys, "x"])
    present, overall = f"SELECT {columns} FROM cells WHERE x IS NOT NULL", "FROM present"
    if step.by == "mode":
        present = f"SELECT {columns}, count(*) AS n FROM cells WHERE x IS NOT NULL GROUP BY ALL"
        overall = "SELECT x, sum(n) AS n FROM present GROUP BY x"
    chosen = ", ".join([*keys, f"{centre} AS centre"])
    grouped = f"GROUP BY {', '.join(keys)}" if keys else ""
    same = " AND ".join(f"cells.{key} IS NOT DISTINCT FROM centres.{key}" for key in keys)
    return (
        f"WITH present AS ({present}),"
        f" centres AS (SELECT {chosen} FROM present {grouped}),"
        f" everywhere AS (SELECT {centre} AS centre FROM ({overall}))"
        " SELECT place, coalesce(x, centres.centre, everywhere.centre) AS value"
        f" FROM cells LEFT JOIN centres ON {same or 'true'} CROSS JOIN everywhere"
    )


def _shuffle(keys: list[str], index: int, seed: bytes) -> Expression:
    """Return the shuffling query: a class's n-th place gets its value with the n-th digest."""
    draw, parameters = pseudonym_sql("CAST(place AS VARCHAR)", seed, index)
    by = f"{', '.join(keys)}, " if keys else ""
    return Expression(
        f"WITH drawn AS (SELECT *, {draw} AS draw FROM cells),"
        f" ranked AS (SELECT place, x, row_number() OVER (ORDER BY {by}place) AS there,"
        f" row_number() OVER (ORDER BY {by}draw, place) AS here FROM drawn)"
        " SELECT one.place, other.x AS value"
        " FROM ranked AS one JOIN ranked AS other ON one.there = other.here",
        dict(parameters),
    )


def _noise(step: Noise, found: ColumnType, index: int, seed: bytes) -> Expression:
    draw, parameters = pseudonym_sql("CAST(place AS VARCHAR)", seed, index)
    u, v = (
        f"((CAST('0x' || substr(draw, {start}, {_HALF}) AS UBIGINT) + 0.5::DOUBLE)"
        f" / {_HALF_VALUES!r}::DOUBLE)"
        for start in (1, _HALF + 1)
    )
    noisy = f"x + {step.scale!r}::DOUBLE * ({_DRAWN[step.distribution]})"
    if found is ColumnType.INTEGER:
        limit = f"{_LARGEST_INTEGER!r}::DOUBLE"
        bounded = f"CAST(round(least(greatest({noisy}, -{limit}), {limit})) AS BIGINT)"
        noisy = f"CASE WHEN x IS NOT NULL THEN {bounded} END"
    return Expression(
        f"WITH drawn AS (SELECT place, x, {draw} AS draw FROM cells),"
        f" uniform AS (SELECT place, x, {u} AS u, {v} AS v FROM drawn)"
        f" SELECT place, {noisy} AS value FROM uniform",
        dict(parameters),
    )
