"""What is kept: sources, their pages, the sections of a page and the examples in a section."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Format(StrEnum):
    """How a page is written."""

    MARKDOWN = "markdown"
    REST = "rest"
    HTML = "html"
    TEXT = "text"


class Kind(StrEnum):
    """What a section is."""

    PROSE = "prose"
    API = "api"


@dataclass(frozen=True, slots=True)
class Page:
    """A document as its loader found it.

    Attributes:
        url: Where people can read it; unique within the source.
        text: The whole document in its format.
        format: How the text is written.
        title: Of the document, where the loader knows it; the first heading by default.
        module: Dotted name of the Python module that the page documents, if it is one.
    """

    url: str
    text: str
    format: Format
    title: str = ""
    module: str = ""

    @property
    def sha256(self) -> str:
        """Of everything that sections are made from: the same hash makes the same sections."""
        parts = (self.url, self.title, self.module, self.format, self.text)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Example:
    """A piece of code in a document.

    Attributes:
        code: As written, without the indentation that all of it shares.
        language: Such as ``python``; empty where the document does not say.
        caption: The sentence before it, which says what it does.
    """

    code: str
    language: str
    caption: str


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page under one heading, short enough to be read at once.

    Attributes:
        trail: Headings from the page's title down to that of the section.
        text: Plain text; code stands in fences.
        anchor: Fragment of the page's URL; empty for the top of the page.
        kind: Whether it describes a function, class or setting, or explains.
        names: Names of the programming interface that it defines.
        examples: Code in it, in order.
    """

    trail: tuple[str, ...]
    text: str
    anchor: str = ""
    kind: Kind = Kind.PROSE
    names: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()

    @property
    def title(self) -> str:
        """The heading that the section stands under."""
        return self.trail[-1] if self.trail else ""


@dataclass(frozen=True, slots=True)
class Source:
    """Where pages come from.

    Attributes:
        id: Short name in addresses and filters, such as ``flask``.
        location: What :func:`knowledge_base.loading.load` takes, such as ``pypi:flask==3.1.3``.
        title: For people.
        version: Of what is documented; empty where there is none.
        licence: SPDX identifier or the words of the package; empty where unknown.
        owner: Who may read it; empty for everybody.
        refresh_days: After how many days it is loaded anew; ``None`` for never.
        refreshed_at: When its pages were last compared with what is kept.
    """

    id: str
    location: str
    title: str
    version: str = ""
    licence: str = ""
    owner: str = ""
    refresh_days: int | None = None
    refreshed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A section as the store gives it back.

    Attributes:
        id: Of the section in the store.
        page_id: Of its page.
        source_id: Of its source.
        url: Of the section, with its anchor.
        position: Among the sections of its page, from zero.
    """

    id: int
    page_id: int
    source_id: str
    url: str
    position: int
    section: Section


@dataclass(frozen=True, slots=True)
class Hit:
    """A section that answers a question.

    Attributes:
        score: Of the fused ranking, from 0 to 1.
        similarity: Cosine of the angle to the question; ``None`` without embeddings.
        snippet: The part of the text that has most of the question's words.
    """

    stored: Stored
    score: float
    similarity: float | None
    snippet: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search found, and how far it can be trusted.

    Attributes:
        confidence: Estimated probability, from 0 to 1, that the answer is among the hits.
        is_gap: Whether the confidence is below the line, so that the question is noted.
        mode: ``hybrid``, or ``lexical`` where there are no embeddings.
        missing: Words and packages of the question that nothing here covers.
    """

    query: str
    hits: tuple[Hit, ...]
    confidence: float
    is_gap: bool
    mode: str
    missing: tuple[str, ...] = field(default=())
