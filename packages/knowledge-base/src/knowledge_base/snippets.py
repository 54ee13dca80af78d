"""Cuts the part out of a text that shows why it was found."""

import re
from collections.abc import Sequence
from typing import Final

LENGTH: Final = 300
_SENTENCE = re.compile(r"(?<=[.!?:])\s+|\n+")


def snippet_of(text: str, terms: Sequence[str]) -> str:
    """Return the run of sentences with most of the terms, of about 300 characters."""
    sentences = [each.strip() for each in _SENTENCE.split(text) if each.strip()]
    if not sentences:
        return ""
    lowered = [sentence.lower() for sentence in sentences]
    counts = [sum(term in sentence for term in terms) for sentence in lowered]
    start = max(range(len(sentences)), key=lambda each: (counts[each], -each))
    chosen = [sentences[start]]
    for sentence in sentences[start + 1 :]:
        if sum(map(len, chosen)) + len(sentence) > LENGTH:
            break
        chosen.append(sentence)
    joined = " ".join(chosen)
    return joined if len(joined) <= 2 * LENGTH else joined[: 2 * LENGTH].rstrip() + " …"
