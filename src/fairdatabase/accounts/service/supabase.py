"""Access tokens of Supabase Auth, taken by the API instead of ours.

A token is Supabase's if it says so; whether that is true its signature tells. Who comes by one is
never counted as having confirmed that it is them, and does nothing that asks for it.
"""

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwt import JWTClaimsRegistry
from pydantic import EmailStr, TypeAdapter
from pydantic import ValidationError as PydanticValidationError
from sqlalchemy.exc import IntegrityError

from fairdatabase.accounts.backends.outgoing import OutgoingTransport, read_document
from fairdatabase.accounts.backends.signatures import PublishedKeys
from fairdatabase.accounts.errors import TermsUnacceptedError
from fairdatabase.accounts.repository.identities import IdentityRepository
from fairdatabase.accounts.schemas.identities import ProvenIdentity, SupabaseApplicant
from fairdatabase.accounts.service.newcomers import Newcomers
from fairdatabase.authorization.schemas import Actor
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import AuthenticationError

_PROVIDER: Final = "supabase"
_LEEWAY_SECONDS = 5
_LONGEST_SUBJECT = 255
_ADDRESS: Final[TypeAdapter[str]] = TypeAdapter(EmailStr)


class Supabase:
    """People whom a Supabase project has signed in.

    Args:
        database: Where their accounts are.
        settings: The project, and whether people get accounts by it.
        clock: Source of the present time.
        newcomers: Makes accounts.
    """

    def __init__(
        self, database: Database, settings: Settings, clock: Clock, *, newcomers: Newcomers
    ) -> None:
        self._database = database
        self._clock = clock
        self._newcomers = newcomers
        self._authority = settings.supabase_authority
        self._makes_accounts = settings.supabase_create_accounts
        self._identities = IdentityRepository(database)
        transport = OutgoingTransport(loopback=settings.asks_loopback)
        self._keys = PublishedKeys(lambda: read_document(transport, settings.supabase_keys), clock)
        self._claims = JWTClaimsRegistry(
            now=lambda: int(clock().timestamp()),
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": self._authority},
            aud={"essential": True, "value": settings.supabase_audience},
            exp={"essential": True},
            sub={"essential": True},
            role={"essential": True, "value": "authenticated"},
        )

    def issued(self, text: str) -> bool:
        """Tell whether a token says that it is this project's, which is not believed yet."""
        return bool(self._authority) and _claimed_issuer(text) == self._authority

    def actor_for(self, text: str) -> Actor:
        """Return whose token this is.

        Raises:
            AuthenticationError: It does not hold, or no account here belongs to it.
            UnavailableError: The keys that verify it cannot be had.
        """
        return self._account(self._identify(text), self._welcome_without_terms)

    def register(self, applicant: SupabaseApplicant) -> str:
        """Make the account of somebody who agrees to the terms, if there is none; return whose.

        Raises:
            AuthenticationError: The token does not hold, or no account is made by it.
            ValidationError: The person does not agree to the terms.
            UnavailableError: The keys that verify it cannot be had.
        """
        text = applicant.token.get_secret_value()
        if not self.issued(text):
            raise AuthenticationError("This token is not of the Supabase project of this site.")
        proven = self._identify(text)
        self._newcomers.consents.require_terms(accepted=applicant.accepted_terms)
        return self._account(proven, self._welcome).email

    def _identify(self, text: str) -> ProvenIdentity:
        claims = self._keys.verified(text).claims
        try:
            self._claims.validate(claims)
        except JoseError as error:
            raise AuthenticationError(
                f"The Supabase token is not valid ({error}). Please sign in again."
            ) from None
        if claims.get("is_anonymous", False) is not False:
            raise AuthenticationError("Anonymous users of Supabase have no account here.")
        subject = str(claims["sub"])
        if not 0 < len(subject) <= _LONGEST_SUBJECT:
            raise AuthenticationError("The Supabase token names nobody.")
        return ProvenIdentity(
            provider=_PROVIDER,
            issuer=self._authority,
            subject=subject,
            name=_name(claims),
            email=_address(claims),
            is_email_verified=_metadata(claims).get("email_verified") is True,
        )

    def _account(self, proven: ProvenIdentity, welcome: Callable[[ProvenIdentity], Actor]) -> Actor:
        """Return whose identity this is; ``welcome`` makes the account of who is not known."""
        with self._database.reading():
            actor = self._identities.account(proven.issuer, proven.subject)
            is_known = actor is not None or self._identities.user_of(proven.issuer, proven.subject)
        if not is_known:
            return welcome(proven)
        if actor is None:
            raise AuthenticationError("This account is disabled. Please ask an admin.")
        return actor

    def _welcome_without_terms(self, proven: ProvenIdentity) -> Actor:
        if self._makes_accounts and self._newcomers.consents.terms_version:
            raise TermsUnacceptedError(
                "Please agree to the terms first, to get an account here: send this token and"
                " accepted_terms to POST /api/v1/auth/register/supabase, without this header."
            )
        return self._welcome(proven)

    def _welcome(self, proven: ProvenIdentity) -> Actor:
        """Make the account of somebody who comes for the first time."""
        if not self._makes_accounts:
            raise AuthenticationError(
                "No account here is linked to this Supabase user, and none is made by it."
            )
        if proven.email is None or not proven.is_email_verified:
            raise AuthenticationError(
                "Supabase has not verified your e-mail address. Please confirm it there first."
            )
        name = proven.name or proven.email.partition("@")[0]
        try:
            with self._database.transaction():
                self._newcomers.admit(proven, name=name, email=proven.email)
        except IntegrityError:
            # Somebody has the address, or a second request of the same person was faster.
            pass
        with self._database.reading():
            actor = self._identities.account(proven.issuer, proven.subject)
        if actor is None:
            raise AuthenticationError(
                "There is an account with your e-mail address here, which is not linked to your"
                " Supabase user. Please sign in to it with its password or a passkey."
            )
        return actor


def _claimed_issuer(text: str) -> object:
    payload = text.split(".")[1] if text.count(".") == 2 else ""  # noqa: PLR2004 - parts of a token
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    return claims.get("iss") if isinstance(claims, dict) else None


def _metadata(claims: dict[str, Any]) -> dict[str, Any]:
    found = claims.get("user_metadata")
    return found if isinstance(found, dict) else {}


def _name(claims: dict[str, Any]) -> str:
    named = (_metadata(claims).get(key) for key in ("full_name", "name"))
    return next((" ".join(each.split())[:200] for each in named if isinstance(each, str)), "")


def _address(claims: dict[str, Any]) -> str | None:
    try:
        return _ADDRESS.validate_python(claims.get("email")).lower()
    except PydanticValidationError:
        return None
