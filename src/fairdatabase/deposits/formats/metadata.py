"""The description step: metadata as flat fields such as ``creators-0-name``.

Lists are written with separators; a part that has one in it stands in double quotes.
"""

import csv
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from fairdatabase.catalog.schemas import Creator, Metadata
from fairdatabase.kernel.records import in_words

_PLAIN = ("title", "description", "methods", "licence", "language")
_DATES = ("collected_from", "collected_to")
_MAX_CREATORS = 500


def to_form(metadata: Metadata) -> dict[str, str]:
    """Return the fields of a description."""
    fields = {name: str(getattr(metadata, name)) for name in _PLAIN}
    fields |= {name: day.isoformat() if (day := getattr(metadata, name)) else "" for name in _DATES}
    fields["subjects"] = _joined((subject.term for subject in metadata.subjects), ",")
    for index, creator in enumerate(metadata.creators):
        fields |= {
            f"creators-{index}-name": creator.name,
            f"creators-{index}-orcid": creator.orcid or "",
            f"creators-{index}-affiliation": _joined(
                (organisation.name for organisation in creator.affiliations), ";"
            ),
            f"creators-{index}-kind": creator.kind,
        }
    return fields


def creator_count(values: Mapping[str, str]) -> int:
    """Return how many creators a form has room for: at least one."""
    used = [name.split("-")[1] for name in values if name.startswith("creators-")]
    return min(
        max([int(place) + 1 for place in used if place.isdecimal()], default=1), _MAX_CREATORS
    )


def with_creator(values: Mapping[str, str]) -> dict[str, str]:
    """Return the fields with an empty creator at the end."""
    return {**values, f"creators-{creator_count(values)}-name": ""}


def without_creator(values: Mapping[str, str], place: int) -> dict[str, str]:
    """Return the fields without one creator; those after it move up."""
    kept: dict[str, str] = {}
    for name, text in values.items():
        head, number, field = [*name.split("-"), "", ""][:3]
        if head != "creators" or not number.isdecimal():
            kept[name] = text
        elif int(number) != place:
            kept[f"creators-{int(number) - (int(number) > place)}-{field}"] = text
    return kept


def from_form(values: Mapping[str, str], stored: Metadata) -> dict[str, Any]:
    """Return what ``Metadata`` is validated from: the form's fields over what it does not show.

    Args:
        values: Fields that were sent.
        stored: The description as it is now; identifiers of subjects and organisations are
            kept where their names are.
    """
    record = stored.model_dump(mode="json")
    record |= {name: values[name] for name in _PLAIN if name in values}
    record |= {name: values[name] or None for name in _DATES if name in values}
    if "subjects" in values:
        known = {subject.term: subject for subject in stored.subjects}
        record["subjects"] = [
            known[term].model_dump(mode="json") if term in known else {"term": term}
            for term in _parts(values["subjects"], ",")
        ]
    record["creators"] = [
        creator
        for place in range(creator_count(values))
        if (creator := _creator(values, place, stored))
    ]
    return record


def errors(error: ValidationError, values: Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong by field of the form.

    Creators without any text are not sent, so places in the form and in the record differ.

    Args:
        error: From validating what :func:`from_form` returned.
        values: Fields that were sent.
    """
    filled = [place for place in range(creator_count(values)) if _is_filled(values, place)]
    found: dict[str, str] = {}
    for item in error.errors(include_url=False, include_input=False):
        name, *rest = item["loc"]
        if name == "creators" and len(rest) > 1:
            field = "affiliation" if rest[1] == "affiliations" else rest[1]
            name = f"creators-{filled[int(rest[0])]}-{field}"
        found.setdefault(str(name), in_words(item))
    return found


def _is_filled(values: Mapping[str, str], place: int) -> bool:
    fields = ("name", "orcid", "affiliation")
    return any(values.get(f"creators-{place}-{field}", "").strip() for field in fields)


def _creator(values: Mapping[str, str], place: int, stored: Metadata) -> dict[str, Any] | None:
    if not _is_filled(values, place):
        return None
    name, orcid, organisations = (
        values.get(f"creators-{place}-{field}", "").strip()
        for field in ("name", "orcid", "affiliation")
    )
    known = {org.name: org.ror for creator in stored.creators for org in creator.affiliations}
    return {
        "name": name,
        "kind": values.get(f"creators-{place}-kind", Creator.model_fields["kind"].default),
        "orcid": orcid or None,
        "affiliations": [
            {"name": organisation, "ror": known.get(organisation)}
            for organisation in _parts(organisations, ";")
        ],
    }


def _joined(parts: Iterable[str], separator: str) -> str:
    quoted = (
        '"{}"'.format(part.replace('"', '""')) if separator in part or '"' in part else part
        for part in parts
    )
    return f"{separator} ".join(quoted)


def _parts(text: str, separator: str) -> list[str]:
    """Return the parts of a list, each once, in their order."""
    line = " ".join(text.split())
    row = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    return list(dict.fromkeys(part.strip() for part in row if part.strip()))
