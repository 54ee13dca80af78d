"""Tokens of Supabase Auth at the API, verified by keys that a real server publishes."""

import base64
import hmac
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from joserfc.jwk import ECKey
from sqlalchemy import select
from werkzeug.test import TestResponse
from werkzeug.wrappers import Response

from fairdatabase.accounts.models import Consent, Identity, User
from fairdatabase.app import create_app
from fairdatabase.audit.models import AuditEvent
from fairdatabase.jobs.backends.memory import MemoryQueue
from fairdatabase.kernel.clock import utc_now
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.services import build_services
from tests.factories.providers import (
    HostileProvider,
    compact,
    first_key,
    hostile_provider,
    second_key,
)

ME = "/api/v1/auth/me"
REGISTER = "/api/v1/auth/register/supabase"
SUBJECT = "8f9e0b5c-7d52-4c44-a6a5-1f6f7f7e2c11"
KEYS = "/auth/v1/.well-known/jwks.json"
Come = Callable[..., TestResponse]


@pytest.fixture
def project() -> Iterator[HostileProvider]:
    """A Supabase project: a server that publishes keys."""
    with hostile_provider() as provider:
        provider.answers[KEYS] = provider.keys_as_published
        yield provider


@pytest.fixture
def clients(
    settings: Settings, database: Database, queue: MemoryQueue, project: HostileProvider
) -> Callable[..., FlaskClient]:
    def make(**changes: object) -> FlaskClient:
        settings.instance_path.mkdir(parents=True, exist_ok=True)
        update = {"supabase_url": project.issuer, "supabase_create_accounts": True} | changes
        services = build_services(settings.model_copy(update=update), database, queue=queue)
        return create_app(services=services).test_client()

    return make


def claims_of(project: HostileProvider, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - claims
    now = int(time.time())
    claims = {
        "iss": f"{project.issuer}/auth/v1",
        "aud": "authenticated",
        "sub": SUBJECT,
        "role": "authenticated",
        "iat": now,
        "exp": now + 3600,
        "email": "Marie@example.org",
        "is_anonymous": False,
        "user_metadata": {"email_verified": True, "full_name": "Marie  Curie"},
    } | changes
    return {name: value for name, value in claims.items() if value is not None}


@pytest.fixture
def come(clients: Callable[..., FlaskClient], project: HostileProvider) -> Come:
    """``come()`` asks who one is, with a token of the project."""
    client = clients()

    def ask(token: str = "", **changes: object) -> TestResponse:
        token = token or project.signed(claims_of(project, **changes))
        return client.get(ME, headers={"Authorization": f"Bearer {token}"})

    return ask


def test_who_comes_for_the_first_time_gets_an_account(come: Come, database: Database) -> None:
    found = come().get_json()["data"]
    assert (found["name"], found["email"]) == ("Marie Curie", "marie@example.org")
    assert found["roles"] == ["member"]
    assert come().get_json()["data"]["public_id"] == found["public_id"]
    with database.reading() as session:
        identity = session.scalars(select(Identity)).one()
        assert (identity.provider, identity.subject) == ("supabase", SUBJECT)
        acts = session.scalars(select(AuditEvent.action).order_by(AuditEvent.sequence)).all()
        assert acts == ["user.created", "identity.linked"]


def test_where_there_are_terms_an_account_begins_with_them(
    clients: Callable[..., FlaskClient], project: HostileProvider, database: Database
) -> None:
    client = clients(terms_version="2026-11")
    token = project.signed(claims_of(project))
    headers = {"Authorization": f"Bearer {token}"}
    refused = client.get(ME, headers=headers)
    assert (refused.status_code, refused.get_json()["code"]) == (401, "terms-unaccepted")
    assert client.post(REGISTER, json={"token": token}).status_code == 422
    for _ in range(2):
        made = client.post(REGISTER, json={"token": token, "accepted_terms": True})
        assert (made.status_code, made.get_json()["data"]) == (201, {"email": "marie@example.org"})
    assert client.get(ME, headers=headers).status_code == 200
    foreign = project.signed(claims_of(project, iss="https://another.example.org"))
    answer = client.post(REGISTER, json={"token": foreign, "accepted_terms": True})
    assert answer.status_code == 401
    with database.reading() as session:
        assert session.scalars(select(Consent.version)).all() == ["2026-11"]


def test_elliptic_curves_are_taken(come: Come, project: HostileProvider) -> None:
    project.key = ECKey.generate_key("P-256", auto_kid=True)
    assert come().status_code == 200


def test_nothing_that_needs_a_confirmation_is_allowed(
    clients: Callable[..., FlaskClient], project: HostileProvider
) -> None:
    token = project.signed(claims_of(project))
    headers = {"Authorization": f"Bearer {token}"}
    answer = clients().post("/api/v1/auth/authenticator", headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "confirmation-required")


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "anon"},
        {"aud": None},
        {"role": "service_role"},
        {"role": "anon"},
        {"role": None},
        {"exp": 1},
        {"exp": None},
        {"nbf": int(time.time()) + 600},
        {"sub": None},
        {"sub": "x" * 256},
        {"is_anonymous": True},
        {"is_anonymous": "false"},
        {"email": None},
        {"email": "nobody"},
        {"user_metadata": {"email_verified": False}},
        {"user_metadata": None},
        {"user_metadata": "x"},
    ],
    ids=",".join,
)
def test_a_token_with_a_wrong_claim_is_refused(
    come: Come, database: Database, claims: dict[str, Any]
) -> None:
    assert come(**claims).status_code == 401
    with database.reading() as session:
        assert session.scalars(select(User)).all() == []


def test_a_token_of_another_issuer_is_none_of_ours(come: Come, project: HostileProvider) -> None:
    assert come(iss="https://another.supabase.co/auth/v1").status_code == 401
    assert project.asked == []


@pytest.mark.parametrize("token", ["a.b", "a.b.c", "a.e30.c", "a.MQ.c", "a.\u00e9.c"])
def test_what_is_no_token_is_refused(come: Come, project: HostileProvider, token: str) -> None:
    assert come(token).status_code == 401
    assert project.asked == []


def test_tricks_with_algorithms_are_refused(come: Come, project: HostileProvider) -> None:
    claims, pem = claims_of(project), first_key().as_pem(private=False)
    head = {"kid": first_key().kid}
    for token in (
        compact(head | {"alg": "none"}, claims, lambda _text: b""),
        compact(head | {"alg": "HS256"}, claims, lambda text: hmac.digest(pem, text, "sha256")),
        compact(head | {"alg": "RS256"}, claims, lambda text: hmac.digest(pem, text, "sha256")),
    ):
        assert come(token).status_code == 401


def test_another_key_of_the_same_name_is_refused(come: Come, project: HostileProvider) -> None:
    project.published = [dict(first_key().as_dict(private=False))]
    project.key, project.header = second_key(), {"kid": first_key().kid}
    assert come().status_code == 401


def test_a_project_that_is_down_is_no_fault_of_the_token(
    come: Come, project: HostileProvider
) -> None:
    project.answers[KEYS] = lambda: Response(status=500)
    answers = [come() for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert answers[0].get_json()["code"] == "unavailable"
    assert project.asked == [KEYS]


def test_known_keys_go_on_working(come: Come, project: HostileProvider) -> None:
    assert come().status_code == 200
    project.answers[KEYS] = lambda: Response(status=500)
    assert come().status_code == 200


def test_an_account_with_the_same_address_is_never_taken_over(
    clients: Callable[..., FlaskClient], project: HostileProvider
) -> None:
    client = clients()
    registered = {
        "name": "Marie Curie",
        "email": "marie@example.org",
        "password": "radium and polonium",
    }
    client.post("/api/v1/auth/register", json=registered)
    token = project.signed(claims_of(project))
    answer = client.get(ME, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert "not linked to your Supabase user" in answer.get_json()["error"]


def test_nobody_gets_an_account_where_none_is_made(
    clients: Callable[..., FlaskClient], project: HostileProvider
) -> None:
    token = project.signed(claims_of(project))
    client = clients(supabase_create_accounts=False)
    answer = client.get(ME, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert "none is made by it" in answer.get_json()["error"]


def test_a_disabled_account_stays_closed(come: Come, database: Database) -> None:
    assert come().status_code == 200
    with database.transaction() as session:
        for user in session.scalars(select(User)):
            user.disabled_at = utc_now()
    answer = come()
    assert answer.status_code == 401
    assert "disabled" in answer.get_json()["error"]


def test_names_come_from_the_address_where_there_are_none(come: Come) -> None:
    found = come(user_metadata={"email_verified": True, "name": 7}).get_json()["data"]
    assert found["name"] == "marie"


def test_without_a_project_no_such_token_is_looked_at(
    client: FlaskClient, project: HostileProvider
) -> None:
    token = project.signed(claims_of(project))
    assert client.get(ME, headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert project.asked == []


def test_issuer_and_keys_may_be_named_apart(
    clients: Callable[..., FlaskClient], project: HostileProvider
) -> None:
    client = clients(
        supabase_url="",
        supabase_issuer="https://auth.example.org/v1",
        supabase_jwks_url=f"{project.issuer}/keys",
    )
    token = project.signed(claims_of(project, iss="https://auth.example.org/v1"))
    assert client.get(ME, headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_a_payload_that_is_deep_is_no_accident(come: Come) -> None:
    deep = base64.urlsafe_b64encode(b"[" * 20_000).decode().rstrip("=")
    assert come(f"a.{deep}.c").status_code == 401


def test_a_member_made_here_is_not_found_by_a_foreign_subject(
    come: Come, clients: Callable[..., FlaskClient]
) -> None:
    assert come(sub="somebody", email="other@example.org").status_code == 200
    assert come(email="third@example.org").get_json()["data"]["email"] == "third@example.org"
