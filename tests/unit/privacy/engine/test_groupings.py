"""Hierarchies that are edited by what each level joins."""

from pathlib import Path

import pytest

from fairdatabase.privacy.engine.groupings import coarser, compose, members
from fairdatabase.privacy.errors import HierarchyError
from fairdatabase.privacy.schemas.hierarchies import (
    Generalisation,
    Grouping,
    GroupMember,
    Hierarchy,
    KeptLevel,
    LevelDraft,
)
from fairdatabase.privacy.schemas.recipes import (
    DropColumn,
    Intervals,
    Prefix,
    Recode,
    TruncateDate,
)
from fairdatabase.tables.schemas import ColumnSchema, ColumnType
from tests.factories.privacy import write_parquet

REGION = ColumnSchema(key="q", name="region", type=ColumnType.TEXT)
DROP = DropColumn(column="region")
NONE = Hierarchy(column="region")
NORTH = Grouping(members={"Friesland": "north", "Drenthe": "north"})


@pytest.fixture
def regions(tmp_path: Path) -> Path:
    """Three regions, two rows of one, and a row without any."""
    values = ["Friesland", "Friesland", "Drenthe", "Utrecht", None]
    return write_parquet(tmp_path / "t.parquet", {"q": values})


def recode(**mapping: str) -> Recode:
    return Recode(column="region", mapping=mapping)


def test_groups_are_joined_level_by_level(regions: Path) -> None:
    country = Grouping(members={"north": "NL", "Utrecht": "NL"})
    made = compose(regions, REGION, [NORTH, country, DROP], NONE)
    assert made.levels == (
        recode(Drenthe="north", Friesland="north", Utrecht="Utrecht"),
        recode(Drenthe="NL", Friesland="NL", Utrecht="NL"),
        DROP,
    )
    assert members(regions, REGION, made, limit=3) == (
        (
            GroupMember(label="Drenthe", rows=1, group="north"),
            GroupMember(label="Friesland", rows=2, group="north"),
            GroupMember(label="Utrecht", rows=1, group="Utrecht"),
        ),
        (
            GroupMember(label="north", rows=3, group="NL"),
            GroupMember(label="Utrecht", rows=1, group="NL"),
        ),
        None,
    )


def test_a_label_for_all_others_names_none_of_them(regions: Path) -> None:
    draft = Grouping(members={"Friesland": "north"}, other="other")
    made = compose(regions, REGION, [draft], NONE)
    assert made.levels == (Recode(column="region", mapping={"Friesland": "north"}, other="other"),)
    (shown,) = members(regions, REGION, made, limit=2)
    assert shown
    assert [(each.label, each.group) for each in shown] == [
        ("Friesland", "north"),
        ("Drenthe", "other"),
    ]
    assert members(regions, REGION, made, limit=1) == (shown[:1],)
    assert members(regions, REGION, made, limit=0) == (None,)
    (everything,) = compose(regions, REGION, [Grouping(members={}, other="all")], NONE).levels
    (frequent,) = members(
        regions, REGION, Hierarchy(column="region", levels=(everything,)), limit=1
    )
    assert frequent == (GroupMember(label="Friesland", rows=2, group="all"),)


def test_a_list_too_long_to_edit_is_kept_as_it_is(regions: Path) -> None:
    present = compose(regions, REGION, [NORTH, DROP], NONE)
    assert members(regions, REGION, present, limit=2) == (None, None)
    drafts: list[LevelDraft] = [KeptLevel(place=0), Grouping(members={"north": "far"}), DROP]
    made = compose(regions, REGION, drafts, present)
    assert made.levels[0] == present.levels[0]
    assert made.levels[1] == recode(Drenthe="far", Friesland="far", Utrecht="Utrecht")
    with pytest.raises(HierarchyError, match="changed elsewhere"):
        compose(regions, REGION, [KeptLevel(place=2)], present)


def test_groups_are_made_of_prefixes(regions: Path) -> None:
    made = compose(regions, REGION, [Prefix(column="region", length=1), Grouping()], NONE)
    assert made.levels[1] == recode(Drenthe="D", Friesland="F", Utrecht="U")


def test_what_has_no_label_below_stays_without(regions: Path) -> None:
    present = Hierarchy(column="region", levels=(recode(Friesland="north"),))
    made = compose(regions, REGION, [KeptLevel(place=0), Grouping()], present)
    assert made.levels[1] == recode(Friesland="north")
    with pytest.raises(HierarchyError, match="has no label for 2 values"):
        members(regions, REGION, made, limit=9)


@pytest.mark.parametrize(
    ("levels", "problem"),
    [
        ([Intervals(column="region", width=5)], "Level 1 does not fit"),
        ([DROP, NORTH], "Level 1 leaves the column out"),
    ],
)
def test_a_level_that_does_not_fit_is_named(
    regions: Path, levels: list[LevelDraft], problem: str
) -> None:
    with pytest.raises(HierarchyError, match=problem):
        compose(regions, REGION, levels, NONE)


@pytest.mark.parametrize(
    ("last", "next_one"),
    [
        (Intervals(column="region", width=5), Intervals(column="region", width=10)),
        (
            Intervals(column="region", cuts=(1, 2, 3, 4, 5)),
            Intervals(column="region", cuts=(2, 4)),
        ),
        (Intervals(column="region", cuts=(1, 2)), Intervals(column="region", cuts=(2,))),
        (Intervals(column="region", cuts=(1,)), Grouping()),
        (Prefix(column="region", length=2), Prefix(column="region", length=1)),
        (Prefix(column="region", length=3), Prefix(column="region", length=2)),
        (Prefix(column="region", length=1), Grouping()),
        (TruncateDate(column="region", to="month"), TruncateDate(column="region", to="quarter")),
        (TruncateDate(column="region", to="decade"), TruncateDate(column="region", to="decade")),
        (recode(a="b"), Grouping()),
        (None, Grouping()),
    ],
)
def test_a_coarser_level_is_proposed(last: Generalisation | None, next_one: LevelDraft) -> None:
    levels = (last, DROP) if last else (DROP,)
    assert coarser(Hierarchy(column="region", levels=levels)) == next_one
