"""Citations of a dataset: a reference in the style of the APA, 7th edition, and BibTeX."""

import re
from collections.abc import Sequence
from typing import Final

from fairdatabase.catalog.schemas import Creator
from fairdatabase.interop.schemas import Citable

_MAX_AUTHORS: Final = 20
_BIBTEX_ESCAPES: Final = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
    }
)


def apa(work: Citable) -> str:
    """Return the reference: creators, year, title, version, kind, publisher, address.

    More than twenty creators are shortened to the first nineteen and the last (APA 7, 9.8).
    """
    authors = _apa_authors([_initials(creator) for creator in work.creators])
    lead = f"{authors.rstrip('.')}." if authors else ""
    title = f"{work.title.rstrip('.')} (Version {work.version}) [Data set]."
    parts = [lead and f"{lead} ({work.year}).", title, "" if lead else f"({work.year})."]
    return " ".join(part for part in [*parts, f"{work.publisher}.", work.url] if part)


def bibtex(work: Citable) -> str:
    """Return the entry of type ``misc``, which every style knows, in UTF-8."""
    authors = " and ".join(
        f"{{{_escaped(creator.name)}}}"
        if creator.kind == "Organizational"
        else _escaped(creator.name)
        for creator in work.creators
    )
    fields = {
        "author": authors,
        "title": f"{{{_escaped(work.title)}}}",
        "year": str(work.year),
        "version": str(work.version),
        "publisher": _escaped(work.publisher),
        "note": "Data set",
        "url": work.url,
    }
    lines = [f"  {name:<9} = {{{value}}}" for name, value in fields.items() if value]
    return f"@misc{{{work.key},\n" + ",\n".join(lines) + "\n}"


def _apa_authors(names: Sequence[str]) -> str:
    if len(names) > _MAX_AUTHORS:
        return f"{', '.join(names[: _MAX_AUTHORS - 1])}, … {names[-1]}"
    if len(names) > 1:
        return f"{', '.join(names[:-1])}, & {names[-1]}"
    return "".join(names)


def _initials(creator: Creator) -> str:
    """Return ``Curie, M. S.`` for ``Curie, Marie Skłodowska``; other names stay whole."""
    family, comma, given = creator.name.partition(",")
    if creator.kind == "Organizational" or not comma:
        return creator.name
    initials = [
        "-".join(f"{part[0].upper()}." for part in word.split("-") if part)
        for word in re.split(r"[\s.]+", given.strip())
        if word.strip("-")
    ]
    return f"{family.strip()}, {' '.join(initials)}" if initials else family.strip()


def _escaped(text: str) -> str:
    return text.translate(_BIBTEX_ESCAPES)
