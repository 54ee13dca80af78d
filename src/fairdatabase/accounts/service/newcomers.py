"""People who come by another provider and have no account yet.

Where the provider vouches for an address that nobody has here, the account is made at once, or
where there are terms, once the person agreed to them. Else the person is asked for an address, and
proves by a code from a letter that it is theirs. The code is typed where the sign-in began, so that
nobody confirms a stranger's account by opening a link.
"""

import hmac
import secrets
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from fairdatabase.accounts.errors import ProviderError
from fairdatabase.accounts.formats.letters import Letters
from fairdatabase.accounts.models import Challenge, Identity, User, UserRole
from fairdatabase.accounts.repository.challenges import ChallengeRepository
from fairdatabase.accounts.repository.identities import IdentityRepository
from fairdatabase.accounts.rules.browsers import browser_hash, is_same_browser
from fairdatabase.accounts.schemas.identities import (
    AddressCode,
    ApplicantIn,
    PendingIdentity,
    ProvenIdentity,
    ProviderRecord,
)
from fairdatabase.accounts.service.consents import Consents
from fairdatabase.audit.service import Audit
from fairdatabase.authorization.schemas import ANONYMOUS, Actor, Resource, Role
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import RateLimitError, ValidationError
from fairdatabase.kernel.providers import Provider
from fairdatabase.mail.service import Mail

PENDING: Final = "identity"
_PENDING_LENGTH = timedelta(hours=1)
_MOST_ATTEMPTS = 5
_MOST_LETTERS = 3
_DIGITS = 8


class Newcomers:
    """Accounts for people whom a provider knows.

    Args:
        database: Where they are kept.
        settings: Who may get an account, and the secret that hides codes.
        clock: Source of the present time.
        audit: Where every act is recorded.
        mail: Carries the codes.
        consents: What people agree to.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        clock: Clock,
        *,
        audit: Audit,
        mail: Mail,
        consents: Consents,
    ) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._audit = audit
        self._mail = mail
        self.consents = consents
        self._letters = Letters(settings.site_name, settings.public_url)
        self._challenges = ChallengeRepository(database)
        self._identities = IdentityRepository(database)

    def admit(self, proven: ProvenIdentity, *, name: str, email: str) -> UUID:
        """Make an account for somebody whose address is verified, inside a transaction.

        They have agreed to the terms, where there are any.

        Raises:
            sqlalchemy.exc.IntegrityError: The address or the identity is somebody's.
        """
        now = self._clock()
        user = User(
            email=email,
            name=name,
            created_at=now,
            email_verified_at=now,
            roles=[UserRole(role=Role.MEMBER)],
        )
        self._database.session.add(user)
        self._database.session.flush()
        after = {"roles": [Role.MEMBER.value], "provider": proven.provider}
        self._audit.record(ANONYMOUS, "user.created", Resource.USER, user.public_id, after=after)
        self.consents.note(user.id, user.public_id)
        self.link(proven, user, by=ANONYMOUS)
        return user.id

    def link(self, proven: ProvenIdentity, user: User, *, by: Actor) -> None:
        """Let somebody sign in by an identity from now on, inside a transaction.

        Raises:
            sqlalchemy.exc.IntegrityError: It is somebody's.
        """
        identity = self._identities.add(
            Identity(
                user_id=user.id,
                provider=proven.provider,
                issuer=proven.issuer,
                subject=proven.subject,
                email=proven.email,
                linked_at=self._clock(),
            )
        )
        after = {"provider": proven.provider, "identity": identity.public_id}
        self._audit.record(by, "identity.linked", Resource.USER, user.public_id, after=after)

    def hold(self, proven: ProvenIdentity, *, browser: str, target: str) -> str:
        """Keep an identity that is nobody's until it is known whose; return the question's id."""
        now = self._clock()
        challenge = Challenge(
            purpose=PENDING,
            particulars={
                "browser": browser_hash(browser),
                "identity": proven.model_dump(),
                "target": target,
                "attempts": 0,
                "letters": 0,
                "email": "",
                "name": "",
                "code": "",
            },
            created_at=now,
            expires_at=now + _PENDING_LENGTH,
        )
        with self._database.transaction():
            return str(self._challenges.add(challenge).id)

    def pending(self, pending_id: str, *, browser: str) -> PendingIdentity:
        """Return what is missing before an identity belongs to an account.

        Raises:
            ProviderError: There is nothing pending in this browser.
        """
        with self._database.reading():
            challenge = self.held(pending_id, browser)
            proven = proven_of(challenge)
            known = challenge.particulars
            return PendingIdentity(
                provider=ProviderRecord(
                    name=proven.provider, label=self._setting(proven.provider).label
                ),
                subject=proven.subject,
                name=known["name"] or proven.name,
                email=known["email"] or proven.email or "",
                needs_account=self.needs_account(proven),
                is_sure=_vouched(proven) is not None,
                is_code_sent=bool(known["letters"]),
                target=known["target"],
            )

    def needs_account(self, proven: ProvenIdentity) -> bool:
        """Tell whether an identity can only be linked to an account that there is already.

        Whether an address is taken is told to those alone for whom their provider vouches.
        """
        if not self.may_join(proven.provider):
            return True
        email = _vouched(proven)
        return email is not None and self._identities.user_at(email) is not None

    def address_of(self, proven: ProvenIdentity) -> str | None:
        """Return the address of an account that may be made without asking anything."""
        if self.consents.terms_version or self.needs_account(proven):
            return None
        return _vouched(proven)

    def may_join(self, provider: str) -> bool:
        """Tell whether people get accounts by a provider."""
        allowed = self._setting(provider).create_accounts
        return self._settings.registration_open if allowed is None else allowed

    def apply(self, pending_id: str, applicant: ApplicantIn, *, browser: str) -> UUID | None:
        """Make an account with the address that the provider vouches for, or send a code.

        Whoever has an account with another address is told instead; the page says the same.

        Returns:
            Whose account was made; None: it waits for the code from a letter.

        Raises:
            ProviderError: There is nothing pending in this browser.
            ValidationError: The person does not agree to the terms.
            RateLimitError: Enough letters were sent.
        """
        self.consents.require_terms(accepted=applicant.accepted_terms)
        try:
            with self._database.transaction():
                challenge = self.held(pending_id, browser)
                proven = proven_of(challenge)
                if self.needs_account(proven):
                    raise _start_again()
                if applicant.email == _vouched(proven):
                    self.release(challenge)
                    return self.admit(proven, name=applicant.name, email=applicant.email)
                self._send_code(challenge, applicant)
        except IntegrityError:
            raise _start_again() from None
        return None

    def confirm(self, pending_id: str, answer: AddressCode, *, browser: str) -> tuple[UUID, str]:
        """Make the account of somebody who knows the code; return who it is and where they go.

        Raises:
            ProviderError: There is nothing pending in this browser.
            ValidationError: It is another code.
        """
        with self._database.transaction():
            challenge = self.held(pending_id, browser)
            counted = self._challenges.count_attempt(
                challenge.id, PENDING, self._clock(), most=_MOST_ATTEMPTS
            )
            known = counted.particulars if counted else challenge.particulars | {"code": ""}
            given = self._hidden(challenge.id, answer.code.replace(" ", ""))
            if hmac.compare_digest(given, known["code"]):
                try:
                    user_id = self._admit_applicant(challenge, known)
                except IntegrityError:
                    raise _start_again() from None
                return user_id, str(known["target"])
        message = "This is not the code of the last letter. After five attempts, start again."
        raise ValidationError(message, details=[{"field": "code", "message": message}])

    def held(self, pending_id: str, browser: str) -> Challenge:
        """Return an identity that waits in this browser, inside a transaction.

        Raises:
            ProviderError: There is none.
        """
        try:
            challenge_id = UUID(pending_id)
        except ValueError:
            raise _start_again() from None
        challenge = self._challenges.waiting(challenge_id, PENDING, self._clock())
        if challenge is None or not is_same_browser(browser, challenge.particulars["browser"]):
            raise _start_again()
        return challenge

    def release(self, challenge: Challenge) -> None:
        """Forget an identity that waits no more, inside a transaction."""
        self._challenges.take(challenge.id, PENDING, self._clock())

    def _send_code(self, challenge: Challenge, applicant: ApplicantIn) -> None:
        proven, known = proven_of(challenge), challenge.particulars
        if known["letters"] >= _MOST_LETTERS:
            raise RateLimitError("We sent several letters already. Please start again later.")
        code = "".join(secrets.choice("0123456789") for _ in range(_DIGITS))
        owner = self._identities.user_at(applicant.email)
        change = {
            "email": applicant.email,
            "name": applicant.name,
            "letters": known["letters"] + 1,
            "code": "" if owner else self._hidden(challenge.id, code),
        }
        self._challenges.set_particulars(challenge.id, known | change)
        shown = f"{code[:4]} {code[4:]}"
        label = self._setting(proven.provider).label
        self._mail.send(
            self._letters.address_taken_elsewhere(owner.email, owner.confirmed_name, label)
            if owner
            else self._letters.address_code(applicant.email, shown)
        )

    def _admit_applicant(self, challenge: Challenge, known: dict[str, Any]) -> UUID:
        proven = proven_of(challenge)
        self.release(challenge)
        return self.admit(proven, name=known["name"], email=known["email"])

    def _setting(self, name: str) -> Provider:
        for each in self._settings.oidc_providers:
            if each.name == name:
                return each
        raise _start_again()

    def _hidden(self, challenge_id: UUID, code: str) -> str:
        secret = self._settings.secret_key.get_secret_value().encode()
        text = b"address code " + challenge_id.bytes + code.encode()
        return hmac.new(secret, text, "sha256").hexdigest()


def proven_of(challenge: Challenge) -> ProvenIdentity:
    """Return the identity that a question is about."""
    return ProvenIdentity.model_validate(challenge.particulars["identity"])


def _vouched(proven: ProvenIdentity) -> str | None:
    """Return the address that a provider vouches for."""
    return proven.email if proven.is_email_verified else None


def _start_again() -> ProviderError:
    return ProviderError(
        "This took too long, was done already, or began in another browser. Please start again."
    )
