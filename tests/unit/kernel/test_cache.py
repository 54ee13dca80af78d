"""The cache in the memory of a process."""

import threading
from itertools import count

import pytest

from fairdatabase.kernel.cache import Cache


def test_a_value_is_made_once_and_anew_after_it_was_forgotten() -> None:
    cache: Cache[int] = Cache(seconds=60, capacity=10)
    numbers = count()
    assert [cache.get_or_make("a", lambda: next(numbers)) for _ in range(3)] == [0, 0, 0]
    cache.forget("a", "b")
    assert cache.get_or_make("a", lambda: next(numbers)) == 1


def test_everything_is_forgotten_at_once() -> None:
    cache: Cache[int] = Cache(seconds=60, capacity=10)
    numbers = count()
    assert [cache.get_or_make(key, lambda: next(numbers)) for key in "ab"] == [0, 1]
    cache.forget_all()
    assert [cache.get_or_make(key, lambda: next(numbers)) for key in "ab"] == [2, 3]


def test_what_fails_is_not_remembered() -> None:
    cache: Cache[int] = Cache(seconds=60, capacity=10)

    def fail() -> int:
        raise KeyError

    with pytest.raises(KeyError):
        cache.get_or_make("a", fail)
    assert cache.get_or_make("a", lambda: 1) == 1


def test_what_lay_idle_longest_makes_room() -> None:
    cache: Cache[int] = Cache(seconds=60, capacity=2)
    numbers = count()

    def value(key: str) -> int:
        return cache.get_or_make(key, lambda: next(numbers))

    assert (value("a"), value("b"), value("a"), value("c")) == (0, 1, 0, 2)
    assert (value("a"), value("b")) == (0, 3)


def test_a_value_made_while_something_was_forgotten_is_not_kept() -> None:
    cache: Cache[str] = Cache(seconds=60, capacity=10)

    def outdated() -> str:
        cache.forget("a")
        return "old"

    assert cache.get_or_make("a", outdated) == "old"
    assert cache.get_or_make("a", lambda: "new") == "new"


def test_many_threads_make_a_value_once() -> None:
    cache: Cache[int] = Cache(seconds=60, capacity=10)
    numbers = count()
    inside = threading.Event()
    release = threading.Event()

    def slowly() -> int:
        inside.set()
        assert release.wait(10)
        return next(numbers)

    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(cache.get_or_make("a", slowly)))
        for _ in range(8)
    ]
    threads[0].start()
    assert inside.wait(10)
    for thread in threads[1:]:
        thread.start()
    release.set()
    for thread in threads:
        thread.join()
    assert found == [0] * 8


def test_old_values_are_made_anew() -> None:
    cache: Cache[int] = Cache(seconds=1e-9, capacity=10)
    numbers = count()
    assert [cache.get_or_make("a", lambda: next(numbers)) for _ in range(2)] == [0, 1]
