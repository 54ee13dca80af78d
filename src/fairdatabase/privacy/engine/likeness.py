"""Likeness of equivalence classes to the table: alpha, beta and delta, from the same counts.

With q the share of a sensitive value in a class and p its share in the table: alpha is the
greatest q (Wong et al. 2006), beta the greatest (q - p) / p over values that are more frequent in a
class than in the table (Cao and Karras 2012), delta the greatest |ln(q / p)| (Brickell and
Shmatikov 2008).
"""

from dataclasses import dataclass

import numpy as np

from fairdatabase.privacy.engine import measures
from fairdatabase.privacy.engine.measures import TOLERANCE, GroupedCounts


@dataclass(frozen=True)
class Likeness:
    """The worst classes of one sensitive attribute.

    Attributes:
        alpha: Greatest share of one value in a class.
        beta: Greatest relative gain (q - p) / p; 0 where no value is more frequent in a class.
        enhanced: Whether each gain is at most -ln p, so that enhanced beta-likeness holds for
            every beta from ``beta`` on; otherwise it holds for none.
        delta: Greatest |ln(q / p)|, infinite where a class lacks a value of the table.
    """

    alpha: float
    beta: float
    enhanced: bool
    delta: float


def likeness(grouped: GroupedCounts) -> Likeness:
    """Compare the classes with the table.

    Args:
        grouped: Counts per class and value, of at least one row.
    """
    table = grouped.totals / grouped.totals.sum()
    sizes = np.bincount(grouped.classes, weights=grouped.counts)
    alpha = beta = delta = 0.0
    enhanced = True
    for start in range(0, grouped.classes.size, measures.CHUNK):
        piece = slice(start, start + measures.CHUNK)
        p = table[grouped.values[piece]]
        q = grouped.counts[piece] / sizes[grouped.classes[piece]]
        gain = (q - p) / p
        alpha = max(alpha, float(q.max()))
        beta = max(beta, float(gain.max()))
        enhanced &= not bool(np.any((gain > TOLERANCE) & (gain > TOLERANCE - np.log(p))))
        delta = max(delta, float(np.abs(np.log(q / p)).max()))
    if grouped.classes.size < sizes.size * table.size:
        delta = float("inf")
    return Likeness(alpha=alpha, beta=beta, enhanced=enhanced, delta=delta)
