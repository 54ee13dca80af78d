"""Which classes reach a goal, against the definitions; and how goals behave when classes join."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairdatabase.privacy.engine.goals import (
    Attribute,
    failures,
    of_classes,
    shortfalls,
    stable_failures,
)
from fairdatabase.privacy.engine.measures import GroupedCounts
from fairdatabase.privacy.schemas.goals import Goal, RecursiveDiversity, SensitiveGoal
from tests.factories.goals import left_out, reaches, sensitive_goals

ROWS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 3), st.sampled_from(["u", "v", "w"])),
    min_size=1,
    max_size=30,
)


def counted(classes: Sequence[int], values: Sequence[Any]) -> GroupedCounts:
    """Count values per class, classes being 0 to n-1."""
    ranks = {value: rank for rank, value in enumerate(sorted(set(values)))}
    table = np.zeros((max(classes) + 1, len(ranks)), dtype=np.int64)
    for owner, value in zip(classes, values, strict=True):
        table[owner, ranks[value]] += 1
    owners, places = np.nonzero(table)
    return GroupedCounts(owners, places, table[owners, places], table.sum(axis=0))


def numbered(keys: Sequence[int]) -> list[int]:
    ranks = {key: rank for rank, key in enumerate(sorted(set(keys)))}
    return [ranks[key] for key in keys]


@st.composite
def goals(draw: st.DrawFn) -> Goal:
    return Goal(
        k=draw(st.integers(1, 4)),
        sensitive=(
            draw(sensitive_goals("number", ordered=True)),
            draw(sensitive_goals("text", ordered=False)),
        ),
    )


@settings(max_examples=120, deadline=None)
@given(rows=ROWS, goal=goals())
def test_what_is_left_out_is_what_the_definitions_leave_out(
    rows: list[tuple[int, int, str]], goal: Goal
) -> None:
    classes = numbered([row[0] for row in rows])
    values: dict[str, list[Any]] = {
        "number": [row[1] for row in rows],
        "text": [row[2] for row in rows],
    }
    attributes = [
        Attribute(each, bool(each.ordered), counted(classes, values[each.column]))
        for each in goal.sensitive
    ]
    sizes = np.bincount(classes)
    found = failures(sizes, goal.k, attributes)
    expected = left_out(classes, values, goal)
    assert {row for row, owner in enumerate(classes) if found[owner]} == expected
    assert not (stable_failures(sizes, goal.k, attributes) & ~found).any()
    short = shortfalls(sizes, goal.k, attributes)
    for owner in range(sizes.size):
        group = [row for row, each in enumerate(classes) if each == owner]
        reached = len(group) >= goal.k and all(
            reaches([values[each.column][row] for row in group], values[each.column], each)
            for each in goal.sensitive
        )
        assert short[owner] == (not reached)


@pytest.mark.parametrize(
    ("asked", "out", "short"),
    [
        ({"distinct_l": 2}, [2], [2]),
        ({"entropy_l": 2.0}, [1, 2], [1, 2]),
        ({"recursive": RecursiveDiversity(c=1.0, l=2)}, [0, 1, 2], [0, 1, 2]),
        ({"recursive": RecursiveDiversity(c=1.5, l=2)}, [1, 2], [1, 2]),
        ({"alpha": 0.5}, [1, 2], [1, 2]),
        ({"alpha": 0.75}, [2], [2]),
        ({"t": 0.25}, [2], [2]),
        ({"t": 0.2}, [1, 2], [1, 2]),
        ({"t": 0.1}, [0, 1, 2], [0, 1, 2]),
        ({"t": 0.225, "ordered": True}, [2], [2]),
        ({"t": 0.1, "ordered": True}, [1, 2], [1, 2]),
        ({"entropy_l": 2.0, "recursive": RecursiveDiversity(c=4, l=2)}, [1, 2], [1, 2]),
        ({"entropy_l": 2.0, "alpha": 0.9, "t": 0.3}, [1, 2], [1, 2]),
    ],
)
def test_goals_by_hand(asked: dict[str, Any], out: list[int], short: list[int]) -> None:
    """A first class of two values as often as each other, one of three to one, one of one value.

    t is .2, .25 and .8; without the last class 1/8 and 1/8. In order it is .1, .225 and .65.
    """
    classes, values = [0] * 4 + [1] * 4 + [2] * 2, list("xxyyxxxyzz")
    sizes = np.bincount(classes)
    goal = SensitiveGoal(column="s", **asked)
    attribute = Attribute(goal, bool(goal.ordered), counted(classes, values))
    easy = Attribute(SensitiveGoal(column="e", t=1.0), False, counted(classes, classes))
    for attributes in ([attribute], [attribute, easy], [easy, attribute]):
        assert np.flatnonzero(failures(sizes, 2, attributes)).tolist() == out
        assert np.flatnonzero(shortfalls(sizes, 2, attributes)).tolist() == short


def test_values_that_nobody_has_any_more_do_not_count() -> None:
    counts = counted([0, 0, 1, 1, 2], list("xyxzw"))
    left = of_classes(counts, np.array([True, True, False]))
    assert left.totals.tolist() == [2, 1, 1]
    assert left.classes.tolist() == [0, 0, 1, 1]
    assert left.values.tolist() == [0, 1, 0, 2]


def test_a_table_without_rows_has_no_classes() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    attribute = Attribute(
        SensitiveGoal(column="s", t=0.1), False, GroupedCounts(nothing, nothing, nothing, nothing)
    )
    assert failures(nothing, 5, [attribute]).size == 0


@settings(max_examples=100, deadline=None)
@given(
    one=st.lists(st.integers(0, 3), min_size=1, max_size=8),
    two=st.lists(st.integers(0, 3), min_size=1, max_size=8),
    rest=st.lists(st.integers(0, 3), max_size=6),
    goal=sensitive_goals("s", ordered=True),
    k=st.integers(1, 5),
)
def test_goals_that_both_reach_they_reach_together(
    one: list[int], two: list[int], rest: list[int], goal: SensitiveGoal, k: int
) -> None:
    """Every model is monotone where no row is left out."""
    table = [*one, *two, *rest]
    if all(len(each) >= k and reaches(each, table, goal) for each in (one, two)):
        assert len(one + two) >= k
        assert reaches(one + two, table, goal)


@settings(max_examples=100, deadline=None)
@given(
    one=st.lists(st.integers(0, 3), min_size=1, max_size=8),
    two=st.lists(st.integers(0, 3), min_size=1, max_size=8),
    least=st.integers(1, 4),
)
def test_distinct_values_stay_whatever_is_joined(
    one: list[int], two: list[int], least: int
) -> None:
    goal = SensitiveGoal(column="s", distinct_l=least)
    if reaches(one, one + two, goal):
        assert reaches(one + two, one + two, goal)


def test_other_goals_may_be_lost_with_a_class_that_fails() -> None:
    """Why they exclude no finer node where rows may be left out."""
    balanced, uniform = [0, 1], [0] * 8
    for goal in (
        SensitiveGoal(column="s", entropy_l=2.0),
        SensitiveGoal(column="s", recursive=RecursiveDiversity(c=1.5, l=2)),
        SensitiveGoal(column="s", alpha=0.5),
    ):
        table = balanced + uniform
        assert reaches(balanced, table, goal)
        assert not reaches(uniform, table, goal)
        assert not reaches(balanced + uniform, table, goal)
    near, far, rest = [0, 1], [1] * 8, [0] * 8
    goal = SensitiveGoal(column="s", t=0.2, ordered=False)
    assert reaches(near, near + far + rest, goal)
    assert not reaches(near + far, near + far + rest, goal)
