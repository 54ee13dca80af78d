"""Tokens over REST: how one gets them, and everything that is not one."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from fairdatabase.accounts.rules.keys import key_id
from fairdatabase.authorization.schemas import Actor, Role
from fairdatabase.kernel.config import Settings
from tests.factories.accounts import PASSWORD, ClientAs, client_of

ME = "/api/v1/auth/me"
LOGIN = "/api/v1/auth/login"
REFRESH = "/api/v1/auth/refresh"
REGISTER = "/api/v1/auth/register"
Forge = Callable[..., str]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def tokens(client: FlaskClient, member: Actor) -> dict[str, Any]:
    answer = client.post(LOGIN, json={"email": member.email, "password": PASSWORD})
    data: dict[str, Any] = answer.get_json()["data"]
    return data


@pytest.fixture
def forge(tokens: dict[str, Any], settings: Settings) -> Forge:
    """Return a maker of tokens like the real access token but for the given claims."""
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})

    def make(*, key: str = "", kid: str = "", algorithm: str = "HS256", **changes: object) -> str:
        return jwt.encode(
            {name: value for name, value in (claims | changes).items() if value is not None},
            key or settings.jwt_secret_key.get_secret_value(),
            algorithm,
            headers={"kid": kid or key_id(settings.jwt_secret_key.get_secret_value())},
        )

    return make


def test_register_sign_in_and_ask_who_one_is(client: FlaskClient) -> None:
    person = {"name": "Ada", "email": "Ada@Example.org", "password": PASSWORD}
    created = client.post(REGISTER, json=person)
    assert created.status_code == 202
    answer = client.post(LOGIN, json={"email": "ada@example.org", "password": PASSWORD})
    data = answer.get_json()["data"]
    assert (answer.status_code, data["token_type"], data["expires_in"]) == (200, "Bearer", 900)
    me = client.get(ME, headers=bearer(data["access_token"]))
    assert me.get_json()["data"]["email"] == "ada@example.org"
    assert me.headers["Cache-Control"] == "private, no-store"
    assert "Set-Cookie" not in answer.headers


def test_a_token_says_for_whom_and_for_what_it_is(
    tokens: dict[str, Any], member: Actor, settings: Settings
) -> None:
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    assert claims["sub"] == member.public_id
    assert (claims["roles"], claims["type"], claims["kind"]) == (["member"], "access", "bearer")
    assert claims["iss"] == claims["aud"] == settings.public_url
    assert claims["exp"] - claims["iat"] == 15 * 60


@pytest.mark.parametrize(
    "change", [{"email": "member@example.org", "role": "admin"}, {"roles": ["admin"]}, {"id": 1}]
)
@pytest.mark.parametrize("path", [REGISTER, LOGIN])
def test_unknown_fields_are_refused(client: FlaskClient, path: str, change: dict[str, Any]) -> None:
    answer = client.post(path, json={"email": "a@example.org", "password": PASSWORD} | change)
    assert answer.status_code == 422
    assert PASSWORD not in answer.text


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("{", "application/json", 400),
        ("[]", "application/json", 422),
        ("null", "application/json", 422),
        ("{}", "text/plain", 415),
        ("{}", "application/json", 422),
        ("x" * 3_000_000, "application/json", 413),
    ],
    ids=["malformed", "list", "null", "no JSON", "empty", "huge"],
)
def test_a_body_that_is_no_object_is_refused(
    client: FlaskClient, body: str, content_type: str, status: int
) -> None:
    assert client.post(LOGIN, data=body, content_type=content_type).status_code == status


def test_who_exists_cannot_be_told_from_the_answer(client: FlaskClient, member: Actor) -> None:
    def refusal(email: str) -> dict[str, Any]:
        answer = client.post(LOGIN, json={"email": email, "password": "not the right one"})
        assert answer.status_code == 401
        body: dict[str, Any] = answer.get_json()
        return {
            name: value for name, value in body.items() if name not in {"timestamp", "request_id"}
        }

    assert refusal(member.email) == refusal("nobody@example.org")


def test_whether_an_address_is_taken_cannot_be_told_from_the_answer(
    client: FlaskClient, member: Actor
) -> None:
    person = {"name": "Ada", "email": member.email.upper(), "password": PASSWORD}
    taken = client.post(REGISTER, json=person)
    free = client.post(REGISTER, json=person | {"email": "free@example.org"})
    assert (taken.status_code, taken.get_json()["data"]) == (202, free.get_json()["data"])
    assert dict(taken.headers).keys() == dict(free.headers).keys()


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"key": "k" * 32}, "not valid"),
        ({"algorithm": "HS512"}, "not valid"),
        ({"algorithm": "none"}, "not valid"),
        ({"exp": datetime(2026, 1, 1, tzinfo=UTC)}, "expired"),
        ({"nbf": datetime(2999, 1, 1, tzinfo=UTC)}, "not valid"),
        ({"aud": "https://elsewhere.example"}, "not valid"),
        ({"iss": "https://elsewhere.example"}, "not valid"),
        ({"type": "refresh"}, "refresh token"),
        ({"kind": "cookie"}, "as a cookie"),
        ({"sid": "01a207a3-8ff0-7cef-b59a-206530dae7d7"}, "ended"),
        ({"sub": "00000000000"}, "ended"),
        ({"sid": "not an id"}, "not valid"),
        ({"sid": None}, "not valid"),
        ({"sub": None}, "not valid"),
        ({"aud": None}, "not valid"),
        ({"iss": None}, "not valid"),
        ({"jti": None}, "not valid"),
    ],
    ids=str,
)
def test_a_token_that_is_not_ours_is_refused(
    client: FlaskClient, forge: Forge, claims: dict[str, Any], why: str
) -> None:
    assert client.get(ME, headers=bearer(forge())).status_code == 200
    answer = client.get(ME, headers=bearer(_forged(forge, claims)))
    assert answer.status_code == 401
    assert why in answer.get_json()["error"]
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def _forged(forge: Forge, claims: dict[str, Any]) -> str:
    if claims.get("algorithm") != "none":
        return forge(**claims)
    unsigned = jwt.decode(forge(), options={"verify_signature": False})
    return jwt.encode(
        unsigned, "", "none", headers={"kid": jwt.get_unverified_header(forge())["kid"]}
    )


def test_another_role_in_the_token_gives_nothing(client: FlaskClient, forge: Forge) -> None:
    answer = client.get(ME, headers=bearer(forge(roles=["admin"])))
    assert answer.get_json()["data"]["roles"] == ["member"]


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer a.b.c", "Bearer \u00e9", "eyJ.x.y"]
)
def test_a_header_without_a_token_is_explained(client: FlaskClient, header: str) -> None:
    answer = client.get(ME, headers={"Authorization": header})
    assert answer.status_code == 401
    assert "oken" in answer.get_json()["error"]


@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(token=st.text(st.characters(min_codepoint=33, max_codepoint=255), min_size=1))
def test_no_text_is_a_token_or_an_accident(client: FlaskClient, token: str) -> None:
    assert client.get(ME, headers=bearer(token)).status_code == 401


def test_a_bad_token_is_refused_where_none_is_needed(client: FlaskClient) -> None:
    assert client.get("/api/openapi.json").status_code == 200
    assert client.get("/api/openapi.json", headers=bearer("a.b.c")).status_code == 401


def test_a_refresh_token_gives_a_new_pair_once(client: FlaskClient, tokens: dict[str, Any]) -> None:
    answer = client.post(REFRESH, json={"refresh_token": tokens["refresh_token"]})
    renewed = answer.get_json()["data"]
    assert client.get(ME, headers=bearer(renewed["access_token"])).status_code == 200

    reused = client.post(REFRESH, json={"refresh_token": tokens["refresh_token"]})
    assert (reused.status_code, reused.get_json()["code"]) == (401, "session-ended")
    for token in (tokens["access_token"], renewed["access_token"]):
        assert client.get(ME, headers=bearer(token)).status_code == 401
    last = client.post(REFRESH, json={"refresh_token": renewed["refresh_token"]})
    assert last.status_code == 401


def test_an_access_token_does_not_refresh_and_a_refresh_token_opens_nothing(
    client: FlaskClient, tokens: dict[str, Any]
) -> None:
    wrong = client.post(REFRESH, json={"refresh_token": tokens["access_token"]})
    assert (wrong.status_code, "access token" in wrong.get_json()["error"]) == (401, True)
    wrong = client.get(ME, headers=bearer(tokens["refresh_token"]))
    assert (wrong.status_code, "refresh token" in wrong.get_json()["error"]) == (401, True)


def test_an_expired_refresh_token_says_to_sign_in(client: FlaskClient, forge: Forge) -> None:
    expired = forge(type="refresh", exp=datetime.now(UTC) - timedelta(minutes=1))
    answer = client.post(REFRESH, json={"refresh_token": expired})
    assert (answer.status_code, "sign in" in answer.get_json()["error"]) == (401, True)


def test_signing_out_ends_the_session(client: FlaskClient, tokens: dict[str, Any]) -> None:
    mine = bearer(tokens["access_token"])
    assert client.post("/api/v1/auth/logout", headers=mine).status_code == 200
    assert client.get(ME, headers=mine).status_code == 401
    answer = client.post(REFRESH, json={"refresh_token": tokens["refresh_token"]})
    assert answer.status_code == 401
    assert client.post("/api/v1/auth/logout").status_code == 401


def test_one_account_has_as_many_sessions_as_devices(
    client: FlaskClient, member: Actor, client_as: ClientAs, app: OpenAPI
) -> None:
    phone, laptop = client_as(Role.MEMBER), client_of(app, member)
    phone.post("/api/v1/auth/logout")
    assert phone.get(ME).status_code == 401
    assert laptop.get(ME).status_code == 200
