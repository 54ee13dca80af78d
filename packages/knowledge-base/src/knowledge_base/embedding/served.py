"""Asks a server for embeddings."""

from collections.abc import Sequence
from typing import Final

import httpx2
import numpy as np

from knowledge_base.embedding import Matrix, unit
from knowledge_base.errors import UnreachableError

_AT_ONCE: Final = 32
"""Texts in one request: what the strictest of the common servers takes."""
_LIMITS: Final = httpx2.Timeout(60.0, connect=5.0)


class ServedEmbedder:
    """A model behind an OpenAI-compatible ``/embeddings``, as Ollama and many others have."""

    def __init__(self, url: str, model: str, *, api_key: str = "") -> None:
        """Name a server.

        Args:
            url: What stands before ``/embeddings``, such as ``http://127.0.0.1:11434/v1``.
            model: As the server calls it.
            api_key: Sent as a bearer token.
        """
        self.model = model
        self._url = f"{url.rstrip('/')}/embeddings"
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}

    def embed(self, texts: Sequence[str]) -> Matrix:
        """Return one row for each text.

        Raises:
            UnreachableError: The server does not answer as it should.
        """
        parts = [texts[each : each + _AT_ONCE] for each in range(0, len(texts), _AT_ONCE)]
        return np.concatenate([self._asked(part) for part in parts])

    def _asked(self, texts: Sequence[str]) -> Matrix:
        asked = {"model": self.model, "input": list(texts), "encoding_format": "float"}
        try:
            answer = httpx2.post(self._url, json=asked, headers=self._headers, timeout=_LIMITS)
            data = answer.raise_for_status().json()["data"]
            made = sorted(data, key=lambda each: each["index"])
            rows = np.asarray([each["embedding"] for each in made], dtype=np.float32)
        except (httpx2.HTTPError, ValueError, KeyError, TypeError) as error:
            raise UnreachableError(f"{self._url} made no embeddings: {error}") from error
        if rows.ndim != 2 or len(rows) != len(texts) or not np.isfinite(rows).all():  # noqa: PLR2004
            raise UnreachableError(
                f"{self._url} answered {len(texts)} texts with numbers of the shape {rows.shape}."
            )
        return unit(rows)
