"""Agents at a running instance: the official client, the real server, everybody's own view."""

import asyncio
import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from mcp import MCPError

from fairdatabase.accounts.schemas.tokens import TokenIn
from fairdatabase.audit.schemas import AuditQuery
from fairdatabase.authorization.schemas import OPERATOR, Role, Scope, State
from fairdatabase.mcp.server import TOOLS
from tests.factories.accounts import PASSWORD, make_actor
from tests.factories.mcp import agent_at, ask, refusal
from tests.factories.serving import Server, free_port, running
from tests.factories.world import World, inhabited

MODES = ("legacy", "auto")
ACCEPT = "application/json, text/event-stream"


@dataclass(frozen=True)
class Place:
    """A running instance with something of every kind, and who comes with which token."""

    world: World
    server: Server
    tokens: dict[str, str]

    @property
    def url(self) -> str:
        """Its address."""
        return self.server.url


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("mcp")
    with inhabited(folder, sqlite_template) as world:
        services = world.services
        headers = world.visitors["large token"].client.environ_base
        stranger = make_actor(services.accounts, Role.MEMBER, name="Alfred Wegener")
        wanted = TokenIn(name="agent", scopes=frozenset({Scope.DATASETS_READ}))
        small = world.visitors["small token"].client.environ_base
        tokens = {
            "owner": headers["HTTP_AUTHORIZATION"].removeprefix("Bearer "),
            "owner without scope": small["HTTP_AUTHORIZATION"].removeprefix("Bearer "),
            "stranger": services.tokens.issue(OPERATOR, stranger.email, wanted).token,
            "nobody": "",
        }
        url = f"http://127.0.0.1:{free_port()}"
        settings = services.settings.model_copy(
            update={"base_url": type(services.settings.base_url)(url)}
        )
        with running(settings, log=folder / "log") as server:
            yield Place(world, server, tokens)


def post(
    place: Place, message: object, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Send one message by hand; return status, headers and JSON."""
    connection = http.client.HTTPConnection(urlsplit(place.url).netloc, timeout=30)
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    sent = {"Content-Type": "application/json", "Accept": ACCEPT, **(headers or {})}
    try:
        connection.request("POST", "/mcp", body, sent)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, dict(answer.getheaders()), json.loads(text) if text else {}
    finally:
        connection.close()


def call(tool: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return the message that calls a tool."""
    called = {"name": tool, "arguments": arguments}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": called}


@pytest.mark.parametrize("mode", MODES)
async def test_everybody_sees_what_is_theirs_to_see(place: Place, mode: str) -> None:
    world, restricted = place.world, place.world.files[State.RESTRICTED]
    seen: dict[str, list[str]] = {}
    for name, token in place.tokens.items():
        async with agent_at(place.url, token, mode=mode) as client:
            assert len((await client.list_tools()).tools) == len(TOOLS)
            assert (await ask(client, "search_datasets"))["total"] == 2
            assert (await ask(client, "query_rows", file_id=world.files[State.OPEN]))["rows"]
            answers = [
                await client.call_tool("query_rows", {"file_id": restricted}),
                await client.call_tool("read_dataset", {"dataset_id": world.versions[State.DRAFT]}),
            ]
            seen[name] = ["no" if answer.is_error else "yes" for answer in answers]
    assert seen == {
        "owner": ["yes", "yes"], "owner without scope": ["no", "no"],
        "stranger": ["no", "no"], "nobody": ["no", "no"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("who", "code"),
    [
        ("owner without scope", "insufficient-scope"),
        ("stranger", "permission-denied"),
        ("nobody", "authentication-required"),
    ],
)
async def test_a_refusal_says_why(place: Place, who: str, code: str) -> None:
    async with agent_at(place.url, place.tokens[who]) as client:
        told = await refusal(client, "query_rows", file_id=place.world.files[State.RESTRICTED])
    assert told["code"] == code
    assert "rows" not in told


async def test_a_session_of_the_api_is_known_as_well(place: Place) -> None:
    me = place.world.visitors["owner"].client.get("/api/v1/auth/me").get_json()["data"]
    connection = http.client.HTTPConnection(urlsplit(place.url).netloc, timeout=30)
    login = json.dumps({"email": me["email"], "password": PASSWORD})
    connection.request("POST", "/api/v1/auth/login", login, {"Content-Type": "application/json"})
    token = json.loads(connection.getresponse().read())["data"]["access_token"]
    connection.close()
    async with agent_at(place.url, token) as client:
        assert (await ask(client, "query_rows", file_id=place.world.files[State.RESTRICTED]))[
            "rows"
        ]


@pytest.mark.parametrize(
    "token",
    ["fdb_wrong", "eyJhbGciOiJub25lIn0.e30.", "x"],  # pragma: allowlist secret
)
def test_a_wrong_token_is_asked_for_a_right_one(place: Place, token: str) -> None:
    message = call("search_datasets")
    status, headers, told = post(place, message, {"Authorization": f"Bearer {token}"})
    assert (status, headers["www-authenticate"]) == (401, "Bearer")
    assert told["code"] in {"authentication-required", "session-ended"}


def test_no_other_site_and_no_other_host_gets_through(place: Place) -> None:
    message = call("search_datasets")
    assert post(place, message, {"Origin": place.url})[0] == 200
    assert post(place, message, {"Origin": "https://evil.example"})[0] == 403
    assert post(place, message, {"Origin": "null"})[0] == 403
    assert post(place, message, {"Host": "evil.example"})[0] == 421


def test_answers_are_guarded_as_those_of_the_api(place: Place) -> None:
    sent = {"Authorization": f"Bearer {place.tokens['owner']}", "X-Request-ID": "agent-7"}
    status, headers, _ = post(place, call("search_datasets"), sent)
    assert status == 200
    assert headers["x-request-id"] == "agent-7"
    assert headers["cache-control"] == "private, no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert "mcp-session-id" not in headers


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (b"{", 400),
        (b"[" * 100_000, 400),
        ({"jsonrpc": "2.0", "id": 1}, 400),
        ([call("search_datasets")], 400),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"a": "\\ud800"}}', 400),
        (call("search_datasets", q="x" * 3_000_000), 413),
    ],
)
def test_what_is_no_message_is_refused(place: Place, message: object, status: int) -> None:
    found, _, told = post(place, message)
    assert found == status
    assert "Traceback" not in json.dumps(told)


def test_nothing_is_streamed_or_ended(place: Place) -> None:
    for method in ("GET", "DELETE"):
        connection = http.client.HTTPConnection(urlsplit(place.url).netloc, timeout=30)
        connection.request(method, "/mcp", headers={"Accept": "text/event-stream"})
        answer = connection.getresponse()
        assert (answer.status, "POST" in answer.headers["Allow"]) == (405, True)
        connection.close()


async def test_agents_do_not_wait_for_each_other(place: Place) -> None:
    async def count() -> int:
        async with agent_at(place.url) as client:
            rows = await ask(client, "query_rows", file_id=place.world.files[State.OPEN])
            return len(rows["rows"])

    assert set(await asyncio.gather(*(count() for _ in range(8)))) == {50}


async def test_reading_closed_data_and_knocking_at_them_is_recorded(place: Place) -> None:
    file = place.world.files[State.RESTRICTED]
    for who in ("owner", "stranger"):
        async with agent_at(place.url, place.tokens[who]) as client:
            await client.call_tool("query_rows", {"file_id": file})
    events = place.world.services.audit.list_events(OPERATOR, AuditQuery()).events
    by_token = {event.action: event for event in events if event.token}
    assert by_token["dataset.data-read"].request_id
    assert by_token["access.denied"].after == {"route": "query_rows"}


async def test_a_revoked_token_is_worth_nothing_from_the_next_call_on(place: Place) -> None:
    services = place.world.services
    actor = make_actor(services.accounts, Role.MEMBER)
    wanted = TokenIn(name="short", scopes=frozenset({Scope.DATASETS_READ}))
    made = services.tokens.issue(OPERATOR, actor.email, wanted)
    async with agent_at(place.url, made.token) as client:
        assert await ask(client, "search_datasets")
        services.tokens.revoke(actor, made.public_id)
        with pytest.raises(MCPError):
            await client.session.call_tool("search_datasets", {})
