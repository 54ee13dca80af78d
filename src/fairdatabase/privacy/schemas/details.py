"""A closer look at the risk of a table: group by group, and by models beside k, l and t."""

from pydantic import Field

from fairdatabase.kernel.records import Closed, PageQuery
from fairdatabase.privacy.schemas import (
    FingerprintRisk,
    IndividualRisk,
    LikenessRisk,
    PopulationRisk,
    SpecialUniques,
)
from fairdatabase.tables.schemas import Record, TableKind

MAX_WORK = 100_000_000
"""Rows times combinations of columns that are looked through while somebody waits."""


class GroupsQuery(PageQuery):
    """Which groups of a table are wanted."""

    kind: TableKind | None = None
    smaller_than: int | None = Field(
        default=None, ge=2, le=1_000_000, description="Only groups with fewer rows."
    )
    column: str | None = Field(
        default=None, max_length=1000, description="A quasi-identifier to filter by."
    )
    value: str = Field(
        default="", max_length=1000, description="Its value; empty: where it is missing."
    )


class ModelsQuery(Closed):
    """What is asked of the models."""

    kind: TableKind | None = None
    unique_on: int = Field(
        default=3, ge=1, le=6, description="Most columns in a minimal sample unique."
    )
    sampled: float | None = Field(
        default=None, gt=0, le=1, description="Share of the population that is in the table."
    )
    population: str | None = Field(
        default=None,
        max_length=64,
        description="Public id of a file about the whole population, with the same columns.",
    )
    subject: str | None = Field(
        default=None,
        max_length=1000,
        description="Column that says whose sample it is, where people gave several.",
    )


class Statement(Record):
    """A number of a model and what it means.

    Attributes:
        measure: Name of the number.
        column: The sensitive column it is about, if it is about one.
        value: As it is shown; "none holds" where no number fulfils the model.
        meaning: In a sentence.
    """

    measure: str
    column: str | None = None
    value: str
    meaning: str


class RiskModels(Record):
    """What the models beside k, l and t found.

    Attributes:
        rows: Rows of the table.
        quasi_identifiers: Columns that an attacker may know.
        likeness: Alpha, beta and delta of each sensitive column.
        uniques: Which few columns tell rows apart.
        population: Risk against a table of the population, where one was named.
        individual: Risk of single rows, where it was said how the table was sampled.
        fingerprints: Samples told apart by few taxa, where the table has columns of abundances.
        in_words: Every number with a sentence.
    """

    rows: int
    quasi_identifiers: tuple[str, ...]
    likeness: dict[str, LikenessRisk]
    uniques: SpecialUniques
    population: PopulationRisk | None
    individual: IndividualRisk | None
    fingerprints: FingerprintRisk | None
    in_words: tuple[Statement, ...]
