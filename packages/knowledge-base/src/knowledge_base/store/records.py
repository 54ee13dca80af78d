"""What goes into the store and comes out of it."""

from dataclasses import dataclass
from datetime import datetime

from knowledge_base.documents import Example, Kind, Stored


@dataclass(frozen=True, slots=True)
class Scope:
    """Which sections a question is asked of.

    Attributes:
        sources: Their ids; ``None`` for all.
        readers: Owners whose sources may be read, besides those that are everybody's.
        kind: Only sections of this kind.
    """

    sources: frozenset[str] | None = None
    readers: frozenset[str] = frozenset()
    kind: Kind | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out but what others own."""
        return self.sources is None and self.kind is None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a section is.

    Attributes:
        page_id: Of its page.
        url: Of its page.
        source_id: Of its source.
    """

    page_id: int
    url: str
    source_id: str


@dataclass(frozen=True, slots=True)
class StoredPage:
    """A page as the store gives it back."""

    id: int
    source_id: str
    url: str
    title: str
    position: int
    words: int
    characters: int
    sections: int


@dataclass(frozen=True, slots=True)
class StoredExample:
    """A piece of code as the store gives it back, with its score of BM25."""

    stored: Stored
    example: Example
    score: float


@dataclass(frozen=True, slots=True)
class Counts:
    """How much a source holds."""

    pages: int
    sections: int
    words: int
    examples: int
    embedded: int


@dataclass(frozen=True, slots=True)
class Question:
    """A question that was asked."""

    query: str
    confidence: float
    is_gap: bool
    asked_at: datetime
