"""What a recipe would do, and how the columns look before and after."""

from datetime import datetime

from pydantic import ConfigDict, Field, field_validator

from fairdatabase.kernel.records import Closed
from fairdatabase.privacy.schemas import SizeBand
from fairdatabase.privacy.schemas.hierarchies import (
    GroupMember,
    Hierarchy,
    HierarchyTable,
    LevelRisk,
)
from fairdatabase.privacy.schemas.recipes import Recipe, ReleaseEffect
from fairdatabase.privacy.schemas.screenings import ScreeningRecord
from fairdatabase.privacy.schemas.searches import SearchMethod, SearchRequest, SearchResult
from fairdatabase.tables.schemas import Record

MAX_PREVIEW_ROWS = 500_000


class RecipePreview(Record):
    """What would be if a recipe were applied; nothing was kept.

    Attributes:
        rows_in: Rows of the table.
        rows_out: Rows of the release.
        columns_in: Columns of the table.
        columns_out: Columns of the release.
        k: Size of the smallest group of the release.
        policy_k: What the policy asks of it.
        rows_at_risk: Rows in groups smaller than that.
        unique_rows: Rows that nobody else resembles.
        average_risk: Chance of finding the right row of a known person, on average.
        passed: Whether the release would hold the policy.
        reasons: Why not.
        sizes: How many groups have which size.
    """

    rows_in: int
    rows_out: int
    columns_in: int
    columns_out: int
    k: int
    policy_k: int
    rows_at_risk: int
    unique_rows: int
    average_risk: float
    passed: bool
    reasons: tuple[str, ...]
    sizes: tuple[SizeBand, ...]


class Bar(Record):
    """A value, or an interval of values, and how many rows have it."""

    label: str
    rows: int


class Distribution(Record):
    """How often which values of a column occur.

    Attributes:
        column: The column.
        rows: Rows of the table.
        missing: Rows without a value.
        distinct: Different values.
        bars: The most frequent values, or intervals of a number column, in their order.
        other: Rows with any other value.
    """

    column: str
    rows: int
    missing: int
    distinct: int
    bars: tuple[Bar, ...]
    other: int


class ColumnComparison(Record):
    """A column before and after a recipe.

    Attributes:
        column: The column.
        before: In the table.
        after: In the release; None where the column is not in it.
        words: What happened to it, in a sentence.
    """

    column: str
    before: Distribution
    after: Distribution | None
    words: str


class ReleaseComparison(Record):
    """A table and its release side by side.

    Attributes:
        before: Verdict on the table; None where it was not measured as it is now.
        after: Verdict on the release, likewise.
        effect: What the recipe did.
        columns: The columns that the recipe changed, the first ones; no direct identifiers, whose
            values tell nothing in a plot.
        further: How many more it changed.
    """

    before: ScreeningRecord | None
    after: ScreeningRecord | None
    effect: ReleaseEffect
    columns: tuple[ColumnComparison, ...]
    further: int


class SavedRecipeIn(Closed):
    """A recipe to be kept under a name; one of that name is replaced."""

    name: str = Field(min_length=1, max_length=200, examples=["Ten-year ages, provinces"])
    recipe: Recipe
    hierarchies: tuple[Hierarchy, ...] = Field(
        default=(), max_length=1000, description="Edited hierarchies that belong to it."
    )

    @field_validator("name")
    @classmethod
    def _trimmed(cls, name: str) -> str:
        if not name.strip():
            message = "a name has at least one letter"
            raise ValueError(message)
        return name.strip()


class SavedRecipeRecord(Record):
    """A recipe that somebody keeps for other files."""

    model_config = ConfigDict(from_attributes=True)

    public_id: str
    name: str
    recipe: Recipe
    hierarchies: tuple[Hierarchy, ...]
    created_at: datetime
    updated_at: datetime


class SearchIn(Closed):
    """How to look for a recipe; what is left out is taken from the policy."""

    k: int | None = Field(default=None, ge=1, le=1_000_000)
    l: int | None = Field(default=None, ge=1, le=1_000_000)  # noqa: E741 - the field's own name
    t: float | None = Field(default=None, ge=0, le=1)
    max_suppression: float = Field(default=0.05, ge=0, le=1)
    method: SearchMethod = "auto"
    seconds: float = Field(default=60.0, gt=0, le=600)


class RecipeSearchRecord(Record):
    """The newest search on a file.

    Attributes:
        job: Public id of the job that does it.
        request: What is looked for.
        result: What was found; None before it has ended.
        current: Whether the table and its roles are still those that were searched.
        created_at: When it was asked for.
    """

    job: str
    request: SearchRequest
    result: SearchResult | None
    current: bool
    created_at: datetime


class HierarchyEdit(Record):
    """A hierarchy while it is edited, and what its levels lead to.

    Attributes:
        hierarchy: The hierarchy.
        table: It written out over the first values.
        groups: For each level what it joins, where that can be edited one by one.
        chosen: Level to which the recipe takes the column; None where it does something else.
        levels: What each level leads to; none for tables too large to wait for.
        preview: What the whole recipe leads to, likewise.
        policy_k: What the policy asks of the smallest group.
    """

    hierarchy: Hierarchy
    table: HierarchyTable
    groups: tuple[tuple[GroupMember, ...] | None, ...]
    chosen: int | None
    levels: tuple[LevelRisk, ...]
    preview: RecipePreview | None
    policy_k: int


class HierarchyFile(Record):
    """A hierarchy on its way out."""

    name: str
    media_type: str
    text: str
