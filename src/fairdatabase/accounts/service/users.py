"""Accounts in the hands of admins: closed, opened again, made for machines, freed of a factor."""

from sqlalchemy.exc import IntegrityError

from fairdatabase.accounts.errors import EmailTakenError, LastAdminError
from fairdatabase.accounts.formats.letters import Change
from fairdatabase.accounts.models import User, UserRole
from fairdatabase.accounts.repository import SessionRepository, UserRepository
from fairdatabase.accounts.repository.factors import FactorRepository
from fairdatabase.accounts.repository.tokens import TokenRepository
from fairdatabase.accounts.schemas.tokens import ServiceAccountIn
from fairdatabase.accounts.service.notices import Notices
from fairdatabase.audit.service import Audit
from fairdatabase.authorization.rules import require
from fairdatabase.authorization.schemas import Action, Actor, Resource, Role
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import ConflictError, NotFoundError


class Users:
    """What admins do with accounts of others.

    Args:
        database: Where accounts are kept.
        clock: Source of the present time.
        audit: Where every act is recorded.
        notices: Tell the owner.
    """

    def __init__(self, database: Database, clock: Clock, *, audit: Audit, notices: Notices) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._notices = notices
        self._users = UserRepository(database)
        self._sessions = SessionRepository(database)
        self._tokens = TokenRepository(database)
        self._factors = FactorRepository(database)

    def identifier(self, actor: Actor, email: str) -> str:
        """Return the public id of an account, closed or not.

        Raises:
            PermissionDeniedError: The actor is no admin.
            NotFoundError: Nobody has this address.
        """
        require(actor, Resource.USER, Action.DISABLE)
        with self._database.reading():
            return self._by_email(email).public_id

    def disable(self, actor: Actor, public_id: str) -> None:
        """Close an account: its sessions end and its access tokens are revoked, for good.

        Raises:
            PermissionDeniedError: The actor is no admin.
            NotFoundError: There is no such user.
            LastAdminError: Nobody would be left to run the instance.
        """
        require(actor, Resource.USER, Action.DISABLE)
        now = self._clock()
        with self._database.transaction():
            admins = self._users.lock_active_admins()
            user = self._user(public_id)
            if not user.is_active:
                return
            if admins == {user.id}:
                raise LastAdminError(
                    "This is the last active admin. Make somebody else an admin first."
                )
            user.disabled_at = now
            self._sessions.revoke_all(user.id, now, reason="account disabled")
            revoked = self._tokens.revoke_all(user.id, now)
            self._audit.record(
                actor,
                "user.disabled",
                Resource.USER,
                public_id,
                after={"tokens_revoked": sorted(revoked)},
            )

    def enable(self, actor: Actor, public_id: str) -> None:
        """Open an account again; what was revoked stays so.

        Raises:
            PermissionDeniedError: The actor is no admin.
            NotFoundError: There is no such user.
            ConflictError: The account was deleted.
        """
        require(actor, Resource.USER, Action.DISABLE)
        with self._database.transaction():
            user = self._user(public_id)
            if user.is_active:
                return
            if user.is_deleted:
                raise ConflictError(
                    "This account was deleted and cannot be opened again: nothing is left of it."
                    " Invite the person to make a new one."
                )
            user.disabled_at = None
            self._audit.record(actor, "user.enabled", Resource.USER, public_id)

    def create_service(
        self, actor: Actor, wanted: ServiceAccountIn, *, roles: frozenset[Role] = frozenset()
    ) -> str:
        """Make an account for a machine, and return its public id.

        It has no password and never a session: access tokens are all it comes with.

        Args:
            actor: Who makes it.
            wanted: Its name, and an address to tell it apart by.
            roles: That it holds besides.

        Raises:
            PermissionDeniedError: The actor is no admin.
            EmailTakenError: There is an account with this address.
        """
        require(actor, Resource.USER, Action.CREATE)
        held = sorted(roles | {Role.SERVICE})
        now = self._clock()
        user = User(
            email=wanted.email,
            name=wanted.name,
            created_at=now,
            email_verified_at=now,
            roles=[UserRole(role=role) for role in held],
        )
        try:
            with self._database.transaction():
                self._users.add(user)
                after = {"roles": held}
                self._audit.record(
                    actor, "user.created", Resource.USER, user.public_id, after=after
                )
        except IntegrityError:
            raise EmailTakenError("There is an account with this address already.") from None
        return user.public_id

    def unprotect(self, actor: Actor, email: str) -> None:
        """Take the authenticator app off an account whose owner lost it and all recovery codes.

        Raises:
            PermissionDeniedError: The actor is no admin.
            NotFoundError: Nobody has this address, or the account has no app.
        """
        require(actor, Resource.USER, Action.PROTECT)
        with self._database.transaction():
            user = self._by_email(email)
            if not self._factors.remove(user.id):
                raise NotFoundError(f"The account {email} has no authenticator app.")
            self._audit.record(actor, "factor.disabled", Resource.ACCOUNT, user.public_id)
            self._notices.tell(user.id, Change.FACTOR_OFF)

    def _user(self, public_id: str) -> User:
        user = self._users.by_public_id(public_id)
        if user is None:
            raise NotFoundError(f"There is no user {public_id}.")
        return user

    def _by_email(self, email: str) -> User:
        user = self._users.by_email(email.lower())
        if user is None:
            raise NotFoundError(f"There is no user with the address {email}.")
        return user
