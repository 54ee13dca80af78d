"""How often something secret may be guessed, whoever guesses and wherever they come from.

Attempts are counted before they are judged, under a lock: of a thousand attempts at the same
moment five are heard. An account that does not exist is counted like one that does. The counts
are in the database, so that all workers share them, under a keyed hash of what was attempted:
the table lists nobody.
"""

import hmac

from fairdatabase.accounts.repository.failures import FailureRepository
from fairdatabase.accounts.rules.throttle import FORGOTTEN_AFTER, counted, seconds_to_wait
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import RateLimitError


class Throttle:
    """Counts attempts and makes the next one wait.

    Args:
        database: Where they are counted.
        settings: Its secret key hides who was attempted.
        clock: Source of the present time.
    """

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._failures = FailureRepository(database)
        secret = settings.secret_key.get_secret_value()
        self._key = hmac.digest(secret.encode(), b"fairdatabase attempts", "sha256")

    def attempt(self, account: str) -> int:
        """Count an attempt before it is judged.

        Args:
            account: What is attempted: an address in lower case, or another name of a secret.

        Returns:
            How many attempts in a row this is, itself included.

        Raises:
            RateLimitError: It comes too early; it is not counted.
        """
        now = self._clock()
        with self._database.transaction():
            row = self._failures.lock(self._hidden(account), now)
            seconds = seconds_to_wait(row.failures, row.last_failed_at, now)
            if seconds:
                raise RateLimitError(
                    "Too many failed attempts for this account. Please try again in"
                    f" {seconds} second{'s' * (seconds > 1)}.",
                    retry_after=seconds,
                )
            row.failures = counted(row.failures, row.last_failed_at, now) + 1
            row.last_failed_at = now
            return row.failures

    def clear(self, account: str) -> None:
        """Forget the attempts: one of them was right, or the owner proved to be the owner."""
        with self._database.transaction():
            self._failures.clear(self._hidden(account))

    def sweep(self) -> None:
        """Remove what counts no more."""
        with self._database.transaction():
            self._failures.forget(self._clock() - FORGOTTEN_AFTER)

    def _hidden(self, account: str) -> str:
        return hmac.new(self._key, account.encode(), "sha256").hexdigest()
