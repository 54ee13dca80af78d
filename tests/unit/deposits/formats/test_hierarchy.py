"""Hierarchies as fields of a form, and as a table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairdatabase.deposits.formats.hierarchy import chosen, from_form, kinds, to_form, tree
from fairdatabase.privacy.schemas.hierarchies import (
    Generalisation,
    Grouping,
    GroupMember,
    Hierarchy,
    HierarchyRow,
    HierarchyTable,
    KeptLevel,
)
from fairdatabase.privacy.schemas.previews import HierarchyEdit
from fairdatabase.privacy.schemas.recipes import (
    DropColumn,
    Intervals,
    Prefix,
    Recode,
    TruncateDate,
)
from fairdatabase.tables.schemas import ColumnSchema, ColumnType

AGE = ColumnSchema(key="c0", name="age", type=ColumnType.INTEGER)
DROP = DropColumn(column="age")
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
LEVELS = st.one_of(
    st.builds(Intervals, column=st.just("age"), width=NUMBERS, origin=NUMBERS),
    st.builds(
        Intervals,
        column=st.just("age"),
        cuts=st.lists(NUMBERS, min_size=1, max_size=4).map(tuple),
    ),
    st.builds(Prefix, column=st.just("age"), length=st.integers(1, 9)),
    st.builds(TruncateDate, column=st.just("age"), to=st.sampled_from(["month", "decade"])),
)


def edit(
    levels: tuple[Generalisation, ...],
    groups: tuple[tuple[GroupMember, ...] | None, ...] = (),
    level: int | None = 0,
) -> HierarchyEdit:
    return HierarchyEdit(
        hierarchy=Hierarchy(column="age", levels=levels),
        table=HierarchyTable(column="age", distinct=(), rows=()),
        groups=groups or (None,) * len(levels),
        chosen=level,
        levels=(),
        preview=None,
        policy_k=5,
    )


@given(st.lists(LEVELS, max_size=4), st.booleans())
def test_levels_come_back_as_they_were_shown(levels: list[Generalisation], drops: bool) -> None:
    shown = (*levels, DROP) if drops else tuple(levels)
    assert from_form(to_form(edit(shown)), AGE) == (shown, {})


def test_groups_come_back_and_long_lists_are_kept() -> None:
    level = Recode(column="age", mapping={"1": "few"}, other="many")
    groups = (GroupMember(label="1", rows=3, group="few"), GroupMember(label="2", rows=4, group=""))
    found, errors = from_form(to_form(edit((level, level), (groups, None))), AGE)
    assert not errors
    assert found == (Grouping(members={"1": "few"}, other="many"), KeptLevel(place=1))


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"op-1": "intervals", "width-1": "wide"}, "Level 1: Write a number"),
        ({"op-1": "kept", "place-1": "?"}, "Level 1: Write a whole number"),
        ({"op-1": "round", "decimals-1": "2"}, "Level 1: "),
        ({}, "Level 1: This cannot be done"),
    ],
)
def test_what_cannot_be_read_is_named(fields: dict[str, str], problem: str) -> None:
    levels, errors = from_form({"levels": "1", **fields}, AGE)
    assert levels == ()
    assert errors["op-1"].startswith(problem)


def test_a_level_is_chosen_by_its_number() -> None:
    hierarchy = Hierarchy(column="age", levels=(DROP,))
    assert [chosen({"level": text}, hierarchy) for text in ("0", "1", "9", "keep", "")] == [
        *(0, 1, 1),
        *(None, None),
    ]
    assert to_form(edit((DROP,), level=None))["level"] == "keep"


def test_a_level_can_do_what_the_type_allows() -> None:
    assert {name for name, _ in kinds(AGE)} == {"intervals", "prefix", "group"}
    assert kinds(AGE.model_copy(update={"type": ColumnType.TIME})) == []


def test_values_with_the_same_labels_stand_together() -> None:
    rows = [("a", "x", "*"), ("b", "y", "*"), ("c", "x", "*"), (None, None, "*")]
    table = HierarchyTable(
        column="age",
        distinct=(4, 3, 1),
        rows=tuple(HierarchyRow(value=value, rows=1, labels=labels) for value, *labels in rows),
    )
    assert [
        ([(cell.text, cell.span) for cell in branch.labels], branch.value) for branch in tree(table)
    ] == [
        ([("*", 4), ("x", 2)], "a"),
        ([], "c"),
        ([("y", 1)], "b"),
        ([(None, 1)], None),
    ]
    assert tree(HierarchyTable(column="age", distinct=(), rows=())) == ()
