"""Two steps over REST: an app, recovery codes, passkeys, and confirming who one is."""

from datetime import timedelta
from typing import Any

import pyotp
import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from sqlalchemy import update

from fairdatabase.accounts.models import Session
from fairdatabase.app import create_app
from fairdatabase.authorization.schemas import Actor, Role
from fairdatabase.jobs.backends.memory import MemoryQueue
from fairdatabase.kernel.clock import utc_now
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.services import build_services
from tests.factories.accounts import PASSWORD, ClientAs, client_of
from tests.factories.passkeys import SoftPasskey

AUTH = "/api/v1/auth"
LOGIN = f"{AUTH}/login"
FINISH = f"{AUTH}/login/second-factor"
PASSKEYS = "/api/v1/passkeys"
ORIGIN = "http://127.0.0.1:8000"


def data(client: FlaskClient, method: str, path: str, body: Any = None) -> Any:  # noqa: ANN401
    answer = client.open(path, method=method, json=body)
    assert answer.status_code < 300, answer.text
    return answer.get_json()["data"]


def set_up(client: FlaskClient) -> list[str]:
    """Turn two-step sign-in on; return the recovery codes."""
    secret = data(client, "POST", f"{AUTH}/authenticator")["secret"]
    code = pyotp.TOTP(secret).at(utc_now())
    made = data(client, "POST", f"{AUTH}/authenticator/activation", {"code": code})
    codes: list[str] = made["recovery_codes"]
    return codes


def add_passkey(client: FlaskClient) -> SoftPasskey:
    key = SoftPasskey(ORIGIN)
    asked = data(client, "POST", f"{PASSKEYS}/options")
    new = {"challenge": asked["challenge"], "credential": key.create(asked["options"])}
    assert data(client, "POST", PASSKEYS, new | {"name": "Laptop"})["name"] == "Laptop"
    return key


def answer_of(key: SoftPasskey, asked: dict[str, Any]) -> dict[str, Any]:
    return {"challenge": asked["challenge"], "credential": key.get(asked["options"])}


@pytest.fixture
def mary(client_as: ClientAs) -> FlaskClient:
    """A client that the member is signed in on."""
    return client_as(Role.MEMBER)


def first_step(client: FlaskClient, member: Actor) -> dict[str, Any]:
    answer = client.post(LOGIN, json={"email": member.email, "password": PASSWORD})
    assert answer.status_code == 202
    step: dict[str, Any] = answer.get_json()["data"]
    return step


def test_signing_in_takes_two_steps(mary: FlaskClient, client: FlaskClient, member: Actor) -> None:
    codes = set_up(mary)
    step = first_step(client, member)
    assert step["methods"] == ["code", "recovery code"]
    assert "access_token" not in step
    wrong = client.post(FINISH, json={"ticket": step["ticket"], "code": "000000x"})
    assert (wrong.status_code, wrong.get_json()["code"]) == (401, "authentication-required")
    tokens = data(client, "POST", FINISH, {"ticket": step["ticket"], "code": codes[0]})
    me = client.get(f"{AUTH}/me", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert me.get_json()["data"]["public_id"] == member.public_id
    again = client.post(FINISH, json={"ticket": step["ticket"], "code": codes[1]})
    assert (again.status_code, again.get_json()["code"]) == (401, "sign-in-expired")


def test_who_guesses_codes_is_told_to_wait(
    mary: FlaskClient, client: FlaskClient, member: Actor
) -> None:
    codes = set_up(mary)
    for _ in range(5):
        ticket = first_step(client, member)["ticket"]
        assert client.post(FINISH, json={"ticket": ticket, "code": "x"}).status_code == 401
    ticket = first_step(client, member)["ticket"]
    answer = client.post(FINISH, json={"ticket": ticket, "code": codes[0]})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.parametrize(
    "body",
    [
        {"code": "123456"},
        {"ticket": "x"},
        {"ticket": "x", "code": "1", "passkey": {"challenge": "x", "credential": {}}},
        {"ticket": "x", "code": "1" * 33},
        {"ticket": "x", "code": "1", "user": "x"},
    ],
    ids=str,
)
def test_an_answer_is_one_factor(client: FlaskClient, body: dict[str, Any]) -> None:
    assert client.post(FINISH, json=body).status_code == 422


def test_a_ticket_nobody_was_given_is_worthless(client: FlaskClient) -> None:
    answer = client.post(FINISH, json={"ticket": "x", "code": "123456"})
    assert (answer.status_code, answer.get_json()["code"]) == (401, "sign-in-expired")
    assert client.post(f"{FINISH}/passkey", json={"ticket": "x"}).status_code == 401


def test_a_passkey_is_added_and_signs_in(
    mary: FlaskClient, client: FlaskClient, member: Actor
) -> None:
    set_up(mary)
    key = add_passkey(mary)
    asked = data(client, "POST", f"{AUTH}/passkey/options")
    tokens = data(client, "POST", f"{AUTH}/passkey", answer_of(key, asked))
    assert tokens["token_type"] == "Bearer"
    replayed = client.post(f"{AUTH}/passkey", json=answer_of(key, asked))
    assert (replayed.status_code, replayed.get_json()["code"]) == (401, "passkey-refused")

    step = first_step(client, member)
    assert "passkey" in step["methods"]
    asked = data(client, "POST", f"{FINISH}/passkey", {"ticket": step["ticket"]})
    answer = {"ticket": step["ticket"], "passkey": answer_of(key, asked)}
    assert data(client, "POST", FINISH, answer)["expires_in"] == 900


def test_passkeys_are_managed(mary: FlaskClient, stranger: FlaskClient) -> None:
    add_passkey(mary)
    [listed] = data(mary, "GET", PASSKEYS)
    path = f"{PASSKEYS}/{listed['public_id']}"
    assert stranger.patch(path, json={"name": "x"}).status_code == 404
    assert stranger.delete(path).status_code == 404
    data(mary, "PATCH", path, {"name": "Old laptop"})
    assert data(mary, "GET", PASSKEYS)[0]["name"] == "Old laptop"
    data(mary, "DELETE", path)
    assert data(mary, "GET", PASSKEYS) == []


def test_the_app_is_looked_after(mary: FlaskClient, client: FlaskClient, member: Actor) -> None:
    assert data(mary, "GET", f"{AUTH}/factors")["authenticator_since"] is None
    codes = set_up(mary)
    assert mary.post(f"{AUTH}/authenticator").status_code == 409
    renewed = data(mary, "POST", f"{AUTH}/recovery-codes")["recovery_codes"]
    assert not set(codes) & set(renewed)
    assert data(mary, "GET", f"{AUTH}/factors")["recovery_codes_left"] == 10
    data(mary, "DELETE", f"{AUTH}/authenticator")
    assert mary.delete(f"{AUTH}/authenticator").status_code == 404
    answer = client.post(LOGIN, json={"email": member.email, "password": PASSWORD})
    assert answer.status_code == 200


@pytest.fixture
def late(mary: FlaskClient, database: Database) -> FlaskClient:
    """The same, an hour after she proved who she is."""
    with database.transaction() as session:
        session.execute(update(Session).values(confirmed_at=utc_now() - timedelta(hours=1)))
    return mary


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/tokens"),
        ("POST", f"{AUTH}/authenticator"),
        ("POST", f"{AUTH}/authenticator/activation"),
        ("DELETE", f"{AUTH}/authenticator"),
        ("POST", f"{AUTH}/recovery-codes"),
        ("POST", f"{PASSKEYS}/options"),
        ("POST", PASSKEYS),
        ("DELETE", f"{PASSKEYS}/x"),
    ],
)
def test_what_is_dangerous_has_to_be_confirmed(late: FlaskClient, method: str, path: str) -> None:
    answer = late.open(path, method=method, json={})
    assert (answer.status_code, answer.get_json()["code"]) == (403, "confirmation-required")


def test_confirming_opens_what_is_dangerous(late: FlaskClient) -> None:
    assert late.post(f"{AUTH}/confirm", json={"password": "wrong"}).status_code == 401
    for body in ({}, {"password": "x", "code": "1"}, {"email": "x"}):
        assert late.post(f"{AUTH}/confirm", json=body).status_code == 422
    data(late, "POST", f"{AUTH}/confirm", {"password": PASSWORD})
    key = add_passkey(late)
    asked = data(late, "POST", f"{AUTH}/confirm/passkey")
    data(late, "POST", f"{AUTH}/confirm", {"passkey": answer_of(key, asked)})


def test_confirming_is_for_who_is_signed_in(client: FlaskClient) -> None:
    assert client.post(f"{AUTH}/confirm", json={"password": PASSWORD}).status_code == 401
    assert client.post(f"{AUTH}/confirm/passkey").status_code == 401


def test_a_password_is_changed(late: FlaskClient, app: OpenAPI, member: Actor) -> None:
    other = client_of(app, member)
    body = {"present_password": PASSWORD, "new_password": "an entirely new phrase"}
    wrong = late.put(f"{AUTH}/password", json=body | {"present_password": "wrong"})
    assert (wrong.status_code, wrong.get_json()["details"][0]["field"]) == (422, "present_password")
    data(late, "PUT", f"{AUTH}/password", body)
    assert other.get(f"{AUTH}/me").status_code == 401
    assert late.get(f"{AUTH}/me").status_code == 200


def test_second_steps_are_limited_by_address(
    settings: Settings, database: Database, queue: MemoryQueue
) -> None:
    limited = settings.model_copy(
        update={"rate_limits_enabled": True, "login_rate_limit": "3 per minute"}
    )
    client = create_app(services=build_services(limited, database, queue=queue)).test_client()
    for _ in range(2):
        assert client.post(f"{AUTH}/passkey/options").status_code == 200
    answer = {"ticket": "x", "code": "123456"}
    assert client.post(FINISH, json=answer).status_code == 401
    assert client.post(FINISH, json=answer).status_code == 429
