"""Levels of hierarchies in recipes, and what each leads to."""

from pathlib import Path

import pytest

from fairdatabase.privacy.engine.levels import beside, level_of, level_risks, with_level
from fairdatabase.privacy.engine.risk import assess
from fairdatabase.privacy.schemas import MissingChoice, Recipe, Thresholds
from fairdatabase.privacy.schemas.hierarchies import Hierarchy
from fairdatabase.privacy.schemas.recipes import (
    DropColumn,
    Intervals,
    Partition,
    Prefix,
    Recode,
    Round,
    Step,
    SuppressSmallGroups,
)
from fairdatabase.tables.schemas import ColumnSchema, ColumnType
from tests.factories.privacy import write_parquet

FIVE, TEN = Intervals(column="age", width=5), Intervals(column="age", width=10)
DROP = DropColumn(column="age")
AGES = Hierarchy(column="age", levels=(FIVE, TEN, DROP))
CODE = Prefix(column="code", length=2)
LAST = SuppressSmallGroups(k=5)


@pytest.mark.parametrize(
    ("steps", "level"),
    [
        ((), 0),
        ((CODE, TEN, LAST), 2),
        ((DROP,), 3),
        ((Round(column="age", decimals=0), TEN), None),
        ((Round(column="age", decimals=0),), None),
    ],
)
def test_the_level_of_a_recipe_is_recognised(steps: tuple[Step, ...], level: int | None) -> None:
    assert level_of(Recipe(steps=steps), AGES) == level


def test_a_level_takes_the_place_of_what_was_done_to_the_column() -> None:
    rough = Round(column="age", decimals=0)
    recipe = Recipe(steps=(rough, CODE, rough, LAST))
    assert with_level(recipe, AGES, 2).steps == (TEN, CODE, LAST)
    assert with_level(recipe, AGES, 0).steps == (CODE, LAST)
    assert with_level(Recipe(steps=(CODE, LAST)), AGES, 1).steps == (CODE, FIVE, LAST)
    assert with_level(Recipe(steps=(CODE,)), AGES, 1).steps == (CODE, FIVE)


def test_the_other_columns_are_taken_as_they_are_released() -> None:
    cut = Partition(columns=("age",), k=5)
    assert beside(Recipe(steps=(TEN, CODE, cut, LAST)), "age").steps == (CODE,)


@pytest.mark.parametrize(
    ("missing", "in_memory"), [("category", True), ("category", False), ("wildcard", True)]
)
def test_each_level_is_measured_as_a_release_is(
    tmp_path: Path, missing: MissingChoice, in_memory: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not in_memory:
        monkeypatch.setattr("fairdatabase.privacy.engine.levels.fits", lambda *_: False)
    ages, codes = [21, 24, 26, 33, None, 21, 58], ["a", "a", "a", "b", "a", None, "b"]
    sexes = ["f", "f", "m", "m", "f", "f", None]
    source = write_parquet(tmp_path / "t.parquet", {"age": ages, "code": codes, "s": sexes})
    column = ColumnSchema(key="age", name="age", type=ColumnType.INTEGER)
    others = [
        ColumnSchema(key=key, name=name, type=ColumnType.TEXT)
        for key, name in (("code", "code"), ("s", "sex"))
    ]
    found = level_risks(
        source,
        column,
        AGES,
        quasi_identifiers=others,
        thresholds=Thresholds(k=2),
        missing=missing,
    )
    assert [each.level for each in found] == [0, 1, 2, 3]
    assert [each.distinct for each in found] == [6, 5, 4, 1]
    labels: list[list[object]] = [
        list(ages),
        [None if age is None else age // 5 for age in ages],
        [None if age is None else age // 10 for age in ages],
        ["*"] * len(ages),
    ]
    for each, values in zip(found, labels, strict=True):
        path = write_parquet(tmp_path / "r.parquet", {"age": values, "code": codes, "s": sexes})
        report = assess(
            path,
            quasi_identifiers=["age", "code", "s"],
            thresholds=Thresholds(k=2),
            missing=missing,
        )
        assert (each.rows, each.k, each.rows_at_risk) == (7, report.k, report.rows_at_risk)


def test_a_table_without_rows_has_no_groups(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "t.parquet", {"age": []}, ["int64"])
    column = ColumnSchema(key="age", name="age", type=ColumnType.INTEGER)
    for others in ([], [column]):
        found = level_risks(
            source,
            column,
            AGES,
            quasi_identifiers=others,
            thresholds=Thresholds(),
            missing="category",
        )
        assert [(each.rows, each.k, each.rows_at_risk) for each in found] == [(0, 0, 0)] * 4


@pytest.mark.parametrize("missing", ["category", "wildcard"])
def test_levels_may_be_lists_of_values(tmp_path: Path, missing: MissingChoice) -> None:
    source = write_parquet(tmp_path / "t.parquet", {"land": ["NL", "BE", "FR", "FR"]})
    column = ColumnSchema(key="land", name="land", type=ColumnType.TEXT)
    mapped = Recode(column="land", mapping={"NL": "Benelux", "BE": "Benelux"}, other="elsewhere")
    found = level_risks(
        source,
        column,
        Hierarchy(column="land", levels=(mapped,)),
        quasi_identifiers=[],
        thresholds=Thresholds(k=2),
        missing=missing,
    )
    assert [(each.distinct, each.k, each.rows_at_risk) for each in found] == [(3, 1, 2), (2, 2, 0)]


def test_a_threshold_counts_groups_below_it(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "t.parquet", {"age": [1, 1, 2, 2, 2, 7]})
    column = ColumnSchema(key="age", name="age", type=ColumnType.INTEGER)
    choices: tuple[MissingChoice, ...] = ("category", "wildcard")
    for missing in choices:
        found = level_risks(
            source,
            column,
            Hierarchy(column="age", levels=(FIVE,)),
            quasi_identifiers=[],
            thresholds=Thresholds(k=3),
            missing=missing,
        )
        assert [(each.level, each.distinct, each.k, each.rows_at_risk) for each in found] == [
            (0, 3, 1, 3),
            (1, 2, 1, 1),
        ]


def test_what_is_done_to_rows_is_no_level() -> None:
    cut = Partition(columns=("age",), k=5)
    recipe = Recipe(steps=(cut, LAST))
    assert level_of(recipe, AGES) == 0
    assert with_level(recipe, AGES, 3).steps == (DROP, cut, LAST)
    assert with_level(Recipe(steps=(TEN, cut)), AGES, 1).steps == (FIVE, cut)
    assert beside(Recipe(steps=(CODE,)), "code").steps == ()
