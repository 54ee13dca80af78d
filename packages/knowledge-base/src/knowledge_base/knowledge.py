"""The knowledge base: what it takes in, and what it answers."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Final

from knowledge_base.documents import Answer, Hit, Page, Source, Stored
from knowledge_base.embedding import Embedder, vectors_of
from knowledge_base.errors import KnowledgeBaseError, UnavailableError, UnreachableError
from knowledge_base.neighbours import Neighbours
from knowledge_base.project import sources_of
from knowledge_base.ranking import (
    CONFIDENT,
    JUDGED,
    Ranked,
    confidence_of,
    drawn,
    fuse,
    rarities,
    share_of,
    weigh,
    without_repetition,
)
from knowledge_base.sections import sections_of, title_of
from knowledge_base.snippets import snippet_of
from knowledge_base.store import Store
from knowledge_base.store.records import Question, Scope, StoredExample
from knowledge_base.terms import stem, terms_of, words_of

EVERYTHING: Final = Scope()
_CANDIDATES: Final = 100
"""Of the best by words, and as many of the nearest by meaning, are put in order."""
_SCORED: Final = 500
"""So many are scored by words, for those that are near by meaning alone have words as well."""
_AT_ONCE: Final = 128
_SURE: Final = 2
"""Letters at the beginning of a word that stemming leaves, but for `dying` and the like."""
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
            rows = vectors_of(self.embedder, list(waiting.values()))
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
        self,
        query: str,
        scope: Scope = EVERYTHING,
        *,
        count: int = 5,
        noted: bool = True,
        packages: Collection[str] = (),
    ) -> Answer:
        """Return the sections that answer a question best.

        Args:
            query: In words, or names in code.
            scope: Where to look.
            count: How many sections at most.
            noted: Whether the question is kept; not while it is still being typed.
            packages: That the project uses which asks; what documents them comes first.
        """
        terms = terms_of(query)
        frequencies, sections = self.store.frequencies(terms, scope.readers)
        words = dict(self.store.lexical(terms, scope, _SCORED))
        most = self.store.highest_score(frequencies, sections)
        strength = max(words.values(), default=0.0) / most if most else 0.0
        similarities = self._similarities(query, scope, [*words][:_CANDIDATES])
        fused = fuse(words, strength, [*words][:_CANDIDATES], similarities)
        ranked = self._ordered(fused, similarities is not None, packages)
        stored = self.store.sections(each.id for each in ranked[: max(count, JUDGED)])
        found = [each for each in ranked if each.id in stored]
        held = [stored[each.id] for each in found[:JUDGED]]
        missing = tuple(term for term in terms if not frequencies.get(term, 0))
        weights = rarities(terms, frequencies, sections)
        confidence = _confidence(weights, held, strength, missing)
        answer = Answer(
            query,
            tuple(_hit(each, stored[each.id], terms) for each in found[:count]),
            confidence,
            is_gap=confidence < CONFIDENT,
            mode="lexical" if similarities is None else "hybrid",
            missing=missing,
        )
        if noted:
            self.store.note(Question(query, confidence, answer.is_gap, self._clock()))
        return answer

    def demand(
        self,
        query: str,
        scope: Scope = EVERYTHING,
        *,
        count: int = 5,
        packages: Collection[str] = (),
    ) -> Answer:
        """Search, and fail rather than give an answer that cannot be trusted.

        Raises:
            KnowledgeBaseError: The answer is below the line of confidence.
        """
        answer = self.search(query, scope, count=count, packages=packages)
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
        embedder, neighbours = self.embedder, self._neighbours
        if embedder is None or neighbours is None:
            return None
        try:
            return neighbours.nearest(lambda: embedder.embed([query])[0], scope, _CANDIDATES, also)
        except (UnavailableError, UnreachableError) as error:
            _log.warning("Searched by words alone: %s", error)
            return None

    def _ordered(
        self, fused: list[Ranked], is_hybrid: bool, packages: Collection[str]
    ) -> list[Ranked]:
        """Return sections by all that is known of them and of each other."""
        places = self.store.places(each.id for each in fused)
        of_project = sources_of(packages, self.store.locations()) if packages else frozenset()
        if self._neighbours is None or not is_hybrid or not fused:
            return weigh(fused, places, of_project)
        near = drawn(fused, self._neighbours.vectors([each.id for each in fused]))
        ranked = weigh(near, places, of_project)
        return without_repetition(ranked, self._neighbours.vectors([each.id for each in ranked]))


def _hit(ranked: Ranked, stored: Stored, terms: list[str]) -> Hit:
    snippet = snippet_of(stored.section.text, terms)
    return Hit(stored, ranked.score, ranked.similarity, snippet)


def _confidence(
    weights: Mapping[str, float], held: Sequence[Stored], strength: float, missing: Collection[str]
) -> float:
    """Return how far hits can be trusted; see :func:`confidence_of`.

    Args:
        weights: How much each term of the question tells.
        held: The first hits.
        strength: Of the words of the best one.
        missing: Terms that are nowhere.
    """
    if not held:
        return 0.0
    shares = [share_of(weights, _terms_in(each, weights)) for each in held]
    known = weights.keys() - set(missing)
    return confidence_of(strength, sum(shares) / len(shares), share_of(weights, known))


def _terms_in(stored: Stored, terms: Iterable[str]) -> set[str]:
    section = stored.section
    text = " ".join((stored.source_id, *section.trail, *section.names, section.text))
    stems = {term: stem(term) for term in terms}
    # Stemming is slow: only words that can have one of the stems are stemmed.
    beginnings = {each[:_SURE] for each in stems.values()}
    there = {stem(word) for word in words_of(text) if word[:_SURE] in beginnings}
    return {term for term in terms if stems[term] in there}
