"""Requests to other people's servers: encrypted, small, soon over, and never sent on.

Which server is asked follows from the settings and from what a provider publishes about itself.
So an address may lead only where the settings allow; a redirect is an answer like any other;
and a server that answers without end, or one byte a second, loses our interest.
"""

import logging
import time
from collections.abc import Iterator
from functools import cached_property
from http import HTTPStatus
from typing import Any, Final, cast

import httpx2

from fairdatabase.kernel.errors import UnavailableError
from fairdatabase.kernel.providers import is_permitted

TIMEOUT: Final = httpx2.Timeout(5.0)
"""Of each step of a request."""
_LARGEST_ANSWER = 512 * 1024
_SECONDS_IN_ALL = 10.0
logger = logging.getLogger(__name__)


class OutgoingTransport(httpx2.BaseTransport):
    """Carries requests within limits.

    Args:
        loopback: Whether this machine may be asked without encryption.
        seconds: Time an answer may take in all.
    """

    def __init__(self, *, loopback: bool, seconds: float = _SECONDS_IN_ALL) -> None:
        self.loopback = loopback
        self._seconds = seconds

    @cached_property
    def _connections(self) -> httpx2.HTTPTransport:
        # Made when it is needed: reading all certificates takes a while.
        return httpx2.HTTPTransport()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and return the answer, of which only so much can be read.

        Raises:
            httpx2.TransportError: The address is not allowed, or nobody answers there.
            httpx2.DecodingError: The answer is compressed.
        """
        if not is_permitted(str(request.url), loopback=self.loopback):
            raise httpx2.UnsupportedProtocol("this address is not asked", request=request)
        deadline = time.monotonic() + self._seconds
        # What is compressed can become a thousand times larger than what was counted.
        request.headers["Accept-Encoding"] = "identity"
        answer = self._connections.handle_request(request)
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            answer.close()
            raise httpx2.DecodingError("the answer is compressed", request=request)
        answer.stream = _LimitedStream(cast("httpx2.SyncByteStream", answer.stream), deadline)
        return answer


class _LimitedStream(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._stream:
            size += len(chunk)
            if size > _LARGEST_ANSWER:
                raise httpx2.ReadError("the answer is too large")
            if time.monotonic() > self._deadline:
                raise httpx2.ReadTimeout("the answer takes too long")
            yield chunk

    def close(self) -> None:
        self._stream.close()


def read_document(
    transport: OutgoingTransport, address: str, *, bearer: str = ""
) -> dict[str, Any]:
    """Return the JSON object at an address.

    Args:
        transport: Carries the request.
        address: Where it is.
        bearer: Access token to show there.

    Raises:
        UnavailableError: There is none, for whatever reason.
    """
    headers = {"Accept": "application/json"}
    if bearer:
        headers["Authorization"] = f"Bearer {bearer}"
    # A client of its own for each request: none carries cookies from one person to the next.
    client = httpx2.Client(transport=transport, timeout=TIMEOUT)
    try:
        answer = client.get(address, headers=headers)
        document = answer.json() if answer.status_code == HTTPStatus.OK else None
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, RecursionError) as error:
        logger.warning("Another server does not answer", extra={"address": address}, exc_info=error)
        document = None
    if not isinstance(document, dict):
        raise UnavailableError("The other site does not answer as it should. Please try again.")
    return document
