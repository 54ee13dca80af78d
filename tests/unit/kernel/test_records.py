"""Pages of lists, and inputs that refuse what they do not know."""

from datetime import date
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import EmailStr, Field, ValidationError

from fairdatabase.kernel.records import Closed, PageMeta, PageQuery, in_words


@given(st.integers(1, 50), st.integers(1, 20), st.integers(0, 200))
def test_a_page_knows_its_place(page: int, per_page: int, total: int) -> None:
    items = list(range(1, total + 1))
    shown = items[(page - 1) * per_page : page * per_page]
    meta = PageMeta(page=page, per_page=per_page, total=total)
    assert PageQuery(page=page, per_page=per_page).offset == (page - 1) * per_page
    assert meta.pages == max(1, len(range(0, total, per_page)))
    if shown:
        assert (meta.first, meta.last) == (shown[0], shown[-1])
    else:
        assert meta.first == meta.last == total


def test_only_the_numbers_are_told() -> None:
    assert set(PageMeta(page=1, per_page=2, total=3).model_dump()) == {"page", "per_page", "total"}


def test_the_schema_is_made_once() -> None:
    assert PageQuery.model_json_schema() is PageQuery.model_json_schema()
    assert PageQuery.model_json_schema(mode="serialization")["title"] == "PageQuery"


@pytest.mark.parametrize("change", [{"page": 0}, {"per_page": 101}, {"size": 3}])
def test_a_query_that_does_not_fit_is_refused(change: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        PageQuery.model_validate(change)


class Named(Closed):
    name: str
    number: int = 0


def test_no_text_contains_what_databases_cannot_keep() -> None:
    assert Named(name="a\tb").name == "a\tb"
    with pytest.raises(ValidationError, match="name contains a NUL"):
        Named(name="a\0b")


class Sheet(Closed):
    """A form with one field of each kind."""

    name: str = Field(min_length=1)
    password: str = Field(min_length=12)
    code: str = Field(max_length=3, pattern="^[a-z]*$")
    age: int = Field(ge=0, le=150)
    weight: float
    born: date
    email: EmailStr
    colour: Literal["red", "blue"]


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("name", "", "This is needed."),
        ("password", "short", "Please use at least 12 characters."),
        ("code", "abcd", "Please use at most 3 characters."),
        ("code", "A", "This does not have the form that is asked for."),
        ("age", "old", "Please enter a whole number."),
        ("age", "-1", "Please enter at least 0."),
        ("age", "151", "Please enter at most 150."),
        ("weight", "heavy", "Please enter a number."),
        ("born", "yesterday", "Please enter a day, such as 2026-11-22."),
        ("email", "nobody", "An email address must have an @-sign."),
        ("colour", "green", "Please choose one of these: 'red' or 'blue'."),
        ("other", "x", "There is no such field."),
    ],
)
def test_what_is_wrong_is_said_in_words(field: str, text: str, sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Sheet.model_validate({field: text})
    found = {item["loc"][0]: in_words(item) for item in caught.value.errors()}
    assert found[field] == sentence
    assert set(found.values()) - {sentence} <= {"This is needed."}
