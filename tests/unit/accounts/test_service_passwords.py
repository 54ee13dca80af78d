"""Hashes are computed by turns: as many at a time as half of the cores have lanes for."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from fairdatabase.accounts.service.passwords import most_at_a_time, passwords_of
from fairdatabase.kernel.config import Settings


@pytest.mark.parametrize(
    ("cores", "lanes", "expected"), [(1, 4, 1), (2, 4, 1), (16, 4, 2), (16, 1, 8), (None, 1, 1)]
)
def test_half_of_the_cores_are_for_others(
    cores: int | None, lanes: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert most_at_a_time(lanes) == expected


def test_all_services_of_a_process_share_the_turns(settings: Settings) -> None:
    one, other = passwords_of(settings), passwords_of(settings)
    lock, inside, seen = threading.Lock(), 0, 0

    class Slow:
        def hash(self, _password: str) -> str:
            nonlocal inside, seen
            with lock:
                inside += 1
                seen = max(seen, inside)
            time.sleep(0.01)
            with lock:
                inside -= 1
            return "hash"

    for each in (one, other):
        each._hasher = Slow()  # type: ignore[assignment]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: (one, other)[n % 2].hash("x"), range(16)))
    assert seen <= most_at_a_time(settings.argon2_parallelism)
