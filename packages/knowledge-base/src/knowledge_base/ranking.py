"""Puts sections in order by their words and their meaning, and says how far to trust it."""

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

LEXICAL_SHARE: Final = 0.4
"""Of BM25 in the fused score; the rest is the cosine. Found on the development questions."""
CONFIDENT: Final = 0.5
"""Below it an answer is a gap."""
_OF_CHANGES: Final = 0.6
"""What a section of a changelog counts: it names a thing, and seldom explains it."""
_OF_PAGE: Final = 0.1
"""What the best sections of the same page add: a page on the subject has several."""
_BEST_OF_PAGE: Final = 3
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
    lexical: Sequence[tuple[int, float]], similarities: Mapping[int, float] | None
) -> list[Ranked]:
    """Return sections by ``0.4 bm25 / max bm25 + 0.6 cosine``, the best first.

    Args:
        lexical: Ids and BM25 scores.
        similarities: Cosines by id, of the nearest and of all in ``lexical``; ``None`` where there
            are no embeddings, and then the words alone decide.
    """
    best = max((score for _, score in lexical), default=0.0)
    words = {key: score / best for key, score in lexical} if best > 0 else {}
    if similarities is None:
        return [Ranked(key, score, None) for key, score in words.items()]
    found = [
        Ranked(
            key,
            LEXICAL_SHARE * words.get(key, 0.0)
            + (1 - LEXICAL_SHARE) * max(similarities.get(key, 0.0), 0.0),
            similarities.get(key),
        )
        for key in dict.fromkeys((*words, *similarities))
    ]
    return sorted(found, key=lambda each: (-each.score, each.id))


def reports_changes(url: str) -> bool:
    """Tell by its address whether a page says what changed, rather than how things are."""
    return bool(_CHANGES.search(url.partition("#")[0]))


def weigh(ranked: Sequence[Ranked], pages: Mapping[int, tuple[int, str]]) -> list[Ranked]:
    """Return sections anew in order, by themselves and by the page that each is on.

    ``(s + 0.1 (sum of the three highest s of its page)) / 1.3``, where ``s`` is the score, and 0.6
    of it on a page that reports changes. All found on the development questions.

    Args:
        ranked: Sections with their scores.
        pages: Id and address of the page of each.
    """
    own, of_page = {}, defaultdict(list)
    for each in ranked:
        if each.id in pages:
            page, url = pages[each.id]
            own[each.id] = each.score * (_OF_CHANGES if reports_changes(url) else 1)
            of_page[page].append(own[each.id])
    added = {
        page: _OF_PAGE * sum(sorted(scores)[-_BEST_OF_PAGE:]) for page, scores in of_page.items()
    }
    most = 1 + _OF_PAGE * _BEST_OF_PAGE
    found = [
        Ranked(each.id, (own[each.id] + added[pages[each.id][0]]) / most, each.similarity)
        for each in ranked
        if each.id in pages
    ]
    return sorted(found, key=lambda each: (-each.score, each.id))


def covered(terms: Sequence[str], frequencies: Mapping[str, int], sections: int) -> float:
    """Return the share of a question's information that occurs in any section, from 0 to 1.

    Each term weighs its inverse document frequency; one that is nowhere weighs the most.
    """
    weights = {term: _rarity(frequencies.get(term, 0), sections) for term in terms}
    total = sum(weights.values())
    if not total:
        return 0.0
    return sum(weight for term, weight in weights.items() if frequencies.get(term, 0)) / total


def _rarity(frequency: int, sections: int) -> float:
    return math.log1p((sections - frequency + 0.5) / (frequency + 0.5))


def confidence_of(similarity: float | None, strength: float, coverage: float) -> float:
    """Return how likely it is, from 0 to 1, that the best section answers the question.

    By words it is ``1 / (1 + exp(-8 (x - 0.6)))`` with ``x = 0.6 strength + 0.4 coverage``, which
    is 0.5 where the development questions with and without an answer part best.

    Args:
        similarity: Cosine of the best section; ``None`` without embeddings.
        strength: BM25 of the best section, as a share of what a section that is all about every
            word of the question would have.
        coverage: Share of the question's information anywhere, see :func:`covered`.
    """
    parting = 0.6
    words = 1 / (1 + math.exp(-8 * (0.6 * min(strength, 1.0) + 0.4 * coverage - parting)))
    if similarity is None:
        return words
    return 0.5 * words + 0.5 * min(max((similarity - 0.2) / 0.5, 0.0), 1.0)
