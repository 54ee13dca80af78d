"""The security headers: what a browser may do with an answer, and for which hosts there is one."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import HttpUrl

from fairdatabase.app import create_app
from fairdatabase.authorization.schemas import Actor, Role
from fairdatabase.jobs.backends.memory import MemoryQueue
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.services import build_services
from tests.factories.accounts import PASSWORD, ClientAs
from tests.factories.cohorts import HARMLESS_ROLES, harmless
from tests.factories.deposits import Work, published
from tests.factories.web import Browser

NONCE = re.compile(r"'nonce-([\w-]{24})'")
HTTPS = "https://data.example.org"
Make = Callable[..., Flask]


@pytest.fixture
def make(settings: Settings, database: Database, queue: MemoryQueue) -> Make:
    """Return a maker of applications with other settings."""

    def with_settings(**changes: object) -> Flask:
        changed = settings.model_copy(update=changes)
        return create_app(services=build_services(changed, database, queue=queue))

    return with_settings


def directives(policy: str) -> dict[str, str]:
    """Return the sources of each directive of a content security policy."""
    parts = (part.strip().partition(" ") for part in policy.split(";"))
    return {name: sources for name, _, sources in parts}


def test_a_page_runs_its_own_scripts_alone(client: FlaskClient) -> None:
    seen = set()
    for _ in range(2):
        page = client.get("/")
        rules = directives(page.headers["Content-Security-Policy"])
        nonce = NONCE.fullmatch(rules["script-src"])
        assert nonce
        seen.add(nonce[1])
        scripts = re.findall(r"<script[^>]*>", page.text)
        assert scripts
        assert all(f'nonce="{nonce[1]}"' in script for script in scripts)
        assert rules["default-src"] == rules["object-src"] == rules["base-uri"] == "'none'"
        assert rules["frame-ancestors"] == "'none'"
        assert rules["form-action"] == "'self'"
        assert rules["require-trusted-types-for"] == "'script'"
        assert rules["trusted-types"] == "htmx"
        assert not {"unsafe-inline", "unsafe-eval", "strict-dynamic", "http:", "https:", "*"} & set(
            re.split(r"[ ';]+", " ".join(rules.values()))
        )
    assert len(seen) == 2, "a nonce is for one answer"


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/api/openapi.json", ""),
        ("/api/v1/datasets", ""),
        ("/static/img/favicon.svg", ""),
        ("/static/nothing", "text/html"),
    ],
)
def test_what_is_no_page_loads_nothing(client: FlaskClient, path: str, kept: str) -> None:
    with client.get(path, headers={"Accept": kept or "*/*"}) as answer:
        rules = directives(answer.headers["Content-Security-Policy"])
    assert rules["default-src"] == rules["frame-ancestors"] == "'none'"
    assert ("sandbox" in rules) is (answer.mimetype != "text/html")


def test_a_page_that_the_browser_has_keeps_its_policy(
    client_as: ClientAs, client: FlaskClient, work: Work
) -> None:
    """A new nonce beside the old page would keep its scripts from running."""
    dataset, _ = published(client_as(Role.MEMBER), work, harmless(), HARMLESS_ROLES)
    page = client.get(f"/datasets/{dataset}")
    assert page.status_code == 200
    known = client.get(f"/datasets/{dataset}", headers={"If-None-Match": page.headers["ETag"]})
    assert known.status_code == 304
    assert "Content-Security-Policy" not in known.headers
    assert known.headers["X-Frame-Options"] == "DENY"


def test_pages_are_isolated_and_have_few_powers(client: FlaskClient) -> None:
    headers = client.get("/sign-in").headers
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert headers["Origin-Agent-Cluster"] == "?1"
    granted = dict(item.split("=") for item in headers["Permissions-Policy"].split(", "))
    assert {name for name, to in granted.items() if to != "()"} == {
        "clipboard-write",
        "publickey-credentials-create",
        "publickey-credentials-get",
    }
    assert {"camera", "microphone", "geolocation", "usb"} <= granted.keys()


def test_only_known_hosts_are_answered(make: Make) -> None:
    app = make(base_url=HttpUrl(HTTPS), allowed_hosts=("data.lan", "[fd00::1]"))
    client = app.test_client()

    def status(host: str, path: str = "/about") -> int:
        return client.get(path, headers={"Host": host}).status_code

    known = ("data.example.org", "DATA.example.org.", "data.example.org:8443", "data.lan",
             "[fd00::1]:80", "127.0.0.1:8000", "localhost", "[::1]")  # fmt: skip
    assert {host: status(host) for host in known} == dict.fromkeys(known, 200)
    unknown = ("evil.example", "data.example.org.evil.example", "evil.example/data.example.org",
               "data.example.org@evil.example", "evil.example#localhost", "localhost:x",
               "localhost,evil.example", "", "[::1", "data_lan", "::1")  # fmt: skip
    assert {host: status(host) for host in unknown} == dict.fromkeys(unknown, 421)
    assert status("10.0.0.7:8000", "/health/live") == 200


def test_a_refused_host_is_told_nothing_about_itself(client: FlaskClient) -> None:
    for accept in ("text/html", "application/json"):
        refused = client.get("/about", headers={"Host": "evil.example", "Accept": accept})
        assert refused.status_code == 421
        assert "evil" not in refused.text
        assert "evil" not in str(refused.headers)


@pytest.mark.parametrize("proxies", [0, 1])
def test_a_forwarded_host_counts_from_a_trusted_proxy_alone(make: Make, proxies: int) -> None:
    client = make(trusted_proxies=proxies).test_client()
    refused = client.get("/about", headers={"X-Forwarded-Host": "evil.example"})
    assert refused.status_code == (421 if proxies else 200)
    assert "evil" not in refused.text


def test_over_https_every_cookie_is_pinned_to_the_host(make: Make, member: Actor) -> None:
    browser = Browser(make(base_url=HttpUrl(HTTPS)))
    client = browser.client
    page = client.get("/sign-in", base_url=HTTPS)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token
    form = {"csrf_token": token[1], "email": member.email, "password": PASSWORD}
    answer = client.post("/sign-in", base_url=HTTPS, data=form)
    assert answer.status_code == 303
    cookies = page.headers.getlist("Set-Cookie") + answer.headers.getlist("Set-Cookie")
    names = {line.partition("=")[0] for line in cookies}
    assert names == {"__Host-session", "__Host-access", "__Host-refresh"}
    for line in cookies:
        attributes = {part.strip().lower() for part in line.split(";")[1:]}
        assert {"secure", "httponly", "path=/", "samesite=lax"} <= attributes
        assert not any(attribute.startswith("domain") for attribute in attributes)


def test_over_https_the_browser_comes_back_by_it(make: Make) -> None:
    answer = make(base_url=HttpUrl(HTTPS)).test_client().get("/health/live")
    assert answer.headers["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains"
