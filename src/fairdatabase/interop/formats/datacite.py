"""A dataset as DataCite JSON, metadata schema 4.6.

Source: DataCite Metadata Schema 4.6, https://doi.org/10.14454/mzv1-5b55; the names of the members
are those of DataCite's own JSON Schema.
"""

from collections.abc import Sequence
from typing import Any, Final

from fairdatabase.catalog.schemas import (
    AccessClass,
    Contributor,
    Creator,
    Funding,
    Metadata,
    RelatedIdentifier,
    Subject,
    VersionRecord,
    VersionState,
)
from fairdatabase.interop.formats.licences import licence_of
from fairdatabase.interop.schemas import LandingFile, Site

SCHEMA: Final = "http://datacite.org/schema/kernel-4"
_OPEN_ACCESS: Final = ("Open Access", "info:eu-repo/semantics/openAccess")
_RESTRICTED_ACCESS: Final = ("Restricted Access", "info:eu-repo/semantics/restrictedAccess")
_CLOSED_ACCESS: Final = ("Closed Access", "info:eu-repo/semantics/closedAccess")


def resource(version: VersionRecord, files: Sequence[LandingFile], site: Site) -> dict[str, Any]:
    """Return the document of a published version.

    Args:
        version: What is described.
        files: Its files with the tables that may leave the house.
        site: Who publishes, and where.
    """
    metadata = version.metadata
    document: dict[str, Any] = {
        "schemaVersion": SCHEMA,
        "types": {"resourceTypeGeneral": "Dataset", "resourceType": "Dataset"},
        "alternateIdentifiers": [
            {"alternateIdentifier": version.identifier, "alternateIdentifierType": "ARK"}
        ],
        "url": site.url_of(version.identifier),
        "titles": [{"title": metadata.title, "lang": metadata.language}],
        "creators": [_agent(creator) for creator in metadata.creators],
        "contributors": [_contributor(each) for each in metadata.contributors],
        "publisher": {"name": site.publisher},
        "publicationYear": str(metadata.publication_year or version.updated_at.year),
        "subjects": [_subject(subject) for subject in metadata.subjects],
        "dates": _dates(version),
        "language": metadata.language,
        "version": str(version.number),
        "sizes": [f"{each.file.size} bytes" for each in files if not each.file.withheld],
        "formats": sorted({each.file.media_type for each in files if not each.file.withheld}),
        "rightsList": _rights(version),
        "descriptions": _descriptions(metadata),
        "fundingReferences": [_funding(funding) for funding in metadata.fundings],
        "relatedIdentifiers": [
            _concept(version),
            *(_related(each) for each in metadata.related_identifiers),
        ],
    }
    return {name: value for name, value in document.items() if value}


def _agent(agent: Creator) -> dict[str, Any]:
    described: dict[str, Any] = {"name": agent.name, "nameType": agent.kind}
    family, comma, given = agent.name.partition(",")
    if agent.kind == "Personal" and comma:
        described |= {"familyName": family.strip(), "givenName": given.strip()}
    if agent.orcid:
        described["nameIdentifiers"] = [
            {
                "nameIdentifier": f"https://orcid.org/{agent.orcid}",
                "nameIdentifierScheme": "ORCID",
                "schemeUri": "https://orcid.org",
            }
        ]
    if agent.affiliations:
        described["affiliation"] = [
            {"name": each.name}
            | (
                {
                    "affiliationIdentifier": each.ror,
                    "affiliationIdentifierScheme": "ROR",
                    "schemeUri": "https://ror.org",
                }
                if each.ror
                else {}
            )
            for each in agent.affiliations
        ]
    return described


def _contributor(contributor: Contributor) -> dict[str, Any]:
    return _agent(contributor) | {"contributorType": contributor.contributor_type}


def _subject(subject: Subject) -> dict[str, str]:
    described = {"subject": subject.term}
    if subject.scheme:
        described["subjectScheme"] = subject.scheme
    if subject.uri:
        described["valueUri"] = str(subject.uri)
    return described


def _dates(version: VersionRecord) -> list[dict[str, str]]:
    begins, ends = version.metadata.collected_from, version.metadata.collected_to
    dates = []
    if begins or ends:
        # RKMS-ISO8601: an open end of a period is left empty.
        period = f"{begins.isoformat() if begins else ''}/{ends.isoformat() if ends else ''}"
        dates.append({"date": period, "dateType": "Collected"})
    if version.published_at:
        dates.append({"date": version.published_at.date().isoformat(), "dateType": "Issued"})
    if version.withdrawn_at:
        day = version.withdrawn_at.date().isoformat()
        dates.append({"date": day, "dateType": "Withdrawn"})
    return dates


def _rights(version: VersionRecord) -> list[dict[str, str]]:
    rights: list[dict[str, str]] = []
    if identifier := version.metadata.licence:
        licence = licence_of(identifier)
        rights.append(
            {
                "rights": licence.name,
                "rightsUri": licence.url,
                "rightsIdentifier": identifier,
                "rightsIdentifierScheme": "SPDX",
                "schemeUri": "https://spdx.org/licenses/",
            }
        )
    if version.state is VersionState.WITHDRAWN:
        name, uri = _CLOSED_ACCESS
    else:
        name, uri = _OPEN_ACCESS if version.access is AccessClass.OPEN else _RESTRICTED_ACCESS
    return [*rights, {"rights": name, "rightsUri": uri}]


def _descriptions(metadata: Metadata) -> list[dict[str, str]]:
    texts = {"Abstract": metadata.description, "Methods": metadata.methods}
    return [
        {"description": text, "descriptionType": kind, "lang": metadata.language}
        for kind, text in texts.items()
        if text
    ]


def _funding(funding: Funding) -> dict[str, str]:
    described = {
        "funderName": funding.funder,
        "awardNumber": funding.award_number or "",
        "awardTitle": funding.award_title or "",
    }
    return {name: text for name, text in described.items() if text}


def _concept(version: VersionRecord) -> dict[str, str]:
    return {
        "relatedIdentifier": version.dataset_identifier,
        "relatedIdentifierType": "ARK",
        "relationType": "IsVersionOf",
        "resourceTypeGeneral": "Dataset",
    }


def _related(related: RelatedIdentifier) -> dict[str, str]:
    return {
        "relatedIdentifier": related.identifier,
        "relatedIdentifierType": related.identifier_type,
        "relationType": related.relation,
    }
