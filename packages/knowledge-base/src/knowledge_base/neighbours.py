"""Finds the sections whose embeddings are nearest to that of a question."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from knowledge_base.embedding import Matrix
from knowledge_base.store import Ids, Store
from knowledge_base.store.records import Scope


@dataclass(frozen=True, slots=True)
class _Held:
    """Embeddings in memory; never changed, so that a search in another thread is not disturbed.

    Attributes:
        vectors: Ids of the vectors, in order.
        sections: Ids of their sections.
        by_section: Places of the vectors in the order of their sections.
        rows: The embeddings.
    """

    vectors: Ids
    sections: Ids
    by_section: Ids
    rows: Matrix


class Neighbours:
    """All embeddings of a model in memory; what the store has added or removed is followed."""

    def __init__(self, store: Store, model: str) -> None:
        """Prepare to read embeddings.

        Args:
            store: Where they are kept.
            model: Of which.
        """
        self._store = store
        self._model = model
        self._lock = threading.Lock()
        self._state: tuple[int, int] | None = None
        none = np.empty(0, dtype=np.int64)
        self._held = _Held(none, none, none, np.empty((0, 0), dtype=np.float32))

    def nearest(
        self, question: Callable[[], Matrix], scope: Scope, count: int, also: Sequence[int]
    ) -> dict[int, float] | None:
        """Return the cosines of the nearest sections in scope, and of some others.

        ``None`` where nothing is embedded yet.

        Args:
            question: Returns its embedding; not asked for where nothing is embedded.
            scope: Where to look.
            count: How many of the nearest.
            also: Ids of sections whose cosine is wanted in any case.
        """
        held = self._current()
        if not len(held.vectors):
            return None
        cosines = held.rows @ question()
        allowed = self._store.ids(scope)
        within = (
            cosines
            if allowed is None
            else np.where(np.isin(held.sections, allowed), cosines, -np.inf)
        )
        top = np.argpartition(within, max(len(within) - count, 0))[-count:]
        chosen = {
            int(held.sections[each]): float(cosines[each]) for each in top if within[each] > -np.inf
        }
        places = np.searchsorted(held.sections, also, sorter=held.by_section)
        for key, place in zip(also, held.by_section.take(places, mode="clip"), strict=True):
            if held.sections[place] == key:
                chosen[key] = float(cosines[place])
        return chosen

    def vectors(self, sections: Sequence[int]) -> Matrix:
        """Return the embeddings of sections, one row each; zeros for one that has none."""
        held = self._held
        found = np.zeros((len(sections), held.rows.shape[1]), dtype=np.float32)
        places = np.searchsorted(held.sections, sections, sorter=held.by_section)
        there = held.by_section.take(places, mode="clip")
        known = held.sections[there] == np.asarray(sections)
        found[known] = held.rows[there[known]]
        return found

    def _current(self) -> _Held:
        state = self._store.state()
        with self._lock:
            if state != self._state:
                self._held = self._followed()
                self._state = state
            return self._held

    def _followed(self) -> _Held:
        """Return what the store has now, reading only the vectors that are not held yet."""
        there = self._store.vector_ids(self._model)
        held = self._held
        kept = np.isin(held.vectors, there, assume_unique=True)
        lacking = np.setdiff1d(there, held.vectors, assume_unique=True)
        parts = [(held.vectors[kept], held.sections[kept], held.rows[kept])]
        if len(lacking):
            # A transaction may end after a later one: ids in between are not all new.
            found = self._store.vectors(self._model, since=int(lacking[0]))
            new = np.isin(found[0], lacking, assume_unique=True)
            parts.append((found[0][new], found[1][new], found[2][new]))
        filled = [each for each in parts if len(each[0])]
        if not filled:
            return _Held(there, there, there, np.empty((0, 0), dtype=np.float32))
        vectors, sections, rows = (np.concatenate(each) for each in zip(*filled, strict=True))
        return _Held(vectors, sections, np.argsort(sections), rows)
