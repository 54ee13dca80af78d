"""Measures how well questions are answered, against sections that people say are the answers."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from knowledge_base.documents import Stored

_SUFFIX = re.compile(r"(?:\.html|\.md|\.rst|\.txt|/)+$")
_REPEATED = re.compile(r"-\d+$")
_JOINED = re.compile(r"[._]")


@dataclass(frozen=True, slots=True)
class Expected:
    """A section that answers a question.

    Attributes:
        url: How its address ends, such as ``blueprints#nesting-blueprints``. Without a fragment any
            section of the page will do.
        text: Words that it has to hold, where one address leads to several sections.
    """

    url: str
    text: str = ""

    def accepts(self, found: Stored) -> bool:
        """Tell whether a section that was found is this one.

        Suffixes of files, and how often a heading's name was used on a page before, do not count:
        they differ between a site and what it was built from.
        """
        page, fragment = _parts(found.url)
        wanted_page, wanted_fragment = _parts(self.url)
        return (
            f"/{page}".endswith(f"/{wanted_page}")
            and wanted_fragment in {"", fragment}
            and self.text in found.section.text
        )


def _parts(url: str) -> tuple[str, str]:
    """Return the page and the fragment of an address, in the form that they are compared in."""
    page, _, fragment = url.lower().partition("#")
    return _SUFFIX.sub("", page), _REPEATED.sub("", _JOINED.sub("-", fragment))


def rank_of(found: Sequence[Stored], expected: Sequence[Expected]) -> int | None:
    """Return the place, from 1, of the first section that answers; ``None`` where none does."""
    for place, each in enumerate(found, 1):
        if any(one.accepts(each) for one in expected):
            return place
    return None


def recall(ranks: Sequence[int | None], *, at: int = 5) -> float:
    """Return the share of questions with an answer among the first sections.

    ``|{q : rank(q) <= at}| / |Q|``, with one answer being enough for a question.
    """
    return sum(rank is not None and rank <= at for rank in ranks) / len(ranks)


def mean_reciprocal_rank(ranks: Sequence[int | None], *, at: int = 10) -> float:
    """Return ``(1 / |Q|) sum 1 / rank(q)``; a question with no answer by ``at`` adds nothing."""
    return sum(1 / rank for rank in ranks if rank is not None and rank <= at) / len(ranks)


def area_under_curve(inside: Iterable[float], outside: Iterable[float]) -> float:
    """Return how likely a question that has an answer is more trusted than one that has none.

    The area under the ROC curve by ranks (Mann and Whitney): ``U / (m n)`` with
    ``U = R - m (m + 1) / 2``, where ``R`` is the sum of the ranks of the ``m`` confidences of
    answerable questions among all ``m + n``. Equal confidences share their mean rank, so that a
    confidence that says nothing gives 0.5.
    """
    of_inside, of_outside = list(inside), list(outside)
    marked = sorted([(each, 1) for each in of_inside] + [(each, 0) for each in of_outside])
    summed, before = 0.0, 0
    for _, tied in groupby(marked, key=lambda each: each[0]):
        answerable = [is_inside for _, is_inside in tied]
        summed += sum(answerable) * (before + (len(answerable) + 1) / 2)
        before += len(answerable)
    count = len(of_inside)
    return (summed - count * (count + 1) / 2) / (count * len(of_outside))
