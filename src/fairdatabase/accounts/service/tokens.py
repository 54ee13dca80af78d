"""Personal access tokens: what programs come with instead of a password."""

from datetime import datetime, timedelta
from uuid import UUID

from fairdatabase.accounts.errors import SessionEndedError
from fairdatabase.accounts.models import PersonalToken
from fairdatabase.accounts.repository import SessionRepository
from fairdatabase.accounts.repository.tokens import TokenRepository
from fairdatabase.accounts.rules.tokens import HINT_LENGTH, hash_of, is_token, new_token
from fairdatabase.accounts.schemas.tokens import NewToken, TokenIn, TokenRecord
from fairdatabase.audit.service import Audit
from fairdatabase.authorization.rules import may, require, require_user, useful_scopes
from fairdatabase.authorization.schemas import Action, Actor, Resource, Scope
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import (
    AuthenticationError,
    LimitExceededError,
    NotFoundError,
    ValidationError,
)

_MOST = 50
"""Tokens of one account; who needs more loses track of them."""


class Tokens:
    """Makes tokens, knows them again and revokes them.

    Args:
        database: Holds their hashes.
        clock: Source of the present time.
        audit: Where every act is recorded.
    """

    def __init__(self, database: Database, clock: Clock, *, audit: Audit) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._tokens = TokenRepository(database)
        self._accounts = SessionRepository(database)

    def create(self, actor: Actor, wanted: TokenIn) -> NewToken:
        """Make a token for the actor.

        Raises:
            ConfirmationRequiredError: The actor has to confirm who they are first.
            ScopeError: The actor came with a token themself.
            ValidationError: A scope is of no use to the account.
            LimitExceededError: The account has too many already.
        """
        require(actor, Resource.TOKEN, Action.CREATE, owner_id=require_user(actor))
        return self._make(actor, actor, wanted)

    def issue(self, actor: Actor, email: str, wanted: TokenIn) -> NewToken:
        """Make a token for somebody else, such as a service account.

        Raises:
            PermissionDeniedError: The actor is no admin.
            NotFoundError: No active account has this address.
            ValidationError: A scope is of no use to the account.
        """
        require(actor, Resource.TOKEN, Action.ISSUE)
        return self._make(actor, self._holder(email), wanted)

    def listed(self, actor: Actor) -> tuple[TokenRecord, ...]:
        """Return the actor's tokens, the newest first."""
        return self._of(actor, require_user(actor))

    def issued(self, actor: Actor, email: str) -> tuple[TokenRecord, ...]:
        """Return somebody else's tokens, the newest first."""
        require(actor, Resource.TOKEN, Action.LIST)
        user_id = require_user(self._holder(email))
        return self._of(actor, user_id)

    def revoke(self, actor: Actor, public_id: str) -> None:
        """Make a token worthless from the next request on.

        Raises:
            NotFoundError: There is no such token, or the actor may not know.
        """
        require_user(actor)
        now = self._clock()
        with self._database.transaction():
            token = self._tokens.by_public_id(public_id)
            owner_id = token.user_id if token else None
            if token is None or not may(actor, Resource.TOKEN, Action.REVOKE, owner_id=owner_id):
                raise NotFoundError(f"There is no access token {public_id}.")
            token.revoked_at = now
            self._audit.record(actor, "token.revoked", Resource.TOKEN, public_id)

    def actor_for(self, text: str) -> Actor:
        """Return who comes with a token, limited to its scopes; one statement.

        Raises:
            AuthenticationError: It is no token of ours.
            SessionEndedError: It was revoked or has expired, or its account is disabled.
        """
        if not is_token(text):
            raise AuthenticationError("This access token is not whole. Please copy all of it.")
        with self._database.reading():
            actor = self._tokens.holder(hash_of(text), self._clock())
        if actor is None:
            raise SessionEndedError(
                "This access token was revoked, has expired, or its account is disabled."
            )
        return actor

    def _holder(self, email: str) -> Actor:
        with self._database.reading():
            holder = self._accounts.account(email.lower())
        if holder is None:
            raise NotFoundError(f"There is no active user with the address {email}.")
        return holder

    def _of(self, actor: Actor, user_id: UUID) -> tuple[TokenRecord, ...]:
        require(actor, Resource.TOKEN, Action.LIST, owner_id=user_id)
        now = self._clock()
        with self._database.reading():
            return tuple(_record(each, now) for each in self._tokens.of_user(user_id))

    def _make(self, actor: Actor, holder: Actor, wanted: TokenIn) -> NewToken:
        _require_useful(wanted.scopes, holder)
        user_id = require_user(holder)
        now, text = self._clock(), new_token()
        with self._database.transaction():
            if len(self._tokens.of_user(user_id)) >= _MOST:
                raise LimitExceededError(f"An account has at most {_MOST} tokens. Revoke one.")
            token = self._tokens.add(
                PersonalToken(
                    user_id=user_id,
                    name=wanted.name,
                    hint=text[-HINT_LENGTH:],
                    token_hash=hash_of(text),
                    scopes=sorted(wanted.scopes),
                    created_at=now,
                    expires_at=now + timedelta(days=wanted.days),
                )
            )
            self._audit.record(
                actor,
                "token.created",
                Resource.TOKEN,
                token.public_id,
                after={
                    "user": holder.public_id,
                    "scopes": sorted(wanted.scopes),
                    "expires_at": token.expires_at.isoformat(),
                },
            )
        return NewToken(**_record(token, now).model_dump(), token=text)


def _require_useful(scopes: frozenset[Scope], holder: Actor) -> None:
    useless = sorted(scopes - useful_scopes(holder.roles))
    if useless:
        message = f"This account cannot do what this scope is for: {', '.join(useless)}."
        raise ValidationError(message, details=[{"field": "scopes", "message": message}])


def _record(token: PersonalToken, now: datetime) -> TokenRecord:
    return TokenRecord(
        public_id=token.public_id,
        name=token.name,
        hint=token.hint,
        scopes=tuple(sorted(token.scope_set)),
        created_at=token.created_at,
        expires_at=token.expires_at,
        last_used_at=token.last_used_at,
        is_expired=token.expires_at <= now,
    )
