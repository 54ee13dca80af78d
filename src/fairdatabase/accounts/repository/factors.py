"""What the database is asked about second factors."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, or_, select, update

from fairdatabase.accounts.models import Authenticator, Passkey, RecoveryCode
from fairdatabase.accounts.schemas.sessions import Proof
from fairdatabase.kernel.database import Repository


class FactorRepository(Repository[Authenticator]):
    """Authenticator apps and recovery codes."""

    model = Authenticator

    def methods(self, user_id: UUID) -> tuple[Proof, ...]:
        """Return what a user may prove the second step by; nothing where there is none.

        The authenticator app is what makes signing in take two steps; a passkey may stand in.
        """
        has_app = select(Authenticator.user_id).where(
            Authenticator.user_id == user_id, Authenticator.confirmed_at.is_not(None)
        )
        has_passkey = select(Passkey.id).where(Passkey.user_id == user_id)
        app, passkey = self._session.execute(select(has_app.exists(), has_passkey.exists())).one()
        if not app:
            return ()
        return (Proof.CODE, Proof.RECOVERY_CODE, *((Proof.PASSKEY,) if passkey else ()))

    def lock(self, user_id: UUID) -> Authenticator | None:
        """Return a user's authenticator; nobody else changes it before this transaction ends."""
        statement = select(Authenticator).where(Authenticator.user_id == user_id)
        return self._session.scalar(statement.with_for_update())

    def take_step(self, user_id: UUID, step: int) -> bool:
        """Use up the code of a time step; False where it, or a later one, was used before."""
        statement = (
            update(Authenticator)
            .where(
                Authenticator.user_id == user_id,
                or_(Authenticator.last_step.is_(None), Authenticator.last_step < step),
            )
            .values(last_step=step)
            .returning(Authenticator.user_id)
        )
        return self._session.scalar(statement) is not None

    def remove(self, user_id: UUID) -> bool:
        """Remove a user's authenticator and recovery codes; False where there was none."""
        self._session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
        statement = (
            delete(Authenticator)
            .where(Authenticator.user_id == user_id)
            .returning(Authenticator.confirmed_at)
        )
        return self._session.scalar(statement) is not None

    def set_recovery_codes(self, user_id: UUID, hashes: Iterable[str]) -> None:
        """Replace a user's recovery codes."""
        self._session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
        self._session.add_all(RecoveryCode(user_id=user_id, code_hash=each) for each in hashes)
        self._session.flush()

    def take_recovery_code(self, user_id: UUID, code_hash: str, now: datetime) -> bool:
        """Use up a recovery code; False where there is none like it, or no more."""
        statement = (
            update(RecoveryCode)
            .where(RecoveryCode.user_id == user_id, RecoveryCode.code_hash == code_hash)
            .where(RecoveryCode.used_at.is_(None))
            .values(used_at=now)
            .returning(RecoveryCode.id)
        )
        return self._session.scalar(statement) is not None

    def recovery_codes_left(self, user_id: UUID) -> int:
        """Return how many recovery codes were not used."""
        statement = (
            select(func.count())
            .select_from(RecoveryCode)
            .where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
        )
        return self._session.scalar(statement) or 0
