"""Attempts are counted, whoever makes them, on both databases."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from fairdatabase.accounts.models import SignInFailures
from fairdatabase.accounts.service.throttle import Throttle
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import RateLimitError
from tests.factories.kernel import ManualClock

ADA = "ada@example.org"


@pytest.fixture
def throttle(database: Database, settings: Settings, clock: ManualClock) -> Throttle:
    return Throttle(database, settings, clock)


def rows(database: Database) -> list[SignInFailures]:
    with database.reading() as session:
        return list(session.scalars(select(SignInFailures)))


def test_attempts_are_counted_for_each_account(throttle: Throttle) -> None:
    assert [throttle.attempt(ADA) for _ in range(3)] == [1, 2, 3]
    assert throttle.attempt("grace@example.org") == 1
    throttle.clear(ADA)
    assert throttle.attempt(ADA) == 1


def test_the_sixth_attempt_waits_and_is_not_counted_meanwhile(
    throttle: Throttle, clock: ManualClock
) -> None:
    for _ in range(5):
        throttle.attempt(ADA)
    for _ in range(20):
        with pytest.raises(RateLimitError, match="again in 1 second") as refusal:
            throttle.attempt(ADA)
        assert refusal.value.retry_after == 1
    clock.advance(seconds=1)
    assert throttle.attempt(ADA) == 6
    with pytest.raises(RateLimitError, match="again in 2 seconds"):
        throttle.attempt(ADA)


def test_of_many_attempts_at_once_five_are_heard(throttle: Throttle) -> None:
    def heard(_number: int) -> bool:
        try:
            throttle.attempt(ADA)
        except RateLimitError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(heard, range(20))) == 5


def test_a_day_of_quiet_forgets(throttle: Throttle, clock: ManualClock, database: Database) -> None:
    for _ in range(5):
        throttle.attempt(ADA)
    throttle.attempt("grace@example.org")
    clock.advance(days=1)
    assert throttle.attempt(ADA) == 1
    clock.advance(seconds=1)
    throttle.sweep()
    assert len(rows(database)) == 1


def test_the_table_names_nobody(
    throttle: Throttle, database: Database, settings: Settings, clock: ManualClock
) -> None:
    throttle.attempt(ADA)
    (row,) = rows(database)
    assert len(row.account) == 64
    other = settings.model_copy(update={"secret_key": settings.pseudonym_key})
    Throttle(database, other, clock).attempt(ADA)
    assert len(rows(database)) == 2
