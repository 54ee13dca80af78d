"""Embeddings in memory follow what the store has, without being read again."""

from collections.abc import Sequence
from unittest.mock import patch

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge_base.documents import Page, Source
from knowledge_base.knowledge import KnowledgeBase
from knowledge_base.neighbours import Neighbours
from knowledge_base.store import Store
from knowledge_base.store.records import Scope

EVERYTHING = Scope()


def vector(angle: int) -> NDArray[np.float32]:
    """Return a vector of length one."""
    return np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))], dtype=np.float32)


def near(
    neighbours: Neighbours, angle: int, scope: Scope = EVERYTHING, also: Sequence[int] = ()
) -> dict[int, float] | None:
    """Return the one nearest section, and others, with cosines of two digits."""
    found = neighbours.nearest(lambda: vector(angle), scope, 1, also)
    return found and {key: abs(round(cosine, 2)) for key, cosine in found.items()}


@pytest.fixture
def keys(knowledge: KnowledgeBase) -> list[int]:
    """Ids of the sections, the last of which was embedded first."""
    found = sorted(knowledge.store.without_vectors("m", 10))
    knowledge.store.put_vectors("m", {found[-1]: vector(90)})
    knowledge.store.put_vectors("m", {found[0]: vector(0), found[1]: vector(45)})
    return found


def test_the_nearest_and_those_asked_for(store: Store, keys: list[int]) -> None:
    neighbours = Neighbours(store, "m")
    assert near(neighbours, 0) == {keys[0]: 1}
    assert near(neighbours, 0, also=[keys[-1], keys[2], 10**6]) == {keys[0]: 1, keys[-1]: 0}
    assert near(neighbours, 0, Scope(frozenset({"other"}))) == {}
    assert near(Neighbours(store, "other"), 0, also=keys) is None


def test_only_what_is_new_is_read(store: Store, keys: list[int]) -> None:
    neighbours = Neighbours(store, "m")
    near(neighbours, 0)
    newest = int(store.vector_ids("m")[-1])
    store.put_vectors("m", {keys[2]: vector(10)})
    with patch.object(store, "vectors", wraps=store.vectors) as read:
        assert near(neighbours, 10) == near(neighbours, 10) == {keys[2]: 1}
    read.assert_called_once_with("m", since=newest + 1)


def test_what_is_gone_is_dropped_and_what_took_its_place_is_read(
    knowledge: KnowledgeBase, flask: Source, blueprints: Page, keys: list[int]
) -> None:
    store = knowledge.store
    neighbours = Neighbours(store, "m")
    assert near(neighbours, 90) == {keys[-1]: 1}
    knowledge.refresh(flask, [blueprints])
    assert near(neighbours, 90) == {keys[1]: 0.71}
    knowledge.refresh(flask, [])
    knowledge.refresh(flask, [blueprints])
    assert near(neighbours, 0) is None
    (first, *_) = sorted(store.without_vectors("m", 10))
    store.put_vectors("m", {first: vector(30)})
    assert near(neighbours, 30) == {first: 1}
