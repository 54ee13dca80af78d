"""Requests that another site makes a visitor's browser send."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.routing import Rule as Address
from werkzeug.test import TestResponse

from fairdatabase.authorization.schemas import Role, State
from tests.factories.accounts import make_actor
from tests.factories.web import Browser
from tests.factories.world import World, undone
from tests.security.addresses import address_of

SAFE = {"GET", "HEAD", "OPTIONS"}
WITHOUT_A_FORM = {"text/plain", "application/json", "multipart/form-data; boundary=x",
                  "application/x-www-form-urlencoded"}  # fmt: skip
WORDS = "not sent from our page"


@dataclass(frozen=True)
class Visitor:
    """A browser on which somebody is signed in; whatever it is answered, it keeps its cookies."""

    client: FlaskClient
    cookies: str
    token: str

    def send(self, method: str, path: str, **sent: Any) -> TestResponse:  # noqa: ANN401
        """Send a request with the cookies, as a page of any site makes a browser do."""
        headers = {"Cookie": self.cookies, **sent.pop("headers", {})}
        return self.client.open(path, method=method, headers=headers, **sent)


@pytest.fixture(scope="module")
def mary(world: World) -> Visitor:
    """An admin, to whom every route is open."""
    browser = Browser(world.app)
    browser.sign_in(make_actor(world.services.accounts, Role.ADMIN))
    token = browser.csrf("/account/security")
    names = ("fairdatabase-access", "fairdatabase-refresh", "fairdatabase-session")
    cookies = "; ".join(f"{name}={browser.cookie(name)}" for name in names if browser.cookie(name))
    return Visitor(world.app.test_client(use_cookies=False), cookies, token)


def unsafe(world: World) -> Iterator[tuple[Address, str, str]]:
    """Yield every route that changes something, with a method and an address."""
    for address in world.app.url_map.iter_rules():
        for method in sorted((address.methods or set()) - SAFE):
            yield address, method, address_of(world, address, State.DRAFT)


def refused(answer: TestResponse) -> bool:
    """Tell whether an answer says that the request did not come from our page."""
    return answer.status_code == 403 and WORDS in answer.text


def test_every_route_wants_the_token_of_the_session(scene: World, mary: Visitor) -> None:
    other = Browser(scene.app)
    other.sign_in(make_actor(scene.services.accounts))
    tokens = {
        "empty": "",
        "wrong": "0" * 64,
        "of another session": other.csrf("/account/security"),
        "of nobody": Browser(scene.app).csrf("/sign-in"),
        "of the cookie": mary.cookies.partition("=")[2].partition(";")[0],
    }
    wrong: list[dict[str, Any]] = [{}]
    wrong += [{"headers": {"X-CSRF-TOKEN": token}} for token in tokens.values()]
    wrong += [{"data": {"csrf_token": token}} for token in tokens.values()]
    passed = [
        f"{method} {path} with {sent}"
        for _, method, path in unsafe(scene)
        for sent in wrong
        if not refused(mary.send(method, path, **sent))
    ]
    assert not passed, "\n".join(passed)


def test_with_the_right_token_every_route_is_reached(world: World, mary: Visitor) -> None:
    """The control: the same requests with the token of the session are not refused for it."""
    reached = set()
    for address, method, path in unsafe(world):
        with undone(world.database):
            headers = {"X-CSRF-TOKEN": mary.token, "Accept": "application/json"}
            answer = mary.send(method, path, headers=headers)
            assert answer.status_code != 401, f"{method} {path}: {answer.text}"
            assert not refused(answer), f"{method} {path}"
            reached.add(address.endpoint)
    assert len(reached) > 60


@pytest.mark.parametrize("kind", sorted(WITHOUT_A_FORM))
def test_what_a_foreign_form_can_send_changes_nothing(mary: Visitor, kind: str) -> None:
    """A form of another site sends these media types without asking, with the cookies."""
    answer = mary.send(
        "POST",
        "/api/v1/deposits",
        data=b'{"metadata": {"title": "Not mine"}}',
        content_type=kind,
        headers={"Origin": "https://evil.example"},
    )
    assert refused(answer)


def test_signing_in_as_the_attacker_needs_our_page(scene: World) -> None:
    """Who is signed in as somebody else without noticing gives their data away."""
    attacker = make_actor(scene.services.accounts)
    browser = Browser(scene.app)
    form = {"email": attacker.email, "password": "a long walk by the sea"}
    assert refused(browser.client.post("/sign-in", data=form))
    assert refused(browser.client.post("/sign-in", data={**form, "csrf_token": ""}))
    foreign = Browser(scene.app).csrf("/sign-in")
    assert refused(browser.client.post("/sign-in", data={**form, "csrf_token": foreign}))
    assert browser.sign_in(attacker).status_code == 303


def test_a_token_in_the_header_needs_no_form(scene: World) -> None:
    """No other site can send the header: it would have to be asked for, and is not allowed."""
    owner = scene.visitors["owner"]
    answer = owner.client.post("/api/v1/deposits", json={"metadata": {"title": "Mine"}})
    assert answer.status_code == 201
    asked = owner.client.options(
        "/api/v1/deposits",
        headers={
            "Origin": "https://evil.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization",
        },
    )
    assert not [name for name, _ in asked.headers if name.startswith("Access-Control-")]


def test_no_route_reads_and_writes(world: World) -> None:
    """A route that took both would be reached by a link, for which no token is asked."""
    for address in world.app.url_map.iter_rules():
        if "GET" in (address.methods or set()):
            assert not {"POST", "PUT", "PATCH", "DELETE"} & (address.methods or set()), address
