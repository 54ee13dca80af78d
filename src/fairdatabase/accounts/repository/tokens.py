"""What the database is asked about personal access tokens."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import false, or_, select, update

from fairdatabase.accounts.models import PersonalToken, User
from fairdatabase.accounts.repository import ACTOR_ROWS, folded
from fairdatabase.authorization.schemas import Actor, Scope
from fairdatabase.kernel.database import Repository


class TokenRepository(Repository[PersonalToken]):
    """Personal access tokens, known by their hashes."""

    model = PersonalToken

    def holder(self, token_hash: str, now: datetime) -> Actor | None:
        """Return who comes with a token, if it is good and the account active.

        One statement; the rows differ in the role alone.
        """
        statement = (
            ACTOR_ROWS.add_columns(
                false().label("confirmed"),
                PersonalToken.last_used_at.label("last_seen_at"),
                PersonalToken.id.label("token_id"),
                PersonalToken.public_id.label("token_public_id"),
                PersonalToken.scopes,
            )
            .join(PersonalToken, PersonalToken.user_id == User.id)
            .where(PersonalToken.token_hash == token_hash, PersonalToken.revoked_at.is_(None))
            .where(PersonalToken.expires_at > now, User.is_active)
        )
        rows = self._session.execute(statement).all()
        actor = folded(rows)
        if actor is None:
            return None
        return replace(
            actor,
            token_id=rows[0].token_id,
            token_public_id=rows[0].token_public_id,
            scopes=frozenset(map(Scope, rows[0].scopes)),
        )

    def of_user(self, user_id: UUID) -> Sequence[PersonalToken]:
        """Return a user's tokens that were not revoked, the newest first."""
        statement = (
            select(PersonalToken)
            .where(PersonalToken.user_id == user_id, PersonalToken.revoked_at.is_(None))
            .order_by(PersonalToken.created_at.desc(), PersonalToken.id.desc())
        )
        return self._session.scalars(statement).all()

    def by_public_id(self, public_id: str) -> PersonalToken | None:
        """Return a token that was not revoked."""
        statement = select(PersonalToken).where(
            PersonalToken.public_id == public_id, PersonalToken.revoked_at.is_(None)
        )
        return self._session.scalar(statement)

    def revoke_all(self, user_id: UUID, now: datetime) -> Sequence[str]:
        """Revoke a user's tokens and return their public ids."""
        statement = (
            update(PersonalToken)
            .where(PersonalToken.user_id == user_id, PersonalToken.revoked_at.is_(None))
            .values(revoked_at=now)
            .returning(PersonalToken.public_id)
        )
        return self._session.scalars(statement).all()

    def mark_used(self, token_id: UUID, now: datetime, *, unless_since: datetime) -> None:
        """Note that a token is used, unless that was noted a short while ago."""
        statement = update(PersonalToken).where(
            PersonalToken.id == token_id,
            or_(
                PersonalToken.last_used_at.is_(None),
                PersonalToken.last_used_at <= unless_since,
            ),
        )
        self._session.execute(statement.values(last_used_at=now))
