"""Diversity and closeness of classes against the definitions, in exact fractions."""

import math
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairdatabase.privacy.engine import measures
from fairdatabase.privacy.engine.measures import ClassMeasures, GroupedCounts, measure

Rows = Sequence[tuple[int, int]]


def grouped(rows: Rows) -> GroupedCounts:
    """Count rows of (class, value), both renumbered from 0 on."""
    classes = sorted({c for c, _ in rows})
    values = sorted({v for _, v in rows})
    counts = sorted(Counter((classes.index(c), values.index(v)) for c, v in rows).items())
    totals = Counter(v for _, v in rows)
    return GroupedCounts(
        np.array([c for (c, _), _ in counts]),
        np.array([v for (_, v), _ in counts]),
        np.array([n for _, n in counts]),
        np.array([totals[v] for v in values]),
    )


def expected(rows: Rows, group: int, *, ordered: bool, l: int) -> tuple[float, ...]:  # noqa: E741
    """Return distinct, entropy, normalised entropy, t and recursive ratio of one class."""
    members = [v for c, v in rows if c == group]
    values = sorted({v for _, v in rows})
    m = len(values)
    p = [Fraction(members.count(v), len(members)) for v in values]
    d = [Fraction(sum(w == v for _, w in rows), len(rows)) for v in values]
    entropy = -sum(float(x) * math.log(x) for x in p if x)
    start = Fraction(0)
    if m == 1:
        t = start
    elif ordered:
        steps = [abs(sum(p[: i + 1], start) - sum(d[: i + 1], start)) for i in range(m)]
        t = sum(steps, start) / (m - 1)
    else:
        t = sum((abs(x - y) for x, y in zip(p, d, strict=True)), start) / 2
    counts = sorted(Counter(members).values(), reverse=True)
    ratio = counts[0] / sum(counts[l - 1 :]) if len(counts) >= l else math.inf
    return len(counts), entropy, entropy / math.log(m) if m > 1 else 0.0, float(t), ratio


def tuples(found: ClassMeasures) -> list[tuple[float, ...]]:
    columns = (found.distinct, found.entropy, found.normalised_entropy, found.t, found.recursive)
    return [tuple(map(float, row)) for row in zip(*columns, strict=True)]


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=50),
    ordered=st.booleans(),
    l=st.integers(2, 4),
    chunk=st.sampled_from([1, 2, 3, 1000]),
)
def test_measures_equal_the_definitions(
    rows: Rows,
    ordered: bool,
    l: int,  # noqa: E741
    chunk: int,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measures, "CHUNK", chunk)
        found = tuples(measure(grouped(rows), ordered=ordered, recursive_l=l))
    groups = sorted({c for c, _ in rows})
    assert len(found) == len(groups)
    for group, values in zip(groups, found, strict=True):
        assert values == pytest.approx(expected(rows, group, ordered=ordered, l=l), abs=1e-9)


def test_a_single_value_has_exactly_no_entropy() -> None:
    """N ln N / N differs from ln N in the last digit; that must not show as diversity."""
    for size in range(1, 200):
        rows = [(0, 0)] * size + [(1, 0)] * 3 + [(1, 1)] * 3
        found = measure(grouped(rows), ordered=False, recursive_l=2)
        assert found.entropy[0] == 0.0
        assert found.normalised_entropy[0] == 0.0
        assert found.recursive.tolist() == [math.inf, 1.0]


def test_chunks_are_as_large_as_they_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    measured = measures._measure_chunk

    def spy(starts: np.ndarray, part: GroupedCounts, **options: Any) -> ClassMeasures:  # noqa: ANN401
        seen.append(part.counts.size)
        return measured(starts, part, **options)

    monkeypatch.setattr(measures, "CHUNK", 10)
    monkeypatch.setattr(measures, "_measure_chunk", spy)
    rows = [(group, value) for group in range(20) for value in range(2)]
    measure(grouped(rows), ordered=False, recursive_l=2)
    assert seen == [10, 10, 10, 10]


def test_nothing_leaves_its_range() -> None:
    for size in range(2, 200):
        rows = [(place % 2, place // 2 % size) for place in range(4 * size)]
        for ordered in (False, True):
            found = measure(grouped(rows), ordered=ordered, recursive_l=2)
            assert found.normalised_entropy.min() >= 0
            assert found.normalised_entropy.max() <= 1
            assert found.t.min() >= 0
            assert found.t.max() < 1e-12


def test_a_constant_is_measured_and_not_skipped() -> None:
    found = measure(grouped([(0, 3), (1, 3)]), ordered=True, recursive_l=2)
    assert tuples(found) == [(1, 0, 0, 0, math.inf)] * 2


def test_opposite_ends_are_far_apart() -> None:
    """Half of the table has the first of five values and half the last: t is 1/2 for each."""
    rows = [(0, 0)] * 2 + [(1, 9)] * 2
    for ordered in (False, True):
        found = measure(grouped(rows), ordered=ordered, recursive_l=2)
        assert found.t.tolist() == [0.5, 0.5]
