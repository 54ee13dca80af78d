"""How values of a column are distributed, as plots show it."""

import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairdatabase.privacy.engine.distributions import MAX_BARS, distributions, in_order
from fairdatabase.privacy.schemas.previews import Bar, Distribution
from fairdatabase.tables.schemas import ColumnSchema, ColumnType
from tests.factories.privacy import write_parquet


def shown(folder: Path, values: list[Any], kind: ColumnType, arrow: str) -> Distribution:
    """Return the distribution of one column."""
    source = write_parquet(folder / "table.parquet", {"c0": values}, [arrow])
    (found,) = distributions(source, (ColumnSchema(key="c0", name="x", type=kind),))
    return found


def test_few_values_are_counted(tmp_path: Path) -> None:
    found = shown(tmp_path, ["b", "a", None, "b"], ColumnType.TEXT, "string")
    assert found.bars == (Bar(label="b", rows=2), Bar(label="a", rows=1))
    assert (found.rows, found.missing, found.distinct, found.other) == (4, 1, 2, 0)


def test_the_most_frequent_of_many_are_told_apart(tmp_path: Path) -> None:
    values = [f"v{number}" for number in range(20)] + ["v19"] * 3
    found = shown(tmp_path, values, ColumnType.TEXT, "string")
    assert found.bars[0] == Bar(label="v19", rows=4)
    assert len(found.bars) == MAX_BARS
    assert found.other == 23 - sum(bar.rows for bar in found.bars)


def test_whole_numbers_get_whole_intervals(tmp_path: Path) -> None:
    found = shown(tmp_path, list(range(18, 90)), ColumnType.INTEGER, "int64")
    assert [bar.label for bar in found.bars][:2] == ["18 \u2013 26", "27 \u2013 35"]
    assert {bar.rows for bar in found.bars} == {9}
    assert found.bars[-1].label == "81 \u2013 89"
    few = shown(tmp_path, [10_000, 10_000, *range(10_001, 10_009)], ColumnType.INTEGER, "int64")
    assert few.bars == (
        Bar(label="10,000 \u2013 10,001", rows=3),
        Bar(label="10,002 \u2013 10,003", rows=2),
        Bar(label="10,004 \u2013 10,005", rows=2),
        Bar(label="10,006 \u2013 10,007", rows=2),
        Bar(label="10,008 \u2013 10,009", rows=1),
    )


def test_as_many_numbers_as_bars_are_told_apart(tmp_path: Path) -> None:
    values = [-10_000, 2, 3, 4, 5, 6, 7, 70]
    found = shown(tmp_path, values, ColumnType.INTEGER, "int64")
    assert [bar.label for bar in found.bars] == list(map(str, values))
    spread = shown(tmp_path, [*values, -9_999], ColumnType.INTEGER, "int64")
    assert spread.bars[0] == Bar(label="-10,000 \u2013 -8742", rows=2)


def test_numbers_that_are_not_finite_are_others(tmp_path: Path) -> None:
    values = [*map(float, range(16)), math.nan, math.inf]
    found = shown(tmp_path, values, ColumnType.NUMBER, "double")
    assert [bar.rows for bar in found.bars] == [2] * MAX_BARS
    assert [bar.label for bar in found.bars][:2] == ["0 \u2013 1.875", "1.875 \u2013 3.75"]
    assert found.bars[-1].label == "13.12 \u2013 15"
    assert found.other == 2


def test_intervals_that_hold_nothing_are_shown(tmp_path: Path) -> None:
    values = [-4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 12.0]
    found = shown(tmp_path, values, ColumnType.NUMBER, "double")
    assert [bar.rows for bar in found.bars] == [2, 2, 2, 2, 0, 0, 0, 1]
    assert found.bars[0].label == "-4 \u2013 -2"


def test_an_empty_table_has_no_bars(tmp_path: Path) -> None:
    assert shown(tmp_path, [], ColumnType.NUMBER, "double").bars == ()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.none() | st.integers(-(10**6), 10**6), max_size=60))
def test_every_row_is_counted_once(
    tmp_path_factory: pytest.TempPathFactory, values: list[int | None]
) -> None:
    found = shown(tmp_path_factory.mktemp("d"), values, ColumnType.INTEGER, "int64")
    assert sum(bar.rows for bar in found.bars) + found.other + found.missing == len(values)
    assert len(found.bars) <= MAX_BARS
    assert found.missing == Counter(values)[None]


def test_labels_of_intervals_stand_in_their_order() -> None:
    labels = [">= 65", "[18, 40)", "< 18", "[40, 65)"]
    bars = tuple(Bar(label=label, rows=1) for label in labels)
    assert [bar.label for bar in in_order(bars)] == ["< 18", "[18, 40)", "[40, 65)", ">= 65"]
    words = tuple(Bar(label=label, rows=1) for label in ("b", "2"))
    assert in_order(words) == words
