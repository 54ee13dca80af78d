"""What is kept about one person: read for a copy, and erased."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update

from fairdatabase.accounts.models import (
    AccountLink,
    Authenticator,
    Challenge,
    Consent,
    Identity,
    Passkey,
    PersonalToken,
    RecoveryCode,
    Session,
    User,
    UserRole,
)
from fairdatabase.authorization.schemas import Role
from fairdatabase.kernel.database import Repository

_ERASED = (
    AccountLink,
    Authenticator,
    Challenge,
    Consent,
    Identity,
    Passkey,
    PersonalToken,
    RecoveryCode,
    Session,
    UserRole,
)
_COPIED = (Session, PersonalToken, Passkey, Authenticator, Identity, Consent)
Copied = Session | PersonalToken | Passkey | Authenticator | Identity | Consent


class PersonalRepository(Repository[Consent]):
    """Rows that belong to one user."""

    model = Consent

    def rows_of(self, user_id: UUID) -> dict[str, Sequence[Copied]]:
        """Return what a copy for the person holds, by the name of the table."""
        found: dict[str, Sequence[Copied]] = {}
        for model in _COPIED:
            statement: Any = select(model).where(model.user_id == user_id)
            found[model.__tablename__] = self._session.scalars(statement).all()
        return found

    def consents_of(self, user_id: UUID) -> Sequence[Consent]:
        """Return what a user agreed to, the newest first."""
        statement = select(Consent).where(Consent.user_id == user_id)
        return self._session.scalars(statement.order_by(Consent.given_at.desc())).all()

    def withdraw_consents(self, user_id: UUID, document: str, when: datetime) -> Sequence[str]:
        """End what a user agreed to of a document; return the versions."""
        statement = (
            update(Consent)
            .where(Consent.user_id == user_id, Consent.document == document)
            .where(Consent.withdrawn_at.is_(None))
            .values(withdrawn_at=when)
            .returning(Consent.version)
        )
        return self._session.scalars(statement).all()

    def is_last_admin(self, user_id: UUID) -> bool:
        """Tell whether nobody but this user is an active admin."""
        statement = select(UserRole.user_id).join(User, User.id == UserRole.user_id)
        admins = statement.where(UserRole.role == Role.ADMIN, User.is_active)
        return set(self._session.scalars(admins)) == {user_id}

    def erase(self, user_id: UUID) -> None:
        """Remove everything that hangs on a user, save what other features keep."""
        for model in _ERASED:
            self._session.execute(delete(model).where(model.user_id == user_id))

    def empty_user(self, user_id: UUID, *, name: str, email: str, when: datetime) -> None:
        """Leave of a user nothing but the identifiers and the row that others refer to."""
        self._session.execute(
            update(User)
            .where(User.id == user_id)
            .values(
                name=name,
                email=email,
                password_hash=None,
                last_login_at=None,
                email_verified_at=None,
                disabled_at=when,
            )
        )
