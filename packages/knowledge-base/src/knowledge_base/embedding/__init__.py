"""Makes embeddings of texts: by a bundled model, or by a server that offers one."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

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
