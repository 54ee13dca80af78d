"""Queries written as addresses."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairdatabase.kernel.errors import ValidationError
from fairdatabase.tables.engine.address import query_spec
from fairdatabase.tables.errors import UnknownColumnError
from fairdatabase.tables.schemas import (
    ColumnSchema,
    ColumnType,
    Filter,
    FilterOp,
    RowsQuery,
    Sort,
)

AGE = ColumnSchema(key="c0", name="age", type=ColumnType.INTEGER)
BMI = ColumnSchema(key="c1", name="bmi: kg/m2", type=ColumnType.NUMBER)
SMOKER = ColumnSchema(key="c2", name="smoker", type=ColumnType.BOOLEAN)
CITY = ColumnSchema(key="c3", name="city", type=ColumnType.TEXT, unit="none")
DAY = ColumnSchema(key="c4", name="-day", type=ColumnType.DATE)
COLUMNS = (AGE, BMI, SMOKER, CITY, DAY)


def only_filter(text: str) -> Filter:
    (condition,) = query_spec(RowsQuery(filter=[text]), COLUMNS).filters
    return condition


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("age:ge:30", Filter(column="age", op=FilterOp.GE, value=30)),
        ("age:in:30|31", Filter(column="age", op=FilterOp.IN, value=(30, 31))),
        ("bmi: kg/m2:lt:25.5", Filter(column="bmi: kg/m2", op=FilterOp.LT, value=25.5)),
        ("smoker:eq:True", Filter(column="smoker", op=FilterOp.EQ, value=True)),
        ("city:contains:a:b", Filter(column="city", op=FilterOp.CONTAINS, value="a:b")),
        ("age:contains:3", Filter(column="age", op=FilterOp.CONTAINS, value="3")),
        ("city:eq:", Filter(column="city", op=FilterOp.EQ, value="")),
        ("city:is_null", Filter(column="city", op=FilterOp.IS_NULL)),
        ("-day:gt:2026-01-01", Filter(column="-day", op=FilterOp.GT, value="2026-01-01")),
    ],
)
def test_conditions_carry_values_of_the_column_s_type(text: str, expected: Filter) -> None:
    assert only_filter(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("age", "cannot be read"),
        ("age:about:3", "cannot be read"),
        ("weight:eq:3", "no column 'weight'"),
        ("age:eq", "lacks a value"),
        ("age:eq:old", "'old' is no value of the column 'age', which holds values of type integer"),
        ("age:eq:3.5", "is no value"),
        ("smoker:eq:yes", "is no value"),
    ],
)
def test_bad_conditions_say_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        only_filter(text)


@pytest.mark.parametrize("asked", [{"filter": ["agee:eq:3"]}, {"sort": ["-agee"]}])
def test_a_column_that_is_not_there_has_its_own_error(asked: dict[str, list[str]]) -> None:
    with pytest.raises(UnknownColumnError, match=r"'agee'.*Did you mean 'age'\?"):
        query_spec(RowsQuery.model_validate(asked), COLUMNS)


def test_sorting_prefers_a_column_of_that_very_name() -> None:
    spec = query_spec(RowsQuery(sort=["-age", "-day", "--day"]), COLUMNS)
    assert spec.sort == (
        Sort(column="age", descending=True),
        Sort(column="-day"),
        Sort(column="-day", descending=True),
    )


def test_nothing_asked_for_means_everything() -> None:
    spec = query_spec(RowsQuery(), COLUMNS)
    assert spec.columns is None
    assert spec.search is None
    assert spec.filters == ()
    assert spec.sort == ()


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(ValidationError):
        query_spec(RowsQuery(filter=[text], sort=[text]), COLUMNS)
