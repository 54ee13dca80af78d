"""Records and inputs of the catalogue; the metadata core follows DataCite 4.6."""

import re
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, StringConstraints

from fairdatabase.kernel.records import Closed, PageMeta, PageQuery, Record

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Paragraphs = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)
]
_ORCID_DIGITS = 16
_ORCID = re.compile(r"[0-9]{15}[0-9X]")
_MAX_QUERY = 300


def _orcid(value: str) -> str:
    """Return the bare ORCID iD after checking its ISO 7064 MOD 11-2 check character."""
    bare = value.strip().removeprefix("https://orcid.org/").removeprefix("http://orcid.org/")
    digits = bare.replace("-", "").upper()
    if not _ORCID.fullmatch(digits):
        message = "an ORCID iD has 16 digits, such as 0000-0002-1825-0097"
        raise ValueError(message)
    total = 0
    for digit in digits[:-1]:
        total = (total + int(digit)) * 2
    if "0123456789X"[(12 - total % 11) % 11] != digits[-1]:
        message = "the check digit of this ORCID iD is wrong; please look for a typing error"
        raise ValueError(message)
    return "-".join(digits[start : start + 4] for start in range(0, _ORCID_DIGITS, 4))


def _cut(value: object) -> object:
    """Shorten what is longer than any search and part it at NUL: no query is a mistake."""
    return value.replace("\0", " ").strip()[:_MAX_QUERY] if isinstance(value, str) else value


Slug = Annotated[str, StringConstraints(max_length=64, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Orcid = Annotated[str, AfterValidator(_orcid)]
Ror = Annotated[str, StringConstraints(pattern=r"^https://ror\.org/0[a-z0-9]{6}\d{2}$")]


class VersionState(StrEnum):
    """Where a version stands in its life."""

    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class AccessClass(StrEnum):
    """Who may read the data; the metadata of published versions is always open."""

    OPEN = "open"
    RESTRICTED = "restricted"


class FileRole(StrEnum):
    """What a file is for."""

    DATA = "data"
    DOCUMENTATION = "documentation"


class Affiliation(Closed):
    """An organisation that a person works for."""

    name: Line = Field(examples=["University of Groningen"])
    ror: Ror | None = Field(default=None, examples=["https://ror.org/012p63287"])


class Creator(Closed):
    """Somebody who made the data (DataCite property 2)."""

    name: Line = Field(examples=["Curie, Marie"], description="Family name, given name.")
    kind: Literal["Personal", "Organizational"] = "Personal"
    orcid: Orcid | None = Field(default=None, examples=["0000-0002-1825-0097"])
    affiliations: list[Affiliation] = Field(default_factory=list, max_length=10)


class Contributor(Creator):
    """Somebody who contributed otherwise (DataCite property 7)."""

    contributor_type: Literal[
        "ContactPerson", "DataCollector", "DataCurator", "DataManager", "Distributor",
        "HostingInstitution", "ProjectLeader", "ProjectMember", "Researcher", "RightsHolder",
        "Sponsor", "Supervisor", "Other",
    ] = "Other"  # fmt: skip


class Subject(Closed):
    """A keyword, with the term of a vocabulary where there is one (DataCite property 6)."""

    term: Line = Field(examples=["gut microbiome"])
    scheme: Line | None = Field(default=None, examples=["MeSH"])
    uri: HttpUrl | None = None


class Funding(Closed):
    """Who paid (DataCite property 19)."""

    funder: Line
    award_number: Line | None = None
    award_title: Line | None = None


class RelatedIdentifier(Closed):
    """A work that this one is related to (DataCite property 12)."""

    identifier: Line = Field(examples=["https://doi.org/10.1038/ncomms5344"])
    identifier_type: Literal["DOI", "URL", "ARK", "PMID", "Handle", "URN", "arXiv"] = "DOI"
    relation: Literal[
        "IsCitedBy", "Cites", "IsSupplementTo", "IsSupplementedBy", "IsDescribedBy", "Describes",
        "IsDerivedFrom", "IsSourceOf", "References", "IsReferencedBy", "IsPartOf", "HasPart",
        "IsDocumentedBy", "Documents",
    ] = "References"  # fmt: skip


class Metadata(Closed):
    """What is known about a dataset; every field may be empty while it is a draft."""

    title: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = Field(
        default="", examples=["Gut microbiota of 300 adults"]
    )
    description: Annotated[str, StringConstraints(strip_whitespace=True, max_length=20_000)] = (
        Field(default="", examples=["Relative abundance of 21 taxa with age, region and BMI."])
    )
    creators: list[Creator] = Field(default_factory=list, max_length=500)
    contributors: list[Contributor] = Field(default_factory=list, max_length=500)
    subjects: list[Subject] = Field(default_factory=list, max_length=100)
    licence: Annotated[str, StringConstraints(strip_whitespace=True, max_length=64)] = Field(
        default="", description="SPDX identifier.", examples=["CC-BY-4.0", "CC0-1.0"]
    )
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")] = "en"
    publication_year: int | None = Field(default=None, ge=1900, le=2200)
    collected_from: date | None = None
    collected_to: date | None = None
    methods: Annotated[str, StringConstraints(strip_whitespace=True, max_length=20_000)] = ""
    fundings: list[Funding] = Field(default_factory=list, max_length=50)
    related_identifiers: list[RelatedIdentifier] = Field(default_factory=list, max_length=200)


class CommunityEdit(Closed):
    """What is said about a community."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] = (
        Field(examples=["Gut microbiome"])
    )
    description: Annotated[str, StringConstraints(strip_whitespace=True, max_length=20_000)] = (
        Field(default="", examples=["Cohorts in which stool samples were sequenced."])
    )


class CommunityIn(CommunityEdit):
    """A new community."""

    slug: Slug = Field(
        description="What addresses call it: small letters, digits and hyphens.",
        examples=["gut-microbiome"],
    )


class CommunityRecord(Record):
    """A group of people whose datasets belong together."""

    id: UUID = Field(exclude=True)
    slug: str = Field(examples=["gut-microbiome"])
    name: str = Field(examples=["Gut microbiome"])
    description: str
    datasets: int = Field(description="How many of its datasets are published.")
    created_at: datetime


class Membership(Closed):
    """Which community a dataset belongs to."""

    community: Slug | None = Field(description="None: none.", examples=["gut-microbiome"])


class SearchQuery(PageQuery):
    """What somebody looks for in the catalogue."""

    q: Annotated[str, BeforeValidator(_cut)] = Field(
        default="",
        description="Words, or a phrase in double quotes; all of it must occur.",
        json_schema_extra={"example": "gut microbiome"},
    )
    access: AccessClass | None = Field(default=None, description="Who may read the data.")
    subject: Annotated[str, StringConstraints(max_length=500)] | None = Field(
        default=None, description="A keyword, in the words of the facet subject."
    )
    year: int | None = Field(default=None, ge=1900, le=2200, description="Of publication.")
    community: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        default=None, description="What addresses call a community."
    )
    sort: Literal["relevance", "newest", "oldest", "title"] = Field(
        default="relevance", description="Order of the results."
    )


class FileRecord(Record):
    """A file of a version as everybody sees it."""

    id: UUID = Field(exclude=True)
    public_id: str = Field(examples=["5k9z2m4xqvb"])
    name: str = Field(examples=["samples.csv"])
    role: FileRole
    sha256: str
    size: int = Field(description="Bytes.")
    media_type: str
    withheld: bool = Field(
        description="True where only the table made from the file can be had, not its bytes."
    )


class VersionRecord(Record):
    """A version with its metadata and files."""

    id: UUID = Field(exclude=True)
    dataset_id: UUID = Field(exclude=True)
    owner_id: UUID = Field(exclude=True)
    public_id: str = Field(examples=["7h3k9z2m4xq"])
    dataset_public_id: str = Field(examples=["5k9z2m4xqvb"])
    number: int = Field(examples=[1])
    state: VersionState
    access: AccessClass
    identifier: str = Field(examples=["ark:/99999/7h3k9z2m4xq"], description="Of this version.")
    dataset_identifier: str = Field(
        examples=["ark:/99999/5k9z2m4xqvb"], description="Of the dataset, whatever its version."
    )
    metadata: Metadata
    files: tuple[FileRecord, ...]
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None
    withdrawn_at: datetime | None
    withdrawal_reason: str | None
    override_reason: str | None = Field(
        default=None,
        description="Why a curator published it although the privacy policy speaks against it.",
    )

    @property
    def etag(self) -> str:
        """Entity tag of everything that is made of this record alone."""
        return f"{self.public_id}-{self.updated_at:%Y%m%d%H%M%S%f}"


class Problem(Record):
    """Something that stands in the way of publication."""

    field: str = Field(examples=["licence"])
    message: str = Field(examples=["No licence says what others may do with the data."])
    fix: str = Field(examples=["Choose a licence, for example CC-BY-4.0 or CC0-1.0."])


class Override(Record):
    """A curator's decision to publish what the privacy policy speaks against."""

    reason: str
    against: tuple[str, ...] = Field(description="What the policy found.")


class DraftChanged(Record):
    """Event: a draft was opened, changed or discarded."""

    dataset_public_id: str


class VersionPublished(Record):
    """Event: a version became public."""

    version_id: UUID
    public_id: str
    dataset_public_id: str


class VersionWithdrawn(Record):
    """Event: the data of a version are no longer to be had."""

    version_id: UUID
    public_id: str
    dataset_public_id: str


class VersionSummary(Record):
    """A line in a list of versions or search results."""

    public_id: str
    dataset_public_id: str
    number: int
    state: VersionState
    access: AccessClass
    title: str
    description: str
    creators: tuple[str, ...]
    subjects: tuple[str, ...]
    published_at: datetime | None
    updated_at: datetime


class FacetValue(Record):
    """One value of a facet and how many results have it."""

    value: str
    count: int


class SearchResult(Record):
    """One page of search results with facets over all of them."""

    items: tuple[VersionSummary, ...]
    total: int
    facets: dict[str, tuple[FacetValue, ...]]


class DatasetPath(Closed):
    """Which dataset."""

    dataset_id: str = Field(
        max_length=64,
        description="Public id of the dataset, for its newest version, or of one version.",
        json_schema_extra={"example": "5k9z2m4xqvb"},
    )


class VersionPath(Closed):
    """Which version."""

    version_id: str = Field(max_length=64, description="Public id of the version.")


class CommunityPath(Closed):
    """Which community."""

    slug: str = Field(max_length=64, description="What addresses call it.")


class DepositPath(Closed):
    """Which deposit."""

    deposit_id: str = Field(max_length=64, description="Public id of the deposit.")


class NumberPath(Closed):
    """Which version of which dataset."""

    dataset_id: str = Field(max_length=64, description="Public id of the dataset.")
    number: int = Field(ge=1, le=1_000_000, description="Number of the version, from 1.")


class FilePath(Closed):
    """Which file."""

    file_id: str = Field(max_length=64, description="Public id of the file.")


class Withdrawal(Closed):
    """Why data are taken back; everybody can read it."""

    reason: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)
    ] = Field(examples=["A participant took back their consent."])


class SearchMeta(PageMeta):
    """Where a page of results stands, and how often each value occurs among all of them."""

    facets: dict[str, tuple[FacetValue, ...]] = Field(
        examples=[{"access": [{"value": "open", "count": 42}]}]
    )
