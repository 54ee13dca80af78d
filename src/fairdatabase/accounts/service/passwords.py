"""New passwords, the same wherever one is chosen."""

import os
import threading
from functools import cache

from fairdatabase.accounts.rules import Passwords, password_problem
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.errors import ValidationError


def passwords_of(settings: Settings) -> Passwords:
    """Return what hashes passwords at the cost of this instance."""
    return Passwords(
        memory_kib=settings.argon2_memory_kib,
        time_cost=settings.argon2_time_cost,
        parallelism=settings.argon2_parallelism,
        gate=_gate(settings.argon2_parallelism),
    )


def most_at_a_time(lanes: int) -> int:
    """Return as many hashes as half of the cores have lanes for, and at least one.

    Each takes tens of MiB and all its lanes a while. Without an end to their number the sign-ins
    of a few people at once leave nothing to everybody else, and are not done sooner either.

    Args:
        lanes: Threads of one hash.
    """
    return max(1, (os.cpu_count() or 1) // (2 * lanes))


@cache
def _gate(lanes: int) -> threading.BoundedSemaphore:
    """Return what lets in so many hashes, for the whole process."""
    return threading.BoundedSemaphore(most_at_a_time(lanes))


def require_good(password: str, *, name: str, email: str, site: str) -> None:
    """Let a good password pass.

    Args:
        password: That somebody chose.
        name: Of that person.
        email: Of that person.
        site: Name of the instance.

    Raises:
        ValidationError: It would be guessed soon, or is too short or too long.
    """
    problem = password_problem(password, name=name, email=email, site=site)
    if problem:
        raise ValidationError(problem, details=[{"field": "password", "message": problem}])
