"""Columns as fields of a form."""

from hypothesis import given
from hypothesis import strategies as st

from fairdatabase.deposits.formats.columns import accepted, from_form, to_form
from fairdatabase.privacy.schemas import RoleSuggestion
from fairdatabase.tables.schemas import ColumnEdit, ColumnRole, ColumnSchema, ColumnType

TEXTS = st.none() | st.text(min_size=1, max_size=20).filter(lambda text: text == text.strip())
COLUMNS = st.lists(
    st.builds(
        ColumnSchema,
        key=st.just("c0"),
        name=st.text(min_size=1, max_size=5),
        type=st.sampled_from(ColumnType),
        role=st.sampled_from(ColumnRole),
        unit=TEXTS,
        description=TEXTS,
    ),
    max_size=6,
    unique_by=lambda column: column.name,
)
AGE = ColumnSchema(key="c0", name="age", type=ColumnType.INTEGER)
SEX = ColumnSchema(key="c1", name="sex", type=ColumnType.TEXT, role=ColumnRole.SENSITIVE, unit="-")


@given(COLUMNS)
def test_what_was_not_touched_is_not_changed(columns: list[ColumnSchema]) -> None:
    assert from_form(to_form(columns), columns) == ({}, {})


def test_only_what_differs_is_sent() -> None:
    values = to_form([AGE, SEX]) | {"unit-0": " years ", "role-1": "insensitive", "unit-1": ""}
    edits, errors = from_form(values, [AGE, SEX])
    assert not errors
    assert edits["age"].model_dump(exclude_unset=True) == {"unit": "years"}
    assert edits["sex"].model_dump(exclude_unset=True) == {
        "role": ColumnRole.INSENSITIVE,
        "unit": None,
    }


def test_columns_that_the_page_does_not_show_stay_as_they_are() -> None:
    edits, _ = from_form({"role-1": "insensitive"}, [AGE, SEX])
    assert set(edits) == {"sex"}


def test_each_wrong_field_is_named() -> None:
    edits, errors = from_form({"role-0": "secret", "unit-0": "x" * 101}, [AGE, SEX])
    assert not edits
    assert set(errors) == {"role-0", "unit-0"}
    assert errors["unit-0"] == "Please use at most 100 characters."


def suggestion(column: str, role: ColumnRole) -> RoleSuggestion:
    return RoleSuggestion(column=column, role=role, detector=None, confidence=1, evidence="")


def test_accepting_decides_what_is_open_and_nothing_else() -> None:
    code = ColumnSchema(key="c2", name="code", type=ColumnType.TEXT)
    arm = ColumnSchema(key="c3", name="arm", type=ColumnType.TEXT)
    suggestions = [
        suggestion("age", ColumnRole.QUASI_IDENTIFIER),
        suggestion("sex", ColumnRole.QUASI_IDENTIFIER),
        suggestion("code", ColumnRole.UNASSIGNED),
        suggestion("arm", ColumnRole.QUASI_IDENTIFIER),
    ]
    edits = {"age": ColumnEdit(unit="years"), "arm": ColumnEdit(role=ColumnRole.SENSITIVE)}
    found = accepted(suggestions, [AGE, SEX, code, arm], edits)
    assert {name: edit.role for name, edit in found.items()} == {
        "age": ColumnRole.QUASI_IDENTIFIER,
        "code": ColumnRole.INSENSITIVE,
        "arm": ColumnRole.SENSITIVE,
    }
    assert found["age"].unit == "years"
    assert "description" not in found["age"].model_fields_set
