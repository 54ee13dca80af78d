"""Use cases of personal data: what is kept about a person, a copy of it, and its end.

Rights by the GDPR: access (article 15), erasure (17) and portability (20). Other features tell
what they keep and erase what is theirs; ``services.py`` says which ones.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from pydantic import BaseModel

from fairdatabase.accounts.errors import LastAdminError
from fairdatabase.accounts.formats.archive import Archive, Documents, readme
from fairdatabase.accounts.models import User
from fairdatabase.accounts.repository import UserRepository
from fairdatabase.accounts.repository.personal import PersonalRepository
from fairdatabase.accounts.schemas.personal import (
    DELETED_HOST,
    AuthenticatorCopy,
    ConsentRecord,
    Deletion,
    IdentityCopy,
    PasskeyCopy,
    PersonalOverview,
    Profile,
    SessionCopy,
    TokenCopy,
)
from fairdatabase.accounts.service.consents import Consents
from fairdatabase.audit.service import Audit
from fairdatabase.authorization.rules import require, require_user
from fairdatabase.authorization.schemas import OPERATOR, Action, Actor, Resource
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import NotFoundError

Contributor = Callable[[UUID, str], Iterable[BaseModel]]
"""Tells what a feature keeps about a user, by primary key and public id."""
Eraser = Callable[[Actor, UUID], None]
"""Erases what a feature keeps about a user; given who wants it and the user's primary key."""
DELETED_NAME: Final = "Deleted account"
_COPIES: Final[dict[str, type[BaseModel]]] = {
    "sessions": SessionCopy,
    "personal_tokens": TokenCopy,
    "passkeys": PasskeyCopy,
    "authenticators": AuthenticatorCopy,
    "identities": IdentityCopy,
    "consents": ConsentRecord,
}


@dataclass(frozen=True, slots=True)
class PersonalExport:
    """A copy on its way out: the file's name and its bytes."""

    name: str
    archive: Archive


class PersonalData:
    """What is kept about people.

    Args:
        database: Where accounts are kept.
        settings: Name of the instance.
        clock: Source of the present time.
        audit: Where every act is recorded.
        consents: What people agreed to.
        holdings: Tells how many drafts and published versions a user has.
        contributors: What other features keep, by the name of the file in a copy.
        erasers: What other features erase.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        clock: Clock,
        *,
        audit: Audit,
        consents: Consents,
        holdings: Callable[[UUID], tuple[int, int]],
        contributors: Mapping[str, Contributor],
        erasers: Sequence[Eraser],
    ) -> None:
        self._database = database
        self._clock = clock
        self._site = settings.site_name
        self._audit = audit
        self._consents = consents
        self._holdings = holdings
        self._contributors = contributors
        self._erasers = erasers
        self._users = UserRepository(database)
        self._rows = PersonalRepository(database)

    def overview(self, actor: Actor) -> PersonalOverview:
        """Return what concerns the actor's data.

        Raises:
            AuthenticationError: Nobody is signed in.
        """
        user_id = require_user(actor)
        require(actor, Resource.ACCOUNT, Action.READ, owner_id=user_id)
        drafts, published = self._holdings(user_id)
        with self._database.reading():
            is_last_admin = self._rows.is_last_admin(user_id)
        return PersonalOverview(
            drafts=drafts,
            published=published,
            consents=self._consents.of_user(user_id),
            terms_version=self._consents.terms_version,
            agreed=self._consents.holds(user_id),
            is_last_admin=is_last_admin,
        )

    def export(self, actor: Actor) -> PersonalExport:
        """Return a copy of everything that is kept about the actor.

        Raises:
            ConfirmationRequiredError: The person has to prove again that it is them.
        """
        user_id = require_user(actor)
        require(actor, Resource.ACCOUNT, Action.EXPORT, owner_id=user_id)
        return self._export(actor, actor.public_id)

    def export_of(self, email: str) -> PersonalExport:
        """Return a copy for the one who has this address, for the command line.

        Raises:
            NotFoundError: Nobody has this address.
        """
        return self._export(OPERATOR, self._public_id(email))

    def delete(self, actor: Actor) -> Deletion:
        """End the actor's account; what is published and the audit log stay.

        Raises:
            ConfirmationRequiredError: The person has to prove again that it is them.
            LastAdminError: Nobody would be left to run the instance.
        """
        user_id = require_user(actor)
        require(actor, Resource.ACCOUNT, Action.DELETE, owner_id=user_id)
        return self._delete(actor, actor.public_id)

    def delete_of(self, email: str) -> Deletion:
        """End the account of the one who has this address, for the command line.

        Raises:
            NotFoundError: Nobody has this address.
            LastAdminError: Nobody would be left to run the instance.
        """
        return self._delete(OPERATOR, self._public_id(email))

    def _export(self, actor: Actor, public_id: str) -> PersonalExport:
        with self._database.transaction():
            user = self._user(public_id)
            self._audit.record(actor, "user.data-exported", Resource.USER, public_id)
        documents: dict[str, Documents] = {"profile": [_profile(user)], **self._copies(user.id)}
        for name, contributor in self._contributors.items():
            documents[name] = contributor(user.id, public_id)
        day = f"{self._clock():%Y-%m-%d}"
        told = readme(site=self._site, account=public_id, day=day, names=documents)
        return PersonalExport(f"personal-data-{day}.zip", Archive(documents, told))

    def _copies(self, user_id: UUID) -> dict[str, Documents]:
        with self._database.reading():
            return {
                name: [_COPIES[name].model_validate(row, from_attributes=True) for row in rows]
                for name, rows in self._rows.rows_of(user_id).items()
            }

    def _delete(self, actor: Actor, public_id: str) -> Deletion:
        now = self._clock()
        with self._database.transaction():
            admins = self._users.lock_active_admins()
            user = self._user(public_id)
            if admins == {user.id}:
                raise LastAdminError(
                    "This is the last active admin. Make somebody else an admin first."
                )
            for erase in self._erasers:
                erase(actor, user.id)
            self._rows.erase(user.id)
            email = f"{secrets.token_hex(16)}@{DELETED_HOST}"
            self._rows.empty_user(user.id, name=DELETED_NAME, email=email, when=now)
            self._audit.record(actor, "user.deleted", Resource.USER, public_id)
        return Deletion()

    def _public_id(self, email: str) -> str:
        with self._database.reading():
            user = self._users.by_email(email.lower())
        if user is None:
            raise NotFoundError(f"There is no user with the address {email}.")
        return user.public_id

    def _user(self, public_id: str) -> User:
        user = self._users.by_public_id(public_id)
        if user is None:
            raise NotFoundError(f"There is no user {public_id}.")
        return user


def _profile(user: User) -> Profile:
    return Profile(
        public_id=user.public_id,
        name=user.name,
        email=user.email,
        roles=tuple(sorted(each.role for each in user.roles)),
        created_at=user.created_at,
        last_login_at=user.last_login_at,
        email_verified_at=user.email_verified_at,
    )
