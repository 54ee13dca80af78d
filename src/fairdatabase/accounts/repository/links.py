"""What the database is asked about links in letters."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, select, update

from fairdatabase.accounts.models import AccountLink
from fairdatabase.accounts.schemas import LinkPurpose
from fairdatabase.kernel.database import Repository


class LinkRepository(Repository[AccountLink]):
    """Links that were sent: each is good once."""

    model = AccountLink

    def waiting(self, token_hash: str, purpose: LinkPurpose, now: datetime) -> AccountLink | None:
        """Return a link that still works, which goes on doing so."""
        statement = select(AccountLink).where(_works(now), AccountLink.purpose == purpose)
        return self._session.scalar(statement.where(AccountLink.token_hash == token_hash))

    def use(self, token_hash: str, purpose: LinkPurpose, now: datetime) -> AccountLink | None:
        """Use a link up and return it; None where it works no more.

        One conditional UPDATE, so that of two requests with the same link only one is served.
        """
        statement = (
            update(AccountLink)
            .where(_works(now), AccountLink.purpose == purpose)
            .where(AccountLink.token_hash == token_hash)
            .values(used_at=now)
            .returning(AccountLink)
        )
        return self._session.scalar(statement)

    def issued_since(self, purpose: LinkPurpose, email: str, moment: datetime) -> int:
        """Return how many links of a kind were sent to an address since a moment."""
        statement = select(func.count()).where(
            AccountLink.purpose == purpose,
            AccountLink.email == email,
            AccountLink.created_at > moment,
        )
        return self._session.scalar(statement) or 0

    def invitations(self, now: datetime) -> Sequence[AccountLink]:
        """Return the invitations that wait, the newest first."""
        statement = select(AccountLink).where(
            _works(now), AccountLink.purpose == LinkPurpose.INVITATION
        )
        ordered = statement.order_by(AccountLink.created_at.desc(), AccountLink.id.desc())
        return self._session.scalars(ordered).all()

    def end_invitation(self, public_id: str, now: datetime) -> AccountLink | None:
        """Make an invitation work no more and return it; None where it did not."""
        statement = (
            update(AccountLink)
            .where(_works(now), AccountLink.purpose == LinkPurpose.INVITATION)
            .where(AccountLink.public_id == public_id)
            .values(used_at=now)
            .returning(AccountLink)
        )
        return self._session.scalar(statement)

    def end_earlier(
        self, purpose: LinkPurpose, email: str, user_id: UUID | None, now: datetime
    ) -> None:
        """Make the earlier links of a kind to an address work no more, where they are a user's."""
        same = and_(AccountLink.purpose == purpose, AccountLink.email == email)
        self._end(and_(same, AccountLink.user_id == user_id), now)

    def end_all(self, user_id: UUID, now: datetime) -> None:
        """Make all links of a user work no more: the password or the address is another."""
        self._end(AccountLink.user_id == user_id, now)

    def forget(self, expired_before: datetime) -> None:
        """Remove the links that expired before a moment."""
        self._session.execute(delete(AccountLink).where(AccountLink.expires_at < expired_before))

    def _end(self, which: ColumnElement[bool], now: datetime) -> None:
        statement = update(AccountLink).where(which, AccountLink.used_at.is_(None))
        self._session.execute(statement.values(used_at=now))


def _works(now: datetime) -> ColumnElement[bool]:
    return and_(AccountLink.used_at.is_(None), AccountLink.expires_at > now)
