"""A dataset as schema.org JSON-LD, following science-on-schema.org 1.3.

The context is inline, so that nothing has to be fetched to read the document.
"""

from collections.abc import Sequence
from typing import Any, Final

from fairdatabase.catalog.schemas import AccessClass, Creator, VersionRecord, VersionState
from fairdatabase.interop.formats.licences import licence_of
from fairdatabase.interop.schemas import LandingFile, Site
from fairdatabase.tables.schemas import ColumnSchema

MAX_VARIABLES: Final = 500
"""Longer lists make the page slow and tell search engines nothing more."""


def dataset(version: VersionRecord, files: Sequence[LandingFile], site: Site) -> dict[str, Any]:
    """Return the document of a published version.

    Args:
        version: What is described.
        files: Its files with the tables that may leave the house.
        site: Who publishes, and where.
    """
    metadata = version.metadata
    is_open = version.access is AccessClass.OPEN and version.state is VersionState.PUBLISHED
    document = {
        "@context": {"@vocab": "https://schema.org/"},
        "@type": "Dataset",
        "@id": site.url_of(version.identifier),
        "url": site.url_of(version.identifier),
        "identifier": {
            "@type": "PropertyValue",
            "propertyID": "https://registry.identifiers.org/registry/ark",
            "value": version.identifier,
            "url": site.url_of(version.identifier),
        },
        "isPartOf": site.url_of(version.dataset_identifier),
        "name": metadata.title,
        "description": metadata.description,
        "version": str(version.number),
        "inLanguage": metadata.language,
        "license": licence_of(metadata.licence).url if metadata.licence else None,
        "datePublished": version.published_at.date().isoformat() if version.published_at else None,
        "creator": [_creator(creator) for creator in metadata.creators],
        "keywords": [subject.term for subject in metadata.subjects],
        "temporalCoverage": _period(version),
        "publisher": {"@type": "Organization", "name": site.publisher},
        "includedInDataCatalog": {"@type": "DataCatalog", "name": site.name, "url": site.url},
        "isAccessibleForFree": is_open,
        "variableMeasured": _variables(files),
        "distribution": [_download(item) for item in files if item.url] if is_open else [],
    }
    return {name: value for name, value in document.items() if value not in (None, "", [])}


def _creator(creator: Creator) -> dict[str, Any]:
    if creator.kind == "Organizational":
        return {"@type": "Organization", "name": creator.name}
    family, comma, given = creator.name.partition(",")
    names = {"familyName": family.strip(), "givenName": given.strip()} if comma else {}
    person: dict[str, Any] = {"@type": "Person", "name": creator.name, **names}
    if creator.orcid:
        person["@id"] = f"https://orcid.org/{creator.orcid}"
    if creator.affiliations:
        person["affiliation"] = [
            {"@type": "Organization", "name": each.name} | ({"@id": each.ror} if each.ror else {})
            for each in creator.affiliations
        ]
    return person


def _period(version: VersionRecord) -> str | None:
    begin, end = version.metadata.collected_from, version.metadata.collected_to
    if begin is None and end is None:
        return None
    return f"{begin.isoformat() if begin else '..'}/{end.isoformat() if end else '..'}"


def _variables(files: Sequence[LandingFile]) -> list[dict[str, Any]]:
    columns = [column for item in files if item.table for column in item.table.columns]
    return [_variable(column) for column in columns[:MAX_VARIABLES]]


def _variable(column: ColumnSchema) -> dict[str, Any]:
    variable = {
        "@type": "PropertyValue",
        "name": column.name,
        "description": column.description,
        "unitText": column.unit,
        "propertyID": column.ontology_term,
    }
    return {name: value for name, value in variable.items() if value}


def _download(item: LandingFile) -> dict[str, Any]:
    download = {
        "@type": "DataDownload",
        "name": item.file.name,
        "contentUrl": item.url,
        "encodingFormat": "text/csv" if item.file.withheld else item.file.media_type,
    }
    if not item.file.withheld:
        download |= {"contentSize": f"{item.file.size} B", "sha256": item.file.sha256}
    return download
