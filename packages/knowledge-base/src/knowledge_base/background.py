"""Embeds what is added while searches are already answered."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from knowledge_base.errors import KnowledgeBaseError
from knowledge_base.knowledge import KnowledgeBase

_AT_ONCE: Final = 32
"""Few, so that questions do not wait long for the processor."""
_SECONDS_TO_STOP: Final = 10.0
_log = logging.getLogger(__name__)


@contextmanager
def embedding_behind(
    knowledge: KnowledgeBase, *, pause: float = 10.0, pause_after_error: float = 60.0
) -> Iterator[None]:
    """Embed in a thread of its own what has no vector yet, for as long as the context lasts.

    Args:
        knowledge: Without an embedder nothing is done.
        pause: Seconds until one looks for new sections, when all are embedded.
        pause_after_error: Seconds until it is tried again.
    """
    if knowledge.embedder is None:
        yield
        return
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            try:
                if not knowledge.embed_next(_AT_ONCE):
                    stop.wait(pause)
            except (KnowledgeBaseError, SQLAlchemyError) as error:
                _log.warning("Nothing is embedded for now: %s", error)
                stop.wait(pause_after_error)

    thread = threading.Thread(target=work, name="embedding", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_SECONDS_TO_STOP)
