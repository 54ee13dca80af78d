"""Sessions: how one is opened, what its owner sees of it, and how it ends."""

from datetime import datetime, timedelta
from uuid import UUID

from fairdatabase.accounts.errors import SecondFactorRequiredError, SessionEndedError
from fairdatabase.accounts.models import Challenge, Session
from fairdatabase.accounts.repository import SessionRepository, UserRepository
from fairdatabase.accounts.repository.challenges import ChallengeRepository
from fairdatabase.accounts.repository.factors import FactorRepository
from fairdatabase.accounts.repository.tokens import TokenRepository
from fairdatabase.accounts.rules.devices import device_in_words
from fairdatabase.accounts.schemas import Grant
from fairdatabase.accounts.schemas.sessions import Device, Proof, SecondStep, SessionRecord
from fairdatabase.audit.service import Audit
from fairdatabase.authorization.rules import require, require_user
from fairdatabase.authorization.schemas import Action, Actor, Resource, Role
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import AuthenticationError, NotFoundError

SECOND_STEP = "second factor"
_TICKET_LENGTH = timedelta(minutes=5)
_SESSION_SEEN = timedelta(minutes=5)
_TOKEN_SEEN = timedelta(minutes=1)
_USED_TOKENS_KEPT = timedelta(days=1)
_USER_AGENT_LENGTH = 300


class Sessions:
    """Devices that are signed in.

    Args:
        database: Where they are kept.
        settings: How long a session and a confirmation last.
        clock: Source of the present time.
        audit: Where every act is recorded.
    """

    def __init__(
        self, database: Database, settings: Settings, clock: Clock, *, audit: Audit
    ) -> None:
        self._database = database
        self._audit = audit
        self._clock = clock
        self._length = timedelta(days=settings.refresh_token_days)
        self._confirmation_length = timedelta(minutes=settings.confirmation_minutes)
        self._users = UserRepository(database)
        self._sessions = SessionRepository(database)
        self._tokens = TokenRepository(database)
        self._factors = FactorRepository(database)
        self._challenges = ChallengeRepository(database)

    def enter(self, user_id: UUID, device: Device, *, method: str) -> Grant:
        """Open a session for somebody who gave one proof, or ask for the second factor.

        For every way to sign in that is not strong in itself. Call it outside any transaction:
        the ticket of the second step is kept although this raises.

        Args:
            user_id: Who it is.
            device: What they sign in with.
            method: The proof they gave, for the log of events.

        Raises:
            SecondFactorRequiredError: The account has a second factor; it carries the ticket.
            AuthenticationError: The account may not sign in.
        """
        with self._database.transaction():
            methods = self._factors.methods(user_id)
            if not methods:
                return self.open(user_id, device, method=method)
            step = self._ticket(user_id, methods, method)
        raise SecondFactorRequiredError(step)

    def open(self, user_id: UUID, device: Device, *, method: str) -> Grant:
        """Open a session for somebody who proved enough; arguments as of :meth:`enter`.

        Raises:
            AuthenticationError: The account is disabled or a service's.
        """
        now = self._clock()
        with self._database.transaction():
            session = self._sessions.add(
                Session(
                    user_id=user_id,
                    created_at=now,
                    expires_at=now + self._length,
                    user_agent=device.user_agent[:_USER_AGENT_LENGTH],
                    network=device.network,
                    last_seen_at=now,
                    confirmed_at=now,
                )
            )
            grant = self.grant(session, now)
            if Role.SERVICE in grant.actor.roles:
                raise AuthenticationError("A service account has tokens and cannot sign in.")
            self._users.record_sign_in(user_id, now)
            self._audit.record(
                grant.actor,
                "user.signed-in",
                Resource.USER,
                grant.actor.public_id,
                after={"method": method, "session": session.public_id},
            )
            return grant

    def grant(self, session: Session | None, now: datetime) -> Grant:
        """Return what the next tokens of a live session are made from.

        Raises:
            SessionEndedError: It has ended, or its account is disabled.
        """
        actor = (
            self._sessions.holder(session.id, now, self._confirmation_length) if session else None
        )
        if session is None or actor is None:
            raise SessionEndedError("Your session has ended. Please sign in again.")
        return Grant(
            actor=actor,
            session_id=session.id,
            refresh_id=self._sessions.issue_refresh_token(session.id, now),
            expires_at=session.expires_at,
        )

    def listed(self, actor: Actor) -> tuple[SessionRecord, ...]:
        """Return the actor's sessions, the last seen first.

        Raises:
            PermissionDeniedError: The actor came with an access token.
        """
        user_id = require_user(actor)
        require(actor, Resource.SESSION, Action.LIST, owner_id=user_id)
        with self._database.reading():
            found = self._sessions.alive(user_id, self._clock())
        return tuple(_record(each, actor) for each in found)

    def revoke(self, actor: Actor, public_id: str) -> None:
        """End one of the actor's sessions; its tokens are worthless from now on.

        Raises:
            NotFoundError: The actor has no such session.
        """
        user_id = require_user(actor)
        require(actor, Resource.SESSION, Action.REVOKE, owner_id=user_id)
        with self._database.transaction():
            ended = self._sessions.revoke_by_public_id(
                user_id, public_id, self._clock(), reason="revoked by its owner"
            )
            if not ended:
                raise NotFoundError(f"You have no session {public_id}.")
            self._audit.record(actor, "session.revoked", Resource.SESSION, public_id)

    def revoke_others(self, actor: Actor, *, reason: str = "revoked by its owner") -> int:
        """End all of the actor's sessions but this one, and return how many those were."""
        user_id = require_user(actor)
        require(actor, Resource.SESSION, Action.REVOKE, owner_id=user_id)
        with self._database.transaction():
            ended = self._sessions.revoke_others(
                user_id, actor.session_id, self._clock(), reason=reason
            )
            for public_id in ended:
                self._audit.record(actor, "session.revoked", Resource.SESSION, public_id)
        return len(ended)

    def note_presence(self, actor: Actor) -> None:
        """Note that a session or a token is used, now and then: few requests write anything."""
        now = self._clock()
        length = _TOKEN_SEEN if actor.token_id else _SESSION_SEEN
        since = now - length
        if actor.last_seen_at is not None and actor.last_seen_at > since:
            return
        with self._database.transaction():
            if actor.token_id:
                self._tokens.mark_used(actor.token_id, now, unless_since=since)
            elif actor.session_id:
                self._sessions.mark_seen(actor.session_id, now, unless_since=since)

    def sweep(self) -> None:
        """Remove the sessions, refresh tokens and questions that are over."""
        now = self._clock()
        with self._database.transaction():
            self._sessions.forget_expired(now)
            self._sessions.forget_used_tokens(now - _USED_TOKENS_KEPT)
            self._challenges.forget_expired(now)

    def _ticket(self, user_id: UUID, methods: tuple[Proof, ...], method: str) -> SecondStep:
        now = self._clock()
        challenge = Challenge(
            purpose=SECOND_STEP,
            user_id=user_id,
            particulars={"method": method, "attempts": 0},
            created_at=now,
            expires_at=now + _TICKET_LENGTH,
        )
        return SecondStep(
            ticket=str(self._challenges.add(challenge).id),
            methods=methods,
            expires_in=int(_TICKET_LENGTH.total_seconds()),
        )


def _record(session: Session, actor: Actor) -> SessionRecord:
    return SessionRecord(
        public_id=session.public_id,
        device=device_in_words(session.user_agent),
        network=session.network,
        signed_in_at=session.created_at,
        last_seen_at=session.last_seen_at,
        expires_at=session.expires_at,
        is_this=session.id == actor.session_id,
    )
