"""Records of the deposits feature: a draft with the state of each of its files."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from fairdatabase.catalog.schemas import AccessClass, FileRecord, Metadata, VersionRecord
from fairdatabase.jobs.schemas import JobRecord
from fairdatabase.kernel.records import Closed, Record
from fairdatabase.privacy.schemas.hierarchies import LevelRisk
from fairdatabase.privacy.schemas.previews import RecipePreview
from fairdatabase.privacy.schemas.screenings import ScreeningRecord
from fairdatabase.tables.schemas import TableRecord


class FileStage(StrEnum):
    """How far a file has come on its way to publication."""

    WORKING = "working"
    INVALID = "invalid"
    NEEDS_ROLES = "needs_roles"
    SCREENED = "screened"
    STORED = "stored"


class Blocker(Record):
    """Something that keeps a deposit from being published, and how to mend it."""

    code: str = Field(examples=["risk-too-high"])
    step: str = Field(
        description="Step of the deposit where it is mended.",
        examples=["files", "columns", "risk", "describe"],
    )
    message: str
    fix: str
    file: str | None = Field(default=None, description="Name of the file concerned.")
    overridable: bool = Field(
        default=False,
        description="Whether a curator may publish nevertheless: it was measured, and is a risk.",
    )


class DepositFile(Record):
    """A file of a deposit with everything that was made from it."""

    file: FileRecord
    stage: FileStage
    job: JobRecord | None = Field(description="The newest piece of work on the file.")
    table: TableRecord | None
    screening: ScreeningRecord | None = Field(description="Verdict on the table as it is now.")
    release: TableRecord | None = Field(description="The anonymised table, if one was made.")
    release_screening: ScreeningRecord | None

    @property
    def outgoing(self) -> ScreeningRecord | None:
        """The verdict on the table that would leave the house."""
        return self.release_screening if self.release else self.screening

    @property
    def verdicts(self) -> tuple[ScreeningRecord, ...]:
        """The verdicts on the file's tables, as far as they were measured as they are now."""
        return tuple(each for each in (self.screening, self.release_screening) if each)


class Deposit(Record):
    """A draft on its way to publication."""

    version: VersionRecord
    files: tuple[DepositFile, ...]
    blockers: tuple[Blocker, ...]

    @property
    def ready(self) -> bool:
        """Whether nothing keeps the deposit from being published."""
        return not self.blockers

    @property
    def overridable(self) -> bool:
        """Whether nothing but measured risk keeps the deposit from being published."""
        return bool(self.blockers) and all(blocker.overridable for blocker in self.blockers)

    def file(self, public_id: str) -> DepositFile | None:
        """Return one of the files."""
        return next((item for item in self.files if item.file.public_id == public_id), None)


class DepositIn(Closed):
    """What a deposit starts with."""

    metadata: Metadata = Metadata()
    access: AccessClass = AccessClass.OPEN


class OverrideIn(Closed):
    """Why a deposit is published although the privacy policy speaks against it."""

    reason: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=20, max_length=2000)
    ] = Field(
        description="Everybody can read it.",
        examples=["All participants are historical persons who died before 1850."],
    )


class AccessIn(Closed):
    """Who may read the data once it is published."""

    access: AccessClass


class HierarchyCell(Record):
    """A label in the table of a hierarchy, and over how many rows it reaches."""

    text: str | None
    span: int


class HierarchyBranch(Record):
    """A row of the table of a hierarchy: the labels that begin in it, coarsest first, and a value.

    Attributes:
        labels: Those that begin here.
        value: As text; None where it is missing.
        rows: Rows of the table with it.
    """

    labels: tuple[HierarchyCell, ...]
    value: str | None
    rows: int


class HierarchyPreview(Record):
    """What the levels in the form lead to, for the script of the page.

    Attributes:
        preview: What the whole recipe leads to; None for a table too large to wait for.
        levels: What each level leads to, likewise.
        chosen: The level that the recipe then takes the column to.
        tree: The values and their labels.
    """

    preview: RecipePreview | None
    levels: tuple[LevelRisk, ...]
    chosen: int | None
    tree: tuple[HierarchyBranch, ...]
