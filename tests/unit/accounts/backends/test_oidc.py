"""What of a provider's answers is believed."""

import base64
import hashlib
import hmac
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from werkzeug.wrappers import Response

from fairdatabase.accounts.backends.oidc import OidcProvider
from fairdatabase.accounts.backends.outgoing import OutgoingTransport
from fairdatabase.accounts.errors import ProviderError
from fairdatabase.accounts.schemas.identities import ProviderAnswer
from fairdatabase.kernel.clock import utc_now
from fairdatabase.kernel.errors import UnavailableError
from tests.factories.providers import (
    CLIENT_ID,
    HostileProvider,
    answer_of,
    compact,
    first_key,
    second_key,
)
from tests.unit.accounts.backends.conftest import EXCHANGE, Ask

NOW = int(time.time())


def test_an_honest_provider_is_believed(ask: Ask, shady: HostileProvider) -> None:
    proven = ask()
    assert (proven.provider, proven.issuer) == ("shady", shady.issuer)
    assert (proven.subject, proven.name) == ("0000-0002-1825-0097", "Marie Curie")
    assert (proven.email, proven.is_email_verified) == ("marie@example.org", True)


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "somebody-else"},
        {"aud": [CLIENT_ID, "somebody-else"]},
        {"aud": [CLIENT_ID, "somebody-else"], "azp": "somebody-else"},
        {"azp": "somebody-else"},
        {"aud": None},
        {"iss": "https://another.example.org"},
        {"iss": None},
        {"exp": NOW - 120},
        {"exp": None},
        {"exp": "tomorrow"},
        {"iat": NOW + 86_400},
        {"iat": None},
        {"nbf": NOW + 86_400},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 256},
        {"sub": 7},
        {"at_hash": "bm90IHRoZSBoYXNo"},
        {"at_hash": ["list"]},
    ],
    ids=",".join,
)
def test_a_token_with_a_wrong_claim_is_refused(
    ask: Ask, shady: HostileProvider, claims: dict[str, Any]
) -> None:
    shady.claims = claims
    with pytest.raises(ProviderError, match="cannot be believed"):
        ask()


def test_the_right_hash_of_the_access_token_is_taken(ask: Ask, shady: HostileProvider) -> None:
    digest = hashlib.sha256(b"at").digest()[:16]
    shady.claims = {"at_hash": base64.urlsafe_b64encode(digest).decode().rstrip("=")}
    assert ask().name == "Marie Curie"


def test_a_token_for_several_audiences_names_ours_as_authorized(
    ask: Ask, shady: HostileProvider
) -> None:
    shady.claims = {"aud": [CLIENT_ID, "another"], "azp": CLIENT_ID}
    assert ask().name == "Marie Curie"


def test_the_public_key_is_no_shared_secret(ask: Ask, shady: HostileProvider) -> None:
    pem = shady.key.as_pem(private=False)
    shady.sign = lambda header, claims: compact(
        header | {"alg": "HS256"}, claims, lambda text: hmac.digest(pem, text, "sha256")
    )
    with pytest.raises(ProviderError):
        ask()


def test_a_published_shared_secret_is_no_key(ask: Ask, shady: HostileProvider) -> None:
    secret = OctKey.generate_key(256, auto_kid=True)
    shady.published = [dict(secret.as_dict(private=True)), dict(shady.key.as_dict(private=False))]
    shady.sign = lambda _header, claims: jwt.encode(
        {"alg": "HS256", "kid": secret.kid}, claims, secret, ["HS256"]
    )
    with pytest.raises(ProviderError):
        ask()


def test_a_token_without_a_signature_is_refused(ask: Ask, shady: HostileProvider) -> None:
    shady.sign = lambda header, claims: compact(header | {"alg": "none"}, claims, lambda _text: b"")
    with pytest.raises(ProviderError):
        ask()


@pytest.mark.parametrize(
    "token", ["", "a.b", "a.b.c", "\u00e9.\u00e9.\u00e9", "e30.e30.e30", 7, None], ids=str
)
def test_what_is_no_token_is_refused(ask: Ask, shady: HostileProvider, token: object) -> None:
    shady.tokens = {"id_token": token}
    with pytest.raises(ProviderError):
        ask()


def test_a_signature_by_another_key_of_the_same_name_is_refused(
    ask: Ask, shady: HostileProvider
) -> None:
    shady.sign = lambda header, claims: jwt.encode(header, claims, second_key())
    with pytest.raises(ProviderError):
        ask()


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "unknown"},
        {"kid": "../../../dev/null"},
        {"kid": "' OR 1=1 --"},
        {"crit": ["exp"]},
    ],
    ids=str,
)
def test_a_header_that_leads_elsewhere_is_refused(
    ask: Ask, shady: HostileProvider, header: dict[str, Any]
) -> None:
    private: Any = first_key().private_key
    shady.sign = lambda head, claims: compact(
        head | header, claims, lambda text: private.sign(text, PKCS1v15(), SHA256())
    )
    with pytest.raises(ProviderError):
        ask()


def test_a_key_inside_the_token_is_not_used(ask: Ask, shady: HostileProvider) -> None:
    own = second_key()
    shady.sign = lambda header, claims: jwt.encode(
        header | {"jwk": own.as_dict(private=False)}, claims, own
    )
    with pytest.raises(ProviderError):
        ask()


def test_elliptic_curves_are_taken(ask: Ask, shady: HostileProvider) -> None:
    shady.key = ECKey.generate_key("P-256", auto_kid=True)
    assert ask().name == "Marie Curie"


def test_a_new_key_is_fetched_when_a_token_names_it(shady: HostileProvider) -> None:
    site = OidcProvider(shady.settings(), OutgoingTransport(loopback=True), utc_now)

    def sign_in() -> str:
        back = shady.answer_to(site.address(EXCHANGE))
        return site.identify(ProviderAnswer.model_validate(answer_of(back)), EXCHANGE).name

    assert sign_in() == "Marie Curie"
    shady.key = second_key()
    with pytest.raises(ProviderError):
        sign_in()  # within the minute after the last time that keys were fetched


# -- The answer that the browser brings -------------------------------------------------------


@pytest.mark.parametrize(
    ("callback", "metadata"),
    [
        ({"iss": "https://another.example.org"}, {}),
        ({}, {"authorization_response_iss_parameter_supported": True}),
    ],
    ids=["another", "none"],
)
def test_an_answer_of_another_provider_is_refused(
    ask: Ask, shady: HostileProvider, callback: dict[str, str], metadata: dict[str, Any]
) -> None:
    """The mix-up attack: RFC 9207."""
    shady.callback, shady.metadata = callback, metadata
    with pytest.raises(ProviderError, match="cannot be believed"):
        ask()
    assert "/token" not in shady.asked


def test_an_answer_that_names_its_issuer_is_taken(ask: Ask, shady: HostileProvider) -> None:
    shady.callback = {"iss": shady.issuer}
    assert ask().name == "Marie Curie"


@pytest.mark.parametrize(
    "callback", [{"code": "", "error": "access_denied"}, {"code": ""}], ids=str
)
def test_who_declines_is_not_signed_in(
    ask: Ask, shady: HostileProvider, callback: dict[str, str]
) -> None:
    shady.callback = callback
    with pytest.raises(ProviderError, match="did not sign you in"):
        ask()


def test_a_code_that_was_used_is_refused(shady: HostileProvider) -> None:
    site = OidcProvider(shady.settings(), OutgoingTransport(loopback=True), utc_now)
    answer = ProviderAnswer.model_validate(answer_of(shady.answer_to(site.address(EXCHANGE))))
    assert site.identify(answer, EXCHANGE).name == "Marie Curie"
    with pytest.raises(ProviderError):
        site.identify(answer, EXCHANGE)


# -- What a provider says about itself and about people ---------------------------------------


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://another.example.org"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "http://another.example.org/authorize"},
        {"token_endpoint": "http://169.254.169.254/latest/meta-data"},
        {"token_endpoint": "file:///etc/passwd"},
        {"jwks_uri": "http://[::1"},
        {"jwks_uri": "https://user:secret@another.example.org/keys"},  # pragma: allowlist secret
        {"userinfo_endpoint": "gopher://127.0.0.1/"},
        {"jwks_uri": None},
    ],
    ids=str,
)
def test_a_description_that_leads_elsewhere_is_not_followed(
    ask: Ask, shady: HostileProvider, metadata: dict[str, Any]
) -> None:
    shady.metadata = metadata
    with pytest.raises(UnavailableError):
        ask()


DISCOVERY = "/.well-known/openid-configuration"


@pytest.mark.parametrize("path", [DISCOVERY, "/token", "/keys"])
@pytest.mark.parametrize(
    "answer",
    [
        Response("x" * 600_000),
        Response("{}" * 10, mimetype="application/json"),
        Response("[" * 100_000, mimetype="application/json"),
        Response('["a list"]', mimetype="application/json"),
        Response("sorry", status=500),
        Response("{}", headers={"Content-Encoding": "gzip"}),
        Response(status=302, headers={"Location": "/keys"}),
    ],
    ids=["huge", "no-json", "deep", "list", "broken", "compressed", "redirect"],
)
def test_a_provider_that_misbehaves_is_given_up(
    ask: Ask, shady: HostileProvider, path: str, answer: Response
) -> None:
    shady.answers[path] = lambda: answer
    with pytest.raises((UnavailableError, ProviderError)):
        ask()
    if path == DISCOVERY:
        assert shady.asked == [DISCOVERY]


def test_a_token_answer_that_says_no_is_told_apart(ask: Ask, shady: HostileProvider) -> None:
    shady.tokens = {"error": "invalid_client", "id_token": None}
    with pytest.raises(ProviderError):
        ask()


@pytest.mark.parametrize(
    ("methods", "secret"),
    [
        (["client_secret_post"], "secret"),
        (["client_secret_basic", "client_secret_post"], "secret"),
        (["none"], ""),
    ],
    ids=str,
)
def test_it_is_shown_who_we_are_in_the_way_it_likes(
    ask: Ask, shady: HostileProvider, methods: list[str], secret: str
) -> None:
    shady.metadata = {"token_endpoint_auth_methods_supported": methods}
    ask(client_secret=secret)
    seen = shady.redeemed[-1]
    if methods == ["client_secret_post"]:
        assert seen == ("", {"client_id": CLIENT_ID, "client_secret": secret})
    elif secret:
        basic = base64.b64encode(f"{CLIENT_ID}:{secret}".encode()).decode()
        assert seen == (f"Basic {basic}", {})
    else:
        assert seen == ("", {"client_id": CLIENT_ID})


def test_what_the_token_does_not_say_is_asked_for(ask: Ask, shady: HostileProvider) -> None:
    shady.claims = {"email": None, "name": None}
    shady.metadata = {"userinfo_endpoint": f"{shady.issuer}/userinfo"}
    shady.userinfo = {
        "sub": "0000-0002-1825-0097",
        "given_name": "Marie\x00",
        "family_name": "Curie",
        "email": "Marie@Example.org",
        "email_verified": True,
    }
    proven = ask()
    assert (proven.name, proven.email) == ("Marie Curie", "marie@example.org")
    shady.userinfo["sub"] = "somebody else"
    with pytest.raises(ProviderError):
        ask()


@pytest.mark.parametrize(
    "trouble", [{"userinfo_endpoint": None}, {"access_token": None}], ids=["nowhere", "no-token"]
)
def test_without_an_address_there_is_none(
    ask: Ask, shady: HostileProvider, trouble: dict[str, Any]
) -> None:
    shady.claims = {"email": "no address", "name": 7}
    if "access_token" in trouble:
        shady.metadata = {"userinfo_endpoint": f"{shady.issuer}/userinfo"}
        shady.tokens = trouble
    proven = ask()
    assert (proven.name, proven.email) == ("", None)


@pytest.mark.parametrize(
    ("trust", "said", "verified"),
    [(True, None, True), (True, True, True), (True, False, False), (False, True, False)],
)
def test_an_address_counts_as_verified_where_the_provider_is_trusted(
    ask: Ask, shady: HostileProvider, trust: bool, said: bool | None, verified: bool
) -> None:
    shady.claims = {"email_verified": said}
    assert ask(trust_email=trust).is_email_verified is verified
    assert "userinfo" not in str(shady.asked)


def test_a_person_may_be_asked_anew(shady: HostileProvider) -> None:
    site = OidcProvider(shady.settings(), OutgoingTransport(loopback=True), utc_now)
    assert "prompt=login" in site.address(EXCHANGE, again=True)
    assert "prompt" not in site.address(EXCHANGE)
