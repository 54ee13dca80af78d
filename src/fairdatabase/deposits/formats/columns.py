"""The columns step: ``role-3``, ``unit-3`` and ``description-3`` are the fields of column 3."""

from collections.abc import Iterable, Mapping, Sequence

from pydantic import ValidationError

from fairdatabase.kernel.records import in_words
from fairdatabase.privacy.schemas import RoleSuggestion
from fairdatabase.tables.schemas import ColumnEdit, ColumnRole, ColumnSchema

FIELDS = ("role", "unit", "description")


def to_form(columns: Sequence[ColumnSchema]) -> dict[str, str]:
    """Return the fields of all columns, numbered by their place in the table."""
    return {
        f"{field}-{index}": str(getattr(column, field) or "")
        for index, column in enumerate(columns)
        for field in FIELDS
    }


def from_form(
    values: Mapping[str, str], columns: Sequence[ColumnSchema]
) -> tuple[dict[str, ColumnEdit], dict[str, str]]:
    """Return what the form changes, by column name, and an error for each field that is wrong.

    Columns that the form does not show stay as they are.

    Args:
        values: Fields that were sent.
        columns: The table's columns as they are now.
    """
    edits, errors = {}, {}
    stored = to_form(columns)
    for index, column in enumerate(columns):
        names = {field: f"{field}-{index}" for field in FIELDS}
        changed = {
            field: values[name].strip()
            for field, name in names.items()
            if name in values and values[name].strip() != stored[name]
        }
        if not changed:
            continue
        try:
            edits[column.name] = ColumnEdit.model_validate(
                {
                    field: text if field == "role" else text or None
                    for field, text in changed.items()
                }
            )
        except ValidationError as error:
            for item in error.errors(include_url=False, include_input=False):
                errors[names[str(item["loc"][0])]] = in_words(item)
    return edits, errors


def accepted(
    suggestions: Iterable[RoleSuggestion],
    columns: Sequence[ColumnSchema],
    edits: Mapping[str, ColumnEdit],
) -> dict[str, ColumnEdit]:
    """Return the edits with the suggested role for every column whose role is not decided yet.

    A column that nothing speaks for becomes insensitive.

    Args:
        suggestions: One for each column.
        columns: The table's columns as they are now.
        edits: What was decided in the same form; it wins.
    """
    undecided = {column.name for column in columns if column.role is ColumnRole.UNASSIGNED}
    complete = dict(edits)
    for suggestion in suggestions:
        edit = complete.get(suggestion.column, ColumnEdit())
        if suggestion.column in undecided and edit.role in {None, ColumnRole.UNASSIGNED}:
            role = suggestion.role
            if role is ColumnRole.UNASSIGNED:
                role = ColumnRole.INSENSITIVE
            sent = edit.model_dump(exclude_unset=True)
            complete[suggestion.column] = ColumnEdit.model_validate(sent | {"role": role})
    return complete
