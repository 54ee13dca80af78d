"""Live progress without a server: how long connections last, and failing databases."""

import asyncio

import pytest

from fairdatabase.authorization.schemas import ANONYMOUS, Actor
from fairdatabase.jobs.live import LiveProgress, Message, Scope
from fairdatabase.jobs.service import Jobs
from fairdatabase.kernel.errors import AuthenticationError

PATIENCE = 10.0


def scope() -> Scope:
    return {
        "type": "websocket",
        "path": "/socket.io/",
        "query_string": b"EIO=4&transport=websocket",
        "headers": [
            (b"host", b"localhost"),
            (b"connection", b"Upgrade"),
            (b"upgrade", b"websocket"),
        ],
        "scheme": "ws",
    }


class Browser:
    """Opens a connection and says no more than it was told to."""

    def __init__(self, *messages: Message) -> None:
        self.messages: list[Message] = [{"type": "websocket.connect"}, *messages]
        self.received: list[Message] = []

    async def receive(self) -> Message:
        if self.messages:
            return self.messages.pop(0)
        await asyncio.Event().wait()
        raise AssertionError("nobody sets the event")

    async def send(self, message: Message) -> None:
        self.received.append(message)

    async def visit(self, live: LiveProgress) -> None:
        async with asyncio.timeout(PATIENCE):
            await live(scope(), self.receive, self.send)


def nobody(_scope: Scope) -> Actor:
    raise AuthenticationError("Please sign in.")


def anybody(_scope: Scope) -> Actor:
    return ANONYMOUS


async def test_a_silent_connection_ends_with_its_time(jobs: Jobs) -> None:
    browser = Browser()
    await browser.visit(LiveProgress(jobs, anybody, origin="", lifetime=0.05))
    assert browser.received[0]["type"] == "websocket.accept"


async def test_a_long_message_ends_the_connection(jobs: Jobs) -> None:
    browser = Browser({"type": "websocket.receive", "text": "4" * 5000})
    await browser.visit(LiveProgress(jobs, anybody, origin=""))
    assert browser.received[0]["type"] == "websocket.accept"


async def test_strangers_are_closed_before_they_are_accepted(jobs: Jobs) -> None:
    browser = Browser()
    await browser.visit(LiveProgress(jobs, nobody, origin=""))
    assert [message["type"] for message in browser.received] == ["websocket.close"]


async def test_connections_beyond_the_limit_are_closed(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fairdatabase.jobs.live._MAX_CONNECTIONS", 1)
    live = LiveProgress(jobs, anybody, origin="", lifetime=0.5)
    first = asyncio.create_task(Browser().visit(live))
    await asyncio.sleep(0)
    second = Browser()
    await second.visit(live)
    assert [message["type"] for message in second.received] == ["websocket.close"]
    await first
    third = Browser()
    await third.visit(live)
    assert third.received[0]["type"] == "websocket.accept"
