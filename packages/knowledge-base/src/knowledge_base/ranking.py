"""Puts sections in order by their words and their meaning, and says how far to trust it."""

import math
import re
from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from knowledge_base.embedding import Matrix, unit
from knowledge_base.store.records import Place

LEXICAL_SHARE: Final = 0.5
"""Of the words in the fused score; the rest is the cosine. As all weights here, found on the
development questions."""
CONFIDENT: Final = 0.5
"""Below it an answer is a gap."""
JUDGED: Final = 5
"""By so many of the first hits an answer is judged."""
_LIKE_THE_FIRST: Final = 0.2
"""What likeness to the first hits counts besides the fused score."""
_FIRST: Final = 5
_OF_CHANGES: Final = 0.6
"""What a section of a changelog counts: it names a thing, and seldom explains it."""
_OF_PAGE: Final = 0.1
"""What the best sections of the same page add: a page on the subject has several."""
_BEST_OF_PAGE: Final = 3
_OF_PROJECT: Final = 1.15
"""What a section counts that documents a package of the project that asks."""
_REPEATED: Final = 0.9
"""What a section counts that says nearly the same as a better one."""
_THE_SAME: Final = 0.93
"""Cosine from which two sections say nearly the same."""
_DEPTH: Final = 20
"""So many of the best are compared with each other."""
_CHANGES = re.compile(
    r"/(?:changes|changelog|history|whatsnew|what-s-new|news|announce|releases?|release-notes"
    r"|authors|contributing)(?=[/._-]|$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A section with what speaks for it."""

    id: int
    score: float
    similarity: float | None


def fuse(
    words: Mapping[int, float],
    strength: float,
    candidates: Iterable[int],
    similarities: Mapping[int, float] | None,
) -> list[Ranked]:
    """Return sections by ``0.5 sqrt(strength) bm25 / max bm25 + 0.5 cosine``, the best first.

    Words that even the best section has few of say little, and leave it to the meaning.

    Args:
        words: BM25 scores by id.
        strength: The highest of them, as a share of what a section that is all about every word
            of the question would have.
        candidates: Ids of the sections with the highest BM25.
        similarities: Cosines by id, of the nearest and of all candidates; ``None`` where there are
            no embeddings, and then the words alone decide.
    """
    best = max(words.values(), default=0.0) or 1.0
    if similarities is None:
        return in_order(Ranked(key, words[key] / best, None) for key in candidates)
    share = LEXICAL_SHARE * math.sqrt(min(strength, 1.0))
    return in_order(
        Ranked(
            key,
            share * words.get(key, 0.0) / best
            + (1 - LEXICAL_SHARE) * max(similarities.get(key, 0.0), 0.0),
            similarities.get(key),
        )
        for key in dict.fromkeys((*candidates, *similarities))
    )


def in_order(ranked: Iterable[Ranked]) -> list[Ranked]:
    """Return sections by their scores, the best first."""
    return sorted(ranked, key=lambda each: (-each.score, each.id))


def drawn(ranked: Sequence[Ranked], vectors: Matrix) -> list[Ranked]:
    """Return sections anew in order, drawn to what the first of them have in common.

    ``(s + 0.2 cos(v, m)) / 1.2``, where ``m`` is the mean of the first five vectors: feedback as
    Rocchio has it ("Relevance Feedback in Information Retrieval", 1971), with the first hits for
    those that a reader would have marked.

    Args:
        ranked: The best first.
        vectors: Of each, in the same order; zeros where there is none.
    """
    mean = vectors[:_FIRST].mean(axis=0, keepdims=True)
    likeness = np.maximum(vectors @ unit(mean)[0], 0.0).tolist()
    most = 1 + _LIKE_THE_FIRST
    return in_order(
        Ranked(each.id, (each.score + _LIKE_THE_FIRST * like) / most, each.similarity)
        for each, like in zip(ranked, likeness, strict=True)
    )


def without_repetition(ranked: Sequence[Ranked], vectors: Matrix) -> list[Ranked]:
    """Return sections anew in order, with what repeats a better one further behind.

    Args:
        ranked: The best first.
        vectors: Of each, in the same order; zeros where there is none.
    """
    among = np.tril(vectors[:_DEPTH] @ vectors[:_DEPTH].T, -1)
    repeats = among.max(axis=1, initial=0.0) > _THE_SAME
    first = (
        Ranked(each.id, each.score * (_REPEATED if again else 1), each.similarity)
        for each, again in zip(ranked[:_DEPTH], repeats, strict=True)
    )
    return in_order((*first, *ranked[_DEPTH:]))


def reports_changes(url: str) -> bool:
    """Tell by its address whether a page says what changed, rather than how things are."""
    return bool(_CHANGES.search(url.partition("#")[0]))


def weigh(
    ranked: Sequence[Ranked],
    places: Mapping[int, Place],
    of_project: Collection[str] = (),
) -> list[Ranked]:
    """Return sections anew in order, by themselves and by the page that each is on.

    ``(s + 0.1 (sum of the three highest s of its page)) / 1.3``, where ``s`` is the score, 0.6 of
    it on a page that reports changes, and 1.15 of it in a source that the project uses.

    Args:
        ranked: Sections with their scores.
        places: Where each is.
        of_project: Ids of the sources that document what the project uses.
    """
    own, of_page = {}, defaultdict(list)
    for each in ranked:
        if place := places.get(each.id):
            changes = _OF_CHANGES if reports_changes(place.url) else 1
            used = _OF_PROJECT if place.source_id in of_project else 1
            own[each.id] = each.score * changes * used
            of_page[place.page_id].append(own[each.id])
    added = {
        page: _OF_PAGE * sum(sorted(scores)[-_BEST_OF_PAGE:]) for page, scores in of_page.items()
    }
    most = (1 + _OF_PAGE * _BEST_OF_PAGE) * (_OF_PROJECT if of_project else 1)
    return in_order(
        Ranked(each.id, (own[each.id] + added[places[each.id].page_id]) / most, each.similarity)
        for each in ranked
        if each.id in places
    )


def rarities(
    terms: Iterable[str], frequencies: Mapping[str, int], sections: int
) -> dict[str, float]:
    """Return how much each term of a question tells: its inverse document frequency.

    One that is nowhere tells the most.
    """
    counted = {term: frequencies.get(term, 0) for term in terms}
    return {
        term: math.log1p((sections - count + 0.5) / (count + 0.5))
        for term, count in counted.items()
    }


def share_of(weights: Mapping[str, float], there: Container[str]) -> float:
    """Return the share of a question's information that some of its terms have, from 0 to 1."""
    total = sum(weights.values())
    return sum(weight for term, weight in weights.items() if term in there) / total if total else 0


def confidence_of(strength: float, held: float, coverage: float) -> float:
    """Return how likely it is, from 0 to 1, that the answer is among the hits.

    ``1 / (1 + exp(6.6 - 3.4 strength - 5 held - 3.1 coverage))``, the logistic regression over the
    development questions with and without an answer. The cosine adds nothing: it is as high for a
    question about another framework.

    Args:
        strength: BM25 of the best section, as a share of what a section that is all about every
            word of the question would have.
        held: Share of the question's information in one of the first hits, on average.
        coverage: Share of the question's information anywhere.
    """
    evidence = 3.4 * min(strength, 1.0) + 5 * held + 3.1 * coverage
    return 1 / (1 + math.exp(6.6 - evidence))
