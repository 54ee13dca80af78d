"""Second steps: finishing a sign-in, confirming that it is still the same person."""

import logging
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from fairdatabase.accounts.errors import SignInExpiredError
from fairdatabase.accounts.formats.letters import Change
from fairdatabase.accounts.models import Challenge
from fairdatabase.accounts.repository import SessionRepository, UserRepository
from fairdatabase.accounts.repository.challenges import ChallengeRepository
from fairdatabase.accounts.schemas import Grant
from fairdatabase.accounts.schemas.sessions import (
    ConfirmationAnswer,
    Device,
    PasskeyAnswer,
    PasskeyQuestion,
    PasswordChange,
    Proof,
    SecondFactorAnswer,
)
from fairdatabase.accounts.service.factors import Factors
from fairdatabase.accounts.service.notices import Notices
from fairdatabase.accounts.service.passkeys import Passkeys
from fairdatabase.accounts.service.passwords import passwords_of, require_good
from fairdatabase.accounts.service.sessions import SECOND_STEP, Sessions
from fairdatabase.accounts.service.throttle import Throttle
from fairdatabase.audit.service import Audit
from fairdatabase.authorization.rules import require, require_user
from fairdatabase.authorization.schemas import ANONYMOUS, Action, Actor, Resource
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import AuthenticationError, ValidationError

_SIGN_IN = "passkey sign-in"
_CONFIRM = "passkey confirmation"
_SECOND_STEP_PASSKEY = "passkey second step"
_ATTEMPTS = 5
"""Codes that may be tried by one ticket."""
logger = logging.getLogger(__name__)
T = TypeVar("T")


class Confirmation:
    """Asks for a second proof, or for one anew.

    Args:
        database: Where accounts and tickets are kept.
        settings: Cost of a password hash.
        clock: Source of the present time.
        audit: Where every act is recorded.
        sessions: Opens them.
        factors: Judge codes.
        passkeys: Judge passkeys.
        throttle: Makes those wait who guess.
        notices: Tell the owner.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        clock: Clock,
        *,
        audit: Audit,
        sessions: Sessions,
        factors: Factors,
        passkeys: Passkeys,
        throttle: Throttle,
        notices: Notices,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._site = settings.site_name
        self._entrance = sessions
        self._factors = factors
        self._passkeys = passkeys
        self._throttle = throttle
        self._notices = notices
        self._passwords = passwords_of(settings)
        self._users = UserRepository(database)
        self._sessions = SessionRepository(database)
        self._challenges = ChallengeRepository(database)

    def question_to_sign_in(self) -> PasskeyQuestion:
        """Return a question for whoever has a passkey."""
        return self._passkeys.ask(_SIGN_IN)

    def sign_in(self, answer: PasskeyAnswer, *, device: Device) -> Grant:
        """Open a session by a passkey alone: it is held by the person and opened by a PIN or so.

        Raises:
            PasskeyRefusedError: It is not right.
            AuthenticationError: The account may not sign in.
        """
        user_id = self._passkeys.owner(_SIGN_IN, answer)
        return self._entrance.open(user_id, device, method=Proof.PASSKEY.value)

    def methods(self, ticket: str) -> tuple[Proof, ...]:
        """Return what a waiting sign-in may be finished by.

        Raises:
            SignInExpiredError: The ticket is worthless.
        """
        return self._factors.methods(self._waiting(ticket))

    def question_for_second_step(self, ticket: str) -> PasskeyQuestion:
        """Return a question for a passkey of whoever gave the password.

        Raises:
            SignInExpiredError: The ticket is worthless.
        """
        return self._passkeys.ask(_SECOND_STEP_PASSKEY, self._waiting(ticket))

    def finish(self, answer: SecondFactorAnswer, *, device: Device) -> Grant:
        """Open the session that a ticket waits for.

        Raises:
            SignInExpiredError: The ticket is worthless: too late, used, or tried too often.
            RateLimitError: Too many codes were tried for this account.
            AuthenticationError: The code or the passkey is not right.
        """
        user_id = self._waiting(answer.ticket)
        counted = f"second factor {user_id}"
        self._throttle.attempt(counted)
        ticket = self._count(answer.ticket)
        proof = self._second_proof(user_id, answer)
        if proof is None:
            self._note_failure(user_id)
            raise _not_right("code")
        with self._database.transaction():
            if self._challenges.take(ticket.id, SECOND_STEP, self._clock()) is None:
                raise _expired()
            method = f"{ticket.particulars['method']}, {proof.value}"
            grant = self._entrance.open(user_id, device, method=method)
            self._throttle.clear(counted)
        return grant

    def ways(self, actor: Actor) -> tuple[Proof, ...]:
        """Return what the actor may confirm by; nothing: by signing in anew.

        Raises:
            ScopeError: The actor came with an access token.
        """
        user_id = self._require_confirm(actor)
        with self._database.reading():
            user = self._users.get(user_id)
            found = self._factors.methods(user_id)
            has_passkey = bool(self._passkeys.listed(actor))
        ways = [Proof.PASSWORD] if user and user.password_hash else []
        ways += [proof for proof in found if proof is not Proof.PASSKEY]
        return (*ways, Proof.PASSKEY) if has_passkey else tuple(ways)

    def question_to_confirm(self, actor: Actor) -> PasskeyQuestion:
        """Return a question for a passkey of the actor."""
        return self._passkeys.ask(_CONFIRM, self._require_confirm(actor))

    def confirm(self, actor: Actor, answer: ConfirmationAnswer) -> None:
        """Note that it is still the same person, for as long as the settings say.

        Raises:
            ScopeError: The actor came with an access token.
            RateLimitError: Too much was tried.
            AuthenticationError: The proof is not right.
        """
        user_id = self._require_confirm(actor)
        if actor.session_id is None:
            raise AuthenticationError("There is no session to confirm. Please sign in.")
        proof = self._proof_of(actor, user_id, answer)
        with self._database.transaction():
            self._sessions.confirm(actor.session_id, self._clock())
            self._audit.record(
                actor,
                "session.confirmed",
                Resource.ACCOUNT,
                actor.public_id,
                after={"method": proof.value},
            )

    def change_password(self, actor: Actor, change: PasswordChange) -> None:
        """Replace the actor's password and end all other sessions.

        Raises:
            ConfirmationRequiredError: The account had none, and the actor has to confirm.
            RateLimitError: Too many passwords were tried.
            ValidationError: The present one is not right, or the new one not good enough.
        """
        user_id = require_user(actor)
        require(actor, Resource.ACCOUNT, Action.EDIT, owner_id=user_id)
        with self._database.reading():
            user = self._users.get(user_id)
        if user is None or user.password_hash is None:
            require(actor, Resource.ACCOUNT, Action.PROTECT, owner_id=user_id)
        else:
            self._require_present(user_id, user.password_hash, change)
        password = change.new_password.get_secret_value()
        require_good(password, name=actor.name, email=actor.email, site=self._site)
        password_hash = self._passwords.hash(password)
        with self._database.transaction():
            self._users.set_password_hash(user_id, password_hash)
            self._audit.record(actor, "user.password-changed", Resource.USER, actor.public_id)
            self._entrance.revoke_others(actor, reason="password changed")
            self._notices.tell(user_id, Change.PASSWORD)

    def _require_present(self, user_id: UUID, stored: str, change: PasswordChange) -> None:
        present = change.present_password.get_secret_value() if change.present_password else ""
        if not self._guess(user_id, lambda: self._passwords.verify(stored, present)):
            message = "This is not your present password."
            details = [{"field": "present_password", "message": message}]
            raise ValidationError(message, details=details)

    def _proof_of(self, actor: Actor, user_id: UUID, answer: ConfirmationAnswer) -> Proof:
        if answer.passkey is not None:
            self._passkeys.owner(_CONFIRM, answer.passkey, user_id)
            return Proof.PASSKEY
        if answer.code is not None:
            code = answer.code
            proof = self._guess(user_id, lambda: self._factors.use(user_id, code))
        else:
            password = answer.password.get_secret_value() if answer.password else ""
            proof = self._guess(user_id, lambda: self._password_proof(user_id, password))
        if proof is None:
            self._note_failure(user_id, actor)
            raise _not_right("code" if answer.code else "password")
        return proof

    def _password_proof(self, user_id: UUID, password: str) -> Proof | None:
        with self._database.reading():
            user = self._users.get(user_id)
        right = self._passwords.verify(user.password_hash if user else None, password)
        return Proof.PASSWORD if right else None

    def _second_proof(self, user_id: UUID, answer: SecondFactorAnswer) -> Proof | None:
        if answer.passkey is not None:
            self._passkeys.owner(_SECOND_STEP_PASSKEY, answer.passkey, user_id)
            return Proof.PASSKEY
        return self._factors.use(user_id, answer.code or "")

    def _guess(self, user_id: UUID, judge: Callable[[], T]) -> T:
        """Judge something secret that was typed, counted before it is judged."""
        counted = f"confirmation {user_id}"
        self._throttle.attempt(counted)
        verdict = judge()
        if verdict:
            self._throttle.clear(counted)
        return verdict

    def _waiting(self, ticket: str) -> UUID:
        """Return whose sign-in a ticket is for."""
        with self._database.reading():
            challenge = self._challenges.waiting(_identity(ticket), SECOND_STEP, self._clock())
        if challenge is None or challenge.user_id is None:
            raise _expired()
        return challenge.user_id

    def _count(self, ticket: str) -> Challenge:
        """Count an answer to a ticket before it is judged."""
        with self._database.transaction():
            challenge = self._challenges.count_attempt(
                _identity(ticket), SECOND_STEP, self._clock(), most=_ATTEMPTS
            )
        if challenge is None:
            raise _expired()
        return challenge

    def _note_failure(self, user_id: UUID, actor: Actor = ANONYMOUS) -> None:
        with self._database.transaction():
            user = self._users.get(user_id)
            subject = user.public_id if user else ""
            self._audit.record(actor, "user.second-step-failed", Resource.USER, subject)
        logger.warning("A second step failed", extra={"user": subject})

    def _require_confirm(self, actor: Actor) -> UUID:
        user_id = require_user(actor)
        require(actor, Resource.ACCOUNT, Action.CONFIRM, owner_id=user_id)
        return user_id


def _identity(ticket: str) -> UUID:
    try:
        return UUID(ticket)
    except ValueError:
        raise _expired() from None


def _expired() -> SignInExpiredError:
    return SignInExpiredError(
        "This sign-in took too long, was finished already, or saw too many wrong codes."
        " Please begin anew."
    )


def _not_right(what: str) -> AuthenticationError:
    message = f"This {what} is not right."
    return AuthenticationError(message, details=[{"field": what, "message": message}])
