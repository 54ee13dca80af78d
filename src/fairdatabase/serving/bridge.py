"""Calls the WSGI application from an ASGI server; ``docs/decisions/0003-server.md`` says why.

A thread is taken only while there is something to compute. The event loop receives small bodies
before, and sends each piece of an answer after it was made; only large bodies are read by a
thread while they arrive, from a pool of their own. Every transfer has a lowest speed.
"""

import asyncio
import contextvars
import io
import logging
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

from fairdatabase.serving.transfer import Message, Pace, Receive, RequestBody, Send, UploadStream

Scope = MutableMapping[str, Any]
Header = tuple[str, str]
T = TypeVar("T")
WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_SMALL_BODY = 64 * 1024
_UPLOADS = 16
_APART = 4
_GRACE_SECONDS = 30.0
_LOWEST_RATE = 8 * 1024
_UPLOAD_BUFFER = 256 * 1024
logger = logging.getLogger(__name__)


class WsgiBridge:
    """An ASGI application for ``http`` scopes that runs a WSGI application on threads.

    Args:
        application: The WSGI application.
        threads: How many requests are computed at a time.
        uploads: How many large bodies are read at a time, on further threads.
        apart: Paths of forms and calls that take long by their nature: what is sent to them is
            computed on a few threads of its own, so that nothing else waits for it.
        grace: Seconds a client may take for a body of any size.
        rate: Bytes a second it has to reach beyond that.
    """

    def __init__(
        self,
        application: WsgiApplication,
        *,
        threads: int,
        uploads: int = _UPLOADS,
        apart: Collection[str] = (),
        grace: float = _GRACE_SECONDS,
        rate: float = _LOWEST_RATE,
    ) -> None:
        self._application = application
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self._uploads = ThreadPoolExecutor(uploads, thread_name_prefix="upload")
        self._apart = ThreadPoolExecutor(_APART, thread_name_prefix="apart")
        self._apart_paths = frozenset(apart)
        self._grace = grace
        self._rate = rate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        environ = environ_of(scope)
        body = RequestBody(receive, self._pace())
        threads = self._threads
        if environ["REQUEST_METHOD"] == "POST" and environ["PATH_INFO"] in self._apart_paths:
            threads = self._apart
        if _is_large(environ):
            threads = self._uploads
            stream = UploadStream(body, asyncio.get_running_loop())
            environ["wsgi.input"] = io.BufferedReader(stream, _UPLOAD_BUFFER)
        else:
            try:
                environ["wsgi.input"] = io.BytesIO(await body.whole())
            except TimeoutError:
                await send(_head(408, [("connection", "close"), ("content-length", "0")]))
                await send({"type": "http.response.body"})
                return
            except ConnectionError:
                return
        answer = _Answer(self._application, environ, threads)
        try:
            await self._respond(answer, body, receive, send)
        finally:
            await answer.close()

    def close(self) -> None:
        """Let the running requests end and take no more."""
        self._threads.shutdown()
        self._uploads.shutdown()
        self._apart.shutdown()

    def _pace(self) -> Pace:
        return Pace(self._grace, self._rate)

    async def _respond(
        self, answer: "_Answer", body: RequestBody, receive: Receive, send: Send
    ) -> None:
        piece = await answer.begin()
        await send(_head(answer.status, answer.headers))
        pace = self._pace()
        streamed = body.complete and not answer.complete
        gone = asyncio.create_task(_disconnected(receive)) if streamed else None
        try:
            while True:
                more = not answer.complete
                await pace.wait(
                    send({"type": "http.response.body", "body": piece, "more_body": more})
                )
                if not more or (gone is not None and gone.done()):
                    return
                pace.moved(len(piece))
                piece = await answer.next()
        except TimeoutError:
            logger.info("A client read its answer too slowly and was cut off")
        finally:
            if gone is not None:
                gone.cancel()


def _head(status: int, headers: list[Header]) -> Message:
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return {"type": "http.response.start", "status": status, "headers": encoded}


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class _Answer:
    """One call of the WSGI application; all of it happens on threads, in one context.

    Args:
        application: The WSGI application.
        environ: The request.
        threads: Where it runs.
    """

    def __init__(
        self, application: WsgiApplication, environ: dict[str, Any], threads: ThreadPoolExecutor
    ) -> None:
        self.status = 500
        self.headers: list[Header] = []
        self.complete = False
        self._application = application
        self._environ = environ
        self._threads = threads
        self._context = contextvars.copy_context()
        self._body: Iterable[bytes] = ()
        self._pieces: Iterator[bytes] = iter(())
        self._missing: int | None = None
        self._step: asyncio.Future[Any] | None = None

    async def begin(self) -> bytes:
        """Run the application up to its first piece and return that."""
        return await self._on_thread(self._begin)

    async def next(self) -> bytes:
        """Return the next piece and set ``complete`` if it is the last; that one may be empty."""
        return await self._on_thread(self._next)

    async def close(self) -> None:
        """Tell the application that its answer was sent or given up."""
        if self._step is not None and not self._step.done():
            await asyncio.wait([self._step])
        if not self.complete:
            await self._on_thread(self._close)

    async def _on_thread(self, work: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        # A request that is cancelled must not be closed while a thread still works on it.
        step = loop.run_in_executor(self._threads, self._context.run, work)
        self._step = step
        return await asyncio.shield(step)

    def _begin(self) -> bytes:
        self._body = self._application(self._environ, self._start)
        self._pieces = iter(self._body)
        return self._next()

    def _start(
        self, status: str, headers: list[Header], _error: object = None
    ) -> Callable[[bytes], object]:
        self.status = int(status.split(" ", 1)[0])
        self.headers = headers
        lengths = [value for name, value in headers if name.lower() == "content-length"]
        self._missing = int(lengths[0]) if lengths else None
        return _no_write

    def _next(self) -> bytes:
        piece = next(self._pieces, None)
        if piece is not None and self._missing is not None:
            self._missing -= len(piece)
        if piece is None or self._missing == 0:
            self._close()
        return piece or b""

    def _close(self) -> None:
        self.complete = True
        close = getattr(self._body, "close", None)
        if close is not None:
            close()


def _no_write(_piece: bytes) -> None:
    message = "the write() function of WSGI is not supported: return the body"
    raise NotImplementedError(message)


def environ_of(scope: Scope) -> dict[str, Any]:
    """Return the WSGI environment of an ASGI connection, without a body.

    Header names with an underscore are dropped: they would pass for those with a hyphen, such
    as the ones that a proxy sets.
    """
    client = scope.get("client") or ("", 0)
    server = scope.get("server") or ("localhost", 80)
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.get("method", "GET"),
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(raw_path.partition(b"?")[0]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": str(server[0]),
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": str(client[0]),
        "REMOTE_PORT": str(client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": {"ws": "http", "wss": "https"}.get(scope["scheme"], scope["scheme"]),
        "wsgi.errors": sys.stderr,
        "wsgi.input": io.BytesIO(),
        "wsgi.input_terminated": True,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        _add_header(environ, raw_name.decode("latin-1"), raw_value.decode("latin-1"))
    return environ


def _add_header(environ: dict[str, Any], name: str, value: str) -> None:
    if "_" in name:
        return
    key = name.upper().replace("-", "_")
    if key not in {"CONTENT_TYPE", "CONTENT_LENGTH"}:
        key = f"HTTP_{key}"
    if key in environ:
        value = f"{environ[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{value}"
    environ[key] = value


def _is_large(environ: dict[str, Any]) -> bool:
    """Tell whether a body is long or its length unknown; servers have checked the headers."""
    length = environ.get("CONTENT_LENGTH", "")
    if length.isdecimal():
        return int(length) > _SMALL_BODY
    return bool(length) or "HTTP_TRANSFER_ENCODING" in environ
