"""Descriptions of datasets for tests of the formats; no database is needed."""

from datetime import date
from typing import Any
from uuid import uuid4

from fairdatabase.catalog.schemas import (
    AccessClass,
    Affiliation,
    Contributor,
    Creator,
    FileRecord,
    FileRole,
    Funding,
    RelatedIdentifier,
    Subject,
    VersionRecord,
    VersionState,
)
from fairdatabase.interop.schemas import Citable, LandingFile, Site
from fairdatabase.tables.schemas import ColumnSchema, ColumnType, TableKind, TableRecord
from tests.factories.catalog import MOMENT, make_metadata

SITE = Site(name="FAIRDatabase", url="https://data.example.org", publisher="Example University")
FULL: dict[str, Any] = {
    "creators": [
        Creator(
            name="Curie, Marie",
            orcid="0000-0002-1825-0097",
            affiliations=[
                Affiliation(name="University of Groningen", ror="https://ror.org/012p63287"),
                Affiliation(name="Elsewhere"),
            ],
        ),
        Creator(name="The Consortium", kind="Organizational"),
        Creator(name="Plato"),
    ],
    "contributors": [Contributor(name="Hill, Ann", contributor_type="DataManager")],
    "subjects": [
        Subject(term="gut", scheme="MeSH", uri="http://id.nlm.nih.gov/mesh/D041981"),
        Subject(term="diet"),
    ],
    "fundings": [Funding(funder="NWO", award_number="1", award_title="Gut"), Funding(funder="X")],
    "related_identifiers": [
        RelatedIdentifier(identifier="10.1038/ncomms5344", relation="IsSupplementTo")
    ],
    "methods": "Sequenced.",
    "collected_from": date(2020, 1, 2),
    "collected_to": date(2020, 3, 4),
    "publication_year": 2024,
}


def make_version(
    *,
    state: VersionState = VersionState.PUBLISHED,
    access: AccessClass = AccessClass.OPEN,
    **changes: Any,  # noqa: ANN401 - fields of Metadata
) -> VersionRecord:
    """Return a published version with one file."""
    return VersionRecord(
        id=uuid4(),
        dataset_id=uuid4(),
        owner_id=uuid4(),
        public_id="7h3k9z2m4xq",
        dataset_public_id="5k9z2m4xqvb",
        number=2,
        state=state,
        access=access,
        identifier="ark:/99999/7h3k9z2m4xq",
        dataset_identifier="ark:/99999/5k9z2m4xqvb",
        metadata=make_metadata(**changes),
        files=(),
        created_at=MOMENT,
        updated_at=MOMENT,
        published_at=None if state is VersionState.DRAFT else MOMENT,
        withdrawn_at=MOMENT if state is VersionState.WITHDRAWN else None,
        withdrawal_reason="A mistake." if state is VersionState.WITHDRAWN else None,
    )


def make_landing_file(*, withheld: bool = False, columns: int = 2) -> LandingFile:
    """Return a file with a table of some columns."""
    file = FileRecord(
        id=uuid4(),
        public_id="x5k9z2m4qvb",
        name="samples.csv",
        role=FileRole.DATA,
        sha256="ab" * 32,
        size=1234,
        media_type="text/csv",
        withheld=withheld,
    )
    table = TableRecord(
        id=uuid4(),
        file_id=file.id,
        public_id="t5k9z2m4qvb",
        kind=TableKind.RELEASE if withheld else TableKind.SOURCE,
        sha256="cd" * 32,
        row_count=3,
        columns=tuple(
            ColumnSchema(
                key=f"c{n}", name=f"column {n}", type=ColumnType.NUMBER, unit="kg", description="D"
            )
            for n in range(columns)
        ),
        updated_at=MOMENT,
    )
    url = f"{SITE.url}/api/v1/files/{file.public_id}/content"
    return LandingFile(file=file, table=table, screening=None, url=url)


def make_work(*names: str, **changes: Any) -> Citable:  # noqa: ANN401 - fields of Citable
    """Return a work by persons of these names."""
    facts: dict[str, Any] = {
        "key": "fairdatabase:7h3k9z2m4xq",
        "creators": tuple(Creator(name=name) for name in names),
        "year": 2026,
        "title": "Gut microbiota of 300 adults",
        "version": 1,
        "publisher": "Example University",
        "url": "https://data.example.org/ark:/99999/7h3k9z2m4xq",
    }
    return Citable(**(facts | changes))
