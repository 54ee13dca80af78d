"""Records of what the outside world is told about a dataset."""

from typing import Any

from pydantic import Field

from fairdatabase import __version__
from fairdatabase.catalog.schemas import Creator, FileRecord, VersionRecord, VersionSummary
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
