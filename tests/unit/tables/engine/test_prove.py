"""Proofs of types: what is taken, and what stays text because something would be lost."""

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairdatabase.tables.engine.prove import may_be_value, prove
from fairdatabase.tables.schemas import ColumnType


def proven(values: Sequence[str | None], column_type: ColumnType) -> list[object] | None:
    array = prove(pa.array(values, pa.string()), column_type)
    return None if array is None else list(array.to_pylist())


@pytest.mark.parametrize(
    "text",
    ["01", "-01", "+1", " 1", "1.0", "1e3", "-0", "0x1A", "1_000", "1,000", "9223372036854775808"],
)
def test_integers_that_would_change_are_refused(text: str) -> None:
    assert proven(["1", text], ColumnType.INTEGER) is None


@pytest.mark.parametrize(
    "text",
    [
        "007", "-00.5", "1,5", "1_0", "inf", "-Infinity", "nan", "1e400", "1e-400", "abc",
        "12345678901234567890", "0.1234567890123456789", "9007199254740993",
        "2.2250738585072011e-400",
    ],
)  # fmt: skip
def test_numbers_that_would_change_are_refused(text: str) -> None:
    assert proven(["0.5", text], ColumnType.NUMBER) is None


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.none(), min_size=1))
def test_every_integer_of_64_bits_is_proven(values: list[int | None]) -> None:
    texts = [None if value is None else str(value) for value in values]
    assert proven(texts, ColumnType.INTEGER) == values


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_every_number_is_proven_in_each_way_of_writing_it(values: list[float]) -> None:
    for pattern in ("{!r}", "{:.17g}", "{:.16e}"):
        assert proven([pattern.format(value) for value in values], ColumnType.NUMBER) == values
    texts = [format(Decimal(repr(value)), "f") for value in values]
    assert proven(texts, ColumnType.NUMBER) == values


@given(st.decimals(allow_nan=False, allow_infinity=False, places=None))
def test_a_proven_decimal_is_exact_to_its_digits(value: Decimal) -> None:
    text = str(value)
    found = proven([text], ColumnType.NUMBER)
    if found is not None:
        assert isinstance(found[0], float)
        digits = Decimal(text).as_tuple().digits
        assert Decimal(f"{found[0]:.16e}") == Decimal(text) or Decimal(repr(found[0])) == Decimal(
            text
        ), digits


@given(st.lists(st.dates() | st.none(), min_size=1))
def test_every_iso_date_is_proven(values: list[date | None]) -> None:
    texts = [None if value is None else value.isoformat() for value in values]
    assert proven(texts, ColumnType.DATE) == values


@pytest.mark.parametrize(
    "text", ["2020-1-1", "20200101", "2020/01/01", "12020-01-01", "2020-13-01", "2020-01-01 00:00"]
)
def test_other_dates_are_refused(text: str) -> None:
    assert proven(["2020-01-01", text], ColumnType.DATE) is None


@given(st.lists(st.datetimes() | st.none(), min_size=1), st.sampled_from([" ", "T"]))
def test_every_iso_datetime_is_proven(values: list[datetime | None], separator: str) -> None:
    texts = [None if value is None else value.isoformat(sep=separator) for value in values]
    assert proven(texts, ColumnType.DATETIME) == values


def test_only_utc_keeps_its_zone() -> None:
    array = prove(pa.array(["2020-01-01T10:00:00Z"]), ColumnType.DATETIME)
    assert array is not None
    assert str(array.type) == "timestamp[us, tz=UTC]"
    for texts in (
        ["2020-01-01T10:00:00+02:00"],
        ["2020-01-01T10:00:00Z", "2020-01-01T10:00:00"],
        ["2020-01-01T10:00:00.1234567"],
        ["2020-01-01"],
    ):
        assert proven(list(texts), ColumnType.DATETIME) is None


@given(st.lists(st.times() | st.none(), min_size=1))
def test_every_time_is_proven(values: list[time | None]) -> None:
    texts = [None if value is None else value.isoformat() for value in values]
    assert proven(texts, ColumnType.TIME) == values


@pytest.mark.parametrize("text", ["10:00", "24:00:00", "1:02:03.5", "10:00:00.1234567"])
def test_other_times_are_refused(text: str) -> None:
    assert proven(["10:00:00", text], ColumnType.TIME) is None


def test_booleans() -> None:
    assert proven(["true", None, "FALSE"], ColumnType.BOOLEAN) == [True, None, False]
    assert proven(["true", "yes"], ColumnType.BOOLEAN) is None


@given(st.lists(st.text(alphabet="0123456789+-.eEx_ ,nainf", max_size=9), min_size=1))
def test_what_is_proven_equals_what_python_reads(texts: list[str]) -> None:
    integers = proven([*texts], ColumnType.INTEGER)
    if integers is not None:
        assert [str(value) for value in integers] == texts
    numbers = proven([*texts], ColumnType.NUMBER)
    if numbers is not None:
        assert numbers == [float(text) for text in texts]
        assert [Decimal(text) for text in texts] == [Decimal(repr(value)) for value in numbers]


def test_codes_that_may_be_values() -> None:
    assert may_be_value("-9")
    assert not may_be_value("NA")
