"""What the knowledge base decides without asking anybody."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, UUID, uuid5

from fairdatabase.knowledge.errors import LocationRefusedError
from fairdatabase.knowledge.schemas import Mark
from knowledge_base.terms import terms_of

ABOUT, DRAFT, CLOSED = "dataset-", "draft-", "closed-"
"""How the ids of sources begin that a version of a dataset has: what everybody may read, a draft,
and the files of restricted data. The rest of the id is that of the version."""
_OF_DATASETS: Final = (ABOUT, DRAFT, CLOSED)
_LOCATION_OF_DATASET: Final = "dataset:"
FOLDER: Final = "folder:"
_NAME: Final = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?"
_VERSION: Final = r"[A-Za-z0-9.!+_-]{1,50}"
_PACKAGE = re.compile(rf"(?:pypi:({_NAME})(?:==({_VERSION}))?|installed:({_NAME}))")
_TOOLS: Final = ("ruff", "uv")
_WORD = re.compile(r"\w+")
_NOT_IN_IDS = re.compile(r"[^a-z0-9]+")
_LONGEST_ID: Final = 80
_SURE: Final = 0.75
_FORMS: Final = (
    "pypi:NAME, installed:NAME, tool:ruff, tool:uv, git:https://…, https://… or folder:PATH"
)
_AFTER_FAILURE: Final = timedelta(days=1)


def source_id_of(location: str) -> str:
    """Return the id of the source at a location, after checking that it can be one.

    Raises:
        LocationRefusedError: It is of no known kind, or is written wrongly.
    """
    if package := _PACKAGE.fullmatch(location):
        name, version, installed = package.groups()
        if installed:
            return _slug(f"{installed}-api")
        return _slug(f"{name}-{version}" if version else name)
    scheme, _, rest = location.partition(":")
    if scheme == "tool" and rest in _TOOLS:
        return rest
    if scheme == "folder" and rest.strip("/ "):
        return _slug(rest)
    if scheme == "git" and _is_address(rest, {"https"}):
        return _slug(rest.rstrip("/").removesuffix(".git").rpartition("/")[2])
    if scheme in {"http", "https"} and _is_address(location, {"http", "https"}):
        return _slug(rest)
    raise LocationRefusedError(f"{location!r} is no source. Sources are written as {_FORMS}.")


def _is_address(text: str, schemes: set[str]) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and bool(parts.hostname) and parts.username is None
    except ValueError:
        return False


def _slug(name: str) -> str:
    made = _NOT_IN_IDS.sub("-", name.lower()).strip("-")[:_LONGEST_ID].strip("-") or "source"
    return f"source-{made}" if made.startswith(_OF_DATASETS) or made == "datasets" else made


def is_of_dataset(source_id: str) -> bool:
    """Tell whether a source holds documents of a dataset."""
    return source_id.startswith(_OF_DATASETS)


def version_of(source_id: str) -> str:
    """Return the public id of the version that a source documents."""
    return source_id.partition("-")[2]


def location_of_dataset(dataset_public_id: str) -> str:
    """Return the location of the sources of a dataset."""
    return f"{_LOCATION_OF_DATASET}{dataset_public_id}"


def dataset_at(location: str) -> str | None:
    """Return the public id of the dataset that a location stands for."""
    is_one = location.startswith(_LOCATION_OF_DATASET)
    return location.removeprefix(_LOCATION_OF_DATASET) if is_one else None


def subject_of(source_id: str) -> UUID:
    """Return the subject of jobs on a source."""
    return uuid5(NAMESPACE_URL, f"knowledge:{source_id}")


def shown_url(url: str) -> str:
    """Return an address that readers can follow; empty for a path on the server."""
    return url if url.startswith(("https://", "http://")) else ""


def marked(snippet: str, question: str) -> tuple[Mark, ...]:
    """Return a snippet in pieces, with the words of the question told apart."""
    wanted = {_stem(term) for term in terms_of(question)}
    return tuple(_joined(_pieces(snippet, wanted)))


def _pieces(snippet: str, wanted: set[str]) -> Iterator[Mark]:
    end = 0
    for word in _WORD.finditer(snippet):
        yield Mark(text=snippet[end : word.start()], is_hit=False)
        is_hit = any(_stem(term) in wanted for term in terms_of(word.group()))
        yield Mark(text=word.group(), is_hit=is_hit)
        end = word.end()
    yield Mark(text=snippet[end:], is_hit=False)


def _joined(pieces: Iterator[Mark]) -> Iterator[Mark]:
    plain = ""
    for piece in pieces:
        if not piece.is_hit:
            plain += piece.text
            continue
        if plain:
            yield Mark(text=plain, is_hit=False)
        plain = ""
        yield piece
    if plain:
        yield Mark(text=plain, is_hit=False)


def _stem(term: str) -> str:
    """Return a word without the most common endings: enough to highlight it by."""
    for ending in ("ies", "ing", "ed", "es", "s"):
        if len(term) > len(ending) + 2 and term.endswith(ending):
            return term.removesuffix(ending)
    return term.removesuffix("e") if len(term) > len("see") else term


def trust_in_words(confidence: float, *, is_gap: bool) -> str:
    """Say how far an answer can be trusted."""
    if is_gap:
        return "We doubt that the answer is here"
    return "The answer is very likely here" if confidence >= _SURE else "The answer may be here"


def is_due(
    refresh_days: int | None,
    refreshed_at: datetime | None,
    tried_at: datetime | None,
    now: datetime,
) -> bool:
    """Tell whether a source is to be loaded anew; what failed is left alone for a day.

    Args:
        refresh_days: After how many days; nothing for never.
        refreshed_at: When it was last loaded well.
        tried_at: When somebody last began to load it.
        now: The present time.
    """
    if refresh_days is None or (tried_at is not None and now - tried_at < _AFTER_FAILURE):
        return False
    return refreshed_at is None or now - refreshed_at >= timedelta(days=refresh_days)


def levels_of(depths: Sequence[int]) -> list[int]:
    """Return levels of headings that skip none on the way down, from 1 to 6 at most."""
    levels: list[int] = []
    for depth in depths:
        before = levels[-1] if levels else 0
        levels.append(max(1, min(depth, before + 1, 6)))
    return levels
