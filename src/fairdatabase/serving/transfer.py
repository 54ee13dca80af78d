"""Bodies that come in and go out, without letting slow clients hold what others need."""

import asyncio
import io
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import CancelledError
from typing import Any, TypeVar

from werkzeug.exceptions import ClientDisconnected, RequestTimeout

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
T = TypeVar("T")

_TOO_SLOW = "The request came in too slowly. Please send it again over a faster connection."


class Pace:
    """The lowest speed of a body, counting only the time spent waiting for the client.

    Args:
        grace: Seconds that every body is given, whatever its size.
        rate: Bytes a second it has to reach on average beyond that.
    """

    def __init__(self, grace: float, rate: float) -> None:
        self._left = grace
        self._rate = rate

    async def wait(self, step: Awaitable[T]) -> T:
        """Wait for one step of the transfer.

        Raises:
            TimeoutError: The client used up its time.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        async with asyncio.timeout(max(self._left, 0.0)):
            result = await step
        self._left -= loop.time() - started
        return result

    def moved(self, size: int) -> None:
        """Give the client the time that ``size`` bytes may take at the lowest speed."""
        self._left += size / self._rate


class RequestBody:
    """The pieces of a request's body, as the event loop receives them.

    Args:
        receive: Of the ASGI connection.
        pace: Lowest speed.
    """

    def __init__(self, receive: Receive, pace: Pace) -> None:
        self._receive = receive
        self._pace = pace
        self.complete = False

    async def piece(self) -> bytes:
        """Return the next piece; empty only when the body is complete.

        Raises:
            TimeoutError: The client is too slow.
            ConnectionError: The client has gone.
        """
        while not self.complete:
            message = await self._pace.wait(_awaited(self._receive))
            if message["type"] == "http.disconnect":
                raise ConnectionError("the client has gone")
            self.complete = not message.get("more_body", False)
            piece: bytes = message.get("body", b"")
            self._pace.moved(len(piece))
            if piece:
                return piece
        return b""

    async def whole(self) -> bytes:
        """Return what is left of the body; see :meth:`piece`."""
        pieces = []
        while piece := await self.piece():
            pieces.append(piece)
        return b"".join(pieces)


async def _awaited(receive: Receive) -> Message:
    """Make a coroutine of whatever awaitable the server's ``receive`` returns."""
    return await receive()


class UploadStream(io.RawIOBase):
    """A body that a thread reads while the event loop receives it.

    Args:
        body: The body.
        loop: Where it is received.
    """

    def __init__(self, body: RequestBody, loop: asyncio.AbstractEventLoop) -> None:
        self._body = body
        self._loop = loop
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Say yes."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer
        """Fill ``buffer`` with what has arrived; wait only when nothing has.

        Raises:
            RequestTimeout: The client is too slow.
            ClientDisconnected: The client has gone.
        """
        if not self._rest:
            self._rest = memoryview(self._next())
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    def _next(self) -> bytes:
        try:
            return asyncio.run_coroutine_threadsafe(self._body.piece(), self._loop).result()
        except TimeoutError:
            raise RequestTimeout(_TOO_SLOW) from None
        except (ConnectionError, CancelledError):
            raise ClientDisconnected from None
