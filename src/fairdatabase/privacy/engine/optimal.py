"""The node of a lattice with the least loss, found without counting most of the others.

Search by best first, with two things known of a node before it is counted:

- Its loss is at least its loss without any row left out, which is a sum over its levels.
- Rows in classes that are too small (or have too few distinct values) are also in such classes at
  every finer node. So what it costs to leave them out here, it costs there as well, and where they
  are too many here, they are too many there. A node that was counted thereby raises the bound of
  all finer ones, or excludes them.

The node with the least bound is next. On a path from it to coarser nodes a bisection looks for the
coarsest one that excludes it, which excludes the most others with it. The search ends when no bound
is below the least loss found: then that is proven to be the least of all.

The bisection is that of Flash (Kohlmayer et al. 2012), the exclusion the predictive tagging of OLA
(El Emam et al. 2009) and Flash; both stop at the rows left out and do not bound the loss by them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from fairdatabase.privacy.engine.goals import Flags
from fairdatabase.privacy.engine.lattice import Figures, Lattice, Node, finer_than, neighbours
from fairdatabase.privacy.engine.measures import Floats
from fairdatabase.privacy.schemas.goals import Goal
from fairdatabase.privacy.schemas.searches import SearchProgress

Progress = Callable[[SearchProgress], None]
"""Told how far a search is; what it raises ends the search."""


@dataclass
class Task:
    """What is searched, when to stop, and what was found.

    Attributes:
        lattice: Where to search.
        goal: What has to be reached.
        max_suppressed: Most rows that may be left out.
        out_of_time: Whether to stop.
        progress: Told how far the search is.
        best: Figures of the best node so far.
        found: Figures of every node that was counted and reaches the goal.
        checked: Nodes that were counted.
    """

    lattice: Lattice
    goal: Goal
    max_suppressed: int
    out_of_time: Callable[[], bool]
    progress: Progress
    best: Figures | None = None
    found: list[Figures] = field(default_factory=list)
    checked: int = 0

    @property
    def least(self) -> float:
        """Least loss found."""
        return np.inf if self.best is None else self.best.loss

    def count(self, node: Node) -> Figures:
        """Count a node and remember it where it reaches the goal; some row has to stay."""
        figures = self.lattice.figures(node, self.goal, self.max_suppressed)
        self.checked += 1
        if figures.k and figures.suppressed <= self.max_suppressed:
            self.found.append(figures)
            if figures.loss < self.least:
                self.best = figures
        return figures

    def report(self, fraction: float) -> None:
        """Tell how far the search is."""
        loss = None if self.best is None else self.best.loss
        self.progress(SearchProgress(fraction=fraction, checked=self.checked, loss=loss))


class OptimalSearch:
    """Searches all nodes of a lattice that fits in memory.

    Args:
        task: What to search; receives what is found.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._shape = task.lattice.shape
        self._base = self._bounds()
        self._extra = np.zeros(self._shape)
        self._excluded: Flags = np.zeros(self._shape, dtype=np.bool_)

    def run(self) -> bool:
        """Search; return whether the best node is proven to be the best."""
        self._count(self._task.lattice.top)
        while not self._task.out_of_time():
            bounds = np.where(self._excluded, np.inf, self._base + self._extra)
            open_nodes = int(np.count_nonzero(bounds < self._task.least))
            self._task.report(1 - open_nodes / bounds.size)
            if not open_nodes:
                return True
            place = np.unravel_index(int(bounds.argmin()), self._shape)
            self._bisect(tuple(int(level) for level in place), bounds)
        return False

    def _bounds(self) -> Floats:
        total = np.zeros(self._shape)
        for axis, cost in enumerate(self._task.lattice.costs):
            total += cost.reshape([-1 if axis == each else 1 for each in range(total.ndim)])
        return total

    def _bisect(self, node: Node, bounds: Floats) -> None:
        """Count nodes on a path upwards from a node, until the node is counted or excluded."""
        path = [node, *self._path(node, bounds)]
        low, high = 0, len(path) - 1
        while low <= high and not self._task.out_of_time():
            middle = (low + high) // 2
            self._count(path[middle])
            if self._is_open(node):
                high = middle - 1
            else:
                low = middle + 1

    def _is_open(self, node: Node) -> bool:
        bound = self._base[node] + self._extra[node]
        return not self._excluded[node] and bool(bound < self._task.least)

    def _path(self, node: Node, bounds: Floats) -> Iterator[Node]:
        """Yield ever coarser nodes that are open, each with the least bound there is.

        The coarsest node of all was counted first, so that every path ends below it.
        """
        while True:
            above = neighbours(node, self._shape)
            best = min(above, key=lambda each: (bounds[each], each))
            if bounds[best] >= self._task.least:
                return
            yield (node := best)

    def _count(self, node: Node) -> None:
        task = self._task
        figures = task.count(node)
        finer = finer_than(node)
        self._excluded[node] = True
        np.maximum(self._extra[finer], figures.extra, out=self._extra[finer])
        none_may_fail = task.max_suppressed == 0 and figures.suppressed > 0
        if none_may_fail or figures.stable > task.max_suppressed:
            self._excluded[finer] = True
