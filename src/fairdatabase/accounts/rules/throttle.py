"""How long an account waits between attempts to sign in, and when its owner is told.

The wait grows and ends: nobody is locked out for good, because that would let everybody lock
out everybody. At its longest it leaves a guesser four attempts an hour.
"""

from datetime import datetime, timedelta

FREE_ATTEMPTS = 5
"""Wrong passwords in a row that cost no wait."""
NOTICE_AFTER = 10
"""Wrong passwords in a row after which the owner is told."""
LONGEST_WAIT = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(days=1)
"""Failures that are followed by as long a quiet count no more."""
_FIRST_WAIT = timedelta(seconds=1)
_DOUBLINGS_TO_LONGEST = 10


def wait_after(failures: int) -> timedelta:
    """Return how long the next attempt has to wait after so many failures in a row."""
    doublings = failures - FREE_ATTEMPTS
    if doublings < 0:
        return timedelta(0)
    return min(_FIRST_WAIT * (1 << min(doublings, _DOUBLINGS_TO_LONGEST)), LONGEST_WAIT)


def blocked_until(failures: int, last_failed_at: datetime) -> datetime:
    """Return from when on the next attempt is heard; it may lie in the past."""
    return last_failed_at + wait_after(failures)


def seconds_to_wait(failures: int, last_failed_at: datetime, now: datetime) -> int:
    """Return in how many whole seconds to try again; 0 where nobody has to wait."""
    remaining = blocked_until(failures, last_failed_at) - now
    return max(0, -(-remaining // timedelta(seconds=1)))


def counted(failures: int, last_failed_at: datetime, now: datetime) -> int:
    """Return how many failures still count at a moment."""
    return 0 if now - last_failed_at >= FORGOTTEN_AFTER else failures


def notice_due(failures: int) -> bool:
    """Tell whether this failure is the one that the owner is told of: once in a row of them."""
    return failures == NOTICE_AFTER
