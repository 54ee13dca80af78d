"""One OpenID Connect provider: the authorization code flow with PKCE.

Sources: OpenID Connect Core 1.0, section 3.1; OpenID Connect Discovery 1.0; RFC 7636 (PKCE);
RFC 9207 (issuer in the answer); RFC 9700 (best current practice).
"""

import logging
from dataclasses import dataclass
from typing import Any, Final

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2 import OAuth2Error
from authlib.oidc.core import CodeIDToken
from joserfc.errors import JoseError
from pydantic import BaseModel, EmailStr, Field, TypeAdapter, ValidationError, field_validator

from fairdatabase.accounts.backends.outgoing import TIMEOUT, OutgoingTransport, read_document
from fairdatabase.accounts.backends.signatures import PublishedKeys
from fairdatabase.accounts.errors import ProviderError
from fairdatabase.accounts.schemas.identities import ProvenIdentity, ProviderAnswer
from fairdatabase.kernel.cache import Cache
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.errors import AuthenticationError, UnavailableError
from fairdatabase.kernel.providers import Provider, is_permitted

_LEEWAY_SECONDS = 60
_METADATA_SECONDS = 3600.0
_BASIC, _POST, _NONE = "client_secret_basic", "client_secret_post", "none"
_ADDRESS: Final[TypeAdapter[str]] = TypeAdapter(EmailStr)
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the two halves of a sign-in have in common.

    Attributes:
        redirect_uri: Where the provider sends the browser back to.
        state: Ties its answer to the question.
        nonce: Ties its token to the question.
        verifier: Proves to it that who brings the code also asked for it (PKCE).
    """

    redirect_uri: str
    state: str
    nonce: str
    verifier: str


class _Metadata(BaseModel):
    """What a provider says about itself, as far as it is used."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = (_BASIC,)
    authorization_response_iss_parameter_supported: bool = False


class _Person(BaseModel):
    """What a provider says about somebody; only the subject has to be there."""

    sub: str = Field(min_length=1, max_length=255)
    name: str = ""
    given_name: str = ""
    family_name: str = ""
    email: str = ""
    email_verified: bool | None = None

    @field_validator("email", "name", "given_name", "family_name", mode="before")
    @classmethod
    def _only_text(cls, value: object) -> str:
        return value if isinstance(value, str) else ""

    @property
    def full_name(self) -> str:
        """The name in one piece, short enough and printable."""
        name = self.name or f"{self.given_name} {self.family_name}"
        return " ".join("".join(c if c.isprintable() else " " for c in name).split())[:200]

    @property
    def address(self) -> str | None:
        """The e-mail address in lower case, if it is one."""
        try:
            return _ADDRESS.validate_python(self.email).lower()
        except ValidationError:
            return None


class OidcProvider:
    """A site that says who somebody is.

    Args:
        settings: Its address, and who we are to it.
        transport: Carries our requests.
        clock: Source of the present time.
    """

    def __init__(self, settings: Provider, transport: OutgoingTransport, clock: Clock) -> None:
        self.settings = settings
        self._transport = transport
        self._clock = clock
        self._metadata: Cache[_Metadata] = Cache(seconds=_METADATA_SECONDS, capacity=1)
        self._keys = PublishedKeys(self._fetch_keys, clock)

    def address(self, exchange: Exchange, *, again: bool = False) -> str:
        """Return where to send the browser.

        Args:
            exchange: That begins.
            again: Whether the person has to prove anew to the provider who they are.

        Raises:
            UnavailableError: The provider does not say where.
        """
        address, _ = self._client(exchange).create_authorization_url(
            self._described().authorization_endpoint,
            state=exchange.state,
            code_verifier=exchange.verifier,
            nonce=exchange.nonce,
            **({"prompt": "login"} if again else {}),
        )
        return str(address)

    def identify(self, answer: ProviderAnswer, exchange: Exchange) -> ProvenIdentity:
        """Return who it is that an answer speaks of.

        Raises:
            ProviderError: The person or the provider did not want to, or it is not to be believed.
            UnavailableError: The provider does not answer.
        """
        metadata = self._described()
        expects_issuer = metadata.authorization_response_iss_parameter_supported
        if (answer.iss is not None or expects_issuer) and answer.iss != metadata.issuer:
            raise self._refused("the answer is another provider's")
        if answer.error is not None or not answer.code:
            raise self._declined(answer.error)
        tokens = self._redeem(answer.code, exchange, metadata)
        claims = self._claims(tokens, exchange)
        person = self._person(claims)
        if person.address is None and "email" in self.settings.scopes:
            person = self._with_userinfo(person, tokens, metadata)
        return ProvenIdentity(
            provider=self.settings.name,
            issuer=self.settings.issuer,
            subject=person.sub,
            name=person.full_name,
            email=person.address,
            is_email_verified=self.settings.trust_email and person.email_verified is not False,
        )

    def _described(self) -> _Metadata:
        return self._metadata.get_or_make(self.settings.name, self._discover)

    def _discover(self) -> _Metadata:
        issuer = self.settings.issuer
        document = read_document(
            self._transport, f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        )
        try:
            metadata = _Metadata.model_validate(document)
        except ValidationError:
            raise self._broken("its description of itself is incomplete") from None
        if metadata.issuer != issuer:
            raise self._broken("it calls itself by another address than the settings")
        endpoints = (
            metadata.authorization_endpoint,
            metadata.token_endpoint,
            metadata.jwks_uri,
            metadata.userinfo_endpoint or metadata.token_endpoint,
        )
        if not all(is_permitted(each, loopback=self._transport.loopback) for each in endpoints):
            raise self._broken("it names addresses without encryption")
        return metadata

    def _fetch_keys(self) -> dict[str, Any]:
        return read_document(self._transport, self._described().jwks_uri)

    def _client(self, exchange: Exchange) -> OAuth2Client:
        offered = self._described().token_endpoint_auth_methods_supported
        method = _POST if _POST in offered and _BASIC not in offered else _BASIC
        secret = self.settings.client_secret.get_secret_value()
        return OAuth2Client(
            client_id=self.settings.client_id,
            client_secret=secret,
            token_endpoint_auth_method=method if secret else _NONE,
            scope=" ".join(self.settings.scopes),
            redirect_uri=exchange.redirect_uri,
            code_challenge_method="S256",
            transport=self._transport,
            timeout=TIMEOUT,
        )

    def _redeem(self, code: str, exchange: Exchange, metadata: _Metadata) -> dict[str, Any]:
        try:
            tokens = self._client(exchange).fetch_token(
                metadata.token_endpoint,
                grant_type="authorization_code",
                code=code,
                redirect_uri=exchange.redirect_uri,
                code_verifier=exchange.verifier,
            )
        except (OAuthError, OAuth2Error) as error:
            raise self._refused(f"the code was not taken: {error.error}") from None
        except (httpx2.HTTPError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise self._broken(f"it does not exchange the code: {type(error).__name__}") from None
        if not isinstance(tokens, dict) or not isinstance(tokens.get("id_token"), str):
            raise self._refused("it sent no ID token")
        return dict(tokens)

    def _claims(self, tokens: dict[str, Any], exchange: Exchange) -> dict[str, Any]:
        try:
            token = self._keys.verified(tokens["id_token"])
        except AuthenticationError:
            raise self._refused("its signature does not hold") from None
        claims = CodeIDToken(
            token.claims,
            token.header,
            options={
                "iss": {"essential": True, "value": self.settings.issuer},
                "aud": {"essential": True, "value": self.settings.client_id},
            },
            params={
                "nonce": exchange.nonce,
                "client_id": self.settings.client_id,
                "access_token": tokens.get("access_token"),
            },
        )
        try:
            claims.validate(now=int(self._clock().timestamp()), leeway=_LEEWAY_SECONDS)
        except (JoseError, ValueError, TypeError) as error:
            raise self._refused(str(error)) from None
        return dict(claims)

    def _person(self, claims: dict[str, Any]) -> _Person:
        try:
            return _Person.model_validate(claims)
        except ValidationError:
            raise self._refused("its token names nobody") from None

    def _with_userinfo(
        self, person: _Person, tokens: dict[str, Any], metadata: _Metadata
    ) -> _Person:
        if not metadata.userinfo_endpoint or not isinstance(tokens.get("access_token"), str):
            return person
        found = self._person(
            read_document(
                self._transport, metadata.userinfo_endpoint, bearer=tokens["access_token"]
            )
        )
        if found.sub != person.sub:
            raise self._refused("it speaks of two people")
        return found.model_copy(update={"name": found.full_name or person.full_name})

    def _declined(self, error: str | None) -> ProviderError:
        logger.info("A provider declined", extra={"provider": self.settings.name, "why": error})
        return ProviderError(f"{self.settings.label} did not sign you in. Nothing was changed.")

    def _refused(self, why: str) -> ProviderError:
        logger.warning(
            "An answer was not believed", extra={"provider": self.settings.name, "why": why}
        )
        return ProviderError(
            f"The answer of {self.settings.label} cannot be believed. Please start again."
        )

    def _broken(self, why: str) -> UnavailableError:
        logger.error(
            "A provider cannot be used", extra={"provider": self.settings.name, "why": why}
        )
        return UnavailableError(
            f"Signing in by {self.settings.label} does not work at the moment. Please try later or"
            " sign in another way."
        )
