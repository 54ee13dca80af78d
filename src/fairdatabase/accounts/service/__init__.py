"""Use cases of accounts: sign in, stay signed in, manage users."""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from fairdatabase.accounts.errors import (
    EmailTakenError,
    EmailUnverifiedError,
    LastAdminError,
    SessionEndedError,
)
from fairdatabase.accounts.formats.letters import Change
from fairdatabase.accounts.models import User, UserRole
from fairdatabase.accounts.repository import SessionRepository, UserRepository
from fairdatabase.accounts.rules.throttle import notice_due
from fairdatabase.accounts.schemas import (
    Credentials,
    Grant,
    Registration,
    Statistics,
    UserPage,
    UserQuery,
    UserRecord,
)
from fairdatabase.accounts.schemas.sessions import Device
from fairdatabase.accounts.service.notices import Notices
from fairdatabase.accounts.service.passwords import passwords_of, require_good
from fairdatabase.accounts.service.recovery import WARNING_JOB
from fairdatabase.accounts.service.sessions import Sessions
from fairdatabase.accounts.service.throttle import Throttle
from fairdatabase.audit.service import Audit
from fairdatabase.authorization.rules import may, require, require_user
from fairdatabase.authorization.schemas import (
    ANONYMOUS,
    OPERATOR,
    Action,
    Actor,
    Resource,
    Role,
)
from fairdatabase.jobs.service import Jobs
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import (
    AuthenticationError,
    NotFoundError,
)

_MONTH = timedelta(days=30)
_UNKNOWN_DEVICE = Device()
_NO_GRACE = timedelta(0)
logger = logging.getLogger(__name__)


class Accounts:
    """Users, their passwords, sessions and roles.

    Args:
        database: Where they are kept.
        settings: Cost of a password hash, length of a session, whether registration is open.
        clock: Source of the present time.
        audit: Where every act is recorded.
        throttle: Makes those wait who try passwords.
        jobs: Do what must not be seen in the time that an answer takes.
        notices: Tell the owner.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        clock: Clock,
        *,
        audit: Audit,
        throttle: Throttle,
        jobs: Jobs,
        notices: Notices,
    ) -> None:
        self._database = database
        self._audit = audit
        self._throttle = throttle
        self._jobs = jobs
        self._notices = notices
        self._clock = clock
        self._site = settings.site_name
        self._verifies_email = settings.verifies_email
        self._confirmation_length = timedelta(minutes=settings.confirmation_minutes)
        self._users = UserRepository(database)
        self._sessions = SessionRepository(database)
        self.entrance = Sessions(database, settings, clock, audit=audit)
        """Opens sessions, for every way to sign in."""
        self._passwords = passwords_of(settings)

    def create_user(
        self, registration: Registration, *, roles: frozenset[Role], by: Actor = OPERATOR
    ) -> UserRecord:
        """Make an account with given roles, for the command line and the demonstration.

        Whoever makes it vouches for the address.

        Args:
            registration: Name, address and password.
            roles: That the account holds.
            by: Whose act it is.

        Raises:
            ValidationError: The password is not good enough.
            EmailTakenError: There is an account with this address.
        """
        password = registration.password.get_secret_value()
        self._require_good(password, name=registration.name, email=registration.email)
        now = self._clock()
        user = User(
            email=registration.email,
            name=registration.name,
            password_hash=self._passwords.hash(password),
            created_at=now,
            email_verified_at=now,
            roles=[UserRole(role=role) for role in sorted(roles)],
        )
        try:
            with self._database.transaction():
                self._users.add(user)
                after = {"roles": sorted(roles)}
                self._audit.record(by, "user.created", Resource.USER, user.public_id, after=after)
        except IntegrityError:
            message = "There is an account with this e-mail address already. Please sign in."
            raise EmailTakenError(
                message, details=[{"field": "email", "message": message}]
            ) from None
        return _record(user)

    def set_password(self, email: str, password: str) -> None:
        """Replace a password and end the user's sessions, for the command line.

        Raises:
            NotFoundError: Nobody has this address.
            ValidationError: The password is not good enough.
        """
        with self._database.reading():
            user = self._users.by_email(email.lower())
        if user is None:
            raise NotFoundError(f"There is no user with the address {email}.")
        self._require_good(password, name=user.name, email=user.email)
        password_hash = self._passwords.hash(password)
        with self._database.transaction():
            self._users.set_password_hash(user.id, password_hash)
            self._sessions.revoke_all(user.id, self._clock(), reason="password changed")
            self._audit.record(OPERATOR, "user.password-changed", Resource.USER, user.public_id)
            self._notices.tell(user.id, Change.PASSWORD)

    def sign_in(self, credentials: Credentials, *, device: Device = _UNKNOWN_DEVICE) -> Grant:
        """Open a session for a person who knows the password.

        An unknown address and a wrong password take the same time and are answered the same.
        The hash is computed between two transactions, so that nobody waits for it.

        Args:
            credentials: Address and password.
            device: What the person signs in with, for the list of sessions.

        Raises:
            AuthenticationError: They do not fit, or the account is disabled.
            EmailUnverifiedError: They fit, and the address has to be confirmed first.
            SecondFactorRequiredError: They fit, and a second factor is needed as well.
            RateLimitError: Too many attempts failed; even the right password has to wait.
        """
        password = credentials.password.get_secret_value()
        attempts = self._throttle.attempt(credentials.email)
        with self._database.reading():
            user = self._users.by_email(credentials.email)
        right = self._passwords.verify(user.password_hash if user else None, password)
        if user is None or user.password_hash is None or not right:
            self._note_failure(user, reason="wrong address or password")
            if notice_due(attempts):
                self._jobs.enqueue(WARNING_JOB, {"email": credentials.email})
            raise AuthenticationError("The e-mail address or the password is not right.")
        if not user.is_active:
            self._note_failure(user, reason="disabled account")
            raise AuthenticationError("This account is disabled. Please ask an admin.")
        if self._verifies_email and user.email_verified_at is None:
            raise EmailUnverifiedError(
                "Please confirm your address first: open the link in the letter that we sent you."
            )
        outdated = self._passwords.outdated(user.password_hash)
        new_hash = self._passwords.hash(password) if outdated else user.password_hash
        with self._database.transaction():
            self._throttle.clear(credentials.email)
            if outdated:
                self._users.renew_password_hash(user, new_hash)
        return self.entrance.enter(user.id, device, method="password")

    def open_session(self, user_id: UUID, *, by: str, device: Device = _UNKNOWN_DEVICE) -> Grant:
        """Open a session for somebody who proved who they are by other means than a password.

        Call it outside any transaction: see ``Sessions.enter``.

        Args:
            user_id: Whose account it is.
            by: How they proved it, for the log.
            device: What the person signs in with, for the list of sessions.

        Raises:
            SecondFactorRequiredError: A second factor is needed as well.
            AuthenticationError: The account may not sign in.
        """
        return self.entrance.enter(user_id, device, method=by)

    def refresh(self, session_id: UUID, refresh_id: UUID, *, grace: timedelta = _NO_GRACE) -> Grant:
        """Exchange a refresh token for the next one.

        A token that comes back after its use was copied by somebody: the session ends for all.

        Args:
            session_id: Session of the token.
            refresh_id: Its ``jti``.
            grace: How long after its use a token is still served, for browsers whose tabs
                and aborted page loads share one cookie.

        Raises:
            SessionEndedError: The token was used before or the session has ended.
        """
        now = self._clock()
        with self._database.transaction():
            if self._sessions.use_refresh_token(refresh_id, session_id, now) or (
                grace and self._sessions.used_after(refresh_id, session_id, now - grace)
            ):
                return self.entrance.grant(self._sessions.get(session_id), now)
            self._end_copied(session_id, now)
        logger.warning("A refresh token was used twice", extra={"session": str(session_id)})
        raise SessionEndedError("This refresh token was used before. Please sign in again.")

    def sign_out(self, actor: Actor) -> None:
        """End the actor's session; its tokens are worthless from now on.

        Raises:
            AuthenticationError: Nobody is signed in.
        """
        require_user(actor)
        if actor.session_id is not None:
            with self._database.transaction():
                self._sessions.revoke(actor.session_id, self._clock(), reason="signed out")
                self._audit.record(actor, "user.signed-out", Resource.USER, actor.public_id)

    def actor_for(self, user_public_id: str, session_id: UUID) -> Actor:
        """Return who holds a session, with the roles of this moment.

        This is the blocklist: whatever a token says, a session that was revoked or has expired
        and an account that was disabled get nothing from the next request on. It costs one
        statement on primary keys.

        Raises:
            SessionEndedError: The session is not alive or not this user's.
        """
        with self._database.reading():
            actor = self._sessions.holder(session_id, self._clock(), self._confirmation_length)
        if actor is None or actor.public_id != user_public_id:
            raise _session_ended()
        return actor

    def actor_by_email(self, email: str) -> Actor:
        """Return an active user as an actor, for the command line.

        Raises:
            NotFoundError: No active user has this address.
        """
        with self._database.reading():
            actor = self._sessions.account(email.lower())
        if actor is None:
            raise NotFoundError(f"There is no active user with the address {email}.")
        return actor

    def get_user(self, actor: Actor, public_id: str) -> UserRecord:
        """Return a user: curators and admins may see all, everybody else themself.

        Raises:
            AuthenticationError: Nobody is signed in.
            NotFoundError: There is no such user, or the actor may not know.
        """
        require_user(actor)
        with self._database.reading():
            user = self._users.by_public_id(public_id)
        if user is None or not _may_read(actor, user.id):
            raise _no_user(public_id)
        return _record(user)

    def list_users(self, actor: Actor, query: UserQuery) -> UserPage:
        """Return a page of the users the actor may see, by name; three statements.

        Raises:
            AuthenticationError: Nobody is signed in.
        """
        require(actor, Resource.USER, Action.LIST)
        only = None if may(actor, Resource.USER, Action.READ) else actor.user_id
        with self._database.reading():
            users = self._users.matching(
                query.search, only=only, limit=query.per_page, offset=query.offset
            )
            total = self._users.count_matching(query.search, only=only)
        return UserPage(users=tuple(_record(user) for user in users), total=total)

    def change_roles(self, actor: Actor, public_id: str, roles: frozenset[Role]) -> UserRecord:
        """Give a user exactly these roles; they hold from the user's next request on.

        Raises:
            PermissionDeniedError: The actor is no admin.
            NotFoundError: There is no such user.
            LastAdminError: Nobody would be left to run the instance.
        """
        require(actor, Resource.USER, Action.CHANGE_ROLES)
        with self._database.transaction():
            admins = self._users.lock_active_admins()
            user = self._users.by_public_id(public_id)
            if user is None:
                raise _no_user(public_id)
            if admins == {user.id} and Role.ADMIN not in roles:
                raise LastAdminError(
                    "This is the last active admin. Make somebody else an admin first."
                )
            before = sorted(each.role for each in user.roles)
            kept = [each for each in user.roles if each.role in roles]
            new = roles - {each.role for each in kept}
            user.roles = kept + [UserRole(role=role) for role in sorted(new)]
            self._users.add(user)
            self._audit.record(
                actor,
                "user.roles-changed",
                Resource.USER,
                public_id,
                before={"roles": before},
                after={"roles": sorted(roles)},
            )
        return _record(user)

    def statistics(self, actor: Actor) -> Statistics:
        """Return the numbers of users, for the dashboard; two statements.

        Raises:
            PermissionDeniedError: The actor is neither curator nor admin.
        """
        require(actor, Resource.USER, Action.STATISTICS)
        with self._database.reading():
            total, active, new, seen = self._users.totals(self._clock() - _MONTH)
            holders = self._users.holders_by_role()
        return Statistics(
            total=total,
            active=active,
            new_this_month=new,
            seen_this_month=seen,
            by_role={role: holders.get(role, 0) for role in Role},
        )

    def _require_good(self, password: str, *, name: str, email: str) -> None:
        require_good(password, name=name, email=email, site=self._site)

    def _note_failure(self, user: User | None, *, reason: str) -> None:
        """Record a failed sign-in: by the account's id, never by the address that was typed."""
        logger.warning("A sign-in failed", extra={"user": user.public_id if user else None})
        subject = user.public_id if user else ""
        with self._database.transaction():
            self._audit.record(
                ANONYMOUS, "user.sign-in-failed", Resource.USER, subject, after={"reason": reason}
            )

    def _end_copied(self, session_id: UUID, now: datetime) -> None:
        """End a session of whose refresh token somebody has a copy."""
        holder = self._sessions.holder(session_id, now, self._confirmation_length)
        self._sessions.revoke(session_id, now, reason="refresh token reused")
        if holder is not None:
            self._audit.record(
                ANONYMOUS, "user.refresh-token-reused", Resource.USER, holder.public_id
            )


def _may_read(actor: Actor, user_id: UUID) -> bool:
    """Tell whether a user may be seen; oneself also with a token that reads nobody else."""
    return any(
        may(actor, resource, Action.READ, owner_id=user_id)
        for resource in (Resource.USER, Resource.ACCOUNT)
    )


def _record(user: User) -> UserRecord:
    return UserRecord(
        public_id=user.public_id,
        name=user.name,
        email=user.email,
        roles=tuple(sorted(each.role for each in user.roles)),
        is_active=user.is_active,
        is_deleted=user.is_deleted,
        created_at=user.created_at,
        last_login_at=user.last_login_at,
    )


def _no_user(public_id: str) -> NotFoundError:
    return NotFoundError(f"There is no user {public_id}.")


def _session_ended() -> SessionEndedError:
    return SessionEndedError("Your session has ended. Please sign in again.")
