"""What the database is asked about attempts that failed."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from fairdatabase.accounts.models import SignInFailures
from fairdatabase.kernel.database import Repository


class FailureRepository(Repository[SignInFailures]):
    """Failed attempts in a row, by what was attempted."""

    model = SignInFailures

    def lock(self, account: str, now: datetime) -> SignInFailures:
        """Return the row of an account, made when missing; others wait until this one is done."""
        insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        new = insert(SignInFailures).values(account=account, failures=0, last_failed_at=now)
        self._session.execute(new.on_conflict_do_nothing())
        statement = select(SignInFailures).where(SignInFailures.account == account)
        return self._session.scalars(statement.with_for_update()).one()

    def clear(self, account: str) -> None:
        """Forget the failures of an account."""
        self._session.execute(delete(SignInFailures).where(SignInFailures.account == account))

    def forget(self, last_failed_before: datetime) -> None:
        """Remove the rows of which the last failure lies before a moment."""
        older = SignInFailures.last_failed_at < last_failed_before
        self._session.execute(delete(SignInFailures).where(older))
