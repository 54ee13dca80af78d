"""How long an account waits between attempts."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairdatabase.accounts.rules.throttle import (
    FORGOTTEN_AFTER,
    FREE_ATTEMPTS,
    LONGEST_WAIT,
    NOTICE_AFTER,
    blocked_until,
    counted,
    notice_due,
    seconds_to_wait,
    wait_after,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FAILURES = st.integers(min_value=0, max_value=10**9)
MOMENTS = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1)).map(  # noqa: DTZ001
    lambda moment: moment.replace(tzinfo=UTC)
)


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 0), (4, 0), (5, 1), (6, 2), (7, 4), (10, 32), (14, 512), (15, 900), (10_000, 900)],
)
def test_the_wait_doubles_up_to_a_quarter_of_an_hour(failures: int, seconds: int) -> None:
    assert wait_after(failures) == timedelta(seconds=seconds)


@given(FAILURES)
def test_more_failures_never_wait_less(failures: int) -> None:
    assert timedelta(0) <= wait_after(failures) <= wait_after(failures + 1) <= LONGEST_WAIT
    assert (wait_after(failures) > timedelta(0)) == (failures >= FREE_ATTEMPTS)


@given(FAILURES, MOMENTS, MOMENTS)
def test_nobody_is_locked_out_for_good(failures: int, last: datetime, now: datetime) -> None:
    seconds = seconds_to_wait(failures, last, now)
    assert (seconds == 0) == (now >= blocked_until(failures, last))
    assert seconds_to_wait(failures, last, now + timedelta(seconds=seconds)) == 0
    assert seconds_to_wait(failures, last, last + LONGEST_WAIT) == 0
    assert seconds == 0 or now + timedelta(seconds=seconds - 1) < blocked_until(failures, last)


@given(FAILURES, MOMENTS)
def test_a_day_of_quiet_forgets(failures: int, last: datetime) -> None:
    a_day_later = last + FORGOTTEN_AFTER
    assert counted(failures, last, a_day_later) == 0
    assert counted(failures, last, a_day_later - timedelta(microseconds=1)) == failures


def test_the_owner_is_told_once() -> None:
    assert [n for n in range(1000) if notice_due(n)] == [NOTICE_AFTER]
    assert seconds_to_wait(NOTICE_AFTER, NOW, NOW + timedelta(seconds=31.5)) == 1
