"""Levels of hierarchies in recipes: which one a column is taken to, and what each leads to."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import duckdb
import numpy as np

from fairdatabase.privacy.engine.arrays import ArrayClasses, dense, fits
from fairdatabase.privacy.engine.classes import ClassTables
from fairdatabase.privacy.engine.hierarchies import Domain, domain, label_of
from fairdatabase.privacy.engine.risk import assess
from fairdatabase.privacy.engine.session import open_session, quote, relation
from fairdatabase.privacy.engine.steps import Expression
from fairdatabase.privacy.schemas import MissingChoice, Recipe, Thresholds
from fairdatabase.privacy.schemas.hierarchies import Hierarchy, LevelRisk
from fairdatabase.privacy.schemas.recipes import Partition, Step, SuppressSmallGroups
from fairdatabase.tables.schemas import ColumnSchema


def level_of(recipe: Recipe, hierarchy: Hierarchy) -> int | None:
    """Return the level to which a recipe takes a column; None where it does something else."""
    done = [step for step in recipe.steps if _is_of(step, hierarchy.column)]
    if not done:
        return 0
    for number, level in enumerate(hierarchy.levels, 1):
        if done == [level]:
            return number
    return None


def with_level(recipe: Recipe, hierarchy: Hierarchy, level: int) -> Recipe:
    """Return a recipe that takes a column to a level and leaves the other columns as they are."""
    steps = [step for step in recipe.steps if not _is_of(step, hierarchy.column)]
    if level:
        place = next(
            (
                index
                for index, step in enumerate(recipe.steps)
                if _is_of(step, hierarchy.column)
                or isinstance(step, Partition | SuppressSmallGroups)
            ),
            len(steps),
        )
        steps.insert(place, hierarchy.levels[level - 1])
    return recipe.model_copy(update={"steps": tuple(steps)})


def beside(recipe: Recipe, column: str) -> Recipe:
    """Return what a recipe does to single columns, one of them left as it is."""
    steps = (
        step
        for step in recipe.steps
        if not isinstance(step, Partition | SuppressSmallGroups) and step.column != column
    )
    return recipe.model_copy(update={"steps": tuple(steps)})


def _is_of(step: Step, column: str) -> bool:
    return not isinstance(step, Partition | SuppressSmallGroups) and step.column == column


def level_risks(
    source: Path,
    column: ColumnSchema,
    hierarchy: Hierarchy,
    *,
    quasi_identifiers: Sequence[ColumnSchema],
    thresholds: Thresholds,
    missing: MissingChoice,
) -> tuple[LevelRisk, ...]:
    """Measure what each level of a hierarchy leads to.

    Args:
        source: Parquet file of the table, its other columns as they would be released.
        column: The column, with its own values.
        hierarchy: Hierarchy that fits it.
        quasi_identifiers: The other quasi-identifiers.
        thresholds: What counts as at risk.
        missing: How missing quasi-identifiers are compared.

    Returns:
        One record for the values themselves and one for each level.
    """
    keys = [each.key for each in quasi_identifiers]
    with open_session() as connection:
        labelled = domain(connection, source, column, hierarchy.levels)
        measured: Iterable[dict[str, int]]
        if missing == "category":
            tables = _classes(connection, source, [column.key, *keys])
            measured = _counted(tables, labelled, thresholds.k)
        else:
            own = Expression(quote(column.key))
            values = [own, *(label_of(level, own, 0) for level in hierarchy.levels)]
            measured = (_assessed(connection, source, each, keys, thresholds) for each in values)
        return tuple(
            LevelRisk(level=place, distinct=int(np.unique(codes).size), **figures)
            for place, (codes, figures) in enumerate(zip(labelled.codes, measured, strict=True))
        )


def _classes(
    connection: duckdb.DuckDBPyConnection, source: Path, keys: Sequence[str]
) -> ArrayClasses | ClassTables:
    if fits(source, keys):
        return ArrayClasses(source, keys)
    tables = ClassTables(connection, source, keys, "category")
    tables.build()
    return tables


def _counted(
    tables: ArrayClasses | ClassTables, labelled: Domain, k: int
) -> Iterator[dict[str, int]]:
    """Measure each level by adding up the classes of the values themselves."""
    first, *others = tables.codes()
    weights = tables.sizes()["n"]
    beside, places = np.zeros(weights.size, dtype=np.int64), 1
    for codes in others:
        width = int(codes.max(initial=0)) + 1
        beside, values = dense(beside * width + codes, places * width)
        places = max(values.size, 1)
    for codes in labelled.codes:
        numbers, values = dense(
            codes[first] * places + beside, (int(codes.max(initial=0)) + 1) * places
        )
        sizes = np.bincount(numbers, weights=weights, minlength=values.size).astype(np.int64)
        yield {
            "rows": int(sizes.sum()),
            "k": int(sizes.min()) if sizes.size else 0,
            "rows_at_risk": int(sizes[sizes < k].sum()),
        }


def _assessed(
    connection: duckdb.DuckDBPyConnection,
    source: Path,
    value: Expression,
    keys: Sequence[str],
    thresholds: Thresholds,
) -> dict[str, int]:
    """Measure a level where missing values are like any: groups overlap and do not add up."""
    names = [f"q{place}" for place in range(len(keys))]
    others = "".join(f", {quote(key)} AS {name}" for key, name in zip(keys, names, strict=True))
    table = connection.sql(
        f"SELECT {value.sql} AS v{others} FROM {relation(connection, source)}",
        params=value.parameters,
    ).to_arrow_table()
    report = assess(
        table,
        quasi_identifiers=["v", *names],
        thresholds=thresholds,
        missing="wildcard",
        max_listed=0,
    )
    return report.model_dump(include={"rows", "k", "rows_at_risk"})
