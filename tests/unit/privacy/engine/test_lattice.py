"""The classes of each node of a lattice, and what becomes of a goal there, from the definitions."""

import math
import random
from collections import Counter, defaultdict
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fairdatabase.privacy.engine import lattice
from fairdatabase.privacy.engine.lattice import Figures, Lattice
from fairdatabase.privacy.schemas.goals import Goal, SensitiveGoal
from tests.factories.lattices import VALUES, Table, tables

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
    rows = len(table.rows)
    for node in table.nodes():
        lost = [table.lost(node, row[:-1]) for row in table.rows]
        out = table.out(node, table.goal)
        stable = table.out(node, Goal(k=table.goal.k, sensitive=tuple(least)))
        keys = [table.label(node, row[:-1]) for row in table.rows]
        stay = Counter(key for row, key in enumerate(keys) if row not in out)
        found = counted.figures(node, table.goal, rows)
        assert (found.node, found.suppressed, found.stable) == (node, len(out), len(stable))
        assert found.k == min(stay.values(), default=0)
        assert counted.bound(node) == pytest.approx(sum(lost) / rows)
        assert found.extra == pytest.approx(sum(1 - lost[row] for row in stable) / rows)
        assert found.loss == pytest.approx(table.loss(node))


def test_nothing_further_is_worked_out_where_too_many_rows_are_lost() -> None:
    values = [list(range(VALUES)), [0] * VALUES]
    table = Table(rows=[(0, 0), (1, 0), (1, 1)], levels=[values], goal=Goal(k=2))
    counted = Lattice(table.combinations())
    assert counted.figures((0,), table.goal, 1).suppressed == 1
    assert counted.figures((0,), table.goal, 0) == Figures((0,), math.inf, 0, 1, 1, 0.0)
