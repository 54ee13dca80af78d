"""The catalogue's decisions: who may see what, what may be published, which names files have."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fairdatabase.authorization.rules import may, require
from fairdatabase.authorization.schemas import Action, Actor, Resource, State
from fairdatabase.catalog.errors import FileNameError
from fairdatabase.catalog.schemas import (
    FileRecord,
    FileRole,
    Metadata,
    Problem,
    VersionRecord,
    VersionState,
)

MAX_NAME_BYTES = 255
# A PostgreSQL search vector holds one megabyte of words and positions at most.
MAX_INDEX_BYTES = 120_000
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*", re.IGNORECASE)
_MAX_MEDIA_TYPE = 127
_MAX_IN_LOG = 500
_UNKNOWN_MEDIA_TYPE = "application/octet-stream"
# Controls, surrogates, line and paragraph separators. Format characters are refused one by one,
# because emoji need the joiner among them.
_REFUSED_CATEGORIES = {"Cc", "Cs", "Zl", "Zp"}
_REFUSED_CHARACTERS = set("/\\\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

_WORD = re.compile(r"[^\W_]+")
_STOP_WORDS = {
    "a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "in", "is", "it", "of", "on",
    "or", "that", "the", "to", "was", "were", "which", "with",
}  # fmt: skip


def state_of(version: VersionRecord) -> State:
    """Return the state of a version in the words of the authorisation matrix."""
    if version.state is VersionState.PUBLISHED:
        return State(version.access.value)
    return State(version.state.value)


def may_do(actor: Actor, action: Action, version: VersionRecord) -> bool:
    """Tell whether the matrix lets the actor do something to a version in its state."""
    return may(actor, Resource.DATASET, action, state=state_of(version), owner_id=version.owner_id)


def require_act(actor: Actor, action: Action, version: VersionRecord) -> None:
    """Let those pass whom :func:`may_do` admits and who confirmed it where they have to.

    Raises:
        AuthenticationError: Nobody is signed in.
        PermissionDeniedError: The dataset is somebody else's, or confirmation is missing.
    """
    require(actor, Resource.DATASET, action, state=state_of(version), owner_id=version.owner_id)


def looks_after(actor: Actor, version: VersionRecord) -> bool:
    """Tell whether the actor sees what only those see who look after the dataset."""
    return may_do(actor, Action.INSPECT, version)


def visible(actor: Actor, version: VersionRecord) -> bool:
    """Tell whether the actor may know that the version exists and read its metadata."""
    return may_do(actor, Action.READ, version)


def may_read_data(actor: Actor, version: VersionRecord) -> bool:
    """Tell whether the actor may read the files and tables of the version."""
    return may_do(actor, Action.READ_DATA, version)


def metadata_changes(before: Metadata, after: Metadata) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the fields that differ, as they were and as they are, short enough for a log.

    Lists are told by their length: they name people, and a log is not the place for them.
    """
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    changed = [name for name in new if old[name] != new[name]]
    return {name: _in_short(old[name]) for name in changed}, {
        name: _in_short(new[name]) for name in changed
    }


def _in_short(value: object) -> object:
    if isinstance(value, list):
        return f"{len(value)} entries"
    if isinstance(value, str) and len(value) > _MAX_IN_LOG:
        return f"{len(value)} characters"
    return value


def missing_for_publication(metadata: Metadata, files: Sequence[FileRecord]) -> list[Problem]:
    """List what a version lacks before it can be published, in the order of the form."""
    return list(_missing(metadata, files))


def _missing(metadata: Metadata, files: Sequence[FileRecord]) -> Iterator[Problem]:
    if not metadata.title:
        yield Problem(
            field="title",
            message="The dataset has no title.",
            fix="Enter a title that says what was measured, on whom and where.",
        )
    if not metadata.description:
        yield Problem(
            field="description",
            message="The dataset has no description.",
            fix="Describe what the tables hold and how they came about.",
        )
    if not metadata.creators:
        yield Problem(
            field="creators",
            message="Nobody is named as a creator.",
            fix="Name at least one person or organisation that made the data.",
        )
    if not metadata.licence:
        yield Problem(
            field="licence",
            message="No licence says what others may do with the data.",
            fix="Choose a licence, for example CC-BY-4.0 or CC0-1.0.",
        )
    if _ends_before_it_begins(metadata):
        yield Problem(
            field="collected_to",
            message="The collection ends before it begins.",
            fix="Correct the first or the last day of the collection.",
        )
    if not any(file.role is FileRole.DATA for file in files):
        yield Problem(
            field="files",
            message="There is no data file.",
            fix="Add at least one file with data.",
        )


def _ends_before_it_begins(metadata: Metadata) -> bool:
    begins, ends = metadata.collected_from, metadata.collected_to
    return begins is not None and ends is not None and ends < begins


def clean_file_name(name: str) -> str:
    """Return the name in Unicode normal form C, without spaces around it.

    Raises:
        FileNameError: The name is empty, too long, has a path in it, or characters that hide
            what it is.
    """
    cleaned = unicodedata.normalize("NFC", name).strip()
    if cleaned in {"", ".", ".."}:
        raise FileNameError("The file has no name. Please name it, for example samples.csv.")
    refused = [
        character
        for character in cleaned
        if character in _REFUSED_CHARACTERS
        or unicodedata.category(character) in _REFUSED_CATEGORIES
    ]
    if refused:
        shown = ", ".join(f"U+{ord(character):04X}" for character in sorted(set(refused)))
        raise FileNameError(
            "The file name contains a path separator, a control character or a character that "
            f"changes the direction of writing ({shown}). Please rename the file."
        )
    size = len(cleaned.encode())
    if size > MAX_NAME_BYTES:
        raise FileNameError(
            f"The file name takes {size} bytes; {MAX_NAME_BYTES} are possible. "
            "Please choose a shorter name."
        )
    return cleaned


def clean_media_type(media_type: str) -> str:
    """Return the media type in lower case without parameters; unknown bytes where it is none."""
    bare = media_type.partition(";")[0].strip().lower()
    if len(bare) > _MAX_MEDIA_TYPE or not _MEDIA_TYPE.fullmatch(bare):
        return _UNKNOWN_MEDIA_TYPE
    return bare


def clean_index_text(text: str) -> str:
    """Return as much of the text for the search as fits, without NUL, which databases refuse."""
    kept = text.replace("\0", " ").encode("utf-8", "ignore")[:MAX_INDEX_BYTES]
    return kept.decode("utf-8", "ignore")


@dataclass(frozen=True, slots=True)
class SearchTerms:
    """What a query asks for: all of it must occur in a document.

    Attributes:
        words: Whole words; other forms of the same stem are found as well.
        phrases: Words that must stand one after the other.
        beginning: What a word must begin with, because its writer may still be typing it.
    """

    words: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    beginning: str | None = None

    def __bool__(self) -> bool:
        return bool(self.words or self.phrases or self.beginning)


def search_words(text: str) -> str:
    """Return the words of a text as they are indexed: lower case, without accents and signs.

    Databases split texts at different places; given nothing but words they agree.
    """
    folded = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(character for character in folded if not unicodedata.combining(character))
    return " ".join(_WORD.findall(plain))


def search_terms(query: str) -> SearchTerms:
    """Read a query: words, "phrases in quotes", and the beginning of a last word.

    Nothing in a query is an operator, so that none can be wrong.
    """
    phrases, words, last_is_open = [], [], False
    for position, part in enumerate(query.split('"')):
        found = search_words(part)
        is_phrase = position % 2 == 1
        if is_phrase and found:
            phrases.append(found)
        elif not is_phrase:
            words.extend(found.split())
        if found:
            last_is_open = not is_phrase
    telling = [word for word in words if word not in _STOP_WORDS]
    words = telling if telling or phrases else words
    beginning = words.pop() if words and last_is_open else None
    return SearchTerms(tuple(words), tuple(phrases), beginning)
