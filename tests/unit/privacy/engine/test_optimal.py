"""The optimal search against looking at every node, from the definitions; greedy beside it."""

from collections import Counter
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fairdatabase.privacy.engine.search import find_recipe
from fairdatabase.privacy.schemas.goals import Goal, SensitiveGoal
from fairdatabase.privacy.schemas.hierarchies import Hierarchy
from fairdatabase.privacy.schemas.recipes import DropColumn, Recode
from fairdatabase.privacy.schemas.searches import SearchRequest
from fairdatabase.tables.schemas import ColumnRole, ColumnSchema, ColumnType
from tests.factories.goals import left_out, sensitive_goals
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


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
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
