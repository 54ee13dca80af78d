"""Every question the accounts feature asks the database."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    delete,
    false,
    func,
    null,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import selectinload

from fairdatabase.accounts.models import (
    AccountLink,
    Challenge,
    RefreshToken,
    Session,
    User,
    UserRole,
)
from fairdatabase.authorization.schemas import Actor, Role
from fairdatabase.kernel.database import Repository

ACTOR_ROWS = select(User.id, User.public_id, User.name, User.email, UserRole.role).outerjoin(
    UserRole, UserRole.user_id == User.id
)


class UserRepository(Repository[User]):
    """Users and their roles."""

    model = User

    def by_email(self, email: str) -> User | None:
        """Return the user with an address in lower case, without roles."""
        return self._session.scalar(select(User).where(User.email == email))

    def by_public_id(self, public_id: str) -> User | None:
        """Return a user with roles."""
        statement = select(User).where(User.public_id == public_id)
        return self._session.scalar(statement.options(selectinload(User.roles)))

    def matching(
        self, search: str, *, only: UUID | None, limit: int, offset: int
    ) -> Sequence[User]:
        """Return users with roles, by name.

        Args:
            search: Part of the name or e-mail; empty for all.
            only: The one user that may be seen; None: all.
            limit: Size of the page.
            offset: Users before the page.
        """
        statement = (
            select(User)
            .where(*_filters(search, only))
            .options(selectinload(User.roles))
            .order_by(func.lower(User.name), User.id)
            .limit(limit)
            .offset(offset)
        )
        return self._session.scalars(statement).all()

    def count_matching(self, search: str, *, only: UUID | None) -> int:
        """Return the number of users that :meth:`matching` pages through."""
        statement = select(func.count()).select_from(User).where(*_filters(search, only))
        return self._session.scalar(statement) or 0

    def lock_active_admins(self) -> set[UUID]:
        """Return the active admins; nobody takes their role away before this transaction ends."""
        statement = (
            select(UserRole.user_id)
            .join(User, User.id == UserRole.user_id)
            .where(UserRole.role == Role.ADMIN, User.is_active)
            .with_for_update(of=UserRole)
        )
        return set(self._session.scalars(statement))

    def renew_password_hash(self, user: User, password_hash: str) -> None:
        """Replace the hash of the same password; one that was changed in the meantime stays."""
        known = and_(User.id == user.id, User.password_hash == user.password_hash)
        self._session.execute(update(User).where(known).values(password_hash=password_hash))

    def record_sign_in(self, user_id: UUID, when: datetime) -> None:
        """Note the time of a sign-in."""
        self._session.execute(update(User).where(User.id == user_id).values(last_login_at=when))

    def set_password_hash(self, user_id: UUID, password_hash: str) -> None:
        """Replace a user's password; links that were sent before work no more."""
        statement = update(User).where(User.id == user_id).values(password_hash=password_hash)
        self._session.execute(statement)
        unused = AccountLink.used_at.is_(None)
        self._session.execute(delete(AccountLink).where(AccountLink.user_id == user_id, unused))

    def totals(self, since: datetime) -> tuple[int, int, int, int]:
        """Return the numbers of users: all, active, new since, and seen since a moment."""
        row = self._session.execute(
            select(
                func.count(),
                func.count().filter(User.is_active),
                func.count().filter(User.created_at >= since),
                func.count().filter(User.last_login_at >= since),
            ).select_from(User)
        ).one()
        return row[0], row[1], row[2], row[3]

    def holders_by_role(self) -> dict[Role, int]:
        """Return how many users hold each role that anybody holds."""
        statement = select(UserRole.role, func.count()).group_by(UserRole.role)
        return dict(self._session.execute(statement).all())


class SessionRepository(Repository[Session]):
    """Sessions and their refresh tokens."""

    model = Session

    def holder(
        self, session_id: UUID, now: datetime, confirmation_length: timedelta
    ) -> Actor | None:
        """Return whose session this is, if it is alive and the account active.

        One statement on primary keys; the rows differ in the role alone.

        Args:
            session_id: Of the session.
            now: The present time.
            confirmation_length: How long a proof of the person counts.
        """
        confirmed = func.coalesce(Session.confirmed_at > now - confirmation_length, false())
        statement = (
            ACTOR_ROWS.add_columns(confirmed.label("confirmed"), Session.last_seen_at)
            .join(Session, Session.user_id == User.id)
            .where(Session.id == session_id, Session.revoked_at.is_(None))
            .where(Session.expires_at > now, User.is_active)
        )
        return folded(self._session.execute(statement).all(), session_id=session_id)

    def account(self, email: str) -> Actor | None:
        """Return the active user with this address, outside any session."""
        statement = ACTOR_ROWS.add_columns(
            true().label("confirmed"), null().label("last_seen_at")
        ).where(User.email == email, User.is_active)
        return folded(self._session.execute(statement).all())

    def revoke(self, session_id: UUID, now: datetime, *, reason: str) -> None:
        """End a session; one that ended before keeps its first reason."""
        statement = update(Session).where(Session.id == session_id, Session.revoked_at.is_(None))
        self._session.execute(statement.values(revoked_at=now, revoked_reason=reason))

    def revoke_all(self, user_id: UUID, now: datetime, *, reason: str) -> None:
        """End all sessions of a user, and the sign-ins that wait for their second step."""
        statement = update(Session).where(Session.user_id == user_id, Session.revoked_at.is_(None))
        self._session.execute(statement.values(revoked_at=now, revoked_reason=reason))
        self._session.execute(delete(Challenge).where(Challenge.user_id == user_id))

    def issue_refresh_token(self, session_id: UUID, now: datetime) -> UUID:
        """Store a new refresh token and return its ``jti``."""
        token = RefreshToken(session_id=session_id, issued_at=now)
        self._session.add(token)
        self._session.flush()
        return token.jti

    def use_refresh_token(self, jti: UUID, session_id: UUID, now: datetime) -> bool:
        """Mark a token as used; False where it was used before or never issued.

        One conditional UPDATE, so that of two requests with the same token only one is served.
        """
        statement = (
            update(RefreshToken)
            .where(RefreshToken.jti == jti, RefreshToken.session_id == session_id)
            .where(RefreshToken.used_at.is_(None))
            .values(used_at=now)
            .returning(RefreshToken.jti)
        )
        return self._session.scalar(statement) is not None

    def used_after(self, jti: UUID, session_id: UUID, moment: datetime) -> bool:
        """Tell whether a token was used, and after ``moment``."""
        statement = select(RefreshToken.used_at).where(
            RefreshToken.jti == jti, RefreshToken.session_id == session_id
        )
        used_at = self._session.scalar(statement)
        return used_at is not None and used_at > moment

    def alive(self, user_id: UUID, now: datetime) -> Sequence[Session]:
        """Return the sessions of a user that have not ended, the last seen first."""
        statement = (
            select(Session)
            .where(Session.user_id == user_id, Session.revoked_at.is_(None))
            .where(Session.expires_at > now)
            .order_by(func.coalesce(Session.last_seen_at, Session.created_at).desc(), Session.id)
        )
        return self._session.scalars(statement).all()

    def revoke_by_public_id(
        self, user_id: UUID, public_id: str, now: datetime, *, reason: str
    ) -> bool:
        """End a user's session; False where the user has none of this name that is alive."""
        statement = (
            update(Session)
            .where(Session.user_id == user_id, Session.public_id == public_id)
            .where(Session.revoked_at.is_(None), Session.expires_at > now)
            .values(revoked_at=now, revoked_reason=reason)
            .returning(Session.id)
        )
        return self._session.scalar(statement) is not None

    def revoke_others(
        self, user_id: UUID, kept: UUID | None, now: datetime, *, reason: str
    ) -> Sequence[str]:
        """End all sessions of a user but one, and return the public ids of those that ended."""
        statement = (
            update(Session)
            .where(Session.user_id == user_id, Session.id != (kept or UUID(int=0)))
            .where(Session.revoked_at.is_(None), Session.expires_at > now)
            .values(revoked_at=now, revoked_reason=reason)
            .returning(Session.public_id)
        )
        return self._session.scalars(statement).all()

    def confirm(self, session_id: UUID, now: datetime) -> None:
        """Note that the person proved that it is them."""
        statement = update(Session).where(Session.id == session_id)
        self._session.execute(statement.values(confirmed_at=now))

    def mark_seen(self, session_id: UUID, now: datetime, *, unless_since: datetime) -> None:
        """Note that a session is used, unless that was noted a short while ago."""
        statement = update(Session).where(
            Session.id == session_id,
            or_(Session.last_seen_at.is_(None), Session.last_seen_at <= unless_since),
        )
        self._session.execute(statement.values(last_seen_at=now))

    def forget_expired(self, now: datetime) -> None:
        """Remove the sessions that are over, and their refresh tokens with them."""
        self._session.execute(delete(Session).where(Session.expires_at <= now))

    def forget_used_tokens(self, used_before: datetime) -> None:
        """Remove used refresh tokens; one that comes back ends its session all the same."""
        self._session.execute(delete(RefreshToken).where(RefreshToken.used_at < used_before))


def folded(rows: Sequence[Row[Any]], *, session_id: UUID | None = None) -> Actor | None:
    """Return the actor of rows that differ in the role alone; None where there are none."""
    if not rows:
        return None
    first = rows[0]
    return Actor(
        user_id=first.id,
        public_id=first.public_id,
        name=first.name,
        email=first.email,
        roles=frozenset(row.role for row in rows if row.role is not None),
        session_id=session_id,
        confirmed=first.confirmed,
        last_seen_at=first.last_seen_at,
    )


def _filters(search: str, only: UUID | None) -> list[ColumnElement[bool]]:
    filters: list[ColumnElement[bool]] = []
    if only is not None:
        filters.append(User.id == only)
    if search:
        name, email = func.lower(User.name), User.email
        text = search.lower()
        filters.append(or_(*(each.contains(text, autoescape=True) for each in (name, email))))
    return filters
