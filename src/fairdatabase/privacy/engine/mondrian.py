"""Mondrian: cut a table into many small groups, median after median.

Strict multidimensional partitioning of LeFevre, DeWitt and Ramakrishnan (2006): a group is cut
between two values of the column in which it is widest, as close to half of its rows as possible;
where a part would miss the goal, the next widest column is tried. What cannot be cut is a group of
the release. Width is the share of a column's values, which is also what a label loses.

All groups of a round are cut at once with sorts and sums over arrays, so that the cost follows the
number of rounds (about the logarithm of the number of groups), not the number of groups.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from fairdatabase.privacy.engine.arrays import dense
from fairdatabase.privacy.engine.goals import Attribute, Flags, shortfalls
from fairdatabase.privacy.engine.measures import Floats, GroupedCounts, Integers


@dataclass
class Cells:
    """Distinct combinations of values, to be cut into groups.

    Attributes:
        places: The place of each combination's value in each column, shape (n, columns).
        widths: Distinct values of each column.
        weights: Rows of each combination.
        attributes: Sensitive attributes and their counts per combination.
        k: Every group has at least so many rows.
    """

    places: Integers
    widths: Integers
    weights: Integers
    attributes: Sequence[Attribute]
    k: int


def cut(cells: Cells) -> Integers:
    """Return the group of each combination, numbered from 0 in the order of the groups' cuts."""
    cutting = _Cutting(cells)
    while cutting.open.size:
        cutting.round()
    numbers, _ = dense(cutting.groups, cutting.next_group)
    return numbers


@dataclass
class _Cutting:
    """The groups so far; those that may still be cut are open."""

    cells: Cells
    next_group: int = 1
    groups: Integers = field(init=False)
    open: Integers = field(init=False)
    """Combinations of open groups, group by group."""
    too_small: Flags = field(init=False)
    """Columns in which a combination's group cannot be cut, nor can any part of the group."""
    barred: Flags = field(init=False)
    """Columns in which the group cannot be cut as it is now."""

    def __post_init__(self) -> None:
        rows, columns = self.cells.places.shape
        self.groups = np.zeros(rows, dtype=np.int64)
        self.open = np.arange(rows)
        self.too_small = np.zeros((rows, columns), dtype=np.bool_)
        self.barred = np.zeros((rows, columns), dtype=np.bool_)

    def round(self) -> None:
        """Try one cut in every open group."""
        starts = _starts(self.groups[self.open])
        shares = self._shares(starts)
        column = shares.argmax(axis=1)
        can = shares[np.arange(starts.size), column] > 0
        lengths = np.diff(np.append(starts, self.open.size))
        chosen = np.repeat(can, lengths)
        if not chosen.any():
            self.open = self.open[:0]
            return
        self.open = self.open[chosen]
        self._cut(np.repeat(column[can], lengths[can]))

    def _shares(self, starts: Integers) -> Floats:
        """Return the width of each group in each column; 0 where it cannot be cut there."""
        here = self.cells.places[self.open]
        extent = np.maximum.reduceat(here, starts) - np.minimum.reduceat(here, starts)
        shares = extent / np.maximum(self.cells.widths - 1, 1)
        first = self.open[starts]
        shares[self.too_small[first] | self.barred[first]] = 0.0
        return shares

    def _cut(self, column: Integers) -> None:
        """Cut the open groups, each in one column, where both parts reach the goal."""
        values = self.cells.places[self.open, column]
        order = np.lexsort((values, self.groups[self.open]))
        here, values, column = self.open[order], values[order], column[order]
        starts = _starts(self.groups[here])
        lengths = np.diff(np.append(starts, here.size))
        at, smaller = self._nearest_half(here, values, starts, lengths)
        large = smaller >= self.cells.k
        right = np.arange(here.size) > np.repeat(at, lengths)
        allowed = large & self._reach(here, right, np.repeat(large, lengths), large)
        small, failed = np.repeat(~large, lengths), np.repeat(large & ~allowed, lengths)
        self.too_small[here[small], column[small]] = True
        self.barred[here[failed], column[failed]] = True
        cut_up = np.repeat(allowed, lengths)
        self.barred[here[cut_up]] = False
        fresh = np.repeat(self.next_group + np.cumsum(allowed) - 1, lengths)
        self.groups[here[right & cut_up]] = fresh[right & cut_up]
        self.next_group += int(allowed.sum())
        self.open = here[np.argsort(self.groups[here], kind="stable")]

    def _nearest_half(
        self, here: Integers, values: Integers, starts: Integers, lengths: Integers
    ) -> tuple[Integers, Integers]:
        """Return after which element each group is cut, and the rows of its smaller part.

        Cuts lie between two values. Of two that are as close to the half, the first one counts.
        Every group has a cut, and each is closer to the half than the end of the group.
        """
        weights = self.cells.weights[here]
        running = np.cumsum(weights)
        left = running - np.repeat(running[starts] - weights[starts], lengths)
        totals = np.add.reduceat(weights, starts)
        distance = np.abs(2 * left - np.repeat(totals, lengths))
        distance[np.diff(values, append=values[-1:]) == 0] = np.iinfo(np.int64).max
        least = np.repeat(np.minimum.reduceat(distance, starts), lengths)
        candidates = np.flatnonzero(distance == least)
        at = candidates[np.searchsorted(candidates, starts)]
        return at, np.minimum(left[at], totals - left[at])

    def _reach(self, here: Integers, right: Flags, chosen: Flags, large: Flags) -> Flags:
        """Return the groups whose both parts reach the goal for the sensitive attributes."""
        reached = large.copy()
        if not self.cells.attributes or not large.any():
            return reached
        part = np.full(self.groups.size, -1, dtype=np.int64)
        numbers = np.cumsum(np.append(0, np.diff(self.groups[here[chosen]]) != 0))
        part[here[chosen]] = 2 * numbers + right[chosen]
        sizes = np.bincount(part[here[chosen]], self.cells.weights[here[chosen]])
        attributes = [
            Attribute(each.goal, each.ordered, _of_parts(each.counts, part, sizes.size))
            for each in self.cells.attributes
        ]
        failing = shortfalls(sizes.astype(np.int64), self.cells.k, attributes)
        reached[large] = ~(failing[0::2] | failing[1::2])
        return reached


def _of_parts(counts: GroupedCounts, part: Integers, parts: int) -> GroupedCounts:
    """Add the counts of combinations up to those of parts; some belong to none (-1)."""
    m = counts.totals.size
    owners = part[counts.classes]
    chosen = owners >= 0
    numbers, keys = dense(owners[chosen] * m + counts.values[chosen], parts * m)
    summed = np.bincount(numbers, counts.counts[chosen], keys.size).astype(np.int64)
    classes, values = np.divmod(keys, m)
    return GroupedCounts(classes, values, summed, counts.totals)


def _starts(groups: Integers) -> Integers:
    """Return where each run of equal numbers begins; there is at least one number."""
    return np.flatnonzero(np.append(True, groups[1:] != groups[:-1]))
