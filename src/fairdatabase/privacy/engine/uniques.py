"""Minimal sample uniques: the fewest columns that tell a row apart (SUDA; Elliot et al. 2002).

A row is a sample unique on a set of columns if no other row has its values there; the set is
minimal if the row is unique on none of its proper subsets. A row with many and small minimal
sample uniques is a *special* unique: it is likely to be unique in the population as well.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import prod

import numpy as np
from numpy.typing import NDArray

from fairdatabase.privacy.engine.measures import Floats, Integers

Combination = tuple[int, ...]
Flags = NDArray[np.bool_]

ROOM = 8
"""Counting by place is preferred up to this many places for each row, sorting above."""

FEW_PLACES = 1 << 12


@dataclass(frozen=True)
class MinimalUniques:
    """Minimal sample uniques of classes.

    Attributes:
        found: Classes that are unique on exactly these columns, by the places of the columns.
        columns: Number of columns looked at.
        classes: Number of classes.
        max_size: Most columns in a combination.
    """

    found: dict[Combination, Integers]
    columns: int
    classes: int
    max_size: int

    def weight(self, size: int) -> float:
        """Return the score of a combination: the product of (columns - j), size <= j < max_size.

        It is the number of ways to extend the combination to the greatest size, order counted.
        """
        return float(prod(self.columns - j for j in range(size, self.max_size)))

    def scores(self) -> Floats:
        """Return the SUDA score of every class, 0 where nothing tells it apart."""
        return self._sum(self.found)

    def scores_of(self, column: int) -> Floats:
        """Return the part of the score that combinations with a column contribute."""
        return self._sum({c: ids for c, ids in self.found.items() if column in c})

    def of(self, identifier: int) -> list[Combination]:
        """Return the combinations that tell one class apart, smallest first."""
        hits = [c for c, ids in self.found.items() if np.any(ids == identifier)]
        return sorted(hits, key=lambda c: (len(c), c))

    def _sum(self, found: dict[Combination, Integers]) -> Floats:
        total = np.zeros(self.classes)
        for combination, ids in found.items():
            total[ids] += self.weight(len(combination))
        return total


def minimal_uniques(
    codes: Sequence[Integers], counts: Integers, *, max_size: int
) -> MinimalUniques:
    """Find all minimal sample uniques of at most ``max_size`` columns.

    Args:
        codes: For every column a whole number from 0 on for each class; equal where values are.
        counts: Rows of every class; only classes of one row can be unique.
        max_size: Most columns in a combination.
    """
    search = _Search(codes, counts == 1, min(max_size, len(codes)))
    everything = np.arange(counts.size)
    search.extend((), everything, np.zeros(counts.size, dtype=np.int64), 1)
    return MinimalUniques(search.found, len(codes), counts.size, search.max_size)


@dataclass
class _Search:
    """Depth-first search in an order that visits all subsets of a combination before it.

    A class leaves the search below a combination on which it is unique: no superset is minimal
    for it, and it keeps nobody else from being unique. So do groups without any single row.
    """

    codes: Sequence[Integers]
    single: Flags
    max_size: int
    found: dict[Combination, Integers] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._cards = [int(column.max(initial=0)) + 1 for column in self.codes]
        self._known = np.zeros(self.single.size, dtype=np.bool_)

    def extend(self, head: Combination, rows: Integers, groups: Integers, count: int) -> None:
        """Add each later column to a combination, from the last column on.

        Args:
            head: Columns so far, ascending.
            rows: Classes still in the search.
            groups: Number of the group of each, equal where they agree on ``head``.
            count: Number of groups.
        """
        first = head[-1] + 1 if head else 0
        for column in reversed(range(first, len(self.codes))):
            key = groups * self._cards[column] + self.codes[column][rows]
            places, sizes = _dense(key, count * self._cards[column])
            single = self.single[rows]
            alone = (sizes[places] == 1) & single
            self._keep((*head, column), rows[alone])
            if len(head) + 1 == self.max_size:
                continue
            alive = np.bincount(places[single], minlength=sizes.size) > 0
            alive &= sizes > 1
            rest = alive[places]
            if rest.any():
                numbers = np.cumsum(alive) - 1
                left = numbers[places[rest]]
                self.extend((*head, column), rows[rest], left, int(numbers[-1]) + 1)

    def _keep(self, combination: Combination, rows: Integers) -> None:
        known = [self.found[part] for part in _proper_parts(combination) if part in self.found]
        for ids in known:
            self._known[ids] = True
        kept = rows[~self._known[rows]]
        for ids in known:
            self._known[ids] = False
        if kept.size:
            self.found[combination] = kept


def _proper_parts(combination: Combination) -> Iterator[Combination]:
    for size in range(1, len(combination)):
        yield from combinations(combination, size)


def _dense(key: Integers, places: int) -> tuple[Integers, Integers]:
    """Return for every key the number of its value, and how often each value occurs."""
    if places <= max(ROOM * key.size, FEW_PLACES):
        return key, np.bincount(key, minlength=places)
    _, numbers, sizes = np.unique(key, return_inverse=True, return_counts=True)
    return numbers, sizes
