"""Find the recipe that reaches a goal with the least loss.

``find_recipe`` is what a job calls: it reads the table once, searches, and returns the best
recipe with others to choose from. ``suggest_recipe`` is the short form for a start. The classes
are those of the table in which a missing value equals missing ones only; what is published is
measured again on the file that the recipe makes.
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from fairdatabase.privacy.engine.candidates import (
    candidate,
    chosen_candidates,
    identifier_steps,
    undecided,
)
from fairdatabase.privacy.engine.combinations import read_combinations, sensitive_columns
from fairdatabase.privacy.engine.greedy import GreedySearch
from fairdatabase.privacy.engine.lattice import Lattice
from fairdatabase.privacy.engine.optimal import OptimalSearch, Progress, Task
from fairdatabase.privacy.engine.recoding import local_candidate
from fairdatabase.privacy.engine.session import open_session
from fairdatabase.privacy.schemas.goals import Goal
from fairdatabase.privacy.schemas.hierarchies import Hierarchy
from fairdatabase.privacy.schemas.recipes import Recipe
from fairdatabase.privacy.schemas.searches import (
    SearchMethod,
    SearchProgress,
    SearchRequest,
    SearchResult,
)
from fairdatabase.tables.schemas import ColumnRole, ColumnSchema

MAX_NODES = 500_000
"""Lattices with more nodes are searched greedily, unless optimality is asked for."""
_MAX_DIMENSIONS = 32


def _silent(progress: SearchProgress) -> None:
    """Ignore the progress of a search."""


def find_recipe(
    source: Path,
    columns: Sequence[ColumnSchema],
    request: SearchRequest,
    *,
    hierarchies: Iterable[Hierarchy] = (),
    progress: Progress = _silent,
    clock: Callable[[], float] = time.monotonic,
) -> SearchResult:
    """Search for the recipe that reaches a goal with the least loss.

    Direct identifiers are dropped, or pseudonymised where their name says that they link files;
    quasi-identifiers are generalised along their hierarchies; classes that still fail are left
    out. The same call finds the same recipes as long as time does not run out.

    Args:
        source: Parquet file of the table.
        columns: Its columns with their roles.
        request: What to reach and how to search.
        hierarchies: Of quasi-identifiers; the others get one that is built automatically.
        progress: Told now and then how far the search is. Whatever it raises ends the search and
            passes through: that is how it is cancelled.
        clock: Seconds since some moment.

    Raises:
        HierarchyError: If a hierarchy does not fit its column.
        AssessmentError: If the goal names a column that does not exist.
    """
    end = math.inf if request.seconds is None else clock() + request.seconds
    with open_session() as connection:
        search = _Search(
            connection, source, columns, request, hierarchies, progress, lambda: clock() >= end
        )
        return search.locally() if request.method == "mondrian" else search.globally()


def suggest_recipe(
    source: Path,
    columns: Sequence[ColumnSchema],
    goal: Goal,
    *,
    max_suppression: float = SearchRequest().max_suppression,
    seconds: float | None = None,
) -> Recipe:
    """Return the best recipe for a goal, or the coarsest one where none reaches it.

    Args:
        source: Parquet file of the table.
        columns: Its columns with their roles.
        goal: What to reach.
        max_suppression: Greatest share of rows that may be left out.
        seconds: Time after which the best recipe so far is taken.
    """
    request = SearchRequest(goal=goal, max_suppression=max_suppression, seconds=seconds)
    best = find_recipe(source, columns, request).best
    return undecided(columns, goal) if best is None else best.recipe


@dataclass(frozen=True)
class _Search:
    """One search over one table."""

    connection: duckdb.DuckDBPyConnection
    source: Path
    columns: Sequence[ColumnSchema]
    request: SearchRequest
    hierarchies: Iterable[Hierarchy]
    progress: Progress
    out_of_time: Callable[[], bool]

    def globally(self) -> SearchResult:
        """Search the lattice of the hierarchies."""
        lattice = Lattice(
            read_combinations(
                self.connection,
                self.source,
                self._quasi_identifiers,
                sensitive_columns(self.request.goal.sensitive, self._named),
                {each.column: each for each in self.hierarchies},
            )
        )
        method = self._method(lattice)
        main = self._task(lattice, self.request.goal.k)
        proven = _run(main, method)
        tasks = [main]
        for k in sorted(set(self.request.frontier) - {self.request.goal.k}):
            tasks.append(self._task(lattice, k))
            _run(tasks[-1], method)
        steps = identifier_steps(self.columns)
        return SearchResult(
            best=main.best and candidate(lattice, main.best, main.goal, steps),
            proven=proven,
            method=method,
            nodes=math.prod(lattice.shape),
            checked=sum(task.checked for task in tasks),
            frontier=chosen_candidates(lattice, tasks, steps),
        )

    def locally(self) -> SearchResult:
        """Recode locally, for each k that is asked for."""
        goals = [
            self.request.goal.model_copy(update={"k": k})
            for k in sorted({self.request.goal.k, *self.request.frontier})
        ]
        found = {}
        for place, goal in enumerate(goals):
            self.progress(SearchProgress(fraction=place / len(goals), checked=place, loss=None))
            found[goal.k] = local_candidate(
                self.connection,
                self.source,
                self.columns,
                goal,
                {each.column: each for each in self.hierarchies},
            )
        return SearchResult(
            best=found[self.request.goal.k],
            proven=False,
            method="mondrian",
            nodes=0,
            checked=len(found),
            frontier=tuple(each for each in found.values() if each is not None),
        )

    @property
    def _named(self) -> Mapping[str, ColumnSchema]:
        return {column.name: column for column in self.columns}

    @property
    def _quasi_identifiers(self) -> list[ColumnSchema]:
        return [each for each in self.columns if each.role is ColumnRole.QUASI_IDENTIFIER]

    def _method(self, lattice: Lattice) -> SearchMethod:
        large = math.prod(lattice.shape) > MAX_NODES or len(lattice.shape) > _MAX_DIMENSIONS
        if self.request.method == "auto":
            return "greedy" if large else "optimal"
        return self.request.method

    def _task(self, lattice: Lattice, k: int) -> Task:
        share = self.request.max_suppression * lattice.table.rows
        return Task(
            lattice=lattice,
            goal=self.request.goal.model_copy(update={"k": k}),
            max_suppressed=math.floor(share + 1e-9),
            out_of_time=self.out_of_time,
            progress=self.progress,
        )


def _run(task: Task, method: SearchMethod) -> bool:
    """Do a search; return whether its outcome is proven. Without time left, climb at least."""
    proven = method == "optimal" and OptimalSearch(task).run()
    if task.best is None and not proven:
        GreedySearch(task).run()
    return proven
