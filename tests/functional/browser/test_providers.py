"""Linking a real provider and signing in by it, by clicking."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from fairdatabase.services import build_services
from tests.factories.accounts import PASSWORD, make_actor
from tests.factories.providers import PERSON, PERSON_PASSWORD, RealProvider, real_provider
from tests.factories.serving import Server, instance_settings, running
from tests.functional.browser.conftest import PATIENCE_MS

EMAIL = "ada@example.org"


@pytest.fixture(scope="module")
def campus_server(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> Iterator[tuple[Server, RealProvider]]:
    """An instance with a member, and the provider that it knows."""
    folder = tmp_path_factory.mktemp("providers")
    settings = instance_settings(folder / "instance", sqlite_template)
    callback = f"{settings.public_url}/sign-in/with/campus/answer"
    with real_provider(callback, log=folder / "canaille") as campus:
        known = settings.model_copy(update={"oidc_providers": (campus.settings(),)})
        services = build_services(known)
        make_actor(services.accounts, name="Ada Lovelace", email=EMAIL)
        services.database.dispose()
        with running(known, log=folder / "log") as server:
            yield server, campus


@pytest.fixture
def window(
    chromium: Browser, campus_server: tuple[Server, RealProvider]
) -> Iterator[tuple[Page, str]]:
    """A fresh window on the instance; what the browser complains about on our pages fails."""
    server, campus = campus_server
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and server.url in message.location["url"]:
            complaints.append(message.text)

    context = chromium.new_context(base_url=server.url, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page.on("console", listen)
    yield page, campus.issuer
    context.close()
    assert complaints == []


def prove_oneself(page: Page) -> None:
    """Sign in at the provider."""
    page.locator("#login").fill(PERSON)
    page.locator("#loginform button[type=submit]").click()
    page.locator("#password").fill(PERSON_PASSWORD)
    page.locator("#passwordform button[type=submit]").click()


def test_a_site_is_linked_and_signed_in_by(window: tuple[Page, str]) -> None:
    page, issuer = window
    page.goto("/sign-in?next=/account/security")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Link Campus").click()
    page.get_by_role("link", name="Continue to Campus").click()
    expect(page).to_have_url(re.compile(re.escape(issuer)))
    prove_oneself(page)
    expect(page.get_by_text("You can sign in by Campus from now on.")).to_be_visible()
    expect(page.get_by_role("cell", name="marie@example.org")).to_be_visible()

    page.context.clear_cookies()
    page.goto("/sign-in?next=/account/security")
    page.get_by_role("link", name="Sign in with Campus").click()
    prove_oneself(page)
    expect(page.get_by_role("button", name="Unlink Campus")).to_be_visible()
