"""A small cache in the memory of each process.

What one process forgets another may keep for as long as the entries live, so only things that
may be stale for some seconds belong in here, and no decision about access.
"""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from dogpile.cache import make_region

V = TypeVar("V")


class _RecentlyUsed:
    """The part of a dictionary that dogpile needs, bounded: what lay idle longest is dropped."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[str, object] = OrderedDict()
        self._lock = Lock()

    def get(self, key: str, default: object = None) -> object:
        with self._lock:
            if key not in self._entries:
                return default
            self._entries.move_to_end(key)
            return self._entries[key]

    def __setitem__(self, key: str, value: object) -> None:
        with self._lock:
            self._entries[key] = value
            self._entries.move_to_end(key)
            if len(self._entries) > self._capacity:
                self._entries.popitem(last=False)

    def pop(self, key: str, default: object = None) -> object:
        with self._lock:
            return self._entries.pop(key, default)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()


class Cache(Generic[V]):
    """Values by key; a missing value is made by one thread while the others wait for it.

    Args:
        seconds: Age at which a value is made anew.
        capacity: Number of values kept.
    """

    def __init__(self, *, seconds: float, capacity: int) -> None:
        self._generation = 0
        self._entries = _RecentlyUsed(capacity)
        self._region = make_region().configure(
            "dogpile.cache.memory",
            expiration_time=seconds,
            arguments={"cache_dict": self._entries},
        )

    def get_or_make(self, key: str, make: Callable[[], V]) -> V:
        """Return the value of ``key``; what ``make`` raises is raised and not remembered."""
        generation = self._generation
        # A value that was being made while something was forgotten may be made of old facts.
        value: V = self._region.get_or_create(
            key, make, should_cache_fn=lambda _: generation == self._generation
        )
        return value

    def forget(self, *keys: str) -> None:
        """Make these values anew when they are next asked for."""
        self._generation += 1
        self._region.delete_multi(keys)

    def forget_all(self) -> None:
        """Make every value anew when it is next asked for."""
        self._generation += 1
        self._entries.clear()
