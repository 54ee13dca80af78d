"""Signing in by another provider, and linking what it knows to an account.

An identity is linked by its owner alone, while signed in: never because two addresses are equal.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from fairdatabase.accounts.backends.oidc import Exchange, OidcProvider
from fairdatabase.accounts.backends.outgoing import OutgoingTransport
from fairdatabase.accounts.errors import IdentityTakenError, ProviderError
from fairdatabase.accounts.formats.letters import Change
from fairdatabase.accounts.models import Challenge, Identity, User
from fairdatabase.accounts.repository import SessionRepository, UserRepository
from fairdatabase.accounts.repository.challenges import ChallengeRepository
from fairdatabase.accounts.repository.identities import IdentityRepository
from fairdatabase.accounts.rules.browsers import browser_hash, is_same_browser
from fairdatabase.accounts.schemas import Grant
from fairdatabase.accounts.schemas.identities import (
    AddressCode,
    ApplicantIn,
    Arrival,
    Departure,
    IdentityOverview,
    IdentityRecord,
    ProvenIdentity,
    ProviderAnswer,
    ProviderRecord,
)
from fairdatabase.accounts.schemas.sessions import Device
from fairdatabase.accounts.service import Accounts
from fairdatabase.accounts.service.newcomers import Newcomers, proven_of
from fairdatabase.accounts.service.notices import Notices
from fairdatabase.accounts.service.ways import WaysIn
from fairdatabase.audit.service import Audit
from fairdatabase.authorization.rules import require, require_user
from fairdatabase.authorization.schemas import Action, Actor, Resource
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import NotFoundError

_EXCHANGE: Final = "provider"
_EXCHANGE_LENGTH = timedelta(minutes=15)


class Identities:
    """Accounts at other providers.

    Args:
        database: Where they are kept.
        settings: The providers.
        clock: Source of the present time.
        audit: Where every act is recorded.
        accounts: Opens sessions.
        newcomers: Makes accounts.
        notices: Tell the owner.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        clock: Clock,
        *,
        audit: Audit,
        accounts: Accounts,
        newcomers: Newcomers,
        notices: Notices,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._accounts = accounts
        self._notices = notices
        self.newcomers = newcomers
        self._url = settings.public_url
        self._users = UserRepository(database)
        self._sessions = SessionRepository(database)
        self._challenges = ChallengeRepository(database)
        self._identities = IdentityRepository(database)
        self._ways = WaysIn(database, settings)
        transport = OutgoingTransport(loopback=settings.asks_loopback)
        self._providers: Mapping[str, OidcProvider] = MappingProxyType(
            {each.name: OidcProvider(each, transport, clock) for each in settings.oidc_providers}
        )

    def providers(self) -> tuple[ProviderRecord, ...]:
        """Return the providers by which one may sign in; public."""
        return tuple(
            ProviderRecord(name=name, label=provider.settings.label)
            for name, provider in self._providers.items()
        )

    def begin(self, provider: str, *, browser: str, target: str) -> Departure:
        """Return where to send a browser whose owner wants to sign in.

        Args:
            provider: Its name.
            browser: Secret of the browser, which has to bring the answer.
            target: Where the person wants to go afterwards.

        Raises:
            NotFoundError: There is no such provider.
            UnavailableError: It does not answer.
        """
        return self._depart(self._provider(provider), browser=browser, target=target)

    def begin_link(self, actor: Actor, provider: str, *, browser: str, target: str) -> Departure:
        """Return where to send the browser of somebody who wants to link a provider.

        Who has linked it already confirms by it that it is still them.

        Raises:
            ConfirmationRequiredError: The person has to confirm that it is them.
            NotFoundError: There is no such provider.
            UnavailableError: It does not answer.
        """
        user_id = require_user(actor)
        require(actor, Resource.ACCOUNT, Action.CONFIRM, owner_id=user_id)
        wanted = self._provider(provider)
        with self._database.reading():
            linked = {identity.provider for identity in self._identities.of_user(user_id)}
        if provider not in linked:
            require(actor, Resource.ACCOUNT, Action.PROTECT, owner_id=user_id)
        return self._depart(wanted, browser=browser, target=target, user_id=user_id)

    def finish(
        self, actor: Actor, provider: str, answer: ProviderAnswer, *, browser: str, device: Device
    ) -> Arrival:
        """Take the answer of a provider: each is taken once, and in the browser that asked.

        Raises:
            ProviderError: It is not to be believed, the person declined, or the account is
                disabled.
            SecondFactorRequiredError: The account has a second factor.
            IdentityTakenError: What was to be linked is somebody else's.
            UnavailableError: The provider does not answer.
        """
        site = self._provider(provider)
        challenge = self._take(provider, answer.state, browser)
        proven = site.identify(answer, self._exchange(provider, answer.state, challenge))
        target = str(challenge.particulars["target"])
        if challenge.user_id is not None:
            return self._link(actor, challenge.user_id, proven, target)
        return self._enter(proven, browser=browser, device=device, target=target)

    def link_pending(self, actor: Actor, pending_id: str, *, browser: str) -> Arrival:
        """Link an identity that waited until its owner had signed in.

        Raises:
            ConfirmationRequiredError: The person has to confirm that it is them.
            ProviderError: Nothing waits in this browser.
            IdentityTakenError: It was linked to somebody else's account meanwhile.
        """
        user_id = require_user(actor)
        with self._database.transaction():
            challenge = self.newcomers.held(pending_id, browser)
            proven = proven_of(challenge)
            arrival = self._link(actor, user_id, proven, str(challenge.particulars["target"]))
            self.newcomers.release(challenge)
        return arrival

    def apply(
        self, pending_id: str, applicant: ApplicantIn, *, browser: str, device: Device
    ) -> Arrival:
        """Open the first session of somebody who needs no code, or have one sent.

        Raises:
            ProviderError: Nothing waits in this browser.
            ValidationError: The person does not agree to the terms.
            RateLimitError: Enough letters were sent.
        """
        target = self.newcomers.pending(pending_id, browser=browser).target
        user_id = self.newcomers.apply(pending_id, applicant, browser=browser)
        if user_id is None:
            return Arrival(target, pending=pending_id)
        return Arrival(
            target, grant=self._accounts.open_session(user_id, by="provider", device=device)
        )

    def join(self, pending_id: str, code: AddressCode, *, browser: str, device: Device) -> Arrival:
        """Open the first session of somebody who proved an address by a code.

        Raises:
            ProviderError: Nothing waits in this browser.
            ValidationError: It is another code.
        """
        user_id, target = self.newcomers.confirm(pending_id, code, browser=browser)
        grant = self._accounts.open_session(user_id, by="provider", device=device)
        return Arrival(target, grant=grant)

    def overview(self, actor: Actor) -> IdentityOverview:
        """Return the actor's identities, and the providers there are.

        Raises:
            AuthenticationError: Nobody is signed in.
        """
        user_id = require_user(actor)
        require(actor, Resource.ACCOUNT, Action.READ, owner_id=user_id)
        with self._database.reading():
            identities = self._identities.of_user(user_id)
        return IdentityOverview(
            identities=tuple(self._record(each) for each in identities),
            providers=self.providers(),
        )

    def unlink(self, actor: Actor, public_id: str) -> None:
        """Let nobody sign in by an identity any more.

        Raises:
            ConfirmationRequiredError: The person has to confirm that it is them.
            NotFoundError: The actor has no such identity.
            LastWayInError: Nobody could sign in to the account any more.
        """
        user_id = require_user(actor)
        require(actor, Resource.ACCOUNT, Action.PROTECT, owner_id=user_id)
        with self._database.transaction():
            identity = self._identities.owned(user_id, public_id)
            if identity is None:
                raise NotFoundError(f"You have no linked account {public_id}.")
            before = {"provider": identity.provider, "identity": identity.public_id}
            self._identities.remove(identity)
            self._ways.require(user_id)
            self._audit.record(
                actor, "identity.unlinked", Resource.USER, actor.public_id, before=before
            )
            label = self._label(identity.provider)
            self._notices.tell(user_id, Change.IDENTITY_UNLINKED, provider=label)

    def _depart(
        self, provider: OidcProvider, *, browser: str, target: str, user_id: UUID | None = None
    ) -> Departure:
        now, secret = self._clock(), secrets.token_urlsafe()
        challenge = Challenge(
            purpose=_EXCHANGE,
            user_id=user_id,
            particulars={
                "provider": provider.settings.name,
                "browser": browser_hash(browser),
                "state": _digest(secret),
                "nonce": secrets.token_urlsafe(),
                "verifier": secrets.token_urlsafe(48),
                "target": target,
            },
            created_at=now,
            expires_at=now + _EXCHANGE_LENGTH,
        )
        with self._database.transaction():
            self._challenges.add(challenge)
        exchange = self._exchange(provider.settings.name, f"{challenge.id.hex}.{secret}", challenge)
        again = user_id is not None
        return Departure(provider.address(exchange, again=again), provider.settings.label)

    def _take(self, provider: str, state: str, browser: str) -> Challenge:
        """Return the question that an answer belongs to; nobody else is given it any more."""
        challenge_id, _, secret = state.partition(".")
        try:
            wanted = UUID(hex=challenge_id)
        except ValueError:
            raise _unasked() from None
        with self._database.transaction():
            challenge = self._challenges.waiting(wanted, _EXCHANGE, self._clock())
            # A question that another browser was asked stays for that browser.
            if (
                challenge is None
                or not _fits(challenge.particulars, provider, secret, browser)
                or self._challenges.take(wanted, _EXCHANGE, self._clock()) is None
            ):
                raise _unasked()
        return challenge

    def _exchange(self, provider: str, state: str, challenge: Challenge) -> Exchange:
        return Exchange(
            redirect_uri=f"{self._url}/sign-in/with/{provider}/answer",
            state=state,
            nonce=challenge.particulars["nonce"],
            verifier=challenge.particulars["verifier"],
        )

    def _enter(
        self, proven: ProvenIdentity, *, browser: str, device: Device, target: str
    ) -> Arrival:
        """Sign somebody in, make their account, or ask what is missing."""
        with self._database.transaction():
            user = self._identities.user_of(proven.issuer, proven.subject)
            if user is not None:
                self._identities.record_use(proven.issuer, proven.subject, self._clock())
        if user is None:
            return self._welcome(proven, browser=browser, device=device, target=target)
        if not user.is_active:
            raise ProviderError("This account is disabled. Please ask an admin.")
        return Arrival(target, grant=self._open(user.id, proven.provider, device))

    def _welcome(
        self, proven: ProvenIdentity, *, browser: str, device: Device, target: str
    ) -> Arrival:
        with self._database.reading():
            email = self.newcomers.address_of(proven)
        if email:
            name = proven.name or email.partition("@")[0]
            try:
                with self._database.transaction():
                    user_id = self.newcomers.admit(proven, name=name, email=email)
            except IntegrityError:
                raise _unasked() from None
            return Arrival(target, grant=self._open(user_id, proven.provider, device))
        pending = self.newcomers.hold(proven, browser=browser, target=target)
        return Arrival(target, pending=pending)

    def _link(self, actor: Actor, user_id: UUID, proven: ProvenIdentity, target: str) -> Arrival:
        """Link an identity to the account of whoever asked, and is still signed in."""
        if actor.user_id != user_id or actor.session_id is None:
            raise _unasked()
        require(actor, Resource.ACCOUNT, Action.CONFIRM, owner_id=user_id)
        label = self._label(proven.provider)
        with self._database.reading():
            owner = self._identities.user_of(proven.issuer, proven.subject)
        if owner is not None and owner.id != user_id:
            raise _taken(label)
        if owner is not None:
            self._confirm(actor, actor.session_id, proven)
            return Arrival(target)
        require(actor, Resource.ACCOUNT, Action.PROTECT, owner_id=user_id)
        try:
            with self._database.transaction():
                self.newcomers.link(proven, self._user(user_id), by=actor)
                self._notices.tell(user_id, Change.IDENTITY_LINKED, provider=label)
        except IntegrityError:
            raise _taken(label) from None
        return Arrival(target, linked=label)

    def _confirm(self, actor: Actor, session_id: UUID, proven: ProvenIdentity) -> None:
        with self._database.transaction():
            self._sessions.confirm(session_id, self._clock())
            self._identities.record_use(proven.issuer, proven.subject, self._clock())
            after = {"method": f"provider {proven.provider}"}
            self._audit.record(actor, "user.confirmed", Resource.USER, actor.public_id, after=after)

    def _open(self, user_id: UUID, provider: str, device: Device) -> Grant:
        return self._accounts.open_session(user_id, by=f"provider {provider}", device=device)

    def _user(self, user_id: UUID) -> User:
        return self._database.session.get_one(User, user_id)

    def _provider(self, name: str) -> OidcProvider:
        if name not in self._providers:
            raise NotFoundError("Nobody signs in here by a provider of this name.")
        return self._providers[name]

    def _label(self, name: str) -> str:
        return self._providers[name].settings.label if name in self._providers else name

    def _record(self, identity: Identity) -> IdentityRecord:
        return IdentityRecord(
            public_id=identity.public_id,
            provider=self._label(identity.provider),
            subject=identity.subject,
            email=identity.email,
            linked_at=identity.linked_at,
            last_used_at=identity.last_used_at,
        )


def _fits(known: dict[str, Any], provider: str, secret: str, browser: str) -> bool:
    return (
        known["provider"] == provider
        and hmac.compare_digest(known["state"], _digest(secret))
        and is_same_browser(browser, known["browser"])
    )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _unasked() -> ProviderError:
    return ProviderError(
        "This answer was taken already, took too long, or belongs to another browser. Please start"
        " again."
    )


def _taken(label: str) -> IdentityTakenError:
    return IdentityTakenError(
        f"This {label} account signs in to another account here. Sign in to that one and unlink it"
        " first."
    )
