"""What the database is asked about passkeys."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update

from fairdatabase.accounts.models import Passkey
from fairdatabase.kernel.database import Repository


class PasskeyRepository(Repository[Passkey]):
    """WebAuthn credentials."""

    model = Passkey

    def of_user(self, user_id: UUID) -> Sequence[Passkey]:
        """Return a user's passkeys, the oldest first."""
        statement = select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id)
        return self._session.scalars(statement).all()

    def by_credential(self, credential_id: bytes) -> Passkey | None:
        """Return the passkey with an id that its authenticator gave it."""
        statement = select(Passkey).where(Passkey.credential_id == credential_id)
        return self._session.scalar(statement)

    def rename(self, user_id: UUID, public_id: str, name: str) -> bool:
        """Name a user's passkey; False where the user has none of this id."""
        statement = (
            update(Passkey)
            .where(Passkey.user_id == user_id, Passkey.public_id == public_id)
            .values(name=name)
            .returning(Passkey.id)
        )
        return self._session.scalar(statement) is not None

    def remove(self, user_id: UUID, public_id: str) -> bool:
        """Remove a user's passkey; False where the user has none of this id."""
        statement = (
            delete(Passkey)
            .where(Passkey.user_id == user_id, Passkey.public_id == public_id)
            .returning(Passkey.id)
        )
        return self._session.scalar(statement) is not None

    def record_use(self, passkey_id: UUID, now: datetime, sign_count: int) -> bool:
        """Note a use; False where a use with this count, or a later one, was noted before.

        Authenticators that do not count say zero for ever.
        """
        rises = Passkey.sign_count < sign_count if sign_count else Passkey.sign_count == 0
        statement = (
            update(Passkey)
            .where(Passkey.id == passkey_id, rises)
            .values(last_used_at=now, sign_count=sign_count)
            .returning(Passkey.id)
        )
        return self._session.scalar(statement) is not None
