"""Bytes on which a proxy and a server may disagree: one request has one answer, or none.

Each attack hides a second request in what can be taken for the body or the headers of the first.
It has worked when both are answered, so it is sent over a connection of its own, and everything
that comes back until the server has nothing more to say is looked at.
"""

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories.serving import Server, instance_settings, running

_JSON = b"Content-Type: application/json"
HIDDEN = b"GET /api/v1/datasets HTTP/1.1\r\nHost: localhost\r\n\r\n"
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN)
QUIET_SECONDS = 3.0
_STATUS_LINE = re.compile(rb"HTTP/1\.1 (\d{3})[^\r\n]*\r\n")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("smuggling")
    settings = instance_settings(folder / "instance", sqlite_template)
    with running(settings, log=folder / "log") as server:
        yield server


def exchange(server: Server, sent: bytes) -> bytes:
    """Send bytes and return what comes back until the server is done or quiet."""
    received = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=QUIET_SECONDS) as connection:
        connection.sendall(sent)
        try:
            while piece := connection.recv(65536):
                received += piece
        except (TimeoutError, ConnectionResetError):
            pass
    return received


def statuses(received: bytes) -> list[int]:
    """Return the status of each answer."""
    return [int(status) for status in _STATUS_LINE.findall(received)]


def post(*headers: bytes, body: bytes = b"") -> bytes:
    """Return a request with exactly these header lines."""
    lines = (b"POST /api/v1/auth/login HTTP/1.1", b"Host: localhost", _JSON, *headers)
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def test_two_requests_in_a_row_have_two_answers(server: Server) -> None:
    """The control: what an attack would look like that works."""
    assert statuses(exchange(server, HIDDEN + HIDDEN)) == [200, 200]
    empty = post(b"Content-Length: 0")
    assert statuses(exchange(server, empty + HIDDEN)) == [400, 200]
    chunked = post(b"Transfer-Encoding: chunked", body=CHUNKED)
    assert statuses(exchange(server, chunked)) == [400]


LENGTH = b"Content-Length: %d" % len(HIDDEN)
TWO_WAYS = {
    "length first": post(b"Content-Length: 0", b"Transfer-Encoding: chunked", body=CHUNKED),
    "chunked first": post(b"Transfer-Encoding: chunked", b"Content-Length: 0", body=CHUNKED),
    "length of the end": post(
        b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + HIDDEN
    ),
    "two lengths": post(b"Content-Length: 0", LENGTH, body=HIDDEN),
    "two lengths, long first": post(LENGTH, b"Content-Length: 0", body=HIDDEN),
    "list of lengths": post(b"Content-Length: 0, %d" % len(HIDDEN), body=HIDDEN),
    "signed length": post(b"Content-Length: +0", body=HIDDEN),
    "negative length": post(b"Content-Length: -1", body=HIDDEN),
    "hexadecimal length": post(b"Content-Length: 0x0", body=HIDDEN),
    "spaced length": post(b"Content-Length: 0 0", body=HIDDEN),
    "enormous length": post(b"Content-Length: 18446744073709551616", body=HIDDEN),
    "folded header": post(b"X-Long: a", b" b", b"Content-Length: 0", body=HIDDEN),
    "folded length": post(b"Content-Length:", b" 0", body=HIDDEN),
    "space before colon": post(b"Content-Length : 0", body=HIDDEN),
    "space in a name": post(b"Content Length: 0", body=HIDDEN),
    "space before the name": post(b" Content-Length: 0", body=HIDDEN),
    "no colon": post(b"Content-Length 0", body=HIDDEN),
    "null in a value": post(b"X-A: a\x00b", b"Content-Length: 0", body=HIDDEN),
    "carriage return in a value": post(b"X-A: a\rContent-Length: 0", body=HIDDEN),
    "chunked twice": post(
        b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=CHUNKED
    ),
    "chunked not last": post(b"Transfer-Encoding: chunked, identity", body=CHUNKED),
    "unknown coding": post(b"Transfer-Encoding: xchunked", LENGTH, body=HIDDEN),
    "vertical tab": post(b"Transfer-Encoding:\x0bchunked", LENGTH, body=HIDDEN),
    "null after": post(b"Transfer-Encoding: chunked\x00", LENGTH, body=HIDDEN),
    "chunk size with a sign": post(
        b"Transfer-Encoding: chunked", body=b"+0\r\n\r\n" + HIDDEN
    ),
    "chunk size with a prefix": post(
        b"Transfer-Encoding: chunked", body=b"0x0\r\n\r\n" + HIDDEN
    ),
    "chunk size that overflows": post(
        b"Transfer-Encoding: chunked", body=b"10000000000000000\r\n\r\n" + HIDDEN
    ),
    "chunk size that is none": post(b"Transfer-Encoding: chunked", body=b"z\r\n\r\n" + HIDDEN),
    "chunk longer than its size": post(
        b"Transfer-Encoding: chunked", body=b"1\r\nab\r\n0\r\n\r\n" + HIDDEN
    ),
    "chunk ended by line feeds": post(
        b"Transfer-Encoding: chunked", body=b"1\na\n0\n\n" + HIDDEN
    ),
    "line feed in an extension": post(
        b"Transfer-Encoding: chunked", body=b"1;\nx\r\na\r\n0\r\n\r\n" + HIDDEN
    ),
}  # fmt: skip


@pytest.mark.parametrize("attack", TWO_WAYS)
def test_no_request_hides_in_another(server: Server, attack: str) -> None:
    received = exchange(server, TWO_WAYS[attack])
    answered = statuses(received)
    assert len(answered) <= 1, received
    assert not answered or 400 <= answered[0] < 500 or answered[0] == 501, received
    assert b'"items"' not in received


def test_a_length_within_chunks_is_refused_or_ends_the_connection(server: Server) -> None:
    """RFC 9112, section 6.3: where both are taken, the length is ignored and no more is read."""
    for order in ((0, 1), (1, 0)):
        lines = (b"Content-Length: 4", b"Transfer-Encoding: chunked")
        sent = post(*(lines[i] for i in order), body=b"0\r\n\r\n") + HIDDEN
        assert len(statuses(exchange(server, sent))) <= 1


TARGETS = {
    "absolute": b"http://elsewhere.example/api/v1/datasets",
    "absolute, no path": b"http://elsewhere.example",
    "user in the authority": b"http://localhost@elsewhere.example/",
    "double slash": b"//elsewhere.example/api/v1/datasets",
    "asterisk": b"*",
    "authority": b"elsewhere.example:443",
    "backslash": b"/\\elsewhere.example",
    "fragment": b"/api/v1/datasets#http://elsewhere.example",
    "space": b"/api/v1/datasets HTTP/1.1\r\nX: ",
}


@pytest.mark.parametrize("kind", TARGETS)
def test_a_target_never_leads_elsewhere(server: Server, kind: str) -> None:
    """No part of it is believed: neither a redirect nor a link goes to the host it names."""
    sent = b"GET " + TARGETS[kind] + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    received = exchange(server, sent)
    head = received.partition(b"\r\n\r\n")[0].lower()
    assert len(statuses(received)) <= 1
    assert b"location: http://elsewhere" not in head
    assert b"location: //elsewhere" not in head
    assert b'href="http://elsewhere' not in received
    assert b'href="//elsewhere' not in received


HEADS = {
    "two hosts": b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: elsewhere.example\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "version of the future": b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
    "method with a space": b"GE T / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "name that is empty": b"GET / HTTP/1.1\r\nHost: localhost\r\n: a\r\n\r\n",
}


@pytest.mark.parametrize("kind", HEADS)
def test_a_head_that_is_none_is_answered_at_most_once(server: Server, kind: str) -> None:
    received = exchange(server, HEADS[kind])
    assert len(statuses(received)) <= 1, received
    assert all(status < 500 or status == 505 for status in statuses(received)), received
    assert b"elsewhere" not in received
