"""What metadata are refused, and in which form they are kept."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fairdatabase.catalog.schemas import Creator, Metadata, SearchQuery


@pytest.mark.parametrize(
    "written",
    [
        "0000-0002-1825-0097",
        "https://orcid.org/0000-0002-1825-0097",
        "http://orcid.org/0000-0002-1825-0097 ",
        "0000000218250097",
    ],
)
def test_an_orcid_is_kept_bare(written: str) -> None:
    assert Creator(name="A", orcid=written).orcid == "0000-0002-1825-0097"


def test_the_last_digit_of_an_orcid_may_be_ten() -> None:
    assert Creator(name="A", orcid="0000-0002-1694-233x").orcid == "0000-0002-1694-233X"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("0000-0002-1825-0098", "check digit"),
        ("0000-0002-1825-009", "16 digits"),
        ("0000-0002-1825-00X7", "16 digits"),
        ("", "16 digits"),
        ("\u0660000-0002-1825-0097", "16 digits"),
    ],
)
def test_a_mistyped_orcid_is_explained(written: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Creator(name="A", orcid=written)


@given(st.integers(0, 10**15 - 1), st.integers(0, 15), st.integers(1, 9))
def test_every_single_wrong_digit_of_an_orcid_is_found(
    number: int, position: int, change: int
) -> None:
    digits = f"{number:015d}"
    total = 0
    for digit in digits:
        total = (total + int(digit)) * 2
    right = digits + "0123456789X"[(12 - total % 11) % 11]
    assert Creator(name="A", orcid=right).orcid
    old = right[position]
    new = str((int(old) + change) % 10) if old != "X" else str(change)
    with pytest.raises(ValidationError):
        Creator(name="A", orcid=right[:position] + new + right[position + 1 :])


@pytest.mark.parametrize(
    "changes",
    [
        {"titel": "x"},
        {"title": "x" * 501},
        {"title": "a\0b"},
        {"creators": [{"name": " "}]},
        {"creators": [{"name": "a\0b"}]},
        {"creators": [{"name": "A", "affiliations": [{"name": "B", "ror": "012p63287"}]}]},
        {"language": "English"},
        {"publication_year": 1066},
        {"subjects": [{"term": "gut", "uri": "javascript:alert(1)"}]},
        {"related_identifiers": [{"identifier": "x", "relation": "Likes"}]},
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Metadata.model_validate(changes)


def test_a_draft_may_be_empty() -> None:
    assert Metadata() == Metadata.model_validate_json("{}")


def test_a_query_is_shortened_and_never_refused() -> None:
    assert SearchQuery(q="x" * 10_000).q == "x" * 300
    assert SearchQuery(q=" a\0b ").q == "a b"
    with pytest.raises(ValidationError):
        SearchQuery(q=5)
