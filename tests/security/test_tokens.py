"""Tokens that are not ours, or not for what they are used for, wherever a token is taken."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from flask.testing import FlaskClient

from fairdatabase.accounts.rules.keys import key_id
from tests.factories.accounts import PASSWORD, make_actor
from tests.factories.web import Browser
from tests.factories.world import World

ME = "/api/v1/auth/me"
REFRESH = "/api/v1/auth/refresh"
OURS = "j" * 64
KID = key_id(OURS)
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
PUBLIC = RSA.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
Claims = dict[str, Any]
Forgery = Callable[[Claims], str]


@dataclass(frozen=True)
class Taken:
    """Somebody's real tokens, by where they are taken."""

    client: FlaskClient
    bearer: str
    bearer_refresh: str
    cookie: str
    cookie_refresh: str

    def at(self, place: str) -> str:
        """Return the honest token of a place."""
        return str(getattr(self, place))

    def works(self, place: str, token: str) -> bool:
        """Tell whether a token opens something at a place."""
        client = self.client.application.test_client(use_cookies=False)
        if place == "bearer":
            return client.get(ME, headers={"Authorization": f"Bearer {token}"}).status_code == 200
        if place == "bearer_refresh":
            return client.post(REFRESH, json={"refresh_token": token}).status_code == 200
        name = "fairdatabase-access" if place == "cookie" else "fairdatabase-refresh"
        return client.get("/dashboard", headers={"Cookie": f"{name}={token}"}).status_code == 200


PLACES = ("bearer", "bearer_refresh", "cookie", "cookie_refresh")


@pytest.fixture
def taken(scene: World) -> Taken:
    person = make_actor(scene.services.accounts)
    client = scene.app.test_client()
    known = {"email": person.email, "password": PASSWORD}
    tokens = client.post("/api/v1/auth/login", json=known).get_json()["data"]
    browser = Browser(scene.app)
    browser.sign_in(person)
    return Taken(
        client=client,
        bearer=tokens["access_token"],
        bearer_refresh=tokens["refresh_token"],
        cookie=browser.cookie("fairdatabase-access") or "",
        cookie_refresh=browser.cookie("fairdatabase-refresh") or "",
    )


def part(content: object) -> str:
    """Return a part of a token."""
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def signed(claims: Claims, *, key: Any = OURS, algorithm: str = "HS256", **header: Any) -> str:  # noqa: ANN401
    """Return a token with a header of choice."""
    return jwt.encode(claims, key, algorithm, headers={"kid": KID} | header)


def unsigned(algorithm: str, signature: str = "") -> Forgery:
    return lambda claims: (
        f"{part({'alg': algorithm, 'typ': 'JWT', 'kid': KID})}.{part(claims)}.{signature}"
    )


def by_hand(claims: Claims, key: bytes, **header: object) -> str:
    """Return a token as no library would make it."""
    content = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': KID} | header)}.{part(claims)}"
    mac = hmac.new(key, content.encode(), hashlib.sha256).digest()
    return f"{content}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def own_key_inside(claims: Claims) -> str:
    """A token that brings the key that verifies it."""
    key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(RSA.public_key()))
    return signed(claims, key=RSA, algorithm="RS256", jwk=key)


FORGERIES: dict[str, Forgery] = {
    "no algorithm": unsigned("none"),
    "no algorithm, in capitals": unsigned("NONE"),
    "no algorithm, mixed": unsigned("nOnE"),
    "no algorithm, with a signature": unsigned("none", "AAAA"),
    "no signature": lambda claims: signed(claims).rpartition(".")[0] + ".",
    "another secret": lambda claims: signed(claims, key="k" * 64),
    "no secret": lambda claims: signed(claims, key=b"\0" * 32),
    "RS256": lambda claims: signed(claims, key=RSA, algorithm="RS256"),
    "ES256": lambda claims: signed(claims, key=EC, algorithm="ES256"),
    "HS512": lambda claims: signed(claims, algorithm="HS512"),
    "HS256 by a public key": lambda claims: by_hand(claims, PUBLIC),
    "its own key": own_key_inside,
    "a key from elsewhere": lambda c: signed(
        c, key=RSA, algorithm="RS256", jku="https://evil.example/keys", x5u="https://evil.example/c"
    ),
    "kid: none": lambda claims: jwt.encode(claims, OURS, "HS256"),
    "kid: a path": lambda claims: by_hand(claims, b"", kid="../../../../../dev/null"),
    "kid: SQL": lambda claims: signed(claims, key="x" * 32, kid="x' UNION SELECT 'xxxx' --"),
    "kid: another": lambda claims: signed(claims, key="x" * 32, kid=key_id("x" * 32)),
    "kid: empty": lambda claims: signed(claims, kid=""),
    "expired": lambda c: signed(c | {"exp": datetime.now(UTC) - timedelta(minutes=1)}),
    "not yet": lambda c: signed(c | {"nbf": datetime.now(UTC) + timedelta(minutes=5)}),
    "another issuer": lambda claims: signed(claims | {"iss": "https://evil.example"}),
    "another audience": lambda claims: signed(claims | {"aud": "https://evil.example"}),
    "no issuer": lambda c: signed({k: v for k, v in c.items() if k != "iss"}),
    "no audience": lambda c: signed({k: v for k, v in c.items() if k != "aud"}),
    "another session": lambda c: signed(c | {"sid": "01a207a3-8ff0-7cef-b59a-206530dae7d7"}),
    "a header that must be understood": lambda c: signed(c, crit=["x"], x=1),
    "a header that is not encoded": lambda claims: signed(claims, b64=False, crit=["b64"]),
    "five parts": lambda claims: signed(claims) + ".x.y",
    "two payloads": lambda claims: f"{part({'alg': 'none'})}.{signed(claims)}",
    "very long": lambda claims: signed(claims | {"x": "y" * 40_000}, key="k" * 64),
    "spaces": lambda claims: signed(claims).replace(".", ". "),
}


def claims_of(token: str) -> Claims:
    claims: Claims = jwt.decode(token, options={"verify_signature": False})
    return claims


def tampered(token: str) -> str:
    """Return a token whose claims were changed below its signature."""
    head, _, signature = token.split(".")
    return f"{head}.{part(claims_of(token) | {'roles': ['admin']})}.{signature}"


@pytest.mark.parametrize("place", PLACES)
def test_an_honest_token_works_where_it_is_for(taken: Taken, place: str) -> None:
    """The control of everything below: a token made from the same claims by our key works."""
    assert taken.works(place, signed(claims_of(taken.at(place))))


@pytest.mark.parametrize("forgery", FORGERIES)
@pytest.mark.parametrize("place", PLACES)
def test_a_forged_token_works_nowhere(taken: Taken, place: str, forgery: str) -> None:
    assert not taken.works(place, FORGERIES[forgery](claims_of(taken.at(place))))


@pytest.mark.parametrize("kid", [None, 1, ["a"], {"a": 1}, True])
def test_a_key_is_named_by_a_text(taken: Taken, kid: object) -> None:
    claims = claims_of(taken.bearer)
    head = f"{part({'alg': 'HS256', 'kid': kid})}.{part(claims)}"
    assert not taken.works("bearer", f"{head}.{taken.bearer.rpartition('.')[2]}")


@pytest.mark.parametrize("place", PLACES)
def test_a_token_is_for_its_place_alone(taken: Taken, place: str) -> None:
    """A refresh token is no access token, and a stolen cookie is no bearer token."""
    others = {other: taken.at(other) for other in PLACES if other != place}
    assert [other for other, token in others.items() if taken.works(place, token)] == []


@pytest.mark.parametrize("place", PLACES)
def test_a_changed_token_is_worthless(taken: Taken, place: str) -> None:
    honest = taken.at(place)
    assert not taken.works(place, tampered(honest))
    for position in (10, len(honest) // 2, len(honest) - 3):
        flipped = "A" if honest[position] != "A" else "B"
        changed = honest[:position] + flipped + honest[position + 1 :]
        assert not taken.works(place, changed), position


def test_a_used_refresh_token_ends_what_came_of_it(taken: Taken) -> None:
    assert taken.works("bearer_refresh", taken.bearer_refresh)
    assert taken.works("bearer", taken.bearer)
    assert not taken.works("bearer_refresh", taken.bearer_refresh)
    assert not taken.works("bearer", taken.bearer)


@pytest.mark.parametrize("place", ["bearer", "cookie"])
def test_a_session_is_one_persons(taken: Taken, scene: World, place: str) -> None:
    """Even by our own key: whose the session is, is asked of the database."""
    for person in (scene.user, "00000000000"):
        assert not taken.works(place, signed(claims_of(taken.at(place)) | {"sub": person}))
