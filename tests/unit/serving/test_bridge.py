"""The bridge takes threads only for work, and gives every client only so much time."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator
from typing import Any

import pytest
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from fairdatabase.serving.bridge import WsgiApplication, WsgiBridge, environ_of
from fairdatabase.serving.transfer import Message

PATIENCE = 10.0


def scope(method: str = "GET", path: str = "/", **headers: str) -> dict[str, Any]:
    """An ASGI scope; underscores in header names become hyphens."""
    return {
        "type": "http",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "http_version": "1.1",
        "server": ("127.0.0.1", "8000"),
        "client": ("127.0.0.2", "4000"),
        "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()],
    }


class Client:
    """Sends pieces of a body and keeps what comes back."""

    def __init__(self, *pieces: bytes, stalls: bool = False) -> None:
        self.pieces = list(pieces)
        self.stalls = stalls
        self.gone = asyncio.Event()
        self.received: list[Message] = []
        self.arrived = asyncio.Event()

    async def receive(self) -> Message:
        if self.pieces:
            body = self.pieces.pop(0)
            more = bool(self.pieces) or self.stalls
            return {"type": "http.request", "body": body, "more_body": more}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.received.append(message)
        self.arrived.set()
        await asyncio.sleep(0)

    @property
    def status(self) -> int:
        return int(self.received[0]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.received[1:])


@pytest.fixture
def app() -> Flask:
    app = Flask("bridged")

    @app.post("/echo")
    def echo() -> Response:
        return Response(request.get_data(), mimetype="application/octet-stream")

    @app.get("/hello")
    def hello() -> str:
        return "hello"

    @app.get("/parts")
    def parts() -> Response:
        return Response(iter([b"one ", b"two ", b"three"]))

    @app.errorhandler(HTTPException)
    def problem(error: HTTPException) -> tuple[str, int]:
        return str(error.code), error.code or 500

    return app


Bridges = Callable[..., WsgiBridge]


@pytest.fixture
async def bridges() -> AsyncIterator[Bridges]:
    made: list[WsgiBridge] = []

    def make(
        application: WsgiApplication,
        *,
        threads: int = 2,
        grace: float = 30.0,
        rate: float = 8192.0,
        apart: Collection[str] = (),
    ) -> WsgiBridge:
        bridge = WsgiBridge(
            application, threads=threads, uploads=1, apart=apart, grace=grace, rate=rate
        )
        made.append(bridge)
        return bridge

    yield make
    for bridge in made:
        bridge.close()


async def within(patience: float, work: Awaitable[None]) -> None:
    async with asyncio.timeout(patience):
        await work


async def test_requests_and_answers_arrive_whole(app: Flask, bridges: Bridges) -> None:
    bridge = bridges(app)
    for path, expected in (("/hello", b"hello"), ("/parts", b"one two three")):
        client = Client(b"")
        await bridge(scope(path=path), client.receive, client.send)
        assert (client.status, client.body) == (200, expected)
        assert client.received[-1]["more_body"] is False


async def test_the_body_of_head_is_empty_and_its_length_is_kept(
    app: Flask, bridges: Bridges
) -> None:
    client = Client(b"")
    await bridges(app)(scope("HEAD", "/hello"), client.receive, client.send)
    assert client.body == b""
    assert (b"content-length", b"5") in client.received[0]["headers"]


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, 64 * 1024 + 1, 3_000_000])
async def test_a_body_arrives_as_it_was_sent(app: Flask, bridges: Bridges, size: int) -> None:
    sent = bytes(range(256)) * (size // 256 + 1)
    pieces = [sent[i : min(i + 50_000, size)] for i in range(0, max(size, 1), 50_000)]
    client = Client(*pieces)
    await bridges(app)(
        scope("POST", "/echo", content_length=str(size)), client.receive, client.send
    )
    assert client.status == 200
    assert client.body == sent[:size]


async def test_a_body_of_unknown_length_arrives(app: Flask, bridges: Bridges) -> None:
    client = Client(b"a" * 10, b"b" * 10)
    await bridges(app)(
        scope("POST", "/echo", transfer_encoding="chunked"), client.receive, client.send
    )
    assert client.body == b"a" * 10 + b"b" * 10


async def test_what_takes_long_is_computed_apart(bridges: Bridges) -> None:
    """Twenty sign-ins that are being hashed leave the one request thread to others."""
    leave = threading.Event()
    names: dict[str, set[str]] = {}

    def application(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        asked = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        names.setdefault(asked, set()).add(threading.current_thread().name.partition("_")[0])
        if asked == "POST /sign-in":
            assert leave.wait(PATIENCE)
        start("200 OK", [])
        return [b"done"]

    bridge = bridges(application, threads=1, apart={"/sign-in"})
    people = [Client(b"") for _ in range(20)]
    tasks = [
        asyncio.create_task(bridge(scope("POST", "/sign-in"), each.receive, each.send))
        for each in people
    ]
    await asyncio.sleep(0)
    for method, path in (("GET", "/hello"), ("GET", "/sign-in"), ("POST", "/other")):
        client = Client(b"")
        await within(PATIENCE, bridge(scope(method, path), client.receive, client.send))
        assert client.status == 200
    leave.set()
    await within(PATIENCE, _all(tasks))
    assert all(each.status == 200 for each in people)
    assert names.pop("POST /sign-in") == {"apart"}
    assert set.union(*names.values()) == {"request"}


async def test_stalled_bodies_hold_no_thread(app: Flask, bridges: Bridges) -> None:
    bridge = bridges(app, threads=1)
    stalled = [Client(b"x", stalls=True) for _ in range(20)]
    tasks = [
        asyncio.create_task(bridge(scope("POST", "/echo", content_length="9"), c.receive, c.send))
        for c in stalled
    ]
    await asyncio.sleep(0)
    other = Client(b"")
    await within(PATIENCE, bridge(scope(path="/hello"), other.receive, other.send))
    assert other.status == 200
    for client in stalled:
        client.gone.set()
    await asyncio.gather(*tasks)
    assert not any(client.received for client in stalled)


async def test_stalled_uploads_leave_the_threads_of_readers_alone(
    app: Flask, bridges: Bridges
) -> None:
    bridge = bridges(app, threads=1)
    stalled = [Client(b"x", stalls=True) for _ in range(3)]
    tasks = [
        asyncio.create_task(
            bridge(scope("POST", "/echo", content_length="999999"), c.receive, c.send)
        )
        for c in stalled
    ]
    await asyncio.sleep(0)
    other = Client(b"")
    await within(PATIENCE, bridge(scope(path="/hello"), other.receive, other.send))
    assert other.status == 200
    for client in stalled:
        client.gone.set()
    await within(PATIENCE, _all(tasks))
    assert [client.status for client in stalled] == [400] * 3


@pytest.mark.parametrize("length", ["9", "999999"])
async def test_a_body_that_comes_too_slowly_is_given_up(
    app: Flask, bridges: Bridges, length: str
) -> None:
    client = Client(b"x", stalls=True)
    bridge = bridges(app, grace=0.05)
    request_scope = scope("POST", "/echo", content_length=length)
    await within(PATIENCE, bridge(request_scope, client.receive, client.send))
    assert client.status == 408


async def test_a_transfer_above_the_lowest_speed_may_last(app: Flask, bridges: Bridges) -> None:
    client = Client(*[b"x" * 1000] * 8)
    receive = client.receive

    async def slowly() -> Message:
        await asyncio.sleep(0.02)
        return await receive()

    bridge = bridges(app, grace=0.1, rate=10_000)
    await bridge(scope("POST", "/echo", content_length="8000"), slowly, client.send)
    assert client.body == b"x" * 8000


class Stream:
    """An endless answer that knows whether it was closed, and on how many threads at once."""

    def __init__(self) -> None:
        self.closed = threading.Event()
        self.made = 0

    def __call__(self, _environ: object, start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", [])
        return self

    def __iter__(self) -> Iterator[bytes]:
        while not self.closed.is_set():
            self.made += 1
            yield b"x" * 1000

    def close(self) -> None:
        self.closed.set()


async def test_an_answer_ends_when_its_reader_goes(bridges: Bridges) -> None:
    stream = Stream()
    client = Client(b"")
    task = asyncio.create_task(_run(bridges(stream), client))
    await client.arrived.wait()
    client.gone.set()
    await within(PATIENCE, task)
    assert stream.closed.is_set()
    assert client.received[-1]["more_body"] is True


async def test_a_reader_that_stalls_is_cut_off(bridges: Bridges) -> None:
    stream = Stream()
    client = Client(b"")

    async def stall(message: Message) -> None:
        await client.send(message)
        if message["type"] == "http.response.body":
            await client.gone.wait()

    bridge = bridges(stream, grace=0.05)
    await within(PATIENCE, bridge(scope(), client.receive, stall))
    assert stream.closed.is_set()
    assert stream.made == 1


async def test_a_cancelled_request_is_closed_after_its_thread_is_done(bridges: Bridges) -> None:
    entered, leave, closed = threading.Event(), threading.Event(), threading.Event()

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            entered.set()
            assert leave.wait(PATIENCE)
            yield b"late"

        def close(self) -> None:
            closed.set()

    def application(_environ: object, start: Callable[..., Any]) -> Body:
        start("200 OK", [])
        return Body()

    task = asyncio.create_task(_run(bridges(application), Client(b"")))
    assert await asyncio.to_thread(entered.wait, PATIENCE)
    task.cancel()
    await asyncio.sleep(0.05)
    assert not closed.is_set()
    leave.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed.is_set()


async def test_the_write_function_of_wsgi_is_refused(bridges: Bridges) -> None:
    def application(_environ: object, start: Callable[..., Any]) -> list[bytes]:
        start("200 OK", [])(b"written")
        return []

    with pytest.raises(NotImplementedError):
        await _run(bridges(application), Client(b""))


def test_the_environment_says_what_was_asked() -> None:
    asked = scope("GET", "/a%20b/%C3%A9%FF?no", x_real="1", content_type="text/plain")
    asked["headers"] += [(b"cookie", b"a=1"), (b"cookie", b"b=2"), (b"accept", b"x")]
    asked["headers"] += [(b"accept", b"y"), (b"x_real", b"forged")]
    environ = environ_of(asked)
    assert environ["PATH_INFO"].encode("latin-1") == b"/a b/\xc3\xa9\xff"
    assert environ["HTTP_COOKIE"] == "a=1; b=2"
    assert environ["HTTP_ACCEPT"] == "x,y"
    assert environ["HTTP_X_REAL"] == "1"
    assert environ["CONTENT_TYPE"] == "text/plain"
    assert (environ["REMOTE_ADDR"], environ["SERVER_PORT"]) == ("127.0.0.2", "8000")
    assert environ["wsgi.url_scheme"] == "http"


def test_a_websocket_has_the_environment_of_the_page_that_opened_it() -> None:
    opened = scope() | {"type": "websocket", "scheme": "wss", "client": None}
    del opened["method"]
    environ = environ_of(opened)
    assert (environ["REQUEST_METHOD"], environ["wsgi.url_scheme"]) == ("GET", "https")


async def _run(bridge: WsgiBridge, client: Client) -> None:
    await bridge(scope(), client.receive, client.send)


async def _all(tasks: list[asyncio.Task[None]]) -> None:
    await asyncio.gather(*tasks)
