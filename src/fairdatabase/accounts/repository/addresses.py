"""What the database is asked about people by their addresses."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, exists, func, select, update

from fairdatabase.accounts.models import AccountLink, User, UserRole
from fairdatabase.accounts.schemas import LinkPurpose
from fairdatabase.authorization.schemas import Role
from fairdatabase.kernel.database import Repository


class AddressRepository(Repository[User]):
    """Who has an address, and whether it was confirmed."""

    model = User

    def person_at(self, email: str) -> User | None:
        """Return the active user with an address in lower case, unless it is a machine."""
        is_machine = exists().where(UserRole.user_id == User.id, UserRole.role == Role.SERVICE)
        statement = select(User).where(User.email == email, User.is_active, ~is_machine)
        return self._session.scalar(statement)

    def person(self, user_id: UUID | None) -> User | None:
        """Return an active user; nobody where no id is known."""
        return self._session.scalar(select(User).where(User.id == user_id, User.is_active))

    def is_taken(self, email: str) -> bool:
        """Tell whether any account, disabled ones included, has an address in lower case."""
        return bool(self._session.scalar(select(exists().where(User.email == email))))

    def is_active_admin(self, user_id: UUID) -> bool:
        """Tell whether somebody is an admin at this moment."""
        admin = exists().where(
            User.id == user_id,
            User.is_active,
            UserRole.user_id == User.id,
            UserRole.role == Role.ADMIN,
        )
        return bool(self._session.scalar(select(admin)))

    def confirm(self, user_id: UUID, now: datetime) -> None:
        """Note that an address is its owner's; the first confirmation counts."""
        verified = func.coalesce(User.email_verified_at, now)
        statement = update(User).where(User.id == user_id).values(email_verified_at=verified)
        self._session.execute(statement)

    def change(self, user_id: UUID, email: str, now: datetime) -> None:
        """Give a user another address, which was confirmed just now."""
        values = {"email": email, "email_verified_at": now}
        self._session.execute(update(User).where(User.id == user_id).values(values))

    def remove_unconfirmed(self, created_before: datetime) -> int:
        """Remove the accounts that were asked to be confirmed and neither were nor were used.

        Returns:
            Their number.
        """
        asked = exists().where(
            AccountLink.user_id == User.id, AccountLink.purpose == LinkPurpose.VERIFY_EMAIL
        )
        statement = delete(User).where(
            asked,
            User.email_verified_at.is_(None),
            User.last_login_at.is_(None),
            User.created_at < created_before,
        )
        return len(self._session.scalars(statement.returning(User.id)).all())
