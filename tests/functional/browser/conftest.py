"""A real browser before a real server."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.factories.depositor import PERSON, Depositor
from tests.factories.serving import Server, instance_settings, running

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE_MS = 60_000
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Server]:
    """An instance with its worker, in which the modules leave what they make."""
    folder = tmp_path_factory.mktemp("browser")
    settings = instance_settings(folder / "instance", sqlite_template)
    with running(settings, with_worker=True, log=folder / "log") as server:
        yield server


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def depositor(chromium: Browser, server: Server) -> Iterator[Depositor]:
    """A program of the person whose pages are looked at."""
    context = chromium.new_context(base_url=server.url)
    context.request.post("/api/v1/auth/register", data=PERSON)
    known = {"email": PERSON["email"], "password": PERSON["password"]}
    token = context.request.post("/api/v1/auth/login", data=known).json()["data"]["access_token"]
    context.set_extra_http_headers({"Authorization": f"Bearer {token}"})
    yield Depositor(context.request)
    context.close()


@pytest.fixture
def page(chromium: Browser, server: Server) -> Iterator[Page]:
    """A fresh window; whatever the browser complains about fails the test."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    context = chromium.new_context(base_url=server.url, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []
