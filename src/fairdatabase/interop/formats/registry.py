"""Which formats a dataset is exported in: the one table of names and media types."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fairdatabase.catalog.schemas import VersionRecord
from fairdatabase.interop.formats import citation, datacite, schemaorg
from fairdatabase.interop.schemas import Citable, LandingFile, Site


@dataclass(frozen=True, slots=True)
class Source:
    """Everything a serializer may use."""

    version: VersionRecord
    files: Sequence[LandingFile]
    site: Site
    work: Citable


@dataclass(frozen=True, slots=True)
class Format:
    """A format: what it is called, how it is asked for, how it is written."""

    name: str
    label: str
    media_type: str
    suffix: str
    write: Callable[[Source], str]


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2)


FORMATS: Final = {
    each.name: each
    for each in (
        Format(
            name="schemaorg",
            label="schema.org JSON-LD",
            media_type="application/ld+json",
            suffix="jsonld",
            write=lambda source: _json(
                schemaorg.dataset(source.version, source.files, source.site)
            ),
        ),
        Format(
            name="datacite",
            label="DataCite JSON",
            media_type="application/vnd.datacite.datacite+json",
            suffix="json",
            write=lambda source: _json(
                datacite.resource(source.version, source.files, source.site)
            ),
        ),
        Format(
            name="bibtex",
            label="BibTeX",
            media_type="application/x-bibtex",
            suffix="bib",
            write=lambda source: citation.bibtex(source.work) + "\n",
        ),
        Format(
            name="citation",
            label="Citation (APA)",
            media_type="text/x-bibliography",
            suffix="txt",
            write=lambda source: citation.apa(source.work) + "\n",
        ),
    )
}
BY_MEDIA_TYPE: Final = {each.media_type: each for each in FORMATS.values()}
