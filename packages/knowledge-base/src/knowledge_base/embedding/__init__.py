"""Makes embeddings of texts: by a bundled model, or by a server that offers one."""

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge_base.documents import Section

_OF_HEADINGS: Final = 0.3
"""Of a section's vector; the rest is of its text. Found on the development questions."""

Matrix = NDArray[np.float32]


class Embedder(Protocol):
    """Makes a vector of each text, so that texts of like meaning have like vectors."""

    @property
    def model(self) -> str:
        """Name under which the vectors are kept; vectors of different models do not compare."""

    def embed(self, texts: Sequence[str]) -> Matrix:
        """Return one row of length one for each text.

        Raises:
            UnavailableError: The embedder is not ready on this machine.
            UnreachableError: A server that it needs does not answer as it should.
        """


def unit(matrix: Matrix) -> Matrix:
    """Return rows scaled to length one, so that products are cosines."""
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.asarray(matrix / np.maximum(lengths, np.finfo(np.float32).tiny), dtype=np.float32)


def vectors_of(embedder: Embedder, sections: Sequence[Section]) -> Matrix:
    """Return one row of length one for each section.

    ``0.3 h + 0.7 t``, scaled: ``h`` of the headings alone, which say what the section is about, and
    ``t`` of the headings with the text, whose end a model may not see.

    Raises:
        UnavailableError: The embedder is not ready on this machine.
        UnreachableError: A server that it needs does not answer as it should.
    """
    headings = [" > ".join(each.trail) for each in sections]
    named = list(dict.fromkeys(filter(None, headings)))
    texts = [f"{above}\n{each.text}" for above, each in zip(headings, sections, strict=True)]
    rows = embedder.embed([*texts, *named])
    of_text, of_named = rows[: len(texts)], rows[len(texts) :]
    places = {heading: place for place, heading in enumerate(named)}
    mixed = [
        (1 - _OF_HEADINGS) * row + _OF_HEADINGS * (of_named[places[heading]] if heading else row)
        for heading, row in zip(headings, of_text, strict=True)
    ]
    return unit(np.array(mixed, dtype=np.float32))
