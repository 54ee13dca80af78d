"""Gathers what was asked and not found, so that somebody can add it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import packages_distributions
from typing import Final

from knowledge_base.store import Store
from knowledge_base.store.records import Question
from knowledge_base.terms import terms_of

_READ: Final = 5000
_ALIKE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Gap:
    """Questions that mean about the same and have no answer.

    Attributes:
        questions: As they were asked, each once, the newest first.
        times: How often they were asked.
        confidence: The highest that any of them was answered with.
        suggestions: Sources that may hold the answer, as ``kb add`` takes them.
    """

    questions: tuple[str, ...]
    times: int
    confidence: float
    suggestions: tuple[str, ...]


def gaps_of(store: Store, *, most: int = 50) -> list[Gap]:
    """Return the gaps, the most often asked first.

    Questions are put together when they share half of the words of both (Jaccard index).
    """
    groups: list[tuple[frozenset[str], list[Question]]] = []
    for question in store.questions(gaps_only=True, limit=_READ):
        words = frozenset(terms_of(question.query))
        for known, group in groups:
            if len(words & known) >= _ALIKE * len(words | known):
                group.append(question)
                break
        else:
            groups.append((words, [question]))
    groups.sort(key=lambda each: -len(each[1]))
    installed = _installed_names()
    return [
        Gap(
            questions=tuple(dict.fromkeys(question.query for question in group)),
            times=len(group),
            confidence=max(question.confidence for question in group),
            suggestions=tuple(_suggestions(sorted(words), installed)),
        )
        for words, group in groups[:most]
    ]


@cache
def _installed_names() -> dict[str, str]:
    """Return the distributions of this environment by the names people know them under."""
    found = {}
    for module, owners in packages_distributions().items():
        for owner in owners:
            found[module.lower()] = found[owner.lower()] = owner
    return found


def _suggestions(words: Sequence[str], installed: dict[str, str]) -> list[str]:
    named = dict.fromkeys(installed[word] for word in words if word in installed)
    return [location for name in named for location in (f"pypi:{name}", f"installed:{name}")]
