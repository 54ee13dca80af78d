"""How numbers, dates and words are shown."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairdatabase.web.filters import (
    column_role,
    column_type,
    decimal,
    filesize,
    long_date,
    number,
    paragraphs,
    percent,
    spaced,
)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (1204, "1204"),
        (9999, "9999"),
        (10_000, "10\u202f000"),
        (4_218_330, "4\u202f218\u202f330"),
        (-12_000, "-12\u202f000"),
    ],
)
def test_numbers_are_grouped_from_five_digits_on(value: int, shown: str) -> None:
    assert number(value) == shown


@given(st.integers(min_value=0))
def test_grouping_changes_no_digit(value: int) -> None:
    assert number(value).replace("\u202f", "") == str(value)


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0\u00a0bytes"),
        (1, "1 byte"),
        (999, "999\u00a0bytes"),
        (1000, "1.0\u00a0kB"),
        (48_213, "48.2\u00a0kB"),
        (999_949, "1000\u00a0kB"),
        (999_950, "1.0\u00a0MB"),
        (123_456_789, "123\u00a0MB"),
        (5_000_000_000, "5.0\u00a0GB"),
        (7 * 10**15, "7000\u00a0TB"),
    ],
)
def test_sizes_are_shown_in_decimal_units(size: int, shown: str) -> None:
    assert filesize(size) == shown


def test_a_moment_is_shown_as_its_day_in_utc() -> None:
    late = datetime(2026, 12, 31, 23, 30, tzinfo=timezone(-timedelta(hours=2)))
    assert long_date(late) == "1 January 2027"
    assert long_date(datetime(2026, 11, 22, tzinfo=UTC)) == long_date(date(2026, 11, 22))


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0, "0\u00a0%"),
        (0.00001, "<\u202f0.1\u00a0%"),
        (0.0033, "0.3\u00a0%"),
        (0.11, "11\u00a0%"),
        (1, "100\u00a0%"),
    ],
)
def test_a_share_that_is_not_zero_never_looks_like_zero(share: float, shown: str) -> None:
    assert percent(share) == shown


def test_decimals_are_fixed() -> None:
    assert decimal(0.5) == "0.50"
    assert decimal(5, 0) == "5"


def test_paragraphs_end_at_empty_lines() -> None:
    assert paragraphs("one\r\nstill one\r\n \r\ntwo\n\n\n") == ["one\nstill one", "two"]
    assert paragraphs(" \n ") == []


def test_unknown_words_are_shown_as_they_are() -> None:
    assert column_type("integer") == "Whole number"
    assert column_type("complex") == "complex"
    assert column_role("quasi_identifier") == "Quasi-identifier"
    assert column_role("other") == "other"


def test_compound_words_are_taken_apart() -> None:
    assert spaced("IsSupplementTo") == "Is supplement to"
    assert spaced("Cites") == "Cites"
