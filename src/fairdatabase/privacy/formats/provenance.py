"""The provenance of a release as PROV-JSON (W3C member submission, 2013)."""

import json
from collections.abc import Mapping
from typing import Any

from fairdatabase import __version__
from fairdatabase.catalog.schemas import FileRecord, VersionRecord
from fairdatabase.privacy.schemas import Recipe, ReleaseRecord
from fairdatabase.tables.schemas import TableRecord

MEDIA_TYPE = "application/provenance+json"
_FAIRDATABASE = "urn:fairdatabase:"
_SOFTWARE = "software:fairdatabase"


def provenance(
    release: ReleaseRecord,
    table: TableRecord,
    file: FileRecord,
    version: VersionRecord,
    *,
    site_url: str,
    with_values: bool,
) -> dict[str, Any]:
    """Return where a release comes from: file, table, recipe, release, and what made it.

    Everything that is bytes is named by its SHA-256, so that whoever has it can tell that it is it.

    Args:
        release: What was done.
        table: The release table.
        file: The file it was made from.
        version: Which the file belongs to.
        site_url: Address of the instance.
        with_values: Whether to show values of the source that the recipe names.
    """
    made = f"sha256:{table.sha256}"
    act, collection = f"file:{file.public_id}/release", f"dataset:{version.public_id}"
    return {
        "prefix": _prefixes(site_url),
        "entity": {
            **_tables(release, file, made),
            collection: {
                "prov:type": _name("prov:Collection"),
                "prov:label": version.metadata.title,
                "fairdatabase:identifier": version.identifier,
            },
        },
        "activity": {act: _activity(release, with_values=with_values)},
        "agent": {
            _SOFTWARE: {
                "prov:type": _name("prov:SoftwareAgent"),
                "prov:label": f"FAIRDatabase {__version__}",
            }
        },
        **_relations(release, file, act, made),
        "hadMember": {"_:member": {"prov:collection": collection, "prov:entity": made}},
    }


def _prefixes(site_url: str) -> dict[str, str]:
    return {
        "fairdatabase": _FAIRDATABASE,
        "sha256": "urn:sha256:",
        "file": f"{site_url}/api/v1/files/",
        "dataset": f"{site_url}/datasets/",
        "software": f"{site_url}/about#",
    }


def _tables(release: ReleaseRecord, file: FileRecord, made: str) -> dict[str, Any]:
    rows = {"fairdatabase:rows": release.effect.rows_out}
    return {
        f"sha256:{file.sha256}": _entity("The file as it was deposited", "DepositedFile"),
        f"sha256:{release.source_sha256}": _entity("The table read from it", "SourceTable"),
        made: _entity("The anonymised release", "ReleaseTable") | rows,
    }


def _activity(release: ReleaseRecord, *, with_values: bool) -> dict[str, Any]:
    recipe = release.recipe
    steps = recipe.model_dump(mode="json") if with_values else without_values(recipe)
    return {
        "prov:type": _name("fairdatabase:Anonymisation"),
        "prov:endTime": release.created_at.isoformat(),
        "fairdatabase:recipe": json.dumps(steps, sort_keys=True, ensure_ascii=False),
        "fairdatabase:rowsIn": release.effect.rows_in,
        "fairdatabase:rowsSuppressed": release.effect.rows_suppressed,
        "fairdatabase:pseudonymKeyVersion": release.key_version,
    }


def _relations(release: ReleaseRecord, file: FileRecord, act: str, made: str) -> dict[str, Any]:
    deposited, source = f"sha256:{file.sha256}", f"sha256:{release.source_sha256}"
    moment = release.created_at.isoformat()
    return {
        "used": {"_:used": {"prov:activity": act, "prov:entity": source}},
        "wasGeneratedBy": {
            "_:generated": {"prov:entity": made, "prov:activity": act, "prov:time": moment}
        },
        "wasDerivedFrom": {
            "_:read": {"prov:generatedEntity": source, "prov:usedEntity": deposited},
            "_:anonymised": {
                "prov:generatedEntity": made,
                "prov:usedEntity": source,
                "prov:activity": act,
            },
        },
        "wasAssociatedWith": {"_:associated": {"prov:activity": act, "prov:agent": _SOFTWARE}},
    }


def without_values(recipe: Recipe) -> dict[str, Any]:
    """Return a recipe for everybody: how many old values a mapping names, and not which."""
    steps = [
        {name: _counted(value) for name, value in step.model_dump(mode="json").items()}
        for step in recipe.steps
    ]
    return {"version": recipe.version, "steps": steps}


def _counted(value: object) -> object:
    if isinstance(value, Mapping):
        return {"entries": len(value)}
    if isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
        return [{name: _counted(inside) for name, inside in each.items()} for each in value]
    return value


def _entity(label: str, kind: str) -> dict[str, Any]:
    return {"prov:label": label, "prov:type": _name(f"fairdatabase:{kind}")}


def _name(qualified: str) -> dict[str, str]:
    return {"$": qualified, "type": "prov:QUALIFIED_NAME"}
