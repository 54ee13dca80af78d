"""A good node of a lattice that is too large to be searched completely.

Climb from the finest node, always one level in the column that brings most rows into classes that
reach the goal for the least loss; when few enough rows are left, take back what later levels made
needless; then exchange a level of one column for a level of another while that lowers the loss.
"""

from fairdatabase.privacy.engine.lattice import Figures, Node, neighbours
from fairdatabase.privacy.engine.optimal import Task

_LEAST_LOSS = 1e-12
"""Stands for the loss of a level that loses nothing, to divide by it."""


class GreedySearch:
    """Searches a lattice of any size in time that grows with its height alone.

    Args:
        task: What to search; receives what is found.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._shape = task.lattice.shape
        self._seen: dict[Node, Figures] = {}

    def run(self) -> None:
        """Search until no exchange helps, or time is over and something was found."""
        self._climb()
        while self._task.best is not None and not self._task.out_of_time():
            before = self._task.best
            for node in self._exchanges(before.node):
                if self._task.lattice.bound(node) < self._task.least:
                    self._count(node)
                if self._task.out_of_time():
                    break
            if self._task.best is before:
                break

    def _climb(self) -> None:
        here = self._count((0,) * len(self._shape))
        height = max(sum(self._task.lattice.top), 1)
        while self._task.best is None:
            self._task.report(sum(here.node) / height)
            above = [self._count(node) for node in neighbours(here.node, self._shape)]
            if not above:
                return
            below = here
            here = max(above, key=lambda each: (self._gain(below, each), each.node))

    def _gain(self, here: Figures, there: Figures) -> float:
        """Return the rows won by a level for the loss it brings."""
        bound = self._task.lattice.bound
        lost = max(bound(there.node) - bound(here.node), _LEAST_LOSS)
        return (here.suppressed - there.suppressed) / lost

    def _exchanges(self, node: Node) -> list[Node]:
        """Return nodes one level finer in one column, and those coarser in another as well."""
        finer = [
            (*node[:place], level - 1, *node[place + 1 :])
            for place, level in enumerate(node)
            if level
        ]
        return finer + [
            other for each in finer for other in neighbours(each, self._shape) if other != node
        ]

    def _count(self, node: Node) -> Figures:
        if node not in self._seen:
            self._seen[node] = self._task.count(node)
        return self._seen[node]
