"""The classes of each node of a lattice, and what becomes of a goal there, from the definitions."""

import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fairdatabase.privacy.engine import lattice
from fairdatabase.privacy.engine.combinations import Combinations, Rung
from fairdatabase.privacy.engine.goals import Attribute
from fairdatabase.privacy.engine.lattice import Figures, Lattice, Node
from fairdatabase.privacy.engine.measures import GroupedCounts
from fairdatabase.privacy.schemas.goals import Goal, SensitiveGoal
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
            hierarchies=(),
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


MORE_NODES_THAN_ROOM_AT_FIRST = Table(
    rows=[(0, 1, 2, 3, 0), (0, 1, 3, 3, 0), (2, 0, 1, 3, 0), (3, 3, 3, 3, 0)],
    levels=[[[0, 1, 2, 3], [0, 0, 1, 2], [0, 0, 1, 1], [0] * VALUES]] * 4,
    goal=Goal(k=2, sensitive=(SensitiveGoal(column="s", distinct_l=1),)),
)
"""All rows have the same sensitive value."""


@settings(max_examples=60, deadline=None)
@given(table=tables(), chance=st.randoms(use_true_random=False), narrow=st.booleans())
@example(table=MORE_NODES_THAN_ROOM_AT_FIRST, chance=random.Random(2), narrow=False)
def test_classes_are_those_of_the_rows_whatever_was_counted_before(
    table: Table, chance: random.Random, narrow: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if narrow:
            patch.setattr(lattice, "_MAX_KEY", 5)
            patch.setattr(lattice, "FIRST_ROOM", 1)
            patch.setattr(lattice, "MAX_KEPT", 60)
        counted = Lattice(table.combinations())
        nodes = list(table.nodes())
        chance.shuffle(nodes)
        for node in nodes:
            groups = counted.groups(node)
            labels = [table.label(node, table.keys[member]) for member in groups.members.tolist()]
            sizes = Counter(table.label(node, row[:-1]) for row in table.rows)
            assert dict(zip(labels, groups.sizes.tolist(), strict=True)) == sizes
            for counts in groups.counts:
                values: dict[Any, Counter[int]] = defaultdict(Counter)
                for row in table.rows:
                    values[table.label(node, row[:-1])][row[-1]] += 1
                found: dict[Any, Counter[int]] = defaultdict(Counter)
                for owner, value, rows in zip(
                    counts.classes.tolist(),
                    counts.values.tolist(),
                    counts.counts.tolist(),
                    strict=True,
                ):
                    found[labels[owner]][value] += rows
                assert found == values


ONE_CLASS_IS_FAR = Table(
    rows=[(0, 0), (0, 1), (1, 0), (1, 1), (2, 2), (2, 2)],
    levels=[[list(range(VALUES)), [0] * VALUES]],
    goal=Goal(k=1, sensitive=(SensitiveGoal(column="s", t=0.3, ordered=True),)),
)
"""By the equal distance all three classes would be too far."""


@settings(max_examples=60, deadline=None)
@given(table=tables())
@example(table=ONE_CLASS_IS_FAR)
@example(table=Table(rows=[(0, 0)], levels=[[list(range(VALUES))]], goal=Goal(k=2)))
def test_figures_say_what_becomes_of_the_goal(table: Table) -> None:
    counted = Lattice(table.combinations())
    least = [
        each.model_copy(update=dict.fromkeys(("entropy_l", "recursive", "t", "alpha")))
        for each in table.goal.sensitive
    ]
    everywhere = {"s": [row[-1] for row in table.rows]}
    for node in table.nodes():
        keys = [table.label(node, row[:-1]) for row in table.rows]
        lost = [table.lost(node, row[:-1]) for row in table.rows]
        out = left_out(keys, everywhere, table.goal)
        stable = left_out(keys, everywhere, Goal(k=table.goal.k, sensitive=tuple(least)))
        stay = Counter(key for row, key in enumerate(keys) if row not in out)
        found = counted.figures(node, table.goal, len(table.rows))
        assert (found.node, found.suppressed, found.stable) == (node, len(out), len(stable))
        assert found.k == min(stay.values(), default=0)
        rows = len(table.rows)
        assert counted.bound(node) == pytest.approx(sum(lost) / rows)
        assert found.extra == pytest.approx(sum(1 - lost[row] for row in stable) / rows)
        assert found.loss == pytest.approx(
            sum(1 if row in out else lost[row] for row in range(rows)) / rows
        )


def test_nothing_further_is_worked_out_where_too_many_rows_are_lost() -> None:
    values = [list(range(VALUES)), [0] * VALUES]
    table = Table(rows=[(0, 0), (1, 0), (1, 1)], levels=[values], goal=Goal(k=2))
    counted = Lattice(table.combinations())
    assert counted.figures((0,), table.goal, 1).suppressed == 1
    assert counted.figures((0,), table.goal, 0) == Figures((0,), math.inf, 0, 1, 1, 0.0)
