"""Use cases of agreeing: to which version of which document, when, and until when."""

from uuid import UUID

from fairdatabase.accounts.models import Consent
from fairdatabase.accounts.repository.personal import PersonalRepository
from fairdatabase.accounts.schemas.personal import TERMS, ConsentRecord
from fairdatabase.audit.service import Audit
from fairdatabase.authorization.rules import require, require_user
from fairdatabase.authorization.schemas import Action, Actor, Resource
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import ConflictError, ValidationError


class Consents:
    """What people agreed to.

    Args:
        database: Where it is kept.
        settings: Which version of the terms is in force, if there are any.
        clock: Source of the present time.
        audit: Where every act is recorded.
    """

    def __init__(
        self, database: Database, settings: Settings, clock: Clock, *, audit: Audit
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self.terms_version = settings.terms_version
        """Of the document that is in force; empty: there is none."""
        self._rows = PersonalRepository(database)

    def require_terms(self, *, accepted: bool) -> None:
        """Let those pass who agree to the terms, where there are any.

        Raises:
            ValidationError: They do not.
        """
        if self.terms_version and not accepted:
            message = "Please agree to the terms; without that there can be no account here."
            raise ValidationError(
                message, details=[{"field": "accepted_terms", "message": message}]
            )

    def note(self, user_id: UUID, public_id: str) -> None:
        """Keep that a new account agreed to the terms, inside the transaction that makes it."""
        if self.terms_version:
            self._add(Actor(user_id=user_id, public_id=public_id), user_id)

    def agree(self, actor: Actor) -> None:
        """Agree to the terms that are in force.

        Raises:
            AuthenticationError: Nobody is signed in.
            ConflictError: There are none, or the actor agreed already.
        """
        user_id = require_user(actor)
        require(actor, Resource.ACCOUNT, Action.EDIT, owner_id=user_id)
        with self._database.transaction():
            if not self.terms_version or self.holds(user_id):
                raise ConflictError("There is nothing to agree to.")
            self._add(actor, user_id)

    def withdraw(self, actor: Actor) -> None:
        """Take the agreement back, from now on.

        Raises:
            AuthenticationError: Nobody is signed in.
            ConflictError: The actor had not agreed.
        """
        user_id = require_user(actor)
        require(actor, Resource.ACCOUNT, Action.EDIT, owner_id=user_id)
        with self._database.transaction():
            versions = self._rows.withdraw_consents(user_id, TERMS, self._clock())
            if not versions:
                raise ConflictError("There is no agreement to take back.")
            before = {"document": TERMS, "versions": sorted(versions)}
            self._audit.record(
                actor, "user.consent-withdrawn", Resource.ACCOUNT, actor.public_id, before=before
            )

    def of_user(self, user_id: UUID) -> tuple[ConsentRecord, ...]:
        """Return what a user agreed to, the newest first; the caller has checked the actor."""
        with self._database.reading():
            rows = self._rows.consents_of(user_id)
            return tuple(ConsentRecord.model_validate(row) for row in rows)

    def holds(self, user_id: UUID) -> bool:
        """Tell whether a user agrees to the terms that are in force."""
        return any(
            consent.version == self.terms_version and consent.withdrawn_at is None
            for consent in self.of_user(user_id)
        )

    def _add(self, actor: Actor, user_id: UUID) -> None:
        version = self.terms_version
        self._rows.add(
            Consent(user_id=user_id, document=TERMS, version=version, given_at=self._clock())
        )
        after = {"document": TERMS, "version": version}
        self._audit.record(
            actor, "user.consent-given", Resource.ACCOUNT, actor.public_id, after=after
        )
