"""Labels of groups that were recoded locally."""

import datetime as dt
from collections import Counter, defaultdict
from typing import Any

import pyarrow as pa
import pytest

from fairdatabase.privacy.engine.recoding import Recoding, recode
from fairdatabase.privacy.schemas.goals import SensitiveGoal
from fairdatabase.privacy.schemas.recipes import Partition, Recode
from fairdatabase.tables.schemas import ColumnSchema, ColumnType


def recoded(
    values: list[Any], kind: ColumnType, k: int, groups: tuple[Recode, ...] = ()
) -> Recoding:
    """Recode one column."""
    table = pa.table({"q": pa.array(values)})
    columns = {"q": ColumnSchema(key="c0", name="q", type=kind)}
    return recode(table, columns, Partition(columns=("q",), k=k, groups=groups))


def labels(found: Recoding) -> list[str | None]:
    """Return the label of each row."""
    return [found.labels["q"][group] for group in found.groups.tolist()]


def test_numbers_become_the_intervals_that_they_span() -> None:
    found = recoded([1, 9, 8, 9, 2, 9, 5, 9], ColumnType.INTEGER, 2)
    assert labels(found) == ["[1, 2]", "9", "[5, 8]", "9", "[1, 2]", "9", "[5, 8]", "9"]
    assert found.combinations == 5
    assert found.sizes.tolist() == [4, 2, 2]
    assert found.loss[found.groups].tolist() == [0.25, 0, 0.25, 0] * 2


def test_dates_and_fractions_keep_their_notation() -> None:
    days = [dt.date(2024, 1, 1), dt.date(2024, 2, 3)]
    assert labels(recoded(days, ColumnType.DATE, 2)) == ["[2024-01-01, 2024-02-03]"] * 2
    assert labels(recoded([0.1, 0.25], ColumnType.NUMBER, 2)) == ["[0.1, 0.25]"] * 2


@pytest.mark.parametrize(
    ("values", "expected", "loss"),
    [
        ([1, 2, None], "[1, 2] or missing", 1),
        ([1, 1, None], "1 or missing", 1),
        ([None, None, None], None, 0),
        (["b", "a", None], "{a, b} or missing", 1),
        (["b", "b", None], "b or missing", 1),
    ],
)
def test_missing_values_are_named(values: list[Any], expected: str | None, loss: float) -> None:
    kind = ColumnType.TEXT if "b" in values else ColumnType.INTEGER
    found = recoded(values, kind, 3)
    assert labels(found) == [expected] * 3
    assert found.loss.tolist() == [loss]


def test_categories_lie_in_the_order_of_their_frequency() -> None:
    values = ["c"] * 3 + ["a"] * 2 + ["d", "b"]
    assert labels(recoded(values, ColumnType.TEXT, 2)) == ["c"] * 3 + ["a"] * 2 + ["{b, d}"] * 2


def test_the_most_frequent_category_comes_first_and_equals_in_their_order() -> None:
    values = list("cbabacba")
    assert labels(recoded(values, ColumnType.TEXT, 3)) == [
        {"a": "a", "b": "{b, c}", "c": "{b, c}"}[value] for value in values
    ]


@pytest.mark.parametrize(
    ("first", "second", "kind", "expected"),
    [
        ([1, 2, 3, None], [1, 2, 4, None], ColumnType.INTEGER, ("[1, 3]", "[1, 4]")),
        (list("abbde"), list("accde"), ColumnType.TEXT, ("{a, b, d, e}", "{a, c, d, e}")),
    ],
)
def test_groups_with_nearly_the_same_values_have_labels_of_their_own(
    first: list[Any], second: list[Any], kind: ColumnType, expected: tuple[str, str]
) -> None:
    k = len(first)
    table = pa.table({"side": ["l"] * k + ["r"] * k, "q": first + second})
    columns = {
        "side": ColumnSchema(key="side", name="side", type=ColumnType.TEXT),
        "q": ColumnSchema(key="q", name="q", type=kind),
    }
    found = recode(table, columns, Partition(columns=("side", "q"), k=k))
    suffix = " or missing" if None in first else ""
    assert found.labels == {"side": ["l", "r"], "q": [each + suffix for each in expected]}


def test_categories_with_a_hierarchy_get_its_labels() -> None:
    fine = {"flu": "virus", "cold": "virus", "angina": "bacteria", "boil": "bacteria"}
    levels = (
        Recode(column="q", mapping=fine),
        Recode(column="q", mapping=dict.fromkeys(fine, "infection"), other="other"),
        Recode(column="elsewhere", mapping={}),
    )
    values = ["flu", "angina", "cold", "boil"]
    found = recoded(values, ColumnType.TEXT, 2, levels)
    assert labels(found) == ["virus", "bacteria", "virus", "bacteria"]
    found = recoded(["flu", "burn", "cold", "rash"], ColumnType.TEXT, 2, levels)
    assert labels(found) == ["virus", "other", "virus", "other"]
    found = recoded(["flu", "angina", "burn"], ColumnType.TEXT, 3, levels)
    assert labels(found) == ["{angina, burn, flu}"] * 3
    found = recoded(["flu", "angina", "burn", "burn"], ColumnType.TEXT, 2, levels)
    assert labels(found) == ["infection"] * 2 + ["burn"] * 2
    assert sorted(found.loss.tolist()) == [0, 0.5]


def test_groups_with_equal_labels_are_one_class() -> None:
    everyone = dict.fromkeys("abcd", "all")
    levels = (Recode(column="q", mapping=everyone),)
    found = recoded(list("abcd"), ColumnType.TEXT, 2, levels)
    assert labels(found) == ["all"] * 4
    assert found.sizes.tolist() == [4]


def test_a_class_has_the_sensitive_values_of_all_its_groups() -> None:
    levels = (Recode(column="q", mapping={"a": "x", "b": "x", "c": "x", "d": "x"}),)
    table = pa.table({"q": list("aabbccddee"), "s": [1, 1, 7, 1, None, 7, 7, 7, 1, 1]})
    columns = {
        name: ColumnSchema(key=name, name=name, type=kind)
        for name, kind in (("q", ColumnType.TEXT), ("s", ColumnType.INTEGER))
    }
    goal = SensitiveGoal(column="s")
    step = Partition(columns=("q",), k=2, sensitive=(goal,), groups=levels)
    found = recode(table, columns, step)
    shown = [found.labels["q"][group] for group in found.groups.tolist()]
    assert shown == ["a"] * 2 + ["b"] * 2 + ["c"] * 2 + ["d"] * 2 + ["e"] * 2
    found = recode(table, columns, step.model_copy(update={"k": 4}))
    shown = [found.labels["q"][group] for group in found.groups.tolist()]
    assert "x" in shown
    (attribute,) = found.attributes
    assert (attribute.goal, attribute.ordered) == (goal, True)
    counts: dict[int, dict[int, int]] = {}
    for owner, value, rows in zip(
        attribute.counts.classes.tolist(),
        attribute.counts.values.tolist(),
        attribute.counts.counts.tolist(),
        strict=True,
    ):
        counts.setdefault(owner, {})[value] = rows
    expected: dict[str | None, Counter[int]] = defaultdict(Counter)
    for label, value in zip(shown, table["s"].to_pylist(), strict=True):
        expected[label][{1: 0, 7: 1, None: 2}[value]] += 1
    assert sorted(map(sorted, (each.items() for each in counts.values()))) == sorted(
        map(sorted, (each.items() for each in expected.values()))
    )
    assert attribute.counts.totals.tolist() == [5, 4, 1]
    assert sorted(found.sizes.tolist()) == sorted(each.total() for each in expected.values())


def test_one_sensitive_value_is_in_every_class() -> None:
    table = pa.table({"q": [1, 1, 5, 5, 9, 9, 9], "s": ["x"] * 7})
    columns = {
        "q": ColumnSchema(key="q", name="q", type=ColumnType.INTEGER),
        "s": ColumnSchema(key="s", name="s", type=ColumnType.TEXT),
    }
    step = Partition(columns=("q",), k=2, sensitive=(SensitiveGoal(column="s"),))
    (attribute,) = recode(table, columns, step).attributes
    assert not attribute.ordered
    assert attribute.counts.totals.tolist() == [7]
    assert attribute.counts.classes.tolist() == [0, 1, 2]
    assert attribute.counts.values.tolist() == [0, 0, 0]
    assert sorted(attribute.counts.counts.tolist()) == [2, 2, 3]


def test_columns_are_cut_together() -> None:
    table = pa.table({"a": [1, 1, 9, 9], "b": ["x", "y", "x", "y"]})
    columns = {
        name: ColumnSchema(key=name, name=name, type=kind)
        for name, kind in (("a", ColumnType.INTEGER), ("b", ColumnType.TEXT))
    }
    found = recode(table, columns, Partition(columns=("a", "b"), k=2))
    assert found.labels == {"a": ["1", "9"], "b": ["{x, y}", "{x, y}"]}
    assert found.loss.tolist() == [0.5, 0.5]


def test_an_empty_table_has_no_groups() -> None:
    found = recoded(pa.array([], pa.string()), ColumnType.TEXT, 2)
    assert (found.groups.size, found.labels, found.sizes.size) == (0, {"q": []}, 0)
