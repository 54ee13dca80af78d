"""The page of everything that protects an account, and the second step of signing in."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from pydantic import HttpUrl
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from fairdatabase.accounts.models import Session, User
from fairdatabase.accounts.schemas.tokens import ServiceAccountIn
from fairdatabase.authorization.schemas import OPERATOR, Actor, Role
from fairdatabase.kernel.clock import utc_now
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.services import Services
from tests.factories.accounts import PASSWORD, make_actor
from tests.factories.factors import App, with_app
from tests.factories.passkeys import SoftPasskey
from tests.factories.web import Browser

SECURITY = "/account/security"
SECOND = "/sign-in/second-factor"
ORIGIN = "http://localhost:8000"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"base_url": HttpUrl(ORIGIN)})


@pytest.fixture
def mary(browser: Browser, member: Actor) -> Browser:
    """A browser that the member signed in on."""
    assert browser.sign_in(member).status_code == 303
    return browser


@pytest.fixture
def late(mary: Browser, database: Database) -> Browser:
    """The same, an hour after she proved who she is."""
    with database.transaction() as session:
        session.execute(update(Session).values(confirmed_at=utc_now() - timedelta(hours=1)))
    return mary


@pytest.fixture
def app_of_mary(services: Services, member: Actor) -> App:
    return with_app(services, member, utc_now())


def question(
    browser: Browser, path: str, page: str, body: dict[str, str] | None = None
) -> dict[str, Any]:
    """Ask for a question as the script of a page does."""
    headers = {"X-CSRF-TOKEN": browser.csrf(page)}
    answer = browser.client.post(f"/api/v1/{path}", json=body or {}, headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()["data"]
    return found


def add_passkey(browser: Browser) -> SoftPasskey:
    key, page = SoftPasskey(ORIGIN), f"{SECURITY}/passkeys/new"
    asked = question(browser, "passkeys/options", page)
    answer = browser.submit(page, name="Laptop", **filled_in(asked, key.create(asked["options"])))
    assert answer.location == SECURITY
    return key


def filled_in(asked: dict[str, Any], credential: object) -> dict[str, str]:
    return {"challenge": asked["challenge"], "credential": json.dumps(credential)}


def public_id(page: TestResponse, what: str) -> str:
    found = re.search(rf"{SECURITY}/{what}/(\w+)/", page.text)
    assert found
    return found[1]


def test_everything_is_on_one_page(mary: Browser) -> None:
    page = mary.get(SECURITY)
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    for words in ("Two-step sign-in", "Passkeys", "Password", "Access tokens", "This device"):
        assert words in page.text
    assert SECURITY in mary.get("/").text


def test_it_is_for_who_is_signed_in(browser: Browser) -> None:
    assert browser.get(SECURITY).location == f"/sign-in?next={SECURITY}"


def test_a_password_is_changed_and_other_devices_are_signed_out(
    mary: Browser, member: Actor, new_browser: Callable[[], Browser]
) -> None:
    other = new_browser()
    other.sign_in(member)
    fields = {"present_password": PASSWORD, "new_password": "an entirely new phrase"}
    path = f"{SECURITY}/password"
    wrong = mary.submit(path, form_at=SECURITY, **fields | {"present_password": "x"})
    assert (wrong.status_code, "not your present password" in wrong.text) == (422, True)
    assert mary.submit(path, form_at=SECURITY, **fields).location == SECURITY
    assert "All other devices are signed out" in mary.get(SECURITY).text
    assert other.get(SECURITY).status_code == 303
    for _ in range(5):
        mary.submit(path, form_at=SECURITY, **fields)
    slowed = mary.submit(path, form_at=SECURITY, **fields)
    assert slowed.status_code == 429
    assert int(slowed.headers["Retry-After"]) >= 1


def test_an_app_is_set_up_and_removed(mary: Browser) -> None:
    path = f"{SECURITY}/authenticator"
    page = mary.get(path)
    secret = re.search(r'id="secret">(\w+)<', page.text)
    assert secret
    assert 'src="data:image/svg+xml' in page.text
    wrong = mary.submit(path, code="12")
    assert (wrong.status_code, secret[1] in wrong.text) == (422, True)
    codes = mary.submit(path, code=pyotp.TOTP(secret[1]).at(utc_now()))
    assert codes.status_code == 200
    shown = re.findall(r"<code>(\w{5}-\w{5})</code>", codes.text)
    assert len(shown) == 10
    assert "10 recovery codes left" in mary.get(SECURITY).text
    assert mary.get(path).status_code == 409
    renewed = mary.submit(f"{SECURITY}/recovery-codes", form_at=SECURITY)
    assert not set(shown) & set(re.findall(r"<code>(\w{5}-\w{5})</code>", renewed.text))
    assert mary.submit(f"{path}/remove", form_at=SECURITY).location == SECURITY
    assert "Set up an authenticator app" in mary.get(SECURITY).text


def test_signing_in_takes_two_pages(browser: Browser, member: Actor, app_of_mary: App) -> None:
    answer = browser.sign_in(member, next="/dashboard")
    assert answer.location == f"{SECOND}?next=/dashboard"
    assert browser.get("/dashboard").status_code == 303
    page = browser.get(answer.location)
    assert page.headers["Cache-Control"] == "no-store"
    assert "passkey" not in page.text.partition("<main")[2].lower()
    wrong = browser.submit(SECOND, code="000000x", next="/dashboard")
    assert (wrong.status_code, "This code is not right" in wrong.text) == (422, True)
    assert 'value="/dashboard"' in wrong.text
    right = browser.submit(SECOND, code=app_of_mary.recovery_codes[0], next="/dashboard")
    assert right.location == "/dashboard"
    assert browser.get("/dashboard").status_code == 200
    assert browser.get(SECOND).location == "/sign-in?next=/"


def test_a_second_step_leads_nowhere_else(
    browser: Browser, member: Actor, app_of_mary: App
) -> None:
    browser.sign_in(member)
    answer = browser.submit(SECOND, code=app_of_mary.recovery_codes[0], next="https://evil.example")
    assert answer.location == "/"


def test_without_a_first_step_there_is_no_second(browser: Browser) -> None:
    assert browser.get(f"{SECOND}?next=/users").location == "/sign-in?next=/users"
    assert "Please begin anew" in browser.get("/sign-in").text
    sent = browser.submit(SECOND, form_at="/sign-in", code="123456")
    assert sent.location == "/sign-in?next=/"


def test_who_guesses_codes_has_to_wait(browser: Browser, member: Actor, app_of_mary: App) -> None:
    browser.sign_in(member)
    for _ in range(5):
        assert browser.submit(SECOND, code="000000x").status_code == 422
    assert browser.submit(SECOND, code="000000x").status_code == 429


def test_a_passkey_stands_in_for_the_code(
    mary: Browser, member: Actor, app_of_mary: App, new_browser: Callable[[], Browser]
) -> None:
    key, other = add_passkey(mary), new_browser()
    other.sign_in(member)
    page = other.get(SECOND).text
    ticket = re.search(r"&#34;ticket&#34;: &#34;([\w-]+)&#34;", page)
    assert ticket
    path = f"{SECOND}/passkey"
    asked = question(other, "auth/login/second-factor/passkey", SECOND, {"ticket": ticket[1]})
    assert other.submit(path, form_at=SECOND, challenge="x", credential="{").status_code == 422
    answer = filled_in(asked, key.get(asked["options"]))
    assert other.submit(path, form_at=SECOND, **answer, next="/dashboard").location == "/dashboard"


def test_a_passkey_signs_in(
    mary: Browser, member: Actor, new_browser: Callable[[], Browser]
) -> None:
    key, other = add_passkey(mary), new_browser()
    asked = question(other, "auth/passkey/options", "/sign-in")
    answer = filled_in(asked, key.get(asked["options"]))
    path = "/sign-in/passkey"
    refused = other.submit(path, form_at="/sign-in", **answer | {"challenge": "x"}, next="/users")
    assert (refused.status_code, "was not accepted" in refused.text) == (422, True)
    assert 'value="/users"' in refused.text
    assert other.submit(path, form_at="/sign-in", **answer, next="/users").location == "/users"
    assert other.get(SECURITY).status_code == 200


def test_passkeys_are_renamed_and_removed(mary: Browser, database: Database) -> None:
    add_passkey(mary)
    path = f"{SECURITY}/passkeys/{public_id(mary.get(SECURITY), 'passkeys')}"
    assert mary.submit(f"{path}/name", form_at=SECURITY, name=" ").status_code == 422
    assert mary.submit(f"{path}/name", form_at=SECURITY, name="Old <b>").location == SECURITY
    assert "Old &lt;b&gt;" in mary.get(SECURITY).text
    with database.transaction() as session:
        kept = session.scalars(select(User.password_hash)).one()
        session.execute(update(User).values(password_hash=None))
    assert mary.submit(f"{path}/remove", form_at=SECURITY).location == SECURITY
    assert "You could not sign in any more" in mary.get(SECURITY).text
    with database.transaction() as session:
        session.execute(update(User).values(password_hash=kept))
    assert mary.submit(f"{path}/remove", form_at=SECURITY).location == SECURITY
    assert "You have none yet" in mary.get(SECURITY).text
    assert mary.submit(f"{path}/remove", form_at=SECURITY).status_code == 404


def test_a_passkey_that_is_wrong_is_not_added(mary: Browser) -> None:
    page = f"{SECURITY}/passkeys/new"
    answer = mary.submit(page, name="Laptop", challenge="x", credential="{}")
    assert (answer.status_code, 'value="Laptop"' in answer.text) == (422, True)


def test_where_there_is_no_name_there_are_no_passkeys(
    settings: Settings, services: Services, mary: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = services.passkeys.site._replace(host="127.0.0.1")
    monkeypatch.setattr(services.passkeys, "site", number)
    assert "reached by a number" in mary.get(SECURITY).text
    assert "reached by a number" in mary.get(f"{SECURITY}/passkeys/new").text


def test_a_token_is_made_shown_once_and_revoked(mary: Browser) -> None:
    path = f"{SECURITY}/tokens/new"
    page = mary.get(path).text
    assert "datasets:read" in page
    assert "audit:read" not in page
    nothing = mary.submit(path, name="upload", days="30")
    assert (nothing.status_code, 'value="upload"' in nothing.text) == (422, True)
    fields = {"name": "upload", "days": "30", "account_read": "true"}
    forbidden = mary.submit(path, **fields, audit_read="true")
    assert (forbidden.status_code, " checked" in forbidden.text) == (422, True)
    made = mary.submit(path, **fields)
    assert made.status_code == 201
    token = re.search(r"fdb_\w{46}", made.text)
    assert token
    listed = mary.get(SECURITY)
    assert token[0] not in listed.text
    revoke = f"{SECURITY}/tokens/{public_id(listed, 'tokens')}/revoke"
    assert mary.submit(revoke, form_at=SECURITY).location == SECURITY
    assert "You have none." in mary.get(SECURITY).text


def test_devices_are_signed_out(
    mary: Browser, member: Actor, new_browser: Callable[[], Browser]
) -> None:
    others = [new_browser() for _ in range(3)]
    for other in others:
        other.sign_in(member)
    one = public_id(mary.get(SECURITY), "sessions")
    assert mary.submit(f"{SECURITY}/sessions/{one}/revoke", form_at=SECURITY).status_code == 303
    assert [other.get(SECURITY).status_code for other in others].count(303) == 1
    mary.submit(f"{SECURITY}/sessions/revoke-others", form_at=SECURITY)
    assert [other.get(SECURITY).status_code for other in others] == [303, 303, 303]
    assert mary.get(SECURITY).status_code == 200


def test_what_is_dangerous_asks_first_and_leads_back(late: Browser) -> None:
    path = f"{SECURITY}/tokens/new"
    asked = late.get(path)
    assert (asked.status_code, asked.location) == (303, f"/confirm?next={path}")
    page = late.get(asked.location)
    assert "Nothing was changed" not in page.text
    wrong = late.submit("/confirm", form_at=asked.location, password="x", next=path)
    assert (wrong.status_code, "This password is not right" in wrong.text) == (422, True)
    assert f'value="{path}"' in wrong.text
    both = late.submit("/confirm", form_at=asked.location, next=path)
    assert both.status_code == 422
    right = late.submit("/confirm", form_at=asked.location, password=PASSWORD, next=path)
    assert right.location == path
    assert late.get(path).status_code == 200


def test_a_form_that_was_refused_is_sent_again_by_the_person(late: Browser) -> None:
    path, token = f"{SECURITY}/recovery-codes", late.csrf(SECURITY)
    refused = late.client.post(
        path,
        data={"csrf_token": token},
        headers={"Referer": f"http://localhost{SECURITY}"},
    )
    assert refused.location == f"/confirm?next={SECURITY}&again=yes"
    assert "Nothing was changed yet" in late.get(refused.location).text
    answer = late.submit(
        "/confirm", form_at=refused.location, password=PASSWORD, next=SECURITY, again="yes"
    )
    assert answer.location == SECURITY
    assert "please do it again now" in late.get(SECURITY).text
    elsewhere = {"Referer": "https://evil.example/page"}
    assert late.client.post(path, data={"csrf_token": token}, headers=elsewhere).status_code == 404


def test_a_form_from_nowhere_leads_to_the_start(late: Browser) -> None:
    data = {"csrf_token": late.csrf(SECURITY)}
    for referrer in ("https://evil.example/page", ""):
        answer = late.client.post(
            f"{SECURITY}/recovery-codes", data=data, headers={"Referer": referrer}
        )
        assert answer.location == "/confirm?next=/&again=yes"


def test_confirming_leads_nowhere_else(late: Browser) -> None:
    answer = late.submit("/confirm", password=PASSWORD, next="//evil.example")
    assert answer.location == "/"
    assert 'value="/"' in late.get("/confirm?next=//evil.example").text


def test_a_passkey_confirms(mary: Browser, database: Database) -> None:
    key = add_passkey(mary)
    with database.transaction() as session:
        session.execute(update(Session).values(confirmed_at=utc_now() - timedelta(hours=1)))
    asked = question(mary, "auth/confirm/passkey", "/confirm")
    answer = filled_in(asked, key.get(asked["options"]))
    path = "/confirm/passkey"
    assert mary.submit(path, form_at="/confirm", **answer, next=SECURITY).location == SECURITY
    assert mary.get(f"{SECURITY}/tokens/new").status_code == 200
    assert mary.submit(path, form_at="/confirm", **answer).status_code == 422


def test_who_has_nothing_to_confirm_by_signs_in_anew(late: Browser, database: Database) -> None:
    with database.transaction() as session:
        session.execute(update(User).values(password_hash=None))
    page = late.get(f"/confirm?next={SECURITY}")
    assert "Sign out and in again" in page.text
    target = f"/sign-in?next={SECURITY}"
    assert late.submit("/sign-out", form_at="/confirm", next=target).location == target
    assert "Set a password" not in late.get(SECURITY).text


def test_an_admin_closes_and_opens_accounts(
    browser: Browser, admin: Actor, services: Services
) -> None:
    other = make_actor(services.accounts, name="Alfred Wegener")
    browser.sign_in(admin)
    page = browser.get("/users").text
    assert f"/users/{other.public_id}/disable" in page
    assert f"/users/{admin.public_id}/disable" not in page
    closed = browser.submit(f"/users/{other.public_id}/disable", form_at="/users")
    assert closed.location == "/users"
    assert "Closed" in browser.get("/users").text
    browser.submit(f"/users/{other.public_id}/enable", form_at="/users")
    assert services.accounts.get_user(OPERATOR, other.public_id).is_active


def test_an_admin_who_confirmed_changes_roles(
    browser: Browser, admin: Actor, services: Services, database: Database
) -> None:
    bot = services.users.create_service(
        OPERATOR, ServiceAccountIn(name="Robot", email="bot@example.org")
    )
    browser.sign_in(admin)
    page = browser.get("/users").text
    assert "Roles of Robot" in page
    assert page.count('name="service" value="true"') == 1
    path = f"/users/{bot}/roles"
    assert browser.submit(path, form_at="/users").status_code == 422
    sent = browser.submit(path, form_at="/users", service="true", curator="true")
    assert sent.location == "/users"
    assert "Robot has these roles now: curator, service." in browser.get("/users").text
    assert services.accounts.get_user(OPERATOR, bot).roles == (Role.CURATOR, Role.SERVICE)
    last = browser.submit(f"/users/{admin.public_id}/roles", form_at="/users", member="true")
    assert last.location == "/users"
    assert "This is the last active admin" in browser.get("/users").text
    with database.transaction() as session:
        session.execute(update(Session).values(confirmed_at=None))
    asked = browser.submit(path, form_at="/users", service="true")
    assert asked.location.startswith("/confirm?")


def test_nobody_else_closes_accounts(mary: Browser, admin: Actor) -> None:
    assert "/disable" not in mary.get("/users").text
    answer = mary.submit(f"/users/{admin.public_id}/disable", form_at="/users")
    assert answer.status_code == 403
