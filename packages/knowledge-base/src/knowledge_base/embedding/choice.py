"""Chooses the embedder that the settings name."""

import re
from functools import partial
from importlib.util import find_spec
from typing import Final

from knowledge_base.embedding import Embedder
from knowledge_base.embedding.bundled import BundledEmbedder
from knowledge_base.embedding.served import ServedEmbedder
from knowledge_base.embedding.weights import weights_in
from knowledge_base.errors import UnavailableError
from knowledge_base.settings import Settings

_OLLAMA: Final = "http://127.0.0.1:11434/v1"
_SERVED = re.compile(r"ollama:(?P<own>[^\s#]+)|openai:(?P<url>https?://[^\s#]+)#(?P<model>\S+)")
_EXTRA: Final = ("onnxruntime", "tokenizers")


def embedder_of(settings: Settings) -> Embedder | None:
    """Return the embedder that is set; none where none is wanted or the extra is not installed.

    Raises:
        UnavailableError: The setting names no embedder.
    """
    if settings.embedder == "none":
        return None
    if settings.embedder == "bundled":
        if any(find_spec(each) is None for each in _EXTRA):
            return None
        folder = partial(weights_in, settings.cache.expanduser())
        return BundledEmbedder(folder, threads=settings.embedder_threads)
    named = _SERVED.fullmatch(settings.embedder)
    if named is None:
        raise UnavailableError(
            f"KB_EMBEDDER is {settings.embedder!r}: set bundled, none, ollama:MODEL or"
            " openai:URL#MODEL, such as openai:https://api.example.org/v1#text-embedding-3-small."
        )
    key = settings.embedder_key.get_secret_value()
    return ServedEmbedder(named["url"] or _OLLAMA, named["own"] or named["model"], api_key=key)
