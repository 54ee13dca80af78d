"""Recipes as fields of a form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairdatabase.deposits.formats.recipe import (
    carried,
    from_form,
    needs_places,
    rows,
    to_form,
    with_further,
)
from fairdatabase.privacy.schemas.goals import RecursiveDiversity, SensitiveGoal
from fairdatabase.privacy.schemas.recipes import (
    CodeExtremes,
    DropColumn,
    Impute,
    Intervals,
    Noise,
    Partition,
    Prefix,
    Pseudonymise,
    Recipe,
    Recode,
    Round,
    Shuffle,
    Step,
    SuppressCells,
    SuppressSmallGroups,
    TruncateDate,
)
from fairdatabase.tables.schemas import ColumnSchema, ColumnType

NAMES = ("id", "age", "code", "group", "day", "score")
COLUMNS = [
    ColumnSchema(key=f"c{n}", name=name, type=ColumnType.TEXT) for n, name in enumerate(NAMES)
]
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)


def steps(column: str) -> st.SearchStrategy[Step]:
    """Return any step on a column."""
    name = st.just(column)
    return st.one_of(
        st.builds(DropColumn, column=name),
        st.builds(Pseudonymise, column=name),
        st.builds(Intervals, column=name, width=NUMBERS, origin=NUMBERS),
        st.builds(
            Intervals, column=name, cuts=st.lists(NUMBERS, min_size=1, max_size=4).map(tuple)
        ),
        st.builds(Prefix, column=name, length=st.integers(1, 9)),
        st.builds(Round, column=name, decimals=st.integers(-3, 3)),
        st.builds(TruncateDate, column=name, to=st.sampled_from(["month", "year"])),
        st.builds(CodeExtremes, column=name, bottom=NUMBERS, top=st.none() | NUMBERS),
        st.builds(SuppressCells, column=name, rarer_than=st.integers(1, 99)),
        st.builds(SuppressCells, column=name, groups_below=st.integers(1, 99)),
        st.builds(
            Impute,
            column=name,
            by=st.sampled_from(["mean", "median", "mode"]),
            within=st.sampled_from(["class", "table"]),
        ),
        st.builds(Shuffle, column=name, within=st.sampled_from(["class", "table"])),
        st.builds(
            Noise,
            column=name,
            scale=NUMBERS,
            distribution=st.sampled_from(["laplace", "normal", "uniform"]),
        ),
        st.builds(
            Recode,
            column=name,
            mapping=st.dictionaries(VALUES, VALUES, max_size=4),
            other=st.none() | VALUES,
        ),
    )


GOALS = st.builds(
    SensitiveGoal,
    column=st.sampled_from([*NAMES, "gone"]),
    distinct_l=st.none() | st.integers(1, 9),
    entropy_l=st.none() | st.floats(1, 9),
    recursive=st.none() | st.builds(RecursiveDiversity, c=st.floats(0.1, 9), l=st.integers(2, 9)),
    t=st.none() | st.floats(0, 1),
    alpha=st.none() | st.floats(0.1, 1),
    ordered=st.none() | st.booleans(),
)
ROW_STEPS: st.SearchStrategy[Step] = st.builds(
    SuppressSmallGroups, k=st.integers(-1, 50), sensitive=st.lists(GOALS, max_size=3).map(tuple)
) | st.builds(
    Partition,
    columns=st.lists(st.sampled_from([*NAMES, "gone"]), max_size=4).map(tuple),
    k=st.integers(1, 50),
    sensitive=st.lists(GOALS, max_size=2).map(tuple),
    groups=st.lists(
        st.builds(
            Recode,
            column=st.sampled_from(NAMES),
            mapping=st.dictionaries(VALUES, VALUES, max_size=2),
            other=st.none() | VALUES,
        ),
        max_size=2,
    ).map(tuple),
)
ANY_STEP = st.one_of(ROW_STEPS, *(steps(name) for name in (*NAMES, "gone")))


@given(st.lists(ANY_STEP, max_size=8))
def test_any_recipe_comes_back_as_it_was_shown(made: list[Step]) -> None:
    recipe = Recipe(steps=tuple(made))
    sent = as_a_browser_sends(to_form(recipe, COLUMNS))
    assert from_form(sent, COLUMNS) == (recipe, {})


def as_a_browser_sends(values: dict[str, str]) -> dict[str, str]:
    """Return fields with the line ends that browsers send, and without lines where none fit."""
    return {
        name: text.replace("\n", "\r\n")
        if name.startswith("mapping-")
        else text.replace("\n", "").replace("\r", "")
        for name, text in values.items()
    }


def test_without_a_recipe_everything_is_kept() -> None:
    fields = to_form(None, COLUMNS)
    assert set(fields.values()) == {"keep"}
    assert "carried" not in fields
    assert from_form(fields, COLUMNS) == (Recipe(), {})


def test_a_step_of_a_column_that_is_gone_can_be_left_out() -> None:
    recipe = Recipe(steps=(DropColumn(column="gone"), DropColumn(column="age")))
    sent = to_form(recipe, COLUMNS)
    assert [step.column for _, step in carried(sent) if isinstance(step, DropColumn)] == ["gone"]
    assert from_form({**sent, "without-0": "1"}, COLUMNS)[0].steps == recipe.steps[1:]
    _, errors = from_form({"carried": "[[0]]"}, COLUMNS)
    assert list(errors) == ["carried"]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"action-1": "explode"}, "age: This cannot be done to a column."),
        ({"action-1": "intervals"}, "age: Write a number"),
        ({"action-1": "intervals", "cuts-1": "18; old"}, "age: Write a number"),
        ({"action-1": "prefix", "length-1": "two"}, "age: Write a whole number."),
        ({"action-1": "recode", "mapping-1": "a b"}, "age: 'a b' cannot be read."),
        ({"action-1": "truncate_date", "to-1": "week"}, "age: Please choose one of these"),
    ],
)
def test_what_cannot_be_read_is_named(fields: dict[str, str], problem: str) -> None:
    recipe, errors = from_form(fields, COLUMNS)
    assert recipe.steps == ()
    assert errors["action-1"].startswith(problem)


def test_groups_are_suppressed_by_a_whole_number() -> None:
    _, errors = from_form({"suppress_k": "few"}, COLUMNS)
    assert errors == {"suppress_k": "Rows left out: Write a whole number."}


def test_a_decimal_comma_is_a_decimal_point() -> None:
    recipe, _ = from_form({"action-1": "intervals", "width-1": "2,5"}, COLUMNS)
    assert recipe.steps == (Intervals(column="age", width=2.5),)


@pytest.mark.parametrize(
    ("column_type", "offered", "refused"),
    [
        (ColumnType.INTEGER, {"intervals", "round", "recode"}, {"prefix", "truncate_date"}),
        (ColumnType.TEXT, {"prefix", "recode"}, {"intervals", "round"}),
        (ColumnType.DATE, {"truncate_date"}, {"intervals", "prefix"}),
        (ColumnType.TIME, set(), {"intervals", "prefix", "truncate_date"}),
    ],
)
def test_a_column_is_offered_what_its_type_allows(
    column_type: ColumnType, offered: set[str], refused: set[str]
) -> None:
    (row,) = rows({}, [ColumnSchema(key="c0", name="x", type=column_type)])
    found = {key for key, _ in row.actions}
    assert offered | {"keep", "drop", "pseudonymise"} <= found
    assert not refused & found


def test_a_new_step_stands_before_those_over_rows() -> None:
    cut = Partition(columns=("age",), k=5)
    round_age = Round(column="age", decimals=0)
    sent = to_form(Recipe(steps=(round_age, cut, SuppressSmallGroups(k=5))), COLUMNS)
    found, _ = from_form({**sent, "action-0": "drop"}, COLUMNS)
    assert [step.op for step in found.steps] == ["round", "drop", "partition", "suppress"]
    anew = {"action-0": "drop", "suppress_k": "5", "partition_k": "2", "partition-1": "1"}
    found, _ = from_form(anew, COLUMNS)
    assert [step.op for step in found.steps] == ["drop", "partition", "suppress"]
    _, errors = from_form({**anew, "place-0": "first"}, COLUMNS)
    assert errors == {"place-0": "Place of a step: Write a whole number."}


def test_a_column_gets_a_further_step() -> None:
    sent = to_form(Recipe(steps=(Prefix(column="code", length=2),)), COLUMNS)
    assert not needs_places(sent, COLUMNS)
    once = with_further(sent, "2")
    twice = with_further(once, "2-1")
    assert [row.key for row in rows(twice, COLUMNS) if row.column.name == "code"] == [
        *("2", "2-1", "2-2")
    ]
    assert needs_places(once, COLUMNS)
    assert with_further(sent, "?") == sent
    found, _ = from_form({**once, "action-2-1": "pseudonymise"}, COLUMNS)
    assert found.steps == (Prefix(column="code", length=2), Pseudonymise(column="code"))


def test_what_is_chosen_is_offered_whatever_the_type() -> None:
    number = COLUMNS[1].model_copy(update={"type": ColumnType.NUMBER})
    (row,) = rows({"action-0": "prefix"}, [number])
    assert "prefix" in dict(row.actions)
    (_, further) = rows({"action-0": "prefix", "action-0-1": "keep"}, [number])
    assert {"prefix", "truncate_date", "noise"} <= set(dict(further.actions))


def test_steps_beyond_what_a_page_holds_are_carried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairdatabase.deposits.formats.recipe.MAX_ROWS", 1)
    recipe = Recipe(steps=tuple(DropColumn(column=name) for name in NAMES[:3]))
    sent = to_form(recipe, COLUMNS)
    assert [place for place, _ in carried(sent)] == [1, 2]
    assert from_form(sent, COLUMNS) == (recipe, {})
