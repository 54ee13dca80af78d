"""A table as the search sees it: distinct combinations of values, their rows, and their levels.

Rows that agree on the quasi-identifiers stay together whatever the level, so the search counts
combinations with weights instead of rows. Each level of each hierarchy is an array with one code
for each combination, and what a label loses is known by its code.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq

from fairdatabase.privacy.engine.arrays import ArrayClasses, fits
from fairdatabase.privacy.engine.classes import ClassTables
from fairdatabase.privacy.engine.goals import Attribute
from fairdatabase.privacy.engine.hierarchies import Domain, fitting, propose
from fairdatabase.privacy.engine.measures import Floats, Integers
from fairdatabase.privacy.engine.session import Source
from fairdatabase.privacy.errors import AssessmentError
from fairdatabase.privacy.schemas.goals import SensitiveGoal
from fairdatabase.privacy.schemas.hierarchies import Hierarchy
from fairdatabase.privacy.schemas.recipes import DropColumn, Recode
from fairdatabase.tables.schemas import ColumnSchema, ColumnType

ORDERED = frozenset(
    {
        ColumnType.INTEGER,
        ColumnType.NUMBER,
        ColumnType.DATE,
        ColumnType.DATETIME,
        ColumnType.TIME,
    }
)
"""Types whose values have an order that means something."""


@dataclass(frozen=True)
class Rung:
    """One level of a quasi-identifier.

    Attributes:
        level: Its number in the hierarchy; 0 are the values themselves.
        codes: A number for the label of each combination.
        places: How many numbers there are.
        loss: (leaves-1)/(domain-1) of each number, where leaves are the values with its label.
    """

    level: int
    codes: Integers
    places: int
    loss: Floats


@dataclass(frozen=True)
class Combinations:
    """A table by its distinct combinations of quasi-identifiers.

    Attributes:
        weights: Rows of each combination.
        names: The quasi-identifiers.
        hierarchies: The hierarchy of each of them.
        ladders: The levels of each of them, finest first; levels that join nothing are left out.
        attributes: Sensitive attributes and their counts per combination.
    """

    weights: Integers
    names: tuple[str, ...]
    hierarchies: tuple[Hierarchy, ...]
    ladders: tuple[tuple[Rung, ...], ...]
    attributes: tuple[Attribute, ...]

    @property
    def rows(self) -> int:
        """Rows of the table."""
        return int(self.weights.sum())


def read_combinations(
    connection: duckdb.DuckDBPyConnection,
    source: Path,
    quasi_identifiers: Sequence[ColumnSchema],
    sensitive: Sequence[tuple[SensitiveGoal, ColumnSchema]],
    hierarchies: Mapping[str, Hierarchy],
) -> Combinations:
    """Compress a table for the search.

    Args:
        connection: Session to read with.
        source: Parquet file.
        quasi_identifiers: Columns to generalise.
        sensitive: What is asked of sensitive columns.
        hierarchies: By column; others are proposed.

    Raises:
        HierarchyError: If a hierarchy does not fit its column.
    """
    keys = [column.key for column in quasi_identifiers]
    tables: ArrayClasses | ClassTables
    everything = list(dict.fromkeys([*keys, *(column.key for _, column in sensitive)]))
    given: Source = source
    if fits(source, everything):
        with pq.ParquetFile(source, read_dictionary=everything) as file:
            given = file.read(columns=everything)
        tables = ArrayClasses(given, keys)
    else:
        tables = ClassTables(connection, source, keys, "category")
        tables.build()
    used = [
        hierarchies.get(column.name) or propose(connection, given, column)
        for column in quasi_identifiers
    ]
    ladders = [
        _ladder(fitting(connection, given, column, hierarchy), hierarchy, codes)
        for column, hierarchy, codes in zip(quasi_identifiers, used, tables.codes(), strict=True)
    ]
    return Combinations(
        weights=tables.sizes()["n"],
        names=tuple(column.name for column in quasi_identifiers),
        hierarchies=tuple(used),
        ladders=tuple(ladders),
        attributes=tuple(
            Attribute(goal, is_ordered(goal, column), tables.counts(column.key)[0])
            for goal, column in sensitive
        ),
    )


def is_ordered(goal: SensitiveGoal, column: ColumnSchema) -> bool:
    """Return whether t of a column is the ordered distance."""
    return column.type in ORDERED if goal.ordered is None else goal.ordered


def sensitive_columns(
    goals: Sequence[SensitiveGoal], columns: Mapping[str, ColumnSchema]
) -> list[tuple[SensitiveGoal, ColumnSchema]]:
    """Return the column of each goal.

    Raises:
        AssessmentError: If there is no such column.
    """
    missing = sorted({goal.column for goal in goals} - set(columns))
    if missing:
        names = ", ".join(map(repr, missing))
        raise AssessmentError(f"The table has no column {names}; correct the goal.")
    return [(goal, columns[goal.column]) for goal in goals]


def _ladder(found: Domain, hierarchy: Hierarchy, codes: Integers) -> tuple[Rung, ...]:
    """Number the labels of each level, for values and then for combinations."""
    outside = _outside(found, hierarchy)
    size = found.rows.size + len(outside)
    rungs: list[Rung] = []
    for level, numbers in enumerate(found.codes):
        _, dense = np.unique(numbers, return_inverse=True)
        leaves = np.bincount(dense) + _outside_leaves(found, hierarchy, level, outside, dense)
        if not rungs or leaves.size < rungs[-1].places:
            loss = (leaves - 1) / max(size - 1, 1)
            rungs.append(Rung(level, dense[codes], leaves.size, loss))
    return tuple(rungs)


def _outside(found: Domain, hierarchy: Hierarchy) -> list[str]:
    """Return the values that a hierarchy lists and the table does not have."""
    listed: set[str] = set()
    for level in hierarchy.levels:
        if isinstance(level, Recode) and level.other is None:
            listed |= set(level.mapping)
        elif not isinstance(level, DropColumn):
            return []
    return sorted(listed - set(found.texts))


def _outside_leaves(
    found: Domain, hierarchy: Hierarchy, level: int, outside: Sequence[str], dense: Integers
) -> Integers:
    """Count, for each label of a level, the values with it that only the hierarchy has."""
    leaves = np.zeros(int(dense.max(initial=-1)) + 1, dtype=np.int64)
    if not outside or level == 0:
        return leaves
    step = hierarchy.levels[level - 1]
    if not isinstance(step, Recode):
        return leaves + len(outside)
    counts = Counter(step.mapping.get(value) for value in outside)
    labels = found.labels[level - 1].to_pylist()
    _, first = np.unique(dense, return_index=True)
    return np.array([0 if labels[at] is None else counts[labels[at]] for at in first])
