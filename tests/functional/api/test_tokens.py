"""Access tokens over REST: what scripts come with, and everything they cannot do."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI

from fairdatabase.accounts.rules.tokens import new_token
from fairdatabase.authorization.schemas import Actor, Role
from fairdatabase.services import Services
from tests.factories.accounts import ClientAs
from tests.factories.cohorts import METADATA

TOKENS = "/api/v1/tokens"
ME = "/api/v1/auth/me"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def make(client: FlaskClient, *scopes: str) -> dict[str, Any]:
    answer = client.post(TOKENS, json={"name": "nightly upload", "scopes": scopes})
    assert answer.status_code == 201, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    data: dict[str, Any] = answer.get_json()["data"]
    return data


def test_a_script_comes_with_a_token(
    client: FlaskClient, client_as: ClientAs, member: Actor
) -> None:
    mary = client_as(Role.MEMBER)
    made = make(mary, "account:read", "datasets:write")
    me = client.get(ME, headers=bearer(made["token"]))
    assert me.get_json()["data"]["public_id"] == member.public_id
    drafts = client.get("/api/v1/deposits", headers=bearer(made["token"]))
    assert drafts.status_code == 200
    [listed] = mary.get(TOKENS).get_json()["data"]
    assert listed["last_used_at"] is not None
    assert "token" not in listed
    assert made["token"].endswith(listed["hint"])


def test_the_log_of_events_names_the_token(
    client: FlaskClient, client_as: ClientAs, member: Actor
) -> None:
    mary, ada = client_as(Role.MEMBER), client_as(Role.ADMIN)
    first, second = (make(mary, "datasets:write") for _ in range(2))
    for made in (first, second):
        opened = client.post(
            "/api/v1/deposits", json={"metadata": METADATA}, headers=bearer(made["token"])
        )
        assert opened.status_code == 201, opened.text
    answer = ada.get("/api/v1/audit", query_string={"token": first["public_id"]})
    [event] = answer.get_json()["data"]
    assert (event["actor"], event["action"]) == (member.public_id, "dataset.created")
    assert event["token"] == first["public_id"]
    assert first["token"] not in answer.text
    by_session = ada.get("/api/v1/audit", query_string={"action": "token.created"})
    assert {each["token"] for each in by_session.get_json()["data"]} == {None}


def test_a_scope_that_is_too_small_is_named(client: FlaskClient, client_as: ClientAs) -> None:
    made = make(client_as(Role.MEMBER), "account:read")
    answer = client.get("/api/v1/deposits", headers=bearer(made["token"]))
    assert (answer.status_code, answer.get_json()["code"]) == (403, "insufficient-scope")
    assert "datasets:read" in answer.get_json()["error"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", TOKENS),
        ("POST", TOKENS),
        ("GET", "/api/v1/sessions"),
        ("DELETE", "/api/v1/sessions"),
        ("POST", "/api/v1/auth/confirm"),
        ("PUT", "/api/v1/auth/password"),
        ("POST", "/api/v1/auth/authenticator"),
        ("GET", "/api/v1/passkeys"),
        ("POST", "/api/v1/passkeys/options"),
        ("POST", "/api/v1/auth/logout"),
    ],
)
def test_a_token_does_not_do_what_is_for_a_person(
    client: FlaskClient, client_as: ClientAs, method: str, path: str
) -> None:
    scopes = ("datasets:write", "account:read", "users:write", "audit:read")
    made = make(client_as(Role.ADMIN), *scopes)
    body = {"name": "x", "scopes": ["account:read"]}
    answer = client.open(path, method=method, json=body, headers=bearer(made["token"]))
    assert (answer.status_code, answer.get_json()["code"]) == (403, "insufficient-scope")


def test_a_token_is_revoked(client: FlaskClient, client_as: ClientAs) -> None:
    mary, hans = client_as(Role.MEMBER), client_as(Role.CURATOR)
    made = make(mary, "account:read")
    path = f"{TOKENS}/{made['public_id']}"
    assert hans.delete(path).status_code == 404
    assert mary.delete(path).status_code == 200
    answer = client.get(ME, headers=bearer(made["token"]))
    assert (answer.status_code, answer.get_json()["code"]) == (401, "session-ended")
    assert mary.delete(path).status_code == 404
    assert mary.get(TOKENS).get_json()["data"] == []


def test_a_closed_account_s_token_is_dead(
    client: FlaskClient, client_as: ClientAs, member: Actor
) -> None:
    mary, ada = client_as(Role.MEMBER), client_as(Role.ADMIN)
    made = make(mary, "account:read")
    path = f"/api/v1/users/{member.public_id}/disabled"
    assert mary.put(path).status_code == 403
    assert ada.put(path).status_code == 200
    assert client.get(ME, headers=bearer(made["token"])).status_code == 401
    assert mary.get(ME).status_code == 401
    assert ada.delete(path).status_code == 200
    assert client.get(ME, headers=bearer(made["token"])).status_code == 401
    assert ada.put("/api/v1/users/00000000000/disabled").status_code == 404


def test_the_last_admin_does_not_close_their_account(client_as: ClientAs, admin: Actor) -> None:
    answer = client_as(Role.ADMIN).put(f"/api/v1/users/{admin.public_id}/disabled")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "last-admin")


@pytest.mark.parametrize(
    "change",
    [
        {"scopes": []},
        {"scopes": ["root"]},
        {"scopes": ["audit:read"]},
        {"days": 0},
        {"days": 366},
        {"name": "  "},
        {"user": "somebody"},
        {"token": "fdb_x"},
    ],
    ids=str,
)
def test_a_token_that_cannot_be_is_refused(client_as: ClientAs, change: dict[str, Any]) -> None:
    body = {"name": "x", "scopes": ["account:read"]} | change
    answer = client_as(Role.MEMBER).post(TOKENS, json=body)
    assert answer.status_code == 422
    assert answer.get_json()["details"][0]["field"].startswith(next(iter(change)))


@pytest.mark.parametrize(
    "token", ["fdb_", "fdb_" + "0" * 46, new_token()], ids=["short", "no checksum", "not ours"]
)
def test_what_is_no_token_opens_nothing(client: FlaskClient, token: str) -> None:
    assert client.get(ME, headers=bearer(token)).status_code == 401
    assert client.get("/api/openapi.json", headers=bearer(token)).status_code == 401


def test_a_token_is_no_cookie_and_no_page_s(
    app: OpenAPI, client_as: ClientAs, services: Services
) -> None:
    made = make(client_as(Role.MEMBER), "account:read")
    browser = app.test_client()
    browser.set_cookie("fairdatabase-access", made["token"])
    assert browser.get(ME).status_code == 401
