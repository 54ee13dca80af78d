"""Signing in by other providers, and everything that must not work."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import select

from fairdatabase.accounts.models import Authenticator, Challenge, User
from fairdatabase.app import create_app
from fairdatabase.audit.models import AuditEvent
from fairdatabase.authorization.schemas import Actor
from fairdatabase.kernel.clock import utc_now
from fairdatabase.kernel.database import Database
from fairdatabase.services import Services
from tests.factories.providers import (
    PERSON_EMAIL,
    HostileProvider,
    RealProvider,
    back_from,
    path_of,
)
from tests.factories.web import Browser
from tests.functional.web.conftest import Connect

SECURITY = "/account/security"


def flashed(browser: Browser) -> str:
    return browser.get("/sign-in").text


def acts(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(AuditEvent.action).order_by(AuditEvent.sequence)))


# -- Signing in -------------------------------------------------------------------------------


def test_a_real_provider_makes_an_account_and_knows_it_again(
    site: Flask, campus: RealProvider, database: Database
) -> None:
    browser = Browser(site)
    assert "Sign in with Campus" in browser.get("/register").text
    sent = browser.get("/sign-in/with/campus?next=/users")
    back = browser.get(path_of(campus.sign_in(sent.location)))
    assert (back.status_code, back.location) == (303, "/users")
    assert PERSON_EMAIL in browser.get("/users").text
    assert acts(database) == ["user.created", "identity.linked", "user.signed-in"]
    with database.reading() as session:
        user = session.scalar(select(User))
        assert user
        assert (user.name, user.password_hash) == ("Marie Curie", None)

    again = Browser(site)
    sent = again.get("/sign-in/with/campus")
    assert again.get(path_of(campus.sign_in(sent.location))).location == "/"
    assert acts(database)[3:] == ["user.signed-in"]
    shown = again.get(SECURITY).text
    assert "Known there as" in shown
    assert PERSON_EMAIL in shown


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_nobody_is_sent_elsewhere_afterwards(
    site: Flask, shady: HostileProvider, target: str
) -> None:
    assert back_from(shady, Browser(site), target).location == "/"


def test_an_answer_is_taken_once(site: Flask, shady: HostileProvider) -> None:
    browser = Browser(site)
    sent = browser.get("/sign-in/with/shady")
    back = path_of(shady.answer_to(sent.location))
    assert browser.get(back).location == "/"
    browser.submit("/sign-out", form_at="/")
    assert browser.get(back).location == "/sign-in"
    assert "was taken already" in flashed(browser)


def test_an_answer_belongs_to_the_browser_that_asked(site: Flask, shady: HostileProvider) -> None:
    attacker, victim = Browser(site), Browser(site)
    sent = attacker.get("/sign-in/with/shady")
    back = path_of(shady.answer_to(sent.location))
    victim.get("/sign-in/with/shady")
    assert victim.get(back).location == "/sign-in"
    assert victim.cookie("fairdatabase-access") is None
    # It was not used up by trying it elsewhere.
    assert attacker.get(back).location == "/"


@pytest.mark.parametrize("state", ["", "x", "0" * 32, "0" * 32 + ".x", "../..", "\u00e9"])
def test_an_invented_state_is_refused(site: Flask, state: str) -> None:
    browser = Browser(site)
    browser.get("/sign-in/with/shady")
    answer = browser.client.get("/sign-in/with/shady/answer", query_string={"state": state})
    assert answer.location == "/sign-in"


def test_a_state_with_another_secret_is_refused(site: Flask, shady: HostileProvider) -> None:
    browser = Browser(site)
    sent = browser.get("/sign-in/with/shady")
    state = parse_qs(urlsplit(sent.location).query)["state"][0]
    forged = {"state": state[:-1] + ("x" if state[-1] != "x" else "y"), "code": "code"}
    answer = browser.client.get("/sign-in/with/shady/answer", query_string=forged)
    assert answer.location == "/sign-in"


def test_an_answer_at_another_providers_address_is_refused(
    site: Flask, shady: HostileProvider
) -> None:
    """The mix-up attack, for providers that do not name themselves in the answer."""
    browser = Browser(site)
    sent = browser.get("/sign-in/with/shady")
    back = path_of(shady.answer_to(sent.location)).replace("/with/shady/", "/with/campus/")
    assert browser.get(back).location == "/sign-in"


def test_an_answer_that_comes_too_late_is_refused(
    site: Flask, shady: HostileProvider, database: Database
) -> None:
    browser = Browser(site)
    sent = browser.get("/sign-in/with/shady")
    with database.transaction() as session:
        for challenge in session.scalars(select(Challenge)):
            challenge.expires_at = utc_now() - timedelta(seconds=1)
    assert browser.get(path_of(shady.answer_to(sent.location))).location == "/sign-in"


def test_an_answer_without_a_state_is_no_accident(site: Flask) -> None:
    assert Browser(site).get("/sign-in/with/shady/answer").status_code == 422


def test_an_unknown_provider_is_not_found(site: Flask) -> None:
    assert Browser(site).get("/sign-in/with/nobody").status_code == 404
    assert Browser(site).get("/sign-in/with/nobody/answer?state=x").status_code == 404


def test_a_provider_that_is_down_is_explained(site: Flask, shady: HostileProvider) -> None:
    shady.metadata = {"issuer": "https://another.example.org"}
    browser = Browser(site)
    assert browser.get("/sign-in/with/shady").location == "/sign-in"
    assert "does not work at the moment" in flashed(browser)


def test_who_declines_there_is_told_here(site: Flask, shady: HostileProvider) -> None:
    shady.callback = {"code": "", "error": "access_denied"}
    browser = Browser(site)
    assert back_from(shady, browser).location == "/sign-in"
    assert "did not sign you in" in flashed(browser)


def test_a_disabled_account_stays_closed(
    site: Flask, shady: HostileProvider, database: Database
) -> None:
    back_from(shady, Browser(site))
    with database.transaction() as session:
        for user in session.scalars(select(User)):
            user.disabled_at = utc_now()
    browser = Browser(site)
    assert back_from(shady, browser).location == "/sign-in"
    assert "This account is disabled" in flashed(browser)
    assert browser.cookie("fairdatabase-access") is None


def test_a_second_factor_is_asked_for_as_well(
    site: Flask, shady: HostileProvider, connected: Services, database: Database
) -> None:
    back_from(shady, Browser(site))
    with database.transaction() as session:
        user = session.scalars(select(User)).one()
        now = utc_now()
        session.add(Authenticator(user_id=user.id, secret=b"x", created_at=now, confirmed_at=now))
    browser = Browser(site)
    answer = back_from(shady, browser, "/users")
    assert answer.location == "/sign-in/second-factor?next=/users"
    assert browser.cookie("fairdatabase-access") is None


# -- Addresses that are taken -----------------------------------------------------------------


def test_equal_addresses_link_nothing_until_the_owner_has_signed_in(
    site: Flask, shady: HostileProvider, owner: Actor, database: Database
) -> None:
    browser = Browser(site)
    assert back_from(shady, browser, "/users").location == "/sign-in/finish"
    assert browser.cookie("fairdatabase-access") is None
    page = browser.get("/sign-in/finish").text
    assert "Sign in to your account once" in page
    assert "identity.linked" not in acts(database)
    refused = browser.client.post("/sign-in/finish", data={"email": "x@example.org"})
    assert refused.status_code == 403

    browser.sign_in(owner)
    assert browser.get("/sign-in/finish").location == "/account/identities/link"
    assert "Link Shady?" in browser.get("/account/identities/link").text
    linked = browser.submit("/account/identities/link")
    assert linked.location == SECURITY
    assert "identity.linked" in acts(database)
    again = Browser(site)
    assert back_from(shady, again).location == "/"
    assert owner.name in again.get("/").text


def test_applying_does_not_get_around_the_owner(
    site: Flask, shady: HostileProvider, owner: Actor
) -> None:
    browser = Browser(site)
    back_from(shady, browser)
    sent = browser.submit(
        "/sign-in/finish", form_at="/sign-in", name="Marie", email="other@example.org"
    )
    assert sent.status_code == 422
    assert "Sign in to your account once" in sent.text


def test_what_waits_in_another_browser_cannot_be_linked(
    site: Flask, shady: HostileProvider, owner: Actor
) -> None:
    browser = Browser(site)
    browser.sign_in(owner)
    assert browser.get("/account/identities/link").location == SECURITY
    answer = browser.submit("/account/identities/link", form_at="/")
    assert answer.location == SECURITY


def test_without_an_account_nobody_joins_where_the_provider_makes_none(
    connect: Connect, shady: HostileProvider, database: Database
) -> None:
    browser = Browser(create_app(services=connect(create_accounts=False)))
    assert back_from(shady, browser).location == "/sign-in/finish"
    assert "not linked to an account here" in browser.get("/sign-in/finish").text
    assert acts(database) == []


def test_a_closed_registration_is_closed_for_providers_too(
    connect: Connect, shady: HostileProvider
) -> None:
    browser = Browser(create_app(services=connect(instance={"registration_open": False})))
    back_from(shady, browser)
    assert "not linked to an account here" in browser.get("/sign-in/finish").text
    opened = connect(instance={"registration_open": False}, create_accounts=True)
    assert back_from(shady, Browser(create_app(services=opened)), "/users").location == "/users"


def test_a_provider_that_was_removed_leaves_nothing_to_answer(
    connect: Connect, shady: HostileProvider
) -> None:
    browser = Browser(create_app(services=connect(trust_email=False)))
    back_from(shady, browser)
    other = Browser(create_app(services=connect(name="renamed")))
    other.client._cookies = browser.client._cookies
    assert other.get("/sign-in/finish").location == "/sign-in"
