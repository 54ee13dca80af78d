"""Hierarchies: how the values of a column become coarser, level by level."""

from typing import Annotated, Literal

from pydantic import Field

from fairdatabase.privacy.schemas.recipes import (
    DropColumn,
    Intervals,
    Prefix,
    Recode,
    TruncateDate,
)
from fairdatabase.tables.schemas import Record

Generalisation = Annotated[
    Intervals | Prefix | Recode | TruncateDate | DropColumn, Field(discriminator="op")
]
"""A step of a recipe that makes values coarser; leaving the column out is the coarsest."""


class Hierarchy(Record):
    """How the values of a column are generalised.

    Level 0 are the values themselves and level n is ``levels[n - 1]``, a step of a recipe that is
    applied to the original value. What a level joins, every later one joins as well.

    Attributes:
        version: Version of this notation.
        column: The column, named as people see it.
        levels: Generalisations, finest first; only the last one may leave the column out.
    """

    version: Literal[1] = 1
    column: str
    levels: tuple[Generalisation, ...] = ()


class Grouping(Record):
    """A level that is described by what it joins: labels of the level before, or values.

    Attributes:
        op: Kind of level.
        members: Label of this level by label of the level before; what is not named, and there is
            no ``other``, keeps its label.
        other: Label for what is not named.
    """

    op: Literal["group"] = "group"
    members: dict[str, str] = Field(default_factory=dict)
    other: str | None = None


class KeptLevel(Record):
    """A level of the hierarchy that the column has, as it is.

    Attributes:
        op: Kind of level.
        place: Its place in that hierarchy, counted from 0.
    """

    op: Literal["kept"] = "kept"
    place: int = Field(ge=0)


LevelDraft = Generalisation | Grouping | KeptLevel
"""A level as somebody edits it."""


class GroupMember(Record):
    """A label of the level before and what this level makes of it.

    Attributes:
        label: Of the level before, or a value.
        rows: Rows of the table with it.
        group: Label of this level.
    """

    label: str
    rows: int
    group: str


class HierarchyRow(Record):
    """A value and what each level makes of it.

    Attributes:
        value: As text; None where it is missing.
        rows: Rows of the table with it.
        labels: One for each level; ``*`` where the column is left out.
    """

    value: str | None
    rows: int
    labels: tuple[str | None, ...]


class HierarchyTable(Record):
    """A hierarchy written out over the values of a table.

    Attributes:
        column: The column.
        distinct: Distinct values, and what is left of them on each level.
        rows: One for each value in their order, or the first ones.
    """

    column: str
    distinct: tuple[int, ...]
    rows: tuple[HierarchyRow, ...]


class LevelRisk(Record):
    """What a table would be like with a column at one level of its hierarchy.

    The other columns are as the recipe makes them; rows that it would leave out are still there.

    Attributes:
        level: 0 for the values themselves.
        distinct: Different values that are left of the column.
        rows: Rows of the table.
        k: Size of the smallest group.
        rows_at_risk: Rows in groups smaller than the policy asks.
    """

    level: int
    distinct: int
    rows: int
    k: int
    rows_at_risk: int
