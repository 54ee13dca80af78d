"""Minimal sample uniques against a search straight from the definition."""

from itertools import combinations
from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairdatabase.privacy.engine import uniques
from fairdatabase.privacy.engine.uniques import Combination, minimal_uniques

Rows = list[tuple[int, ...]]


def naive(rows: Rows, columns: int, max_size: int) -> dict[int, set[Combination]]:
    """Combinations of columns, smallest first, on which a row is alone and on no part of them."""
    found: dict[int, set[Combination]] = {place: set() for place in range(len(rows))}
    for size in range(1, max_size + 1):
        for chosen in combinations(range(columns), size):
            seen = [tuple(row[column] for column in chosen) for row in rows]
            for place, values in enumerate(seen):
                smaller = any(set(part) < set(chosen) for part in found[place])
                if seen.count(values) == 1 and not smaller:
                    found[place].add(chosen)
    return found


@settings(max_examples=80, deadline=None)
@given(
    rows=st.integers(1, 5).flatmap(
        lambda columns: st.lists(st.tuples(*[st.integers(0, 3)] * columns), max_size=30)
    ),
    max_size=st.integers(1, 5),
    few=st.sampled_from([1, 1 << 12]),
)
def test_all_minimal_uniques_are_found(rows: Rows, max_size: int, few: int) -> None:
    columns = len(rows[0]) if rows else 2
    classes = sorted(set(rows))
    codes = [np.array([row[c] for row in classes], dtype=np.int64) for c in range(columns)]
    counts = np.array([rows.count(row) for row in classes], dtype=np.int64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uniques, "FEW_PLACES", few)
        patch.setattr(uniques, "ROOM", min(few, 8))
        found = minimal_uniques(codes, counts, max_size=max_size)
    limit = min(max_size, columns)
    expected = naive(rows, columns, limit)
    scores = found.scores()
    for place, row in enumerate(classes):
        own = expected[rows.index(row)]
        assert found.of(place) == sorted(own, key=lambda c: (len(c), c))
        weights = [prod(columns - j for j in range(len(c), limit)) for c in own]
        assert scores[place] == sum(weights)
    for column in range(columns):
        parts = [
            sum(prod(columns - j for j in range(len(c), limit)) for c in own if column in c)
            for own in (expected[rows.index(row)] for row in classes)
        ]
        assert found.scores_of(column).tolist() == parts


def test_by_hand() -> None:
    """Four columns, up to three: (1) alone scores 3 * 2, a pair 2, a triple 1."""
    codes = [np.array(column) for column in ([0, 0, 1], [0, 0, 0], [0, 1, 0], [0, 0, 0])]
    found = minimal_uniques(codes, np.array([1, 1, 1]), max_size=3)
    assert found.of(2) == [(0,)]
    assert found.of(1) == [(2,)]
    assert found.of(0) == [(0, 2)]
    assert found.scores().tolist() == [2.0, 6.0, 6.0]
    assert [found.weight(size) for size in (1, 2, 3)] == [6, 2, 1]


def test_a_class_of_several_rows_is_never_unique() -> None:
    found = minimal_uniques([np.array([0, 1, 1])], np.array([2, 1, 1]), max_size=3)
    assert found.found == {}
    assert found.max_size == 1
    assert found.scores().tolist() == [0.0, 0.0, 0.0]


def test_only_what_may_still_be_found_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what is unique already is looked at further, nor groups without single rows."""
    seen: list[tuple[Combination, list[int]]] = []
    extend = uniques._Search.extend

    def spy(
        search: uniques._Search,
        head: Combination,
        rows: np.ndarray,
        *rest: Any,  # noqa: ANN401
    ) -> None:
        seen.append((head, rows.tolist()))
        extend(search, head, rows, *rest)

    monkeypatch.setattr(uniques._Search, "extend", spy)
    # By the first column: two classes together, one alone, two classes of several rows together.
    codes = [np.array([0, 0, 1, 2, 2]), np.array([0, 1, 0, 0, 1]), np.array([0, 0, 0, 0, 0])]
    minimal_uniques(codes, np.array([1, 1, 1, 2, 2]), max_size=3)
    assert [rows for head, rows in seen if head == (0,)] == [[0, 1]]
    assert all(head[:2] != (0, 1) for head, _ in seen)
