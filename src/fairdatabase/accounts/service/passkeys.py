"""Passkeys: how they are added, asked for and removed."""

import logging
import secrets
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from fairdatabase.accounts.errors import PasskeyRefusedError
from fairdatabase.accounts.formats.letters import Change
from fairdatabase.accounts.models import Challenge, Passkey
from fairdatabase.accounts.repository.challenges import ChallengeRepository
from fairdatabase.accounts.repository.passkeys import PasskeyRepository
from fairdatabase.accounts.rules.passkeys import (
    Site,
    creation_options,
    credential_id_of,
    new_sign_count,
    registered,
    request_options,
)
from fairdatabase.accounts.schemas.factors import PasskeyIn, PasskeyRecord
from fairdatabase.accounts.schemas.sessions import PasskeyAnswer, PasskeyQuestion
from fairdatabase.accounts.service.notices import Notices
from fairdatabase.accounts.service.ways import WaysIn
from fairdatabase.audit.service import Audit
from fairdatabase.authorization.rules import require, require_user
from fairdatabase.authorization.schemas import Action, Actor, Resource
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import ConflictError, LimitExceededError, NotFoundError

_ADD = "add passkey"
_CHALLENGE_BYTES = 32
_CHALLENGE_LENGTH = timedelta(minutes=5)
_MOST = 20
logger = logging.getLogger(__name__)


class Passkeys:
    """WebAuthn credentials of accounts.

    Args:
        database: Where they and the questions to them are kept.
        settings: Name and address of the instance.
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
        address = urlsplit(settings.public_url)
        self.site = Site(
            settings.site_name, address.hostname or "", f"{address.scheme}://{address.netloc}"
        )
        self._passkeys = PasskeyRepository(database)
        self._ways = WaysIn(database, settings)
        self._challenges = ChallengeRepository(database)

    def begin(self, actor: Actor) -> PasskeyQuestion:
        """Return what the actor's browser is to make a new passkey by.

        Raises:
            ConfirmationRequiredError: The actor has to confirm who they are first.
            LimitExceededError: The account has too many already.
        """
        user_id = self._require_protect(actor)
        with self._database.transaction():
            known = [each.credential_id for each in self._passkeys.of_user(user_id)]
            if len(known) >= _MOST:
                raise LimitExceededError(f"An account has at most {_MOST} passkeys. Remove one.")
            challenge = self._new_challenge(_ADD, user_id)
        user = (user_id.bytes, actor.email, actor.name)
        options = creation_options(self.site, _bytes(challenge), user=user, known=known)
        return PasskeyQuestion(challenge=str(challenge.id), options=options)

    def add(self, actor: Actor, new: PasskeyIn) -> PasskeyRecord:
        """Keep a new passkey of the actor.

        Raises:
            ConfirmationRequiredError: The actor has to confirm who they are first.
            PasskeyRefusedError: It does not answer a question of ours.
            ConflictError: It is known already.
        """
        user_id = self._require_protect(actor)
        challenge = self._take(new.challenge, _ADD, user_id)
        made = registered(self.site, challenge, new.credential)
        if made is None:
            raise _refused()
        passkey = Passkey(
            user_id=user_id,
            name=new.name,
            credential_id=made.credential_id,
            public_key=made.public_key,
            sign_count=made.sign_count,
            transports=[],
            created_at=self._clock(),
        )
        try:
            with self._database.transaction():
                self._passkeys.add(passkey)
                self._audit.record(
                    actor,
                    "passkey.added",
                    Resource.ACCOUNT,
                    actor.public_id,
                    after={"passkey": passkey.public_id},
                )
                self._notices.tell(user_id, Change.PASSKEY_ADDED)
        except IntegrityError:
            raise ConflictError("This passkey is known already.") from None
        return _record(passkey)

    def listed(self, actor: Actor) -> tuple[PasskeyRecord, ...]:
        """Return the actor's passkeys, the oldest first."""
        user_id = self._require_edit(actor)
        with self._database.reading():
            return tuple(_record(each) for each in self._passkeys.of_user(user_id))

    def rename(self, actor: Actor, public_id: str, name: str) -> None:
        """Give one of the actor's passkeys another name.

        Raises:
            NotFoundError: The actor has no such passkey.
        """
        user_id = self._require_edit(actor)
        with self._database.transaction():
            if not self._passkeys.rename(user_id, public_id, name):
                raise _no_passkey(public_id)

    def remove(self, actor: Actor, public_id: str) -> None:
        """Remove one of the actor's passkeys.

        Raises:
            ConfirmationRequiredError: The actor has to confirm who they are first.
            NotFoundError: The actor has no such passkey.
            LastWayInError: Nobody could sign in to the account any more.
        """
        user_id = self._require_protect(actor)
        with self._database.transaction():
            if not self._passkeys.remove(user_id, public_id):
                raise _no_passkey(public_id)
            self._ways.require(user_id)
            self._audit.record(
                actor,
                "passkey.removed",
                Resource.ACCOUNT,
                actor.public_id,
                before={"passkey": public_id},
            )
            self._notices.tell(user_id, Change.PASSKEY_REMOVED)

    def ask(self, purpose: str, user_id: UUID | None = None) -> PasskeyQuestion:
        """Return a question for a passkey.

        Args:
            purpose: What for: an answer is good for nothing else.
            user_id: Whose passkey it has to be; None: whoever has one.
        """
        with self._database.transaction():
            challenge = self._new_challenge(purpose, user_id)
            keys = self._passkeys.of_user(user_id) if user_id else ()
            known = [each.credential_id for each in keys]
        options = request_options(self.site, _bytes(challenge), known=known)
        return PasskeyQuestion(challenge=str(challenge.id), options=options)

    def owner(self, purpose: str, answer: PasskeyAnswer, user_id: UUID | None = None) -> UUID:
        """Return who answered a question; it is used up, whether the answer is right or not.

        Args:
            purpose: Of the question.
            answer: From the browser.
            user_id: Whom the question was for; None: whoever has a passkey.

        Raises:
            PasskeyRefusedError: The question is not open, or the answer is not right.
        """
        challenge = self._take(answer.challenge, purpose, user_id)
        credential_id = credential_id_of(answer.credential)
        with self._database.transaction():
            passkey = self._passkeys.by_credential(credential_id) if credential_id else None
            if passkey is None or (user_id is not None and passkey.user_id != user_id):
                raise _refused()
            sign_count = new_sign_count(
                self.site,
                challenge,
                answer.credential,
                public_key=passkey.public_key,
                sign_count=passkey.sign_count,
                handle=passkey.user_id.bytes,
            )
            if sign_count is None or not self._passkeys.record_use(
                passkey.id, self._clock(), sign_count
            ):
                logger.warning("A passkey was refused", extra={"passkey": passkey.public_id})
                raise _refused()
            return passkey.user_id

    def _new_challenge(self, purpose: str, user_id: UUID | None) -> Challenge:
        now = self._clock()
        random = bytes_to_base64url(secrets.token_bytes(_CHALLENGE_BYTES))
        return self._challenges.add(
            Challenge(
                purpose=purpose,
                user_id=user_id,
                particulars={"challenge": random},
                created_at=now,
                expires_at=now + _CHALLENGE_LENGTH,
            )
        )

    def _take(self, challenge_id: str, purpose: str, user_id: UUID | None) -> bytes:
        """Use up a question in a transaction of its own, so that a wrong answer does so too."""
        try:
            identity = UUID(challenge_id)
        except ValueError:
            raise _refused() from None
        with self._database.transaction():
            challenge = self._challenges.take(identity, purpose, self._clock())
        if challenge is None or challenge.user_id != user_id:
            raise _refused()
        return _bytes(challenge)

    def _require_edit(self, actor: Actor) -> UUID:
        user_id = require_user(actor)
        require(actor, Resource.ACCOUNT, Action.EDIT, owner_id=user_id)
        return user_id

    def _require_protect(self, actor: Actor) -> UUID:
        user_id = require_user(actor)
        require(actor, Resource.ACCOUNT, Action.PROTECT, owner_id=user_id)
        return user_id


def _bytes(challenge: Challenge) -> bytes:
    return base64url_to_bytes(challenge.particulars["challenge"])


def _record(passkey: Passkey) -> PasskeyRecord:
    return PasskeyRecord(
        public_id=passkey.public_id,
        name=passkey.name,
        created_at=passkey.created_at,
        last_used_at=passkey.last_used_at,
    )


def _refused() -> PasskeyRefusedError:
    return PasskeyRefusedError("This passkey was not accepted. Please try again.")


def _no_passkey(public_id: str) -> NotFoundError:
    return NotFoundError(f"You have no passkey {public_id}.")
