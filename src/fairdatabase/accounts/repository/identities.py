"""What the database is asked about identities at other providers."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, false, null, or_, select, update

from fairdatabase.accounts.models import Identity, Passkey, User
from fairdatabase.accounts.repository import ACTOR_ROWS, folded
from fairdatabase.authorization.schemas import Actor
from fairdatabase.kernel.database import Repository


class IdentityRepository(Repository[Identity]):
    """Accounts at other providers by which users sign in."""

    model = Identity

    def user_of(self, issuer: str, subject: str) -> User | None:
        """Return whose identity this is."""
        return self._session.scalar(
            select(User)
            .join(Identity, Identity.user_id == User.id)
            .where(Identity.issuer == issuer, Identity.subject == subject)
        )

    def account(self, issuer: str, subject: str) -> Actor | None:
        """Return the active user whose identity this is, who comes without a session."""
        statement = ACTOR_ROWS.add_columns(false().label("confirmed"), null().label("last_seen_at"))
        rows = self._session.execute(
            statement.join(Identity, Identity.user_id == User.id)
            .where(Identity.issuer == issuer, Identity.subject == subject)
            .where(User.is_active)
        ).all()
        return folded(rows)

    def user_at(self, email: str) -> User | None:
        """Return who has an address in lower case."""
        return self._session.scalar(select(User).where(User.email == email))

    def of_user(self, user_id: UUID) -> Sequence[Identity]:
        """Return a user's identities, the oldest first."""
        statement = select(Identity).where(Identity.user_id == user_id)
        return self._session.scalars(statement.order_by(Identity.linked_at, Identity.id)).all()

    def owned(self, user_id: UUID, public_id: str) -> Identity | None:
        """Return one of a user's identities."""
        return self._session.scalar(
            select(Identity).where(Identity.user_id == user_id, Identity.public_id == public_id)
        )

    def record_use(self, issuer: str, subject: str, now: datetime) -> None:
        """Note when an identity was last signed in by."""
        statement = update(Identity).where(Identity.issuer == issuer, Identity.subject == subject)
        self._session.execute(statement.values(last_used_at=now))

    def has_way_in(self, user_id: UUID, issuers: Collection[str]) -> bool:
        """Tell whether a user can sign in, and keep others from changing it before the commit.

        Args:
            user_id: Whose account it is.
            issuers: Of the providers that there are; who was linked to others cannot come by them.
        """
        user = self._session.get_one(User, user_id, with_for_update=True)
        passkeys = exists().where(Passkey.user_id == user_id)
        linked = exists().where(Identity.user_id == user_id, Identity.issuer.in_(issuers))
        has_key = self._session.scalar(select(or_(passkeys, linked)))
        return user.password_hash is not None or bool(has_key)

    def remove(self, identity: Identity) -> None:
        """Remove an identity."""
        self._session.delete(identity)
        self._session.flush()
