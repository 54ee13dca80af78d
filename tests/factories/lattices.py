"""Small tables as the search sees them, and what each node of their lattice costs by definition."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from hypothesis import strategies as st

from fairdatabase.privacy.engine.combinations import Combinations, Rung
from fairdatabase.privacy.engine.goals import Attribute
from fairdatabase.privacy.engine.lattice import Node
from fairdatabase.privacy.engine.measures import GroupedCounts
from fairdatabase.privacy.schemas.goals import Goal
from fairdatabase.privacy.schemas.hierarchies import Hierarchy
from fairdatabase.privacy.schemas.recipes import DropColumn
from tests.factories.goals import left_out, sensitive_goals

VALUES = 4


@dataclass(frozen=True)
class Table:
    """Rows of values and a sensitive one, and for each column the label of each value by level."""

    rows: list[tuple[int, ...]]
    levels: list[list[list[int]]]
    goal: Goal

    @property
    def keys(self) -> list[tuple[int, ...]]:
        return sorted({row[:-1] for row in self.rows})

    def label(self, node: Node, key: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(self.levels[at][level][key[at]] for at, level in enumerate(node))

    def lost(self, node: Node, key: tuple[int, ...]) -> float:
        """Return the mean share of the other values that a row's labels stand for as well."""
        shares = [
            (self.levels[at][level].count(label) - 1) / (VALUES - 1)
            for (at, level), label in zip(enumerate(node), self.label(node, key), strict=True)
        ]
        return sum(shares) / len(shares)

    def out(self, node: Node, goal: Goal) -> set[int]:
        """Return the rows that a goal leaves out at a node."""
        keys = [self.label(node, row[:-1]) for row in self.rows]
        return left_out(keys, {"s": [row[-1] for row in self.rows]}, goal)

    def loss(self, node: Node) -> float:
        """Return the loss of a node, rows left out counted as 1."""
        out = self.out(node, self.goal)
        lost = [1 if at in out else self.lost(node, row[:-1]) for at, row in enumerate(self.rows)]
        return sum(lost) / len(self.rows)

    def reaches(self, node: Node, most: int) -> bool:
        """Return whether few enough rows are left out at a node, and some row stays."""
        left = len(self.out(node, self.goal))
        return left <= most and left < len(self.rows)

    def nodes(self) -> Iterator[Node]:
        return product(*(range(len(levels)) for levels in self.levels))

    def combinations(self) -> Combinations:
        places = {key: place for place, key in enumerate(self.keys)}
        counts = np.zeros((len(places), 1 + max(row[-1] for row in self.rows)), dtype=np.int64)
        for row in self.rows:
            counts[places[row[:-1]], row[-1]] += 1
        owners, values = np.nonzero(counts)
        grouped = GroupedCounts(owners, values, counts[owners, values], counts.sum(axis=0))
        return Combinations(
            weights=counts.sum(axis=1),
            names=tuple(f"q{at}" for at in range(len(self.levels))),
            hierarchies=tuple(
                Hierarchy(
                    column=f"q{at}", levels=(DropColumn(column=f"q{at}"),) * (len(levels) - 1)
                )
                for at, levels in enumerate(self.levels)
            ),
            ladders=tuple(
                tuple(self.rung(at, level) for level in range(len(levels)))
                for at, levels in enumerate(self.levels)
            ),
            attributes=tuple(
                Attribute(goal, bool(goal.ordered), grouped) for goal in self.goal.sensitive
            ),
        )

    def rung(self, at: int, level: int) -> Rung:
        labels = self.levels[at][level]
        leaves = np.bincount(labels)
        codes = np.array([labels[key[at]] for key in self.keys])
        return Rung(level, codes, leaves.size, (leaves - 1) / (VALUES - 1))


@st.composite
def ladders(draw: st.DrawFn) -> list[list[int]]:
    """Draw up to three levels above the values, each joining labels of the one before."""
    levels = [list(range(VALUES))]
    for _ in range(draw(st.integers(0, 3))):
        width = max(levels[-1]) + 1
        joined = draw(st.lists(st.integers(0, width - 1), min_size=width, max_size=width))
        dense = {label: number for number, label in enumerate(sorted(set(joined)))}
        levels.append([dense[joined[label]] for label in levels[-1]])
    return levels


@st.composite
def tables(draw: st.DrawFn) -> Table:
    width = draw(st.integers(1, 3))
    row = st.tuples(*[st.integers(0, VALUES - 1)] * width, st.integers(0, 2))
    rows = draw(st.lists(row, min_size=1, max_size=20))
    ranks = {value: rank for rank, value in enumerate(sorted({row[-1] for row in rows}))}
    asked = st.tuples() | st.tuples(sensitive_goals("s", ordered=True))
    return Table(
        rows=[(*row[:-1], ranks[row[-1]]) for row in rows],
        levels=draw(st.lists(ladders(), min_size=width, max_size=width)),
        goal=Goal(k=draw(st.integers(1, 5)), sensitive=draw(asked)),
    )
