"""Which classes reach a goal: k, l-diversity, t-closeness and (alpha,k) together.

A goal behaves in one of two ways when classes are joined, and the search relies on it:

- A class that has k rows, or l distinct values, still has them after it is joined with *any* other
  class. Such goals stay reached as values become coarser, and so does "at most so many rows are
  in classes that fail".
- Two classes that *both* reach entropy or recursive l-diversity, t or alpha reach it together as
  well, but one that reaches it may fail together with one that does not. Such goals stay reached
  only where every class reaches them: not where rows may be left out.

Sources: Machanavajjhala et al. 2007 (l-diversity), Li et al. 2007 (t-closeness), Wong et al. 2006
((alpha,k)-anonymity).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fairdatabase.privacy.engine.measures import TOLERANCE, GroupedCounts, Integers, measure
from fairdatabase.privacy.schemas.goals import SensitiveGoal

Flags: TypeAlias = NDArray[np.bool_]

_NO_RECURSION = 2
"""The l that is handed on where recursive diversity is not asked for."""


@dataclass(frozen=True)
class Attribute:
    """A sensitive attribute, what is asked of it, and its counts per class.

    Attributes:
        goal: What every class has to fulfil.
        ordered: Whether t is the ordered distance.
        counts: Rows per class and value.
    """

    goal: SensitiveGoal
    ordered: bool
    counts: GroupedCounts

    @property
    def needs_measures(self) -> bool:
        """Whether more is asked than distinct values."""
        goal = self.goal
        return any(x is not None for x in (goal.entropy_l, goal.recursive, goal.t, goal.alpha))


def stable_failures(sizes: Integers, k: int, attributes: Sequence[Attribute]) -> Flags:
    """Return the classes that are too small or have too few distinct values.

    They fail whatever the other classes are, and in every finer table their rows fail too.
    """
    failing: Flags = sizes < k
    for attribute in attributes:
        least = attribute.goal.distinct_l
        if least is not None:
            distinct = np.bincount(attribute.counts.classes, minlength=sizes.size)
            failing |= distinct < least
    return failing


def failures(sizes: Integers, k: int, attributes: Sequence[Attribute]) -> Flags:
    """Return the classes to leave out so that all others reach the goal.

    t is measured from the rows that stay, as it is in the table that is published: classes are
    left out until no further one is too far.

    Args:
        sizes: Rows of each class.
        k: Smaller classes fail.
        attributes: Sensitive attributes with their counts, sorted by class and value.
    """
    failing = stable_failures(sizes, k, attributes)
    for attribute in attributes:
        if attribute.needs_measures and sizes.size:
            failing |= _own_failures(attribute)
    while not failing.all():
        far = np.zeros_like(failing)
        for attribute in attributes:
            if attribute.goal.t is not None:
                far |= _too_far(attribute, attribute.goal.t, failing)
        if not far.any():
            break
        failing |= far
    return failing


def shortfalls(sizes: Integers, k: int, attributes: Sequence[Attribute]) -> Flags:
    """Return the classes that fail where no row is left out.

    Args:
        sizes: Rows of each class; there is one.
        k: Smaller classes fail.
        attributes: Sensitive attributes with their counts, sorted by class and value, in some or
            all classes, and the totals of the whole table.
    """
    failing = stable_failures(sizes, k, attributes)
    for attribute in attributes:
        if attribute.needs_measures:
            failing |= _own_failures(attribute, t=attribute.goal.t)
    return failing


def _own_failures(attribute: Attribute, *, t: float | None = None) -> Flags:
    """Return the classes that fail by their own values alone, or are further than t."""
    goal, counts = attribute.goal, attribute.counts
    recursive_l = goal.recursive.l if goal.recursive else _NO_RECURSION
    measured = measure(counts, ordered=attribute.ordered, recursive_l=recursive_l)
    failing: Flags = np.zeros(measured.distinct.size, dtype=np.bool_)
    if goal.entropy_l is not None:
        failing |= measured.entropy < np.log(goal.entropy_l) - TOLERANCE
    if goal.recursive is not None:
        failing |= ~(measured.recursive < goal.recursive.c)
    if t is not None:
        failing |= measured.t > t + TOLERANCE
    if goal.alpha is not None:
        greatest = np.zeros(measured.distinct.size, dtype=np.int64)
        np.maximum.at(greatest, counts.classes, counts.counts)
        sizes = np.bincount(counts.classes, weights=counts.counts)
        failing |= greatest > goal.alpha * sizes + TOLERANCE
    return failing


def _too_far(attribute: Attribute, t: float, failing: Flags) -> Flags:
    """Return the classes that are further than t from the rows of those that do not fail."""
    stay = ~failing
    left = of_classes(attribute.counts, stay)
    measured = measure(left, ordered=attribute.ordered, recursive_l=_NO_RECURSION)
    far = np.zeros_like(failing)
    far[stay] = measured.t > t + TOLERANCE
    return far


def of_classes(counts: GroupedCounts, chosen: Flags) -> GroupedCounts:
    """Return the counts of some classes as those of a table of their own."""
    here = chosen[counts.classes]
    totals = np.bincount(
        counts.values[here], weights=counts.counts[here], minlength=counts.totals.size
    ).astype(np.int64)
    present = totals > 0
    return GroupedCounts(
        (np.cumsum(chosen) - 1)[counts.classes[here]],
        (np.cumsum(present) - 1)[counts.values[here]],
        counts.counts[here],
        totals[present],
    )
