"""Second factors: the authenticator app, and the recovery codes for who lost it."""

from datetime import timedelta
from uuid import UUID

from fairdatabase.accounts.formats.letters import Change
from fairdatabase.accounts.models import Authenticator
from fairdatabase.accounts.repository import UserRepository
from fairdatabase.accounts.repository.factors import FactorRepository
from fairdatabase.accounts.rules.codes import (
    Vault,
    matching_step,
    new_recovery_codes,
    new_secret,
    setup_address,
)
from fairdatabase.accounts.schemas.factors import Enrolment, FactorsRecord, RecoveryCodes
from fairdatabase.accounts.schemas.sessions import Proof
from fairdatabase.accounts.service.notices import Notices
from fairdatabase.audit.service import Audit
from fairdatabase.authorization.rules import require, require_user
from fairdatabase.authorization.schemas import Action, Actor, Resource
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import ConflictError, NotFoundError, ValidationError

_SETUP_LENGTH = timedelta(minutes=15)
"""How long a secret waits for its first code; who saw it before must not know the next one."""


class Factors:
    """The authenticator app and the recovery codes of accounts.

    Args:
        database: Where they are kept.
        settings: Secret key that seals them, and the name of the instance.
        clock: Source of the present time.
        audit: Where every act is recorded.
        notices: Tell the owner.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        clock: Clock,
        *,
        audit: Audit,
        notices: Notices,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._notices = notices
        self._site = settings.site_name
        self._vault = Vault(settings.data_key.get_secret_value())
        self._factors = FactorRepository(database)
        self._users = UserRepository(database)

    def overview(self, actor: Actor) -> FactorsRecord:
        """Return how the actor's account is protected.

        Raises:
            ScopeError: The actor came with an access token.
        """
        user_id = require_user(actor)
        require(actor, Resource.ACCOUNT, Action.EDIT, owner_id=user_id)
        with self._database.reading():
            user = self._users.get(user_id)
            app = self._factors.get(user_id)
            left = self._factors.recovery_codes_left(user_id)
        return FactorsRecord(
            has_password=bool(user and user.password_hash),
            authenticator_since=app.confirmed_at if app else None,
            recovery_codes_left=left,
        )

    def enrol(self, actor: Actor) -> Enrolment:
        """Return the secret for an app that is being set up; the same until a code proves it.

        Raises:
            ConfirmationRequiredError: The actor has to confirm who they are first.
            ConflictError: There is an app in use.
        """
        user_id = self._require_protect(actor)
        with self._database.transaction():
            app = self._factors.get(user_id)
            if app and app.confirmed_at:
                raise _in_use()
            now = self._clock()
            if app is None or app.created_at <= now - _SETUP_LENGTH:
                self._factors.remove(user_id)
                sealed = self._vault.seal(user_id, new_secret())
                app = self._factors.add(
                    Authenticator(user_id=user_id, secret=sealed, created_at=now)
                )
            secret = self._vault.open(user_id, app.secret)
        address = setup_address(secret, account=actor.email, site=self._site)
        return Enrolment(secret=secret, address=address)

    def activate(self, actor: Actor, code: str) -> RecoveryCodes:
        """Ask for a code at every sign-in from now on, and return the recovery codes.

        Args:
            actor: Whose app it is.
            code: The first of the app, which proves that it was set up rightly.

        Raises:
            ConfirmationRequiredError: The actor has to confirm who they are first.
            NotFoundError: No app is being set up.
            ConflictError: There is an app in use.
            ValidationError: The code is not right.
        """
        user_id = self._require_protect(actor)
        now = self._clock()
        with self._database.transaction():
            app = self._factors.lock(user_id)
            if app is None:
                raise NotFoundError("No authenticator app is being set up. Please begin anew.")
            if app.confirmed_at:
                raise _in_use()
            secret = self._vault.open(user_id, app.secret)
            step = matching_step(secret, code, now, after=None)
            if step is None:
                raise _wrong_code()
            app.confirmed_at, app.last_step = now, step
            self._audit.record(actor, "factor.enabled", Resource.ACCOUNT, actor.public_id)
            self._notices.tell(user_id, Change.FACTOR_ON)
            return self._new_codes(user_id)

    def disable(self, actor: Actor) -> None:
        """Ask for a password alone from now on; the recovery codes go as well.

        Raises:
            ConfirmationRequiredError: The actor has to confirm who they are first.
            NotFoundError: There is no app.
        """
        user_id = self._require_protect(actor)
        with self._database.transaction():
            if not self._factors.remove(user_id):
                raise NotFoundError("There is no authenticator app.")
            self._audit.record(actor, "factor.disabled", Resource.ACCOUNT, actor.public_id)
            self._notices.tell(user_id, Change.FACTOR_OFF)

    def renew_recovery_codes(self, actor: Actor) -> RecoveryCodes:
        """Replace the recovery codes.

        Raises:
            ConfirmationRequiredError: The actor has to confirm who they are first.
            NotFoundError: There is no app that they would stand in for.
        """
        user_id = self._require_protect(actor)
        with self._database.transaction():
            if not self._factors.methods(user_id):
                raise NotFoundError("There is no authenticator app.")
            self._audit.record(actor, "recovery-codes.renewed", Resource.ACCOUNT, actor.public_id)
            self._notices.tell(user_id, Change.RECOVERY_CODES)
            return self._new_codes(user_id)

    def methods(self, user_id: UUID) -> tuple[Proof, ...]:
        """Return what a user may prove a second step by; nothing where there is none."""
        with self._database.reading():
            return self._factors.methods(user_id)

    def use(self, user_id: UUID, code: str) -> Proof | None:
        """Use up a code of the app or a recovery code, and return which it was.

        Whoever calls this limits how often.
        """
        now = self._clock()
        with self._database.transaction():
            app = self._factors.get(user_id)
            if app is None or app.confirmed_at is None:
                return None
            secret = self._vault.open(user_id, app.secret)
            step = matching_step(secret, code, now, after=app.last_step)
            if step is not None and self._factors.take_step(user_id, step):
                return Proof.CODE
            hashed = self._vault.recovery_hash(user_id, code)
            if self._factors.take_recovery_code(user_id, hashed, now):
                return Proof.RECOVERY_CODE
            return None

    def _new_codes(self, user_id: UUID) -> RecoveryCodes:
        codes = new_recovery_codes()
        hashes = [self._vault.recovery_hash(user_id, code) for code in codes]
        self._factors.set_recovery_codes(user_id, hashes)
        return RecoveryCodes(recovery_codes=tuple(codes))

    def _require_protect(self, actor: Actor) -> UUID:
        user_id = require_user(actor)
        require(actor, Resource.ACCOUNT, Action.PROTECT, owner_id=user_id)
        return user_id


def _in_use() -> ConflictError:
    return ConflictError("There is an authenticator app in use. Remove it first.")


def _wrong_code() -> ValidationError:
    message = "This code is not right. Please enter the one that the app shows now."
    return ValidationError(message, details=[{"field": "code", "message": message}])
