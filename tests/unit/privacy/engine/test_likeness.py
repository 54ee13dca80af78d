"""Likeness of classes to the table against the definitions in exact fractions."""

import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairdatabase.privacy.engine import measures
from fairdatabase.privacy.engine.likeness import likeness
from fairdatabase.privacy.engine.measures import GroupedCounts

Rows = list[tuple[int, int]]


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


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40),
    chunk=st.sampled_from([1, 2, 1000]),
)
def test_likeness_equals_the_definitions(rows: Rows, chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measures, "CHUNK", chunk)
        found = likeness(grouped(rows))
    pairs = []
    for group in {c for c, _ in rows}:
        members = [v for c, v in rows if c == group]
        for value in {v for _, v in rows}:
            q = Fraction(members.count(value), len(members))
            p = Fraction(sum(v == value for _, v in rows), len(rows))
            pairs.append((q, p))
    gains = [(float((q - p) / p), float(p)) for q, p in pairs if q > p]
    assert found.alpha == pytest.approx(float(max(q for q, _ in pairs)), abs=1e-12)
    assert found.beta == pytest.approx(max((gain for gain, _ in gains), default=0.0), abs=1e-9)
    assert found.enhanced == all(gain <= -math.log(p) + 1e-9 for gain, p in gains)
    if any(q == 0 for q, _ in pairs):
        assert found.delta == math.inf
    else:
        expected = max(abs(math.log(q / p)) for q, p in pairs)
        assert found.delta == pytest.approx(expected, abs=1e-9)


def test_by_hand() -> None:
    """Half of the table is 0; a class of four has three of them: gain 0.5, -ln p = 0.69."""
    rows = [(0, 0)] * 3 + [(0, 1)] + [(1, 0)] + [(1, 1)] * 3
    found = likeness(grouped(rows))
    assert (found.alpha, found.beta, found.enhanced) == (0.75, 0.5, True)
    assert found.delta == pytest.approx(math.log(2))


def test_a_gain_above_the_enhanced_limit() -> None:
    """A class of one value only: gain 1 is more than -ln 0.5."""
    found = likeness(grouped([(0, 0)] * 2 + [(1, 1)] * 2))
    assert (found.beta, found.enhanced, found.delta) == (1.0, False, math.inf)


def test_a_constant_tells_nothing() -> None:
    found = likeness(grouped([(0, 7), (1, 7)]))
    assert (found.alpha, found.beta, found.enhanced, found.delta) == (1.0, 0.0, True, 0.0)
