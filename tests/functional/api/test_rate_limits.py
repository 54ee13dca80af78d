"""Limits: per network and per account, strict where passwords are tried."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from fairdatabase.app import create_app
from fairdatabase.authorization.schemas import Actor
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.services import build_services
from tests.factories.accounts import PASSWORD

LOGIN = "/api/v1/auth/login"
MakeApp = Callable[..., Flask]


@pytest.fixture
def limited(settings: Settings, database: Database) -> MakeApp:
    """Return a maker of applications whose limits are on."""

    def make(**changes: object) -> Flask:
        strict = {"rate_limits_enabled": True, "login_rate_limit": "3 per minute", **changes}
        return create_app(services=build_services(settings.model_copy(update=strict), database))

    return make


def attempt(client: FlaskClient, email: str, address: str, **headers: str) -> TestResponse:
    return client.post(
        LOGIN,
        json={"email": email, "password": "not the right one"},
        environ_base={"REMOTE_ADDR": address},
        headers=headers,
    )


def statuses(client: FlaskClient, attempts: list[tuple[str, str]], **headers: str) -> list[int]:
    return [attempt(client, email, address, **headers).status_code for email, address in attempts]


def test_an_address_has_few_attempts(limited: MakeApp, member: Actor) -> None:
    client = limited().test_client()
    guesses = [(f"user{number}@example.org", "192.0.2.1") for number in range(4)]
    assert statuses(client, guesses) == [401, 401, 401, 429]
    right = {"email": member.email, "password": PASSWORD}
    refused = client.post(LOGIN, json=right, environ_base={"REMOTE_ADDR": "192.0.2.1"})
    assert (refused.status_code, refused.get_json()["code"]) == (429, "rate-limited")
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    allowed = client.post(LOGIN, json=right, environ_base={"REMOTE_ADDR": "192.0.2.2"})
    assert allowed.status_code == 200


def test_limits_are_each_applications_own(limited: MakeApp) -> None:
    """Applications of one process share the limiter, but not whether it counts."""
    free = limited(rate_limits_enabled=False).test_client()
    strict = limited().test_client()
    guesses = [(f"user{number}@example.org", "192.0.2.1") for number in range(4)]
    assert statuses(free, guesses) == [401] * 4
    assert statuses(strict, guesses)[-1] == 429


def test_an_account_is_tried_few_times_from_anywhere(limited: MakeApp, member: Actor) -> None:
    client = limited().test_client()
    guesses = [(member.email, f"192.0.2.{number}") for number in range(3)]
    guesses.append((member.email.upper(), "192.0.2.3"))
    assert statuses(client, guesses) == [401, 401, 401, 429]
    assert attempt(client, "other@example.org", "192.0.2.3").status_code == 401


def test_an_ipv6_network_counts_as_one_address(limited: MakeApp) -> None:
    client = limited().test_client()
    guesses = [(f"user{number}@example.org", f"2001:db8::{number}") for number in range(4)]
    assert statuses(client, guesses)[-1] == 429
    assert attempt(client, "user@example.org", "2001:db8:0:1::1").status_code == 401


def test_who_has_no_address_is_limited_as_well(limited: MakeApp) -> None:
    client = limited().test_client()
    assert statuses(client, [(f"u{n}@example.org", "") for n in range(4)])[-1] == 429


def test_a_forwarded_address_is_believed_from_trusted_proxies_only(limited: MakeApp) -> None:
    def last_status(app: Flask) -> int:
        return [
            attempt(
                app.test_client(),
                f"u{number}@example.org",
                "192.0.2.1",
                **{"X-Forwarded-For": f"198.51.100.{number}"},
            ).status_code
            for number in range(4)
        ][-1]

    assert last_status(limited()) == 429
    assert last_status(limited(trusted_proxies=1)) == 401


def test_only_the_hops_of_trusted_proxies_count(limited: MakeApp) -> None:
    """What a client writes into the header itself stands left of what the proxy adds."""
    client = limited(trusted_proxies=1).test_client()
    forged = [
        attempt(
            client,
            f"u{number}@example.org",
            "192.0.2.1",
            **{"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.7"},
        ).status_code
        for number in range(4)
    ]
    assert forged == [401, 401, 401, 429]


def test_the_page_and_the_api_share_one_limit(limited: MakeApp) -> None:
    client = limited().test_client()
    guesses = [(f"user{number}@example.org", "127.0.0.1") for number in range(3)]
    assert statuses(client, guesses) == [401, 401, 401]
    with client.session_transaction() as session:
        session["csrf_token"] = "known"
    form = {"csrf_token": "known", "email": "a@example.org", "password": "x"}
    assert client.post("/sign-in", data=form).status_code == 429
    assert client.post("/sign-in", data={"csrf_token": "known"}).status_code == 429


def test_registrations_are_limited(limited: MakeApp) -> None:
    client = limited().test_client()
    people = [
        {"name": "Ada", "email": f"user{number}@example.org", "password": PASSWORD}
        for number in range(4)
    ]
    answers = [client.post("/api/v1/auth/register", json=person) for person in people]
    assert [answer.status_code for answer in answers] == [202, 202, 202, 429]


def test_the_general_limit_counts_accounts_and_networks(limited: MakeApp, member: Actor) -> None:
    app = limited(rate_limit="5 per minute")
    client = app.test_client()
    answer = client.post(LOGIN, json={"email": member.email, "password": PASSWORD})
    mine = {"Authorization": f"Bearer {answer.get_json()['data']['access_token']}"}
    seen = [client.get("/api/v1/auth/me", headers=mine).status_code for _ in range(6)]
    assert seen == [200] * 5 + [429]
    assert client.get("/api/v1/auth/me").status_code == 401


def test_limits_may_be_off(client: FlaskClient) -> None:
    guesses = [(f"user{number}@example.org", "192.0.2.1") for number in range(20)]
    assert set(statuses(client, guesses)) == {401}


def test_no_setting_lets_anybody_try_passwords_without_end(client: FlaskClient) -> None:
    guesses = [("user@example.org", f"192.0.2.{number}") for number in range(6)]
    assert statuses(client, guesses) == [401] * 5 + [429]
