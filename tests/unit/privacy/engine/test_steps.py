"""Whether steps fit columns: what lies exactly at a limit, and what an error tells a program."""

from typing import Any

import pytest

from fairdatabase.privacy.engine.steps import changed_column, check, interval_bound
from fairdatabase.privacy.errors import RecipeError
from fairdatabase.privacy.schemas.recipes import Partition, Pseudonymise, Recipe
from fairdatabase.tables.schemas import ColumnRole, ColumnSchema, ColumnType

COLUMNS = [
    ColumnSchema(key=name, name=name, type=kind)
    for name, kind in (
        ("whole", ColumnType.INTEGER),
        ("number", ColumnType.NUMBER),
        ("text", ColumnType.TEXT),
        ("flag", ColumnType.BOOLEAN),
        ("day", ColumnType.DATE),
        ("moment", ColumnType.DATETIME),
        ("hour", ColumnType.TIME),
    )
]
NAMES = [column.name for column in COLUMNS]


def fits(*steps: dict[str, Any]) -> None:
    check(Recipe.model_validate({"steps": steps}), COLUMNS)


@pytest.mark.parametrize(
    "step",
    [
        {"op": "round", "column": "number", "decimals": 9},
        {"op": "round", "column": "whole", "decimals": -9},
        {"op": "noise", "column": "number", "scale": 1e15},
        {"op": "noise", "column": "whole", "scale": 1e-300},
        {"op": "intervals", "column": "whole", "width": 1e15, "origin": -1e15},
        {"op": "intervals", "column": "number", "width": 1e-9, "origin": 1e-9},
        {"op": "intervals", "column": "number", "cuts": [-1e15, 1e15]},
        {"op": "intervals", "column": "number", "cuts": [0.5]},
        {"op": "code_extremes", "column": "whole", "bottom": -1e15, "top": 1e15},
        {"op": "code_extremes", "column": "whole", "bottom": 3, "top": 3},
        {"op": "code_extremes", "column": "number", "bottom": 0.5, "top": 1.5},
        {"op": "suppress_cells", "column": "day", "rarer_than": 1},
        {"op": "suppress_cells", "column": "flag", "groups_below": 1},
        {"op": "impute", "column": "whole", "by": "mean"},
        {"op": "impute", "column": "number", "by": "median"},
        {"op": "impute", "column": "hour", "by": "mode"},
        {"op": "shuffle", "column": "moment"},
        {"op": "prefix", "column": "text", "length": 1},
        {"op": "prefix", "column": "whole", "length": 1},
        {"op": "recode", "column": "text", "mapping": {}, "other": "x"},
        {"op": "recode", "column": "flag", "mapping": {"true": "yes"}},
        {"op": "recode", "column": "whole", "mapping": {"1": "one"}},
        {"op": "truncate_date", "column": "day", "to": "month"},
        {"op": "truncate_date", "column": "moment", "to": "day"},
        {"op": "pseudonymise", "column": "moment"},
        {"op": "partition", "columns": ["day"], "k": 1},
        {"op": "suppress", "k": 1},
    ],
)
def test_what_is_just_allowed_fits(step: dict[str, Any]) -> None:
    fits(step)


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        ({"op": "round", "column": "number", "decimals": -10}, "-10 decimals; use -9 to 9"),
        ({"op": "round", "column": "text", "decimals": 1}, "the column holds text"),
        ({"op": "noise", "column": "number", "scale": 2e15}, "use one above 0 and at most 1e+15"),
        ({"op": "noise", "column": "number", "scale": -1}, "the scale is -1"),
        ({"op": "noise", "column": "day", "scale": 1}, "the column holds date"),
        ({"op": "intervals", "column": "whole", "width": 5, "cuts": [1]}, "either a width or cuts"),
        ({"op": "intervals", "column": "whole", "width": 5, "origin": 1e16}, "bounds beyond 1e+15"),
        ({"op": "intervals", "column": "whole", "width": 5, "origin": 1e-10}, "9 decimals"),
        ({"op": "intervals", "column": "number", "cuts": [-2e15, 0]}, "bounds beyond 1e+15"),
        ({"op": "intervals", "column": "number", "cuts": [0, 1e-10]}, "9 decimals"),
        ({"op": "code_extremes", "column": "whole", "top": -2e15}, "bounds beyond 1e+15"),
        ({"op": "code_extremes", "column": "whole", "bottom": 0.5}, "use whole bounds"),
        ({"op": "suppress_cells", "column": "day", "groups_below": 0}, "the number is below 1"),
        ({"op": "suppress_cells", "column": "day", "rarer_than": -1}, "the number is below 1"),
        (
            {"op": "suppress_cells", "column": "day", "groups_below": 2, "rarer_than": 2},
            "either 'rarer_than' or 'groups_below'",
        ),
        ({"op": "impute", "column": "text", "by": "median"}, "by 'mode'"),
        ({"op": "prefix", "column": "number", "length": 1}, "needs text or integer"),
        ({"op": "recode", "column": "number", "mapping": {"1": "a"}}, "use intervals"),
        ({"op": "truncate_date", "column": "hour", "to": "day"}, "needs date or datetime"),
        ({"op": "code_extremes", "column": "flag", "top": 1}, "needs integer or number"),
    ],
)
def test_what_is_just_not_allowed_is_refused(step: dict[str, Any], problem: str) -> None:
    with pytest.raises(RecipeError) as caught:
        fits({"op": "shuffle", "column": "text"}, step)
    assert problem in caught.value.message
    assert caught.value.message.startswith(f"Step 1 ({step['op']} of column {step['column']!r}): ")
    assert caught.value.details == {"step": 1, "op": step["op"], "column": step["column"]}


DATES_ARE_NO_CODES = (
    "the column holds date, the step needs text or integer or boolean; use intervals for numbers,"
    " truncate dates"
)
CUT = {"op": "partition", "columns": ["day"], "k": 2}


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        (CUT | {"columns": []}, "name the columns to recode, each once"),
        (CUT | {"columns": ["day", "day"]}, "name the columns to recode, each once"),
        (
            CUT | {"sensitive": [{"column": "gone"}]},
            "there is no column 'gone' at this step; correct its name or the order",
        ),
        (
            CUT | {"groups": [{"column": "text", "mapping": {}}]},
            "groups of 'text', which is not among the columns; add it",
        ),
        (
            CUT | {"groups": [{"column": "day", "mapping": {}}]},
            f"groups of 'day': {DATES_ARE_NO_CODES}",
        ),
        ({"op": "suppress", "k": 0}, "k is 0; use 1 or more, commonly 5"),
    ],
)
def test_a_step_over_rows_has_no_column_to_tell(step: dict[str, Any], problem: str) -> None:
    with pytest.raises(RecipeError) as caught:
        fits({"op": "shuffle", "column": "text"}, step)
    assert caught.value.message == f"Step 1 ({step['op']}): {problem}."
    assert caught.value.details == {"step": 1, "op": step["op"], "column": None}


def test_rows_are_left_out_last() -> None:
    with pytest.raises(RecipeError) as caught:
        fits({"op": "suppress", "k": 2}, {"op": "shuffle", "column": "text"})
    assert caught.value.message == (
        "Step 0 (suppress): later steps change the groups again; make it the last step."
    )


def test_every_step_sees_the_columns_as_they_are_by_then() -> None:
    """What is text after one step takes no number, and what is dropped is gone for all."""
    intervals = {"op": "intervals", "column": "whole", "width": 5}
    fits({"op": "round", "column": "whole", "decimals": -1}, intervals)
    fits(intervals, {"op": "prefix", "column": "whole", "length": 2})
    fits(
        {"op": "partition", "columns": ["day"], "k": 2},
        {"op": "prefix", "column": "day", "length": 4},
        {"op": "noise", "column": "number", "scale": 1},
        {"op": "suppress", "k": 2, "sensitive": [{"column": "number"}]},
    )
    with pytest.raises(RecipeError, match="the column holds text"):
        fits(intervals, intervals)
    with pytest.raises(RecipeError, match=r"^Step 1 .*the column holds text"):
        fits({"op": "partition", "columns": ["whole"], "k": 2}, intervals)
    drop = {"op": "drop", "column": "day"}
    with pytest.raises(RecipeError, match="no column 'day' at this step"):
        fits(drop, {"op": "partition", "columns": ["day"], "k": 2})
    with pytest.raises(RecipeError, match=r"no column 'day', 'gone' at this step"):
        fits(drop, {"op": "suppress", "k": 2, "sensitive": [{"column": "gone"}, {"column": "day"}]})
    *dropped, last = ({"op": "drop", "column": name} for name in NAMES)
    fits(*dropped)
    with pytest.raises(RecipeError, match="drops every column"):
        fits(*dropped, last)


def test_only_a_pseudonym_of_an_identifier_changes_its_role() -> None:
    step = Pseudonymise(column="q")
    for before, after in (
        (ColumnRole.DIRECT_IDENTIFIER, ColumnRole.INSENSITIVE),
        (ColumnRole.QUASI_IDENTIFIER, ColumnRole.QUASI_IDENTIFIER),
        (ColumnRole.SENSITIVE, ColumnRole.SENSITIVE),
    ):
        column = ColumnSchema(key="q", name="q", type=ColumnType.INTEGER, role=before)
        changed = changed_column(step, column)
        assert (changed.role, changed.type, changed.key) == (after, ColumnType.TEXT, "q")


def test_groups_of_a_partition_have_to_fit_their_columns() -> None:
    group = {"column": "whole", "mapping": {"1": "one"}}
    fits({"op": "partition", "columns": ["whole", "text"], "k": 2, "groups": [group]})
    with pytest.raises(RecipeError) as caught:
        fits(
            Partition.model_validate(
                {"columns": ["number"], "k": 2, "groups": [group | {"column": "number"}]}
            ).model_dump()
        )
    assert "(partition): groups of 'number': the column holds number" in caught.value.message


@pytest.mark.parametrize(
    ("value", "text"),
    [(5.0, "5"), (0.1, "0.1"), (1e15, "1000000000000000"), (-2.5e-9, "-0.0000000025")],
)
def test_bounds_are_written_without_exponents(value: float, text: str) -> None:
    assert interval_bound(value) == text
