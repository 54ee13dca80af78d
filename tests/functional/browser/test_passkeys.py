"""Passkeys in a browser, whose authenticator is a virtual one: add, sign in, confirm, remove."""

from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Page, expect
from pydantic import HttpUrl

from tests.factories.serving import Server, free_port, instance_settings, running
from tests.functional.browser.test_accessibility import problems

PERSON = {"name": "Mary Anning", "email": "mary@example.org", "password": "a long walk by the sea"}
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Server]:
    """An instance with a name: browsers make no passkeys for numbers."""
    folder = tmp_path_factory.mktemp("passkeys")
    settings = instance_settings(folder / "instance", sqlite_template).model_copy(
        update={"base_url": HttpUrl(f"http://localhost:{free_port()}"), "confirmation_minutes": 1}
    )
    with running(settings, log=folder / "log") as server:
        yield server


def sign_in(page: Page) -> None:
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(PERSON["email"])
    page.get_by_label("Password").fill(PERSON["password"])
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page: Page) -> None:
    page.get_by_label("Account: Mary Anning").click()
    page.get_by_role("banner").get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()


@pytest.fixture
def mary(page: Page, server: Server) -> Page:
    """A window in which Mary is signed in, with an authenticator in her computer."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    page.request.post("/api/v1/auth/register", data=PERSON)
    sign_in(page)
    expect(page.get_by_label("Account: Mary Anning")).to_be_visible()
    return page


def test_a_passkey_from_being_added_to_being_removed(mary: Page) -> None:
    mary.goto("/account/security")
    mary.get_by_role("link", name="Add a passkey").click()
    mary.get_by_label("What should it be called?").fill("Laptop")
    mary.get_by_role("button", name="Make the passkey").click()
    expect(mary.get_by_text("The passkey Laptop is ready.")).to_be_visible()

    mary.get_by_role("link", name="Add a passkey").click()
    mary.get_by_label("What should it be called?").fill("Again")
    mary.get_by_role("button", name="Make the passkey").click()
    expect(mary.get_by_text("This device has a passkey for your account already.")).to_be_visible()

    sign_out(mary)
    mary.goto("/sign-in?next=/account/security")
    mary.get_by_role("button", name="Sign in with a passkey").click()
    expect(mary.get_by_role("heading", name="Security")).to_be_visible()

    mary.goto("/confirm?next=/account/security")
    mary.get_by_role("button", name="Confirm by passkey").click()
    expect(mary.get_by_role("heading", name="Security")).to_be_visible()

    mary.get_by_text("Rename").click()
    mary.get_by_label("New name of Laptop").fill("Old laptop")
    mary.get_by_role("button", name="Save").click()
    expect(mary.get_by_role("rowheader", name="Old laptop")).to_be_visible()
    assert problems(mary) == []

    mary.get_by_role("button", name="Remove").click()
    mary.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(mary.get_by_text("The passkey is removed.")).to_be_visible()
    expect(mary.get_by_text("You have none yet.")).to_be_visible()


def test_a_passkey_stands_in_for_the_app(mary: Page) -> None:
    mary.goto("/account/security/authenticator")
    assert problems(mary) == []
    secret = mary.locator("#secret").inner_text()
    mary.get_by_label("Enter the code that it shows").fill(pyotp.TOTP(secret).now())
    mary.get_by_role("button", name="Turn on two-step sign-in").click()
    expect(mary.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    assert problems(mary) == []
    mary.get_by_role("link", name="I have kept them").click()
    mary.get_by_role("link", name="Add a passkey").click()
    assert problems(mary) == []
    mary.get_by_label("What should it be called?").fill("Laptop")
    mary.get_by_role("button", name="Make the passkey").click()
    expect(mary.get_by_text("The passkey Laptop is ready.")).to_be_visible()

    sign_out(mary)
    sign_in(mary)
    expect(mary.get_by_role("heading", name="One more step")).to_be_visible()
    assert problems(mary) == []
    mary.get_by_role("button", name="Use a passkey").click()
    expect(mary.get_by_label("Account: Mary Anning")).to_be_visible()


def test_the_other_pages_of_protection_stand_in_nobody_s_way(page: Page, server: Server) -> None:
    other = PERSON | {"email": "ada@example.org", "name": "Ada"}
    page.request.post("/api/v1/auth/register", data=other)
    page.goto("/sign-in")
    assert problems(page) == []
    page.get_by_label("E-mail address").fill(other["email"])
    page.get_by_label("Password").fill(other["password"])
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_label("Account: Ada").wait_for()
    page.goto("/account/security/tokens/new")
    assert problems(page) == []
    page.get_by_label("What is it for?").fill("A script")
    page.get_by_label("Read your name, address and roles").check()
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_role("heading", name="Your access token")).to_be_visible()
    assert problems(page) == []
    page.goto("/confirm?next=/account/security&again=yes")
    assert problems(page) == []
    page.goto("/account/security")
    assert problems(page) == []
