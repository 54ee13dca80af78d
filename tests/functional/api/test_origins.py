"""Pages of other origins: only listed ones read the API, and none by a person's cookies."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from fairdatabase.app import create_app
from fairdatabase.jobs.backends.memory import MemoryQueue
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.services import build_services

LAB = "https://lab.example.org"
LOCAL = "http://[::1]:8888"
PATH = "/api/v1/datasets"
ALLOWED = "Access-Control-Allow-Origin"
UNLISTED = (
    "https://evil.example",
    "https://labXexample.org",
    "https://lab.example.org.evil.example",
    "https://lab.example.org:444",
    "http://lab.example.org",
    "https://xlab.example.org",
    "http://1:8888",
    "null",
    "https://lab.example.org\x00",
)
MakeClient = Callable[..., FlaskClient]


@pytest.fixture
def listing(settings: Settings, database: Database, queue: MemoryQueue) -> MakeClient:
    """Return a maker of clients of an application that lists origins."""

    def make(*origins: str) -> FlaskClient:
        changed = settings.model_copy(update={"cors_origins": origins})
        return create_app(services=build_services(changed, database, queue=queue)).test_client()

    return make


def ask(client: FlaskClient, origin: str, path: str = PATH) -> TestResponse:
    """Read something as a page of an origin does."""
    return client.get(path, headers={"Origin": origin})


def preflight(client: FlaskClient, origin: str, method: str, headers: str = "") -> TestResponse:
    """Ask before a request, as a browser does."""
    sent = {"Origin": origin, "Access-Control-Request-Method": method}
    if headers:
        sent["Access-Control-Request-Headers"] = headers
    return client.options("/api/v1/auth/me", headers=sent)


def test_listed_origins_may_read_and_others_may_not(listing: MakeClient) -> None:
    client = listing(LAB, LOCAL)
    for origin in (LAB, LOCAL):
        answer = ask(client, origin)
        assert (answer.status_code, answer.headers.getlist(ALLOWED)) == (200, [origin])
        assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "Origin" in answer.headers["Vary"]
    for origin in UNLISTED:
        answer = ask(client, origin)
        assert answer.headers.getlist(ALLOWED) == [], origin
        assert "Origin" in answer.headers["Vary"]


def test_who_has_no_origin_is_not_told_which_are_listed(listing: MakeClient) -> None:
    answer = listing(LAB, LOCAL).get(PATH)
    assert ALLOWED not in answer.headers
    assert "Origin" in answer.headers["Vary"]


def test_pages_are_for_nobody_else(listing: MakeClient) -> None:
    client = listing(LAB)
    assert ALLOWED not in ask(client, LAB, "/").headers
    assert ALLOWED not in ask(client, LAB, "/about").headers


def test_a_listed_origin_may_send_what_the_api_takes(listing: MakeClient) -> None:
    client = listing(LAB)
    answer = preflight(client, LAB, "PATCH", "authorization, content-type, x-csrf-token")
    assert answer.headers[ALLOWED] == LAB
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Headers"] == "authorization, content-type"
    assert answer.headers["Access-Control-Max-Age"] == "600"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    other = preflight(client, LAB, "TRACE")
    assert "Access-Control-Allow-Methods" not in other.headers


@pytest.mark.parametrize("origin", UNLISTED)
def test_an_unlisted_origin_fails_at_the_preflight(listing: MakeClient, origin: str) -> None:
    answer = preflight(listing(LAB, LOCAL), origin, "DELETE", "authorization")
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control-")]


def test_without_a_list_nobody_may(client: FlaskClient) -> None:
    for answer in (ask(client, LAB), preflight(client, LAB, "GET")):
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control-")]


def test_everybody_means_a_star_and_never_credentials(listing: MakeClient) -> None:
    client = listing("*")
    for answer in (ask(client, "https://evil.example"), preflight(client, LAB, "GET")):
        assert answer.headers[ALLOWED] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers
