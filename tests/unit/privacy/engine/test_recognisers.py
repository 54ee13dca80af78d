"""Values that look like identifiers, and values that only nearly do."""

import random

import pytest
from stdnum.be import nn
from stdnum.pl import pesel

from fairdatabase.privacy.engine import recognisers
from fairdatabase.privacy.engine.recognisers import NATIONAL_IDS, checked, share_of_birth_dates


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("a Belgian national number", "85.07.30-033 28"),
        ("a Brazilian CPF", "390.533.447-05"),
        ("a British NHS number", "943-476-5870"),
        ("a Chinese identity number", "360426199101010071"),
        ("a Danish CPR number", "211062-5629"),
        ("a Finnish identity code", "131052-308T"),
        ("a French NIR", "2 95 10 99 126 111 93"),
        ("a German tax number", "36 574 261 809"),
        ("an Irish PPS number", "6433435OA"),
        ("an Italian codice fiscale", "RCCMNL83S18D969H"),
        ("a Norwegian birth number", "151086 95088"),
        ("a Polish PESEL", "44051401359"),
        ("a Romanian CNP", "1630615123457"),
        ("a Spanish DNI", "54362315-K"),
        ("a Spanish NIE", "x-2482300w"),
        ("a Swedish personal number", "880320-0016"),
        ("a Swiss AHV number", "7569217076985"),
    ],
)
def test_national_numbers(what: str, value: str) -> None:
    passes = checked(NATIONAL_IDS[what])
    assert passes(value)
    others = [value[:-1] + ("1" if value[-1] != "1" else "2"), f"00{value[2:]}"]
    assert not all(map(passes, others))
    assert not passes("")


def test_every_national_number_is_tried() -> None:
    marks = test_national_numbers.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert {what for what, _ in marks} == set(NATIONAL_IDS)


def test_random_numbers_pass_seldom() -> None:
    draw = random.Random(7)
    for digits in (9, 10, 11, 13):
        numbers = [str(draw.randrange(10 ** (digits - 1), 10**digits)) for _ in range(400)]
        for validate in NATIONAL_IDS.values():
            assert sum(map(checked(validate), numbers)) < 0.2 * len(numbers)
    assert checked(nn.validate)("85073003328")
    assert checked(pesel.validate)("44051401359")


@pytest.mark.parametrize(
    "value",
    [
        "+31 6 12345678",
        "0031612345678",
        "020-5253525",
        "(212) 555-0123",
        "212-555-0123",
        "+49 30 901820",
    ],
)
def test_phone_numbers(value: str) -> None:
    assert recognisers.is_phone_number(value)


@pytest.mark.parametrize(
    "value",
    ["612345678", "+31 6 123", "+999 12345678", "0000000000", "06-abc", "000-000-0000", "+"],
)
def test_texts_that_are_no_phone_number(value: str) -> None:
    assert not recognisers.is_phone_number(value)


@pytest.mark.parametrize(
    "value",
    [
        "1012 AB",
        "9712cp",
        "SW1A 1AA",
        "M1 1AE",
        "K1A 0B1",
        "00-950",
        "114 55",
        "01310-100",
        "D-10115",
    ],
)
def test_postcodes(value: str) -> None:
    assert recognisers.is_postcode(value)
    assert recognisers.is_perhaps_postcode(value)


@pytest.mark.parametrize("value", ["10115", "75001", "1000", "94103-1234", "100-0001"])
def test_digits_are_a_postcode_if_the_column_says_so(value: str) -> None:
    assert recognisers.is_perhaps_postcode(value)
    assert not recognisers.is_postcode(value)


@pytest.mark.parametrize("value", ["0123 AB", "1234 SS", "S0001", "AB12", "1234567", "Q1 2021"])
def test_codes_that_are_no_postcode(value: str) -> None:
    assert not recognisers.is_postcode(value)
    assert not recognisers.is_perhaps_postcode(value)


@pytest.mark.parametrize(
    "value",
    ["Ada Lovelace", "Curie, Marie", "Vincent van Gogh", "J. R. Tolkien", "Zoë O'Neill-Øre"],
)
def test_names_of_persons(value: str) -> None:
    assert recognisers.is_person_name(value)


@pytest.mark.parametrize(
    "value", ["Bacteroides fragilis", "female", "Exec-managerial", "P12 A", "on a Tuesday", "", "A"]
)
def test_texts_that_are_no_name(value: str) -> None:
    assert not recognisers.is_person_name(value)


@pytest.mark.parametrize(
    ("values", "share"),
    [
        (["1950-01-31", "1975-6-1", "31-12-1999", "29.2.2000 "], 1.0),
        (["1950-01-31", "1975-06-01 00:00:00"], 1.0),
        (["1950-01-31", "1975-06-01", "x", "1975-13-01"], 0.5),
        (["1950-01-31", "1974-12-31"], 0.0),
        (["2021-01-31", "2022-06-01"], 0.0),
        (["1850-01-31", "1840-06-01"], 0.0),
        (["1899-12-31", "1900-01-01", "1925-01-01"], 2 / 3),
        (["x"], 0.0),
    ],
)
def test_dates_of_birth_span_a_generation(values: list[str], share: float) -> None:
    assert share_of_birth_dates(values) == pytest.approx(share)


def test_prose_and_lineages() -> None:
    assert recognisers.is_prose("he was seen by nobody")
    assert not recognisers.is_prose("seen by nobody at all"[:14])
    assert not recognisers.is_prose("k__Bacteria; p__Firmicutes; c__Bacilli; o__X; f__Y; g__Z")
