"""Embeds on this machine, with all-MiniLM-L6-v2."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from knowledge_base.embedding import Matrix, unit
from knowledge_base.embedding.graph import MASK, STATES, TOKENS, graph_of
from knowledge_base.embedding.weights import MODEL, TOKENIZER, WEIGHTS
from knowledge_base.errors import KnowledgeBaseError, UnavailableError

MOST_TOKENS: Final = 256
"""As the model was trained; what comes after them does not count."""
_AT_ONCE: Final = 1024
"""Tokens in one pass: more are no faster, and need more memory."""
_SECONDS_TO_RETRY: Final = 300.0


class BundledEmbedder:
    """The bundled model. It is loaded when it is first used, and may be used by several threads."""

    def __init__(self, folder: Callable[[], Path], *, threads: int = 2) -> None:
        """Prepare to load a model.

        Args:
            folder: Returns where the weights and the tokenizer are, and may fetch them first.
            threads: Of one pass through the model.
        """
        self.model = MODEL
        self._folder = folder
        self._threads = threads
        self._lock = threading.Lock()
        self._encoder: _Encoder | None = None
        self._failed: tuple[float, KnowledgeBaseError] | None = None

    def embed(self, texts: Sequence[str]) -> Matrix:
        """Return one row for each text.

        Raises:
            UnavailableError: What is needed is not installed or could not be fetched; the next
                minutes it is not tried again.
        """
        encoder = self._loaded()
        encoded = encoder.tokens(texts)
        rows = np.zeros((len(encoded), encoder.dimensions), dtype=np.float32)
        for some in grouped([len(each) for each in encoded], _AT_ONCE):
            rows[some] = encoder.means([encoded[each] for each in some])
        return unit(rows)

    def _loaded(self) -> "_Encoder":
        with self._lock:
            if self._failed and time.monotonic() - self._failed[0] < _SECONDS_TO_RETRY:
                raise self._failed[1]
            if self._encoder is None:
                try:
                    self._encoder = _Encoder(self._folder(), self._threads)
                except KnowledgeBaseError as error:
                    self._failed = (time.monotonic(), error)
                    raise
            return self._encoder


class _Encoder:
    """A tokenizer and a session of ONNX Runtime."""

    def __init__(self, folder: Path, threads: int) -> None:
        try:
            import onnxruntime  # noqa: PLC0415 - an extra, and slow to import
            from tokenizers import Tokenizer  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise UnavailableError(
                f"The bundled embedder lacks {error.name}: pip install 'knowledge-base[vectors]'."
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry(
            "session.model_external_initializers_file_folder_path", str(folder)
        )
        self._session: Any = onnxruntime.InferenceSession(
            graph_of(folder / WEIGHTS), options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer: Any = Tokenizer.from_file(str(folder / TOKENIZER))
        self._tokenizer.enable_truncation(MOST_TOKENS)
        self._tokenizer.no_padding()
        self.dimensions: int = self._session.get_outputs()[0].shape[-1]

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the numbers of the tokens of each text."""
        return [self._tokenizer.encode(text).ids for text in texts]

    def means(self, encoded: Sequence[Sequence[int]]) -> Matrix:
        """Return the mean of the last states of each text's tokens."""
        tokens, mask = padded(encoded)
        (states,) = self._session.run([STATES], {TOKENS: tokens, MASK: mask})
        return mean_of(states, mask)


def grouped(lengths: Sequence[int], most: int) -> list[list[int]]:
    """Return the places of texts in groups of like length, so that little is padded.

    Args:
        lengths: Of the texts, in tokens.
        most: Tokens in a group of more than one text, padding included.
    """
    groups: list[list[int]] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        if groups and (len(groups[-1]) + 1) * lengths[place] <= most:
            groups[-1].append(place)
        else:
            groups.append([place])
    return groups


def padded(encoded: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return texts as rows as long as the longest, and a mask of what is not padding."""
    tokens = np.zeros((len(encoded), max(map(len, encoded))), dtype=np.int64)
    mask = np.zeros_like(tokens)
    for row, text in enumerate(encoded):
        tokens[row, : len(text)] = text
        mask[row, : len(text)] = 1
    return tokens, mask


def mean_of(states: NDArray[np.float32], mask: NDArray[np.int64]) -> Matrix:
    """Return the mean of each text's states, without those of its padding."""
    weights = mask[:, :, np.newaxis].astype(np.float32)
    return np.asarray((states * weights).sum(axis=1) / weights.sum(axis=1), dtype=np.float32)
