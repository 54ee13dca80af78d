"""Diversity and closeness of equivalence classes, from counts per class and sensitive value.

Notation: Q are the quasi-identifiers, g a class of rows equal on Q, P_g and P_D the distribution
of a sensitive attribute in g and in the whole table, m its number of distinct values. Sources:
Machanavajjhala et al. 2007 (l-diversity), Li et al. 2007 (t-closeness).
"""

from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

TOLERANCE = 1e-9
"""Entropies and distances closer than this are equal."""

CHUNK = 2_000_000
"""Counts that are worked on at once: bounds the memory of temporary arrays."""


@dataclass(frozen=True)
class ClassMeasures:
    """Measures of one sensitive attribute, one element per class.

    Attributes:
        distinct: Number of distinct values.
        entropy: Entropy in nats.
        normalised_entropy: Entropy over the logarithm of m; 0 where m <= 1.
        t: Distance from the table, 0 to 1; 0 where m <= 1.
        recursive: r_1 / (r_l + ... + r_m), infinite where the class has fewer than l values.
    """

    distinct: Integers
    entropy: Floats
    normalised_entropy: Floats
    t: Floats
    recursive: Floats


@dataclass(frozen=True)
class GroupedCounts:
    """Counts of a sensitive attribute per class, sorted by class and value.

    Attributes:
        classes: Index of the class, 0 to n-1; every class occurs.
        values: Index of the value, 0 to m-1, in the order of the values.
        counts: Rows with this value in this class.
        totals: Rows per value in the whole table, shape (m,).
    """

    classes: Integers
    values: Integers
    counts: Integers
    totals: Integers


def measure(grouped: GroupedCounts, *, ordered: bool, recursive_l: int) -> ClassMeasures:
    """Compute all measures of one sensitive attribute.

    Works through the classes in chunks, so that temporary arrays stay small.

    Args:
        grouped: Counts per class and value.
        ordered: Ordered distance for t (numbers, dates); otherwise the equal distance.
        recursive_l: The l of recursive (c,l)-diversity.

    Returns:
        One element per class.
    """
    boundaries = np.flatnonzero(np.diff(grouped.classes)) + 1
    starts = np.concatenate([np.zeros(1, dtype=np.int64), boundaries])
    first_of_chunk = np.searchsorted(starts, np.arange(0, grouped.classes.size, CHUNK))
    first_of_chunk = np.unique(np.append(first_of_chunk, starts.size))
    ends = np.append(starts, grouped.classes.size)
    parts = []
    for first, last in pairwise(first_of_chunk):
        piece = slice(ends[first], ends[last])
        parts.append(
            _measure_chunk(
                starts[first:last] - starts[first],
                GroupedCounts(
                    grouped.classes[piece] - first,
                    grouped.values[piece],
                    grouped.counts[piece],
                    grouped.totals,
                ),
                ordered=ordered,
                recursive_l=recursive_l,
            )
        )
    return ClassMeasures(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(ClassMeasures)
        }
    )


def _measure_chunk(
    starts: Integers, grouped: GroupedCounts, *, ordered: bool, recursive_l: int
) -> ClassMeasures:
    sizes = np.add.reduceat(grouped.counts, starts)
    distinct = np.diff(np.append(starts, grouped.classes.size))
    entropy = _entropy(grouped.counts, starts, sizes, distinct)
    m = grouped.totals.size
    if m <= 1:
        normalised, t = np.zeros_like(entropy), np.zeros_like(entropy)
    else:
        normalised = np.minimum(entropy / np.log(m), 1.0)
        t = (_ordered_distance if ordered else _equal_distance)(grouped, starts, sizes)
    recursive = _recursive_ratio(grouped, starts, distinct, recursive_l)
    return ClassMeasures(distinct, entropy, normalised, t, recursive)


def _entropy(counts: Integers, starts: Integers, sizes: Integers, distinct: Integers) -> Floats:
    """H = ln N - sum(n ln n) / N, exactly 0 for a single value."""
    weighted = np.add.reduceat(counts * np.log(counts), starts)
    entropy = np.log(sizes) - weighted / sizes
    return np.where(distinct == 1, 0.0, np.maximum(entropy, 0.0))


def _equal_distance(grouped: GroupedCounts, starts: Integers, sizes: Integers) -> Floats:
    """1/2 sum |P_g - P_D|, which is the sum of the positive differences alone."""
    table = grouped.totals / grouped.totals.sum()
    excess = grouped.counts / sizes[grouped.classes] - table[grouped.values]
    distance: Floats = np.add.reduceat(np.maximum(excess, 0.0), starts)
    return distance


def _ordered_distance(grouped: GroupedCounts, starts: Integers, sizes: Integers) -> Floats:
    """1/(m-1) sum_i |F_g(i) - F_D(i)| with cumulative distributions F.

    F_g is constant between two values of the class, and F_D grows: it crosses the constant once,
    at a place found by bisection, and both sides are differences of prefix sums. The cost
    follows the values that occur in the classes, never classes times m.
    """
    m = grouped.totals.size
    table = np.cumsum(grouped.totals) / grouped.totals.sum()
    prefix = np.concatenate([np.zeros(1), np.cumsum(table)])
    running = np.cumsum(grouped.counts)
    before = running[starts] - grouped.counts[starts]
    share = (running - before[grouped.classes]) / sizes[grouped.classes]
    begin = grouped.values
    end = np.append(begin[1:], m)
    end[np.append(starts[1:], end.size) - 1] = m
    cross = np.clip(np.searchsorted(table, share), begin, end)
    below = share * (cross - begin) - (prefix[cross] - prefix[begin])
    above = (prefix[end] - prefix[cross]) - share * (end - cross)
    area = np.add.reduceat(below + above, starts) + prefix[begin[starts]]
    distance: Floats = np.clip(area / (m - 1), 0.0, 1.0)
    return distance


def _recursive_ratio(
    grouped: GroupedCounts, starts: Integers, distinct: Integers, recursive_l: int
) -> Floats:
    """r_1 / (r_l + ... + r_m) with counts sorted downwards."""
    order = np.lexsort((-grouped.counts, grouped.classes))
    counts = grouped.counts[order]
    rank = np.arange(counts.size) - np.repeat(starts, distinct)
    tail = np.add.reduceat(np.where(rank >= recursive_l - 1, counts, 0), starts)
    largest = counts[starts].astype(np.float64)
    ratio = np.full(starts.size, np.inf)
    np.divide(largest, tail, out=ratio, where=tail > 0)
    return ratio
