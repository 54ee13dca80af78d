"""The cuts of Mondrian against a recursion straight from its description."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fairdatabase.privacy.engine.goals import Attribute
from fairdatabase.privacy.engine.measures import GroupedCounts
from fairdatabase.privacy.engine.mondrian import Cells, cut
from fairdatabase.privacy.schemas.goals import Goal, SensitiveGoal
from tests.factories.goals import reaches, sensitive_goals

Row = tuple[int, ...]


def naive_groups(
    rows: Sequence[int], table: Sequence[Row], width: int, goal: Goal
) -> list[set[int]]:
    """Cut rows in two where they are widest, as close to half as can be, and go on with both."""

    def share(column: int) -> float:
        everywhere = len({row[column] for row in table})
        here = [table[row][column] for row in rows]
        return (max(here) - min(here)) / max(everywhere - 1, 1)

    def fits(part: Sequence[int]) -> bool:
        return len(part) >= goal.k and all(
            reaches([table[row][-1] for row in part], [row[-1] for row in table], each)
            for each in goal.sensitive
        )

    for column in sorted(range(width), key=lambda column: (-share(column), column)):
        values = sorted({table[row][column] for row in rows})
        cuts = [[row for row in rows if table[row][column] <= value] for value in values[:-1]]
        if not cuts:
            continue
        left = min(cuts, key=lambda part: abs(2 * len(part) - len(rows)))
        right = [row for row in rows if row not in left]
        if fits(left) and fits(right):
            return naive_groups(left, table, width, goal) + naive_groups(right, table, width, goal)
    return [set(rows)]


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[Row], int]:
    """Draw rows of places without gaps, and a sensitive value."""
    width = draw(st.integers(1, 3))
    cells = st.tuples(*[st.integers(0, 6)] * width, st.integers(0, 2))
    rows = draw(st.lists(cells, min_size=1, max_size=40))
    ranks = [
        {value: rank for rank, value in enumerate(sorted({row[column] for row in rows}))}
        for column in range(width + 1)
    ]
    return [tuple(ranks[column][value] for column, value in enumerate(row)) for row in rows], width


def cells_of(rows: Sequence[Row], width: int, goal: Goal) -> tuple[Cells, list[int]]:
    combinations = sorted({row[:width] for row in rows})
    owners = [combinations.index(row[:width]) for row in rows]
    counts = np.zeros((len(combinations), max(row[-1] for row in rows) + 1), dtype=np.int64)
    for owner, row in zip(owners, rows, strict=True):
        counts[owner, row[-1]] += 1
    classes, values = np.nonzero(counts)
    grouped = GroupedCounts(classes, values, counts[classes, values], counts.sum(axis=0))
    return Cells(
        places=np.array(combinations),
        widths=np.array([len({row[column] for row in rows}) for column in range(width)]),
        weights=counts.sum(axis=1),
        attributes=[Attribute(each, bool(each.ordered), grouped) for each in goal.sensitive],
        k=goal.k,
    ), owners


WIDEST_CANNOT_BE_CUT = ([(0, 0, 0), (0, 0, 0), (0, 1, 0), (1, 2, 0)], 2)
"""Both columns are equally wide; the first one would cut off a single row."""
LOW = [(0, 0, 0), (1, 1, 0), (2, 1, 0), (3, 0, 0), (4, 0, 0), (5, 0, 0)]
HIGH = [(6, 0, 0), (7, 0, 0), (8, 3, 0), (8, 5, 0), (9, 2, 0), (9, 4, 0)]
NARROW_AMONG_HIGH_VALUES = ([*LOW, *HIGH], 2)
"""The upper half is wider in the second column, although its values are lower there."""

NEAR_IN_THEIR_ORDER = ([(0, 0), (0, 0), (0, 2), (0, 2), (1, 0), (1, 1), (1, 1), (1, 2)], 1)
"""Both halves are nearer to the whole than t by the ordered distance alone."""
ONE_SIDE_HAS_ONE_VALUE = ([(0, 0), (0, 0), (0, 1), (0, 1), (1, 0), (1, 1), (2, 0), (2, 0)], 1)
THE_OTHER_HAS = ([(0, 0), (0, 0), (1, 0), (1, 1), (2, 0), (2, 0), (2, 1), (2, 1)], 1)
"""One half is not cut, for its second part, or its first, has one sensitive value."""

TWO_AT_ONCE = [(0, 0), (0, 1), (1, 0), (1, 1)]
LEFT_OF_THE_SECOND_FAILS = ([*TWO_AT_ONCE, (2, 0), (2, 0), (3, 0), (3, 1)], 1)
RIGHT_OF_THE_SECOND_FAILS = ([*TWO_AT_ONCE, (2, 0), (2, 1), (3, 0), (3, 0)], 1)
ONE_VALUE_TOO_OFTEN = ([(0, 0), (0, 0), (0, 0), (0, 1), (1, 1), (1, 1), (1, 0), (1, 1)], 1)


@settings(max_examples=150, deadline=None)
@given(
    drawn=tables(),
    k=st.integers(1, 5),
    sensitive=st.tuples() | st.tuples(sensitive_goals("s", ordered=True)),
)
@example(drawn=WIDEST_CANNOT_BE_CUT, k=2, sensitive=())
@example(drawn=NARROW_AMONG_HIGH_VALUES, k=2, sensitive=())
@example(
    drawn=NEAR_IN_THEIR_ORDER, k=4, sensitive=(SensitiveGoal(column="s", t=0.2, ordered=True),)
)
@example(drawn=ONE_SIDE_HAS_ONE_VALUE, k=2, sensitive=(SensitiveGoal(column="s", distinct_l=2),))
@example(drawn=THE_OTHER_HAS, k=2, sensitive=(SensitiveGoal(column="s", distinct_l=2),))
@example(drawn=LEFT_OF_THE_SECOND_FAILS, k=2, sensitive=(SensitiveGoal(column="s", distinct_l=2),))
@example(drawn=RIGHT_OF_THE_SECOND_FAILS, k=2, sensitive=(SensitiveGoal(column="s", distinct_l=2),))
@example(drawn=ONE_VALUE_TOO_OFTEN, k=4, sensitive=(SensitiveGoal(column="s", alpha=0.7),))
def test_groups_are_those_of_the_recursion(
    drawn: tuple[list[Row], int], k: int, sensitive: tuple[Any, ...]
) -> None:
    rows, width = drawn
    goal = Goal(k=k, sensitive=sensitive)
    cells, owners = cells_of(rows, width, goal)
    groups = cut(cells)
    found: dict[int, set[int]] = {}
    for row, owner in enumerate(owners):
        found.setdefault(int(groups[owner]), set()).add(row)
    assert set(found) == set(range(len(found)))
    expected = naive_groups(range(len(rows)), rows, width, goal)
    assert sorted(map(sorted, found.values())) == sorted(map(sorted, expected))


def test_nothing_is_cut_from_nothing() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    assert (
        cut(
            Cells(np.zeros((0, 2), dtype=np.int64), np.ones(2, dtype=np.int64), nothing, [], 5)
        ).size
        == 0
    )
