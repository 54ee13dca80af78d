"""Records of what the outside world is told about a dataset."""

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import Field

from fairdatabase import __version__
from fairdatabase.catalog.schemas import (
    AccessClass,
    Creator,
    FileRecord,
    FileRole,
    Metadata,
    VersionRecord,
    VersionState,
    VersionSummary,
)
from fairdatabase.kernel.records import Closed, Record
from fairdatabase.privacy.schemas.screenings import ScreeningRecord
from fairdatabase.tables.schemas import TableRecord


class Site(Record):
    """The instance that publishes."""

    name: str
    url: str = Field(description="Without a slash at its end.")
    publisher: str

    def url_of(self, identifier: str) -> str:
        """Return the address of an identifier."""
        return f"{self.url}/{identifier}"


class Citable(Record):
    """What a citation is made of."""

    key: str = Field(description="Short name, unique on this instance.")
    creators: tuple[Creator, ...]
    year: int
    title: str
    version: int
    publisher: str
    url: str


class Export(Record):
    """A description on its way out."""

    name: str = Field(description="Suggested file name.")
    media_type: str
    text: str
    etag: str


class FormatPath(Closed):
    """Which dataset, in which format."""

    dataset_id: str = Field(max_length=64, description="Public id of a dataset or version.")
    format: str = Field(
        max_length=32,
        description="schemaorg, datacite, bibtex or citation.",
        json_schema_extra={"example": "schemaorg"},
    )


class LandingFile(Record):
    """A file as everybody meets it: with the table that may leave the house."""

    file: FileRecord
    table: TableRecord | None
    screening: ScreeningRecord | None = Field(
        description="Verdict on that table; only for those who may read the data."
    )
    url: str | None = Field(description="Where its bytes or rows are downloaded.")


class Landing(Record):
    """Everything the page of a version shows."""

    version: VersionRecord
    versions: tuple[VersionSummary, ...] = Field(description="Newest first.")
    files: tuple[LandingFile, ...]
    may_read: bool
    may_edit: bool
    url: str = Field(description="Address of the version's identifier.")
    licence_name: str
    licence_url: str | None
    publisher: str
    citation: str
    bibtex: str
    document: dict[str, Any] = Field(description="schema.org JSON-LD.")

    @property
    def etag(self) -> str:
        """Entity tag of the page that is made of this by this version of the software."""
        return f"{self.version.etag}-{self.versions[0].public_id}-{__version__}"

    @property
    def newer(self) -> VersionSummary | None:
        """The newest published version, where this one is older."""
        published = (each for each in self.versions if each.state == "published")
        newest = next(published, None)
        return newest if newest and newest.number > self.version.number else None


class CitationQuestion(Closed):
    """Which dataset to cite, and how."""

    dataset_id: str = Field(max_length=64, description="Public id of a dataset or version.")
    style: Literal["citation", "bibtex"] = Field(
        default="citation", description="A sentence in APA style, or a BibTeX entry."
    )


class OverviewFile(Record):
    """A file as agents meet it: whether it is a table, and how large."""

    file_id: str
    name: str
    role: FileRole
    media_type: str
    size: int = Field(description="Bytes.")
    rows: int | None = Field(description="Of its table; None where it has none.")
    columns: int | None
    url: str | None = Field(description="Where its bytes or rows are downloaded.")

    @classmethod
    def of(cls, entry: LandingFile) -> Self:
        """Return what is told about a file."""
        file, table = entry.file, entry.table
        return cls(
            file_id=file.public_id,
            name=file.name,
            role=file.role,
            media_type=file.media_type,
            size=file.size,
            rows=table.row_count if table else None,
            columns=len(table.columns) if table else None,
            url=entry.url,
        )


class OverviewVersion(Record):
    """A version among the others of its dataset."""

    version_id: str
    number: int
    state: VersionState
    published_at: datetime | None


class Overview(Record):
    """A version as agents meet it: everything about it but the columns and the data."""

    dataset_id: str
    version_id: str
    number: int
    state: VersionState
    access: AccessClass
    may_read_data: bool = Field(description="Whether the one who asks may.")
    url: str
    metadata: Metadata
    publisher: str
    published_at: datetime | None
    withdrawal_reason: str | None
    files: tuple[OverviewFile, ...]
    versions: tuple[OverviewVersion, ...] = Field(description="Newest first.")

    @classmethod
    def of(cls, landing: Landing) -> Self:
        """Return what is told about a version."""
        version = landing.version
        return cls(
            dataset_id=version.dataset_public_id,
            version_id=version.public_id,
            number=version.number,
            state=version.state,
            access=version.access,
            may_read_data=landing.may_read,
            url=landing.url,
            metadata=version.metadata,
            publisher=landing.publisher,
            published_at=version.published_at,
            withdrawal_reason=version.withdrawal_reason,
            files=tuple(OverviewFile.of(each) for each in landing.files),
            versions=tuple(
                OverviewVersion(
                    version_id=each.public_id,
                    number=each.number,
                    state=each.state,
                    published_at=each.published_at,
                )
                for each in landing.versions
            ),
        )
