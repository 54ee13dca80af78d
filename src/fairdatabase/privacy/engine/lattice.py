"""The lattice of generalisations: what the classes are at each combination of levels.

A node names one level for each quasi-identifier. Its classes are rolled up from those of the
smallest finer node that was counted before, so that most nodes are counted from a few classes
instead of all combinations.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from types import EllipsisType

import numpy as np

from fairdatabase.privacy.engine.arrays import dense
from fairdatabase.privacy.engine.combinations import Combinations
from fairdatabase.privacy.engine.goals import Attribute, Flags, failures, stable_failures
from fairdatabase.privacy.engine.measures import Floats, GroupedCounts, Integers
from fairdatabase.privacy.schemas.goals import Goal

Node = tuple[int, ...]

MAX_KEPT = 30_000_000
"""Numbers that are kept in memory for classes of nodes that were counted."""
FIRST_ROOM = 64
"""Nodes that there is room for at first; it doubles when it is used up."""
_MAX_KEY = 2**62


@dataclass(frozen=True)
class Groups:
    """The classes of a node.

    Attributes:
        members: One combination of each class.
        sizes: Rows of each class.
        counts: Sensitive values of each class, one record per attribute.
    """

    members: Integers
    sizes: Integers
    counts: tuple[GroupedCounts, ...]


@dataclass(frozen=True)
class Figures:
    """What became of a goal at a node.

    Attributes:
        node: The node.
        loss: Granularity loss, rows left out counted as 1.
        k: Size of the smallest class that stays; 0 where none does.
        suppressed: Rows in classes that fail.
        stable: Rows in classes that fail at every finer node, too.
        extra: What leaving out the rows of ``stable`` adds to the loss, at least, here and at
            every finer node.
    """

    node: Node
    loss: float
    k: int
    suppressed: int
    stable: int
    extra: float


class Lattice:
    """Counts the classes of nodes.

    Args:
        table: The table by its combinations.
    """

    def __init__(self, table: Combinations) -> None:
        self.table = table
        self.shape = tuple(len(ladder) for ladder in table.ladders)
        self._base = Groups(
            np.arange(table.weights.size),
            table.weights,
            tuple(each.counts for each in table.attributes),
        )
        self._kept: dict[Node, Groups] = {}
        self._nodes = np.empty((FIRST_ROOM, len(self.shape)), dtype=np.int16)
        self._sizes = np.empty(FIRST_ROOM, dtype=np.int64)
        self._room = MAX_KEPT

    @property
    def top(self) -> Node:
        """The coarsest node."""
        return tuple(length - 1 for length in self.shape)

    @cached_property
    def costs(self) -> list[Floats]:
        """Loss of each level of each quasi-identifier over all rows, as its share of the mean."""
        scale = max(self.table.rows, 1) * max(len(self.shape), 1)
        weights = self.table.weights
        return [
            np.array(
                [
                    (rung.loss * np.bincount(rung.codes, weights, rung.places)).sum() / scale
                    for rung in ladder
                ]
            )
            for ladder in self.table.ladders
        ]

    def bound(self, node: Node) -> float:
        """Return the loss of a node before any row is left out: its loss is never less."""
        return float(sum(cost[level] for cost, level in zip(self.costs, node, strict=True)))

    def figures(self, node: Node, goal: Goal, most: int) -> Figures:
        """Count the classes of a node and hold them against a goal.

        Args:
            node: The node.
            goal: What every class has to reach.
            most: Rows that may be left out; where more have to, nothing further is worked out.
        """
        groups = self.groups(node)
        attributes = self.attributes(groups)
        stable = stable_failures(groups.sizes, goal.k, attributes)
        rows = int(groups.sizes[stable].sum())
        if rows > most:
            return Figures(node, math.inf, 0, rows, rows, 0.0)
        failing = stable
        if any(each.needs_measures for each in attributes):
            failing = failures(groups.sizes, goal.k, attributes)
        stay = groups.sizes[~failing]
        extra = self._extra(node, groups, stable)
        own = extra if failing is stable else self._extra(node, groups, failing)
        return Figures(
            node=node,
            loss=self.bound(node) + own,
            k=int(stay.min()) if stay.size else 0,
            suppressed=int(groups.sizes[failing].sum()),
            stable=rows,
            extra=extra,
        )

    def attributes(self, groups: Groups) -> list[Attribute]:
        """Return the sensitive attributes with their counts in some classes."""
        return [
            Attribute(attribute.goal, attribute.ordered, counts)
            for attribute, counts in zip(self.table.attributes, groups.counts, strict=True)
        ]

    def groups(self, node: Node) -> Groups:
        """Return the classes of a node."""
        if node in self._kept:
            return self._kept[node]
        finer = self._nearest(node)
        numbers, members = self._numbered(node, finer.members)
        found = Groups(
            members=members,
            sizes=_summed(numbers, finer.sizes, members.size),
            counts=tuple(_rolled_up(counts, numbers, members.size) for counts in finer.counts),
        )
        self._keep(node, found)
        return found

    def _extra(self, node: Node, groups: Groups, failing: Flags) -> float:
        members, sizes = groups.members[failing], groups.sizes[failing]
        left = np.ones(members.size)
        for ladder, level in zip(self.table.ladders, node, strict=True):
            rung = ladder[level]
            left -= rung.loss[rung.codes[members]] / len(self.shape)
        return float((left * sizes).sum()) / max(self.table.rows, 1)

    def _numbered(self, node: Node, members: Integers) -> tuple[Integers, Integers]:
        """Number the classes of a node.

        Args:
            node: The node.
            members: One combination of each class of a finer node.

        Returns:
            The number of each finer class, and one combination of each class.
        """
        key, places = np.zeros(members.size, dtype=np.int64), 1
        for ladder, level in zip(self.table.ladders, node, strict=True):
            rung = ladder[level]
            if rung.places == 1:
                continue
            if places * rung.places > _MAX_KEY:
                key, values = dense(key, places)
                places = values.size
            key *= rung.places
            key += rung.codes[members]
            places *= rung.places
        numbers, values = dense(key, places)
        first = np.empty(values.size, dtype=np.int64)
        first[numbers] = members
        return numbers, first

    def _nearest(self, node: Node) -> Groups:
        """Return the fewest classes that are known and can be rolled up to a node."""
        known = len(self._kept)
        finer = np.flatnonzero((self._nodes[:known] <= np.array(node)).all(axis=1))
        if finer.size == 0:
            return self._base
        best = finer[self._sizes[finer].argmin()]
        return self._kept[tuple(self._nodes[best].tolist())]

    def _keep(self, node: Node, groups: Groups) -> None:
        size = groups.sizes.size * 2 + sum(counts.counts.size * 3 for counts in groups.counts)
        if size > self._room:
            return
        self._room -= size
        place = len(self._kept)
        if place == self._sizes.size:
            self._nodes = np.concatenate([self._nodes, np.empty_like(self._nodes)])
            self._sizes = np.concatenate([self._sizes, np.empty_like(self._sizes)])
        self._nodes[place], self._sizes[place] = node, groups.sizes.size
        self._kept[node] = groups


def _summed(numbers: Integers, weights: Integers, places: int) -> Integers:
    return np.bincount(numbers, weights=weights, minlength=places).astype(np.int64)


def _rolled_up(counts: GroupedCounts, numbers: Integers, classes: int) -> GroupedCounts:
    m = counts.totals.size
    places, keys = dense(numbers[counts.classes] * m + counts.values, classes * m)
    owners, values = np.divmod(keys, max(m, 1))
    return GroupedCounts(owners, values, _summed(places, counts.counts, keys.size), counts.totals)


def finer_than(node: Node) -> tuple[slice | EllipsisType, ...]:
    """Return the part of a lattice that a node generalises, itself included."""
    return (*(slice(level + 1) for level in node), ...)


def neighbours(node: Sequence[int], shape: Sequence[int]) -> list[Node]:
    """Return the nodes that are one level coarser in one quasi-identifier."""
    return [
        (*node[:place], level + 1, *node[place + 1 :])
        for place, level in enumerate(node)
        if level + 1 < shape[place]
    ]
