"""Goals straight from their definitions, slow and plain, to hold the engine against."""

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from fairdatabase.privacy.schemas.goals import Goal, RecursiveDiversity, SensitiveGoal

TINY = 1e-9


def distance(group: Sequence[Any], table: Sequence[Any], *, ordered: bool) -> Fraction:
    """Return t of a group: equal or ordered distance; a missing value is the last one."""
    values = sorted(set(table), key=lambda value: (value is None, value or 0))
    if len(values) <= 1:
        return Fraction(0)
    gaps = [
        Fraction(list(group).count(value), len(group))
        - Fraction(list(table).count(value), len(table))
        for value in values
    ]
    if not ordered:
        return sum((abs(gap) for gap in gaps), Fraction(0)) / 2
    steps = [abs(sum(gaps[: place + 1], Fraction(0))) for place in range(len(gaps))]
    return sum(steps, Fraction(0)) / (len(values) - 1)


def reaches(group: Sequence[Any], table: Sequence[Any], goal: SensitiveGoal) -> bool:
    """Return whether the sensitive values of a group fulfil what is asked of them."""
    counts = sorted(Counter(group).values(), reverse=True)
    shares = [count / len(group) for count in counts]
    entropy = -sum(share * math.log(share) for share in shares)
    return (
        (goal.distinct_l is None or len(counts) >= goal.distinct_l)
        and (goal.entropy_l is None or entropy >= math.log(goal.entropy_l) - TINY)
        and (
            goal.recursive is None
            or counts[0] < goal.recursive.c * sum(counts[goal.recursive.l - 1 :])
        )
        and (goal.alpha is None or shares[0] <= goal.alpha + TINY)
        and (goal.t is None or distance(group, table, ordered=bool(goal.ordered)) <= goal.t + TINY)
    )


def left_out(
    keys: Sequence[Hashable], sensitive: Mapping[str, Sequence[Any]], goal: Goal
) -> set[int]:
    """Return the rows of classes that fail, found by leaving them out again and again.

    Whatever needs no other class is decided first, over all rows; t then looks at the rows left.
    """
    out = {
        row
        for row, key in enumerate(keys)
        if not _stands(keys, sensitive, goal, key, range(len(keys)), with_t=False)
    }
    while True:
        stay = [row for row in range(len(keys)) if row not in out]
        far = {
            row for row in stay if not _stands(keys, sensitive, goal, keys[row], stay, with_t=True)
        }
        if not far:
            return out
        out |= far


def _stands(
    keys: Sequence[Hashable],
    sensitive: Mapping[str, Sequence[Any]],
    goal: Goal,
    key: Hashable,
    rows: Sequence[int],
    *,
    with_t: bool,
) -> bool:
    members = [row for row in rows if keys[row] == key]
    asked = [each if with_t else each.model_copy(update={"t": None}) for each in goal.sensitive]
    return len(members) >= goal.k and all(
        reaches(
            [sensitive[each.column][row] for row in members],
            [sensitive[each.column][row] for row in rows],
            each,
        )
        for each in asked
    )


@st.composite
def sensitive_goals(draw: st.DrawFn, column: str, *, ordered: bool) -> SensitiveGoal:
    """Draw what is asked of a sensitive attribute, often nothing."""
    recursive = st.builds(
        RecursiveDiversity, c=st.sampled_from([0.5, 1.0, 2.5]), l=st.integers(2, 3)
    )
    return SensitiveGoal(
        column=column,
        distinct_l=draw(st.none() | st.integers(1, 3)),
        entropy_l=draw(st.none() | st.sampled_from([1.2, 1.9, 2.0])),
        recursive=draw(st.none() | recursive),
        t=draw(st.none() | st.sampled_from([0.05, 0.2, 0.4, 0.6])),
        alpha=draw(st.none() | st.sampled_from([0.4, 0.5, 0.75])),
        ordered=ordered,
    )
