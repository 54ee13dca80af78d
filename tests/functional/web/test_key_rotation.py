"""The signing key changes while people are signed in."""

from collections.abc import Callable
from datetime import UTC, datetime

import jwt
import pytest
from flask import Flask
from pydantic import SecretStr

from fairdatabase.accounts.rules.keys import key_id
from fairdatabase.app import create_app
from fairdatabase.authorization.schemas import Actor
from fairdatabase.jobs.backends.memory import MemoryQueue
from fairdatabase.kernel.config import RetiredSecret, Settings
from fairdatabase.kernel.database import Database
from fairdatabase.services import Services, build_services
from tests.factories.accounts import PASSWORD
from tests.factories.web import Browser

ME = "/api/v1/auth/me"
Rotated = Callable[..., Flask]


@pytest.fixture
def rotated(settings: Settings, database: Database, services: Services) -> Rotated:
    """Return a maker of the application as it is after the keys were changed."""

    def start(*, forget: bool = False) -> Flask:
        today = datetime.now(UTC).date()
        update: dict[str, object] = {
            "jwt_secret_key": SecretStr("J" * 64),
            "secret_key": SecretStr("T" * 64),
        }
        if not forget:
            update["jwt_retired_keys"] = (
                RetiredSecret(secret=settings.jwt_secret_key, retired_on=today),
            )
            update["retired_secret_keys"] = (
                RetiredSecret(secret=settings.secret_key, retired_on=today),
            )
        changed = settings.model_copy(update=update)
        return create_app(services=build_services(changed, database, queue=MemoryQueue()))

    return start


def moved(browser: Browser, app: Flask) -> Browser:
    """Return the same browser, with its cookies, at another application."""
    other = Browser(app)
    other.client._cookies = browser.client._cookies
    return other


def test_who_is_signed_in_stays_so_and_gets_new_tokens(
    app: Flask, rotated: Rotated, member: Actor
) -> None:
    before = Browser(app)
    before.sign_in(member)
    after = moved(before, rotated())
    assert member.name in after.get("/").text
    after.client.delete_cookie("fairdatabase-access")
    assert member.name in after.get("/").text
    renewed = after.cookie("fairdatabase-access")
    assert renewed
    assert jwt.get_unverified_header(renewed)["kid"] == key_id("J" * 64)


def test_a_form_that_was_open_can_still_be_sent(
    app: Flask, rotated: Rotated, member: Actor
) -> None:
    before = Browser(app)
    before.sign_in(member)
    token = before.csrf("/")
    after = moved(before, rotated())
    after.client.delete_cookie("fairdatabase-access")
    after.get("/")
    assert after.client.post("/sign-out", data={"csrf_token": "0" * 64}).status_code == 403
    assert after.client.post("/sign-out", data={"csrf_token": token}).status_code == 303


def test_who_was_just_signing_in_can_go_on(app: Flask, rotated: Rotated, member: Actor) -> None:
    before = Browser(app)
    token = before.csrf("/sign-in")
    after = moved(before, rotated())
    form = {"csrf_token": token, "email": member.email, "password": PASSWORD}
    assert after.client.post("/sign-in", data=form).status_code == 303


def test_forgotten_keys_sign_everybody_out(app: Flask, rotated: Rotated, member: Actor) -> None:
    before = Browser(app)
    before.sign_in(member)
    after = moved(before, rotated(forget=True))
    assert member.name not in after.get("/").text


def test_a_program_goes_on_with_its_pair(app: Flask, rotated: Rotated, member: Actor) -> None:
    credentials = {"email": member.email, "password": PASSWORD}
    pair = app.test_client().post("/api/v1/auth/login", json=credentials).get_json()["data"]
    client = rotated().test_client()
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    assert client.get(ME, headers=headers).status_code == 200
    renewed = client.post("/api/v1/auth/refresh", json={"refresh_token": pair["refresh_token"]})
    assert renewed.status_code == 200
