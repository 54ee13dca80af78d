"""What the database is asked about challenges."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update

from fairdatabase.accounts.models import Challenge
from fairdatabase.kernel.database import Repository


class ChallengeRepository(Repository[Challenge]):
    """Questions that wait for their one answer."""

    model = Challenge

    def waiting(self, challenge_id: UUID, purpose: str, now: datetime) -> Challenge | None:
        """Return a question that has not expired, which goes on waiting."""
        return self._session.scalar(
            select(Challenge).where(
                Challenge.id == challenge_id,
                Challenge.purpose == purpose,
                Challenge.expires_at > now,
            )
        )

    def count_attempt(
        self, challenge_id: UUID, purpose: str, now: datetime, *, most: int
    ) -> Challenge | None:
        """Count an answer before it is judged, and return the question; None after too many."""
        statement = (
            select(Challenge)
            .where(Challenge.id == challenge_id, Challenge.purpose == purpose)
            .where(Challenge.expires_at > now)
        )
        challenge = self._session.scalar(statement.with_for_update())
        if challenge is None or challenge.particulars["attempts"] >= most:
            return None
        attempts = challenge.particulars["attempts"] + 1
        challenge.particulars = challenge.particulars | {"attempts": attempts}
        return challenge

    def take(self, challenge_id: UUID, purpose: str, now: datetime) -> Challenge | None:
        """Return a question and remove it, so that of two answers only one is heard."""
        statement = (
            delete(Challenge)
            .where(Challenge.id == challenge_id, Challenge.purpose == purpose)
            .returning(Challenge)
        )
        challenge = self._session.scalar(statement)
        return challenge if challenge is not None and challenge.expires_at > now else None

    def set_particulars(self, challenge_id: UUID, particulars: dict[str, Any]) -> None:
        """Replace what is known of a question."""
        statement = update(Challenge).where(Challenge.id == challenge_id)
        self._session.execute(statement.values(particulars=particulars))

    def forget_expired(self, now: datetime) -> None:
        """Remove the questions that nobody can answer any more."""
        self._session.execute(delete(Challenge).where(Challenge.expires_at <= now))
