"""The optimal search against looking at every node, from the definitions; greedy beside it."""

from collections import Counter
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fairdatabase.privacy.engine.candidates import chosen_candidates
from fairdatabase.privacy.engine.greedy import GreedySearch
from fairdatabase.privacy.engine.lattice import Lattice, Node
from fairdatabase.privacy.engine.optimal import OptimalSearch, Task
from fairdatabase.privacy.engine.search import find_recipe
from fairdatabase.privacy.schemas.goals import Goal, SensitiveGoal
from fairdatabase.privacy.schemas.hierarchies import Hierarchy
from fairdatabase.privacy.schemas.recipes import DropColumn, Recode
from fairdatabase.privacy.schemas.searches import SearchProgress, SearchRequest
from fairdatabase.tables.schemas import ColumnRole, ColumnSchema, ColumnType
from tests.factories.goals import left_out, sensitive_goals
from tests.factories.lattices import VALUES as PLACES
from tests.factories.lattices import Table, tables
from tests.factories.privacy import write_parquet

VALUES = "abcde"
Labels = list[dict[str, str]]


@dataclass(frozen=True)
class Case:
    """A table, its hierarchies, and what is asked."""

    rows: list[tuple[Any, ...]]
    levels: list[Labels]
    dropped: list[bool]
    goal: Goal
    share: float

    @property
    def names(self) -> list[str]:
        return [f"q{place}" for place in range(len(self.levels))]

    def hierarchies(self) -> list[Hierarchy]:
        return [
            Hierarchy(
                column=name,
                levels=(
                    *(Recode(column=name, mapping=mapping) for mapping in levels),
                    *([DropColumn(column=name)] if dropped else []),
                ),
            )
            for name, levels, dropped in zip(self.names, self.levels, self.dropped, strict=True)
        ]

    def label(self, place: int, level: int, value: str | None) -> str | None:
        if level > len(self.levels[place]):
            return "*"
        return value if level == 0 or value is None else self.levels[place][level - 1][value]

    def best_loss(self) -> float | None:
        """Return the least loss of all nodes, by trying each."""
        heights = [
            range(len(levels) + 1 + dropped)
            for levels, dropped in zip(self.levels, self.dropped, strict=True)
        ]
        losses = [self.loss(node) for node in product(*heights)]
        return min((loss for loss in losses if loss is not None), default=None)

    def loss(self, node: tuple[int, ...]) -> float | None:
        keys = [
            tuple(self.label(place, level, row[place]) for place, level in enumerate(node))
            for row in self.rows
        ]
        sensitive = {
            "number": [row[-2] for row in self.rows],
            "text": [row[-1] for row in self.rows],
        }
        out = left_out(keys, sensitive, self.goal)
        if len(out) > self.share * len(self.rows) + 1e-9 or len(out) == len(self.rows):
            return None
        total = 0.0
        for row, cells in enumerate(self.rows):
            for place, level in enumerate(node):
                known = {*VALUES, *(each[place] for each in self.rows)}
                shared = Counter(self.label(place, level, value) for value in known)
                leaves = shared[self.label(place, level, cells[place])]
                total += 1.0 if row in out else (leaves - 1) / (len(known) - 1)
        return total / (len(self.rows) * len(node))


@st.composite
def hierarchies(draw: st.DrawFn) -> Labels:
    """Draw nested levels: each maps the labels of the one before to fewer ones."""
    levels: Labels = []
    current = {value: value for value in VALUES}
    for number in range(draw(st.integers(1, 2))):
        joined = {
            label: draw(st.sampled_from([f"{number}x", f"{number}y", f"{number}z"]))
            for label in sorted(set(current.values()))
        }
        current = {value: joined[label] for value, label in current.items()}
        levels.append(current)
    return levels


@st.composite
def cases(draw: st.DrawFn) -> Case:
    width = draw(st.integers(1, 3))
    cell = st.sampled_from(VALUES) | st.none()
    row = st.tuples(*[cell] * width, st.integers(0, 2), st.sampled_from(["u", "v"]))
    return Case(
        rows=draw(st.lists(row, min_size=1, max_size=14)),
        levels=draw(st.lists(hierarchies(), min_size=width, max_size=width)),
        dropped=draw(st.lists(st.booleans(), min_size=width, max_size=width)),
        goal=Goal(
            k=draw(st.integers(1, 4)),
            sensitive=tuple(
                draw(
                    st.sampled_from([(), ("number",), ("text",), ("number", "text")]).flatmap(
                        lambda chosen: st.tuples(
                            *(sensitive_goals(each, ordered=each == "number") for each in chosen)
                        )
                    )
                )
            ),
        ),
        share=draw(st.sampled_from([0.0, 0.1, 0.3, 1.0])),
    )


def columns(case: Case) -> list[ColumnSchema]:
    roles = [(name, ColumnType.TEXT, ColumnRole.QUASI_IDENTIFIER) for name in case.names]
    roles += [
        ("number", ColumnType.INTEGER, ColumnRole.SENSITIVE),
        ("text", ColumnType.TEXT, ColumnRole.SENSITIVE),
    ]
    return [ColumnSchema(key=name, name=name, type=kind, role=role) for name, kind, role in roles]


WITHOUT_PRUNING_BY_T = Case(
    rows=[("a", 0, "u"), ("b", 1, "u"), ("c", 0, "u"), ("c", 0, "u"), ("d", 1, "u")],
    levels=[[dict(zip(VALUES, "xxyyz", strict=True))]],
    dropped=[True],
    goal=Goal(k=1, sensitive=(SensitiveGoal(column="number", t=0.2, ordered=True),)),
    share=0.3,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(case=cases())
@example(case=WITHOUT_PRUNING_BY_T)
def test_no_node_is_better(tmp_path_factory: pytest.TempPathFactory, case: Case) -> None:
    path = Path(tmp_path_factory.mktemp("table")) / "t.parquet"
    names = [*case.names, "number", "text"]
    table = {name: [row[place] for row in case.rows] for place, name in enumerate(names)}
    write_parquet(path, table, ["string"] * len(case.names) + ["int64", "string"])
    expected = case.best_loss()
    request = SearchRequest(goal=case.goal, max_suppression=case.share, method="optimal")
    found = find_recipe(path, columns(case), request, hierarchies=case.hierarchies())
    assert (found.best is None) == (expected is None)
    assert found.proven
    if found.best is not None:
        assert found.best.loss == pytest.approx(expected, abs=1e-9)
        node = tuple(found.best.levels.values())
        assert case.loss(node) == pytest.approx(expected, abs=1e-9)
    greedy = request.model_copy(update={"method": "greedy"})
    quick = find_recipe(path, columns(case), greedy, hierarchies=case.hierarchies()).best
    if quick is not None and expected is not None:
        assert quick.loss >= expected - 1e-9
        assert case.loss(tuple(quick.levels.values())) == pytest.approx(quick.loss, abs=1e-9)


def task_of(table: Table, most: int, told: list[SearchProgress]) -> Task:
    return Task(
        lattice=Lattice(table.combinations()),
        goal=table.goal,
        max_suppressed=most,
        out_of_time=lambda: False,
        progress=told.append,
    )


@settings(max_examples=80, deadline=None)
@given(table=tables(), share=st.sampled_from([0.0, 0.1, 0.3, 1.0]))
def test_no_node_is_counted_twice_and_none_is_better(table: Table, share: float) -> None:
    told: list[SearchProgress] = []
    most = int(share * len(table.rows))
    task = task_of(table, most, told)
    assert OptimalSearch(task).run()
    losses = {node: table.loss(node) for node in table.nodes() if table.reaches(node, most)}
    found = [figures.node for figures in task.found]
    assert len(set(found)) == len(found)
    assert set(found) <= set(losses)
    assert len(found) <= task.checked <= len(list(table.nodes()))
    assert task.least == pytest.approx(min(losses.values(), default=float("inf")), abs=1e-9)
    assert [each.fraction for each in told] == sorted(each.fraction for each in told)
    assert told[0].fraction >= 0
    assert (told[-1].fraction, told[-1].checked) == (1, task.checked)


@settings(max_examples=80, deadline=None)
@given(table=tables(), share=st.sampled_from([0.0, 0.1, 0.3, 1.0]))
def test_no_exchange_makes_a_climbed_node_better(table: Table, share: float) -> None:
    most = int(share * len(table.rows))
    task = task_of(table, most, [])
    GreedySearch(task).run()
    if task.best is None:
        assert not table.reaches(tuple(len(levels) - 1 for levels in table.levels), most)
        return
    assert table.reaches(task.best.node, most)
    assert task.best.loss == pytest.approx(table.loss(task.best.node))
    assert task.checked <= len(list(table.nodes()))
    for node in exchanged(table, task.best.node):
        if table.reaches(node, most):
            assert table.loss(node) >= task.best.loss - 1e-9


def exchanged(table: Table, node: Node) -> list[Node]:
    """Return the nodes one level finer in a column, and at most one coarser in another."""
    return [
        other
        for other in table.nodes()
        if sorted(a - b for a, b in zip(other, node, strict=True) if a != b) in ([-1], [-1, 1])
    ]


FINEST, HALVES, JOINED = list(range(PLACES)), [0, 0, 1, 1], [0] * PLACES
"""Labels of values that stay as they are, are joined two by two, and are joined all."""


def test_exchanges_lower_the_loss_of_a_climbed_node() -> None:
    """Climbing ends at (2, 1, 1); an exchange and a level less lead from there to (1, 2, 0)."""
    table = Table(
        rows=[
            (3, 0, 3, 0), (1, 2, 2, 0), (3, 3, 3, 0), (0, 2, 2, 0),
            (1, 0, 2, 0), (0, 2, 0, 0), (3, 0, 3, 0),
        ],
        levels=[
            [FINEST, [1, 1, 1, 0], JOINED, JOINED],
            [FINEST, [1, 2, 0, 0], [1, 0, 1, 1], JOINED],
            [FINEST, [2, 0, 1, 1], [1, 1, 0, 0], [1, 1, 0, 0]],
        ],
        goal=Goal(k=2),
    )  # fmt: skip
    task = task_of(table, 1, [])
    GreedySearch(task).run()
    assert task.best is not None
    assert (task.best.node, task.checked) == ((1, 2, 0), 22)
    assert task.least == pytest.approx(table.loss((1, 2, 0)))


def test_climbing_goes_where_a_level_brings_most_rows_for_its_loss() -> None:
    """Another way up ends at (2, 2, 0) or (2, 3, 0), which no exchange mends and lose more."""
    table = Table(
        rows=[
            (1, 1, 1, 0), (0, 1, 1, 0), (3, 1, 0, 0), (3, 1, 2, 0),
            (3, 0, 3, 0), (3, 3, 2, 0), (1, 2, 3, 0), (2, 2, 2, 0),
        ],
        levels=[
            [FINEST, [0, 0, 1, 0], JOINED],
            [FINEST, [1, 0, 1, 1], JOINED, JOINED],
            [FINEST, [2, 1, 0, 0], JOINED],
        ],
        goal=Goal(k=2),
    )  # fmt: skip
    task = task_of(table, 1, [])
    GreedySearch(task).run()
    assert task.best is not None
    assert task.best.node == (1, 1, 2)
    assert table.loss((1, 1, 2)) < min(table.loss((2, 2, 0)), table.loss((2, 3, 0)))


def test_climbing_counts_each_level_once_and_tells_how_far_it_is() -> None:
    """Only leaving out the column does."""
    levels = [[FINEST, HALVES, JOINED]]
    table = Table(rows=[(0, 0), (1, 0), (2, 0)], levels=levels, goal=Goal(k=2))
    told: list[SearchProgress] = []
    task = task_of(table, 0, told)
    GreedySearch(task).run()
    assert task.best is not None
    assert (task.best.node, task.checked) == ((2,), 3)
    assert [(each.fraction, each.checked, each.loss) for each in told] == [
        (0, 1, None),
        (0.5, 2, None),
    ]


def test_nodes_that_cannot_be_better_are_not_counted() -> None:
    """The rows that a coarser node loses are lost at the finest one as well, which is too much."""
    three = [0, 0, 1, 2]
    rows: list[tuple[int, ...]] = [(value, 0) for value in FINEST]
    task = task_of(Table(rows, [[FINEST, three, three, HALVES]], Goal(k=2)), len(rows), [])
    assert OptimalSearch(task).run()
    assert task.best is not None
    assert (task.best.node, task.checked) == ((3,), 3)
    twice: list[tuple[int, ...]] = [(value, value, 0) for value in FINEST]
    nothing_to_do = task_of(Table(twice, [[FINEST, three, HALVES]] * 2, Goal(k=1)), 0, [])
    assert OptimalSearch(nothing_to_do).run()
    assert nothing_to_do.checked == 3


def test_of_equal_losses_the_smaller_risk_is_chosen_once() -> None:
    halved = [FINEST, HALVES]
    rows: list[tuple[int, ...]] = [(0, 0, 0), *[(1, 0, 0)] * 3, (0, 1, 0), *[(1, 1, 0)] * 2]
    task = task_of(Table(rows, [halved, halved], Goal(k=1)), 0, [])
    for node in ((0, 0), (0, 1), (1, 0), (1, 1)):
        task.count(node)
    chosen = chosen_candidates(task.lattice, [task, task], ())
    assert [(each.levels["q0"], each.levels["q1"], each.k) for each in chosen] == [
        (0, 0, 1),
        (1, 0, 3),
        (1, 1, 7),
    ]
