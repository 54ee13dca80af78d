"""Clients that are slow, and requests that are too large, keep nobody else from being answered."""

import base64
import http.client
import io
import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.factories.serving import Server, instance_settings, running

SLOW_CLIENTS = 120
PATIENCE_SECONDS = 30
MIB = 1024 * 1024
_JSON = {"Content-Type": "application/json"}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_BEGINNINGS = {
    "nothing": b"",
    "a request line": b"GET /health/live HTT",
    "a header": b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    "a short body": b"POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
    "a long body": b"POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{",
    "a chunk": b"POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Server]:
    """One web process with four request threads."""
    folder = tmp_path_factory.mktemp("slow")
    settings = instance_settings(folder / "instance", sqlite_template).model_copy(
        update={"max_upload_bytes": 8 * MIB, "max_form_bytes": MIB}
    )
    with running(settings, log=folder / "log") as server:
        yield server


def send(
    server: Server, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    """Make a request; return status and body of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS)
    try:
        connection.request(method, path, body or None, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def refused(server: Server, headers: bytes, body: Iterator[bytes]) -> bytes:
    """Send a body without end until the server stops listening; return its answer."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_SECONDS) as client:
        try:
            client.sendall(headers)
            for piece in body:
                client.sendall(piece)
            return client.recv(65536)
        except (BrokenPipeError, ConnectionResetError):
            return b""


def still_answers(server: Server) -> bool:
    """Tell whether pages, the API and what needs the database are answered."""
    paths = ("/health/live", "/health/ready", "/api/v1/datasets", "/")
    return [send(server, "GET", path)[0] for path in paths] == [200] * len(paths)


@pytest.mark.parametrize("stage", _BEGINNINGS)
def test_slow_clients_hold_nothing_that_others_need(server: Server, stage: str) -> None:
    with ExitStack() as clients:
        held = [
            clients.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            for _ in range(SLOW_CLIENTS)
        ]
        for client in held:
            client.sendall(_BEGINNINGS[stage])
        assert still_answers(server)
        for client in held:
            client.sendall(b" ")
        assert still_answers(server)


def test_headers_that_never_end_do_not_hold_a_connection(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_SECONDS) as client:
        client.sendall(_BEGINNINGS["a header"])
        received = client.recv(65536)
    assert received == b"" or b" 408 " in received


def test_a_server_that_is_really_held_is_noticed(server: Server) -> None:
    """The control: a stopped process answers nobody, and that is what is looked at."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        host, port = deaf.getsockname()
        connection = http.client.HTTPConnection(host, port, timeout=0.2)
        with pytest.raises(TimeoutError):
            connection.request("GET", "/health/live")
            connection.getresponse()
        connection.close()
    assert still_answers(server)


@pytest.mark.parametrize("path", ["/api/v1/auth/login", "/api/v1/auth/register"])
def test_a_json_body_over_the_limit_is_not_read(server: Server, path: str) -> None:
    fitting = json.dumps({"email": "a@example.org", "password": "x" * (MIB // 2)}).encode()
    assert send(server, "POST", path, fitting, _JSON)[0] == 422
    status, answer = send(server, "POST", path, fitting + b" " * MIB, _JSON)
    assert (status, json.loads(answer)["code"]) == (413, "limit-exceeded")


def test_a_body_of_unknown_length_ends_at_the_limit(server: Server) -> None:
    head = (
        b"POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    piece = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    answer = refused(server, head, (piece for _ in range(2048)))
    assert answer == b"" or answer.startswith(b"HTTP/1.1 413"), answer
    assert still_answers(server)


def test_fields_of_a_form_are_limited_in_size_and_number(server: Server) -> None:
    large = b"email=a%40example.org&password=" + b"x" * (2 * MIB)
    assert send(server, "POST", "/sign-in", large, _FORM)[0] == 413
    many = b"&".join(b"a%d=1" % n for n in range(20_000))
    assert 400 <= send(server, "POST", "/sign-in", many, _FORM)[0] < 500
    parts = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="a%d"\r\n\r\n1\r\n' % n for n in range(5_000)
    )
    as_parts = {"Content-Type": "multipart/form-data; boundary=b"}
    assert 400 <= send(server, "POST", "/sign-in", parts + b"--b--\r\n", as_parts)[0] < 500
    assert still_answers(server)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"email":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"email":' + b"9" * 100_000 + b"}",
        b'{"email":1e999999999}',
        b'{"email":"a@example.org",' + b'"password":"x",' * 50_000 + b'"password":"x"}',
    ],
    ids=["lists", "objects", "balanced", "digits", "exponent", "keys"],
)
def test_json_that_is_deep_or_odd_is_refused(server: Server, body: bytes) -> None:
    status, answer = send(server, "POST", "/api/v1/auth/login", body, _JSON)
    assert status in {400, 401, 422}, answer
    assert still_answers(server)


@pytest.mark.parametrize("nested", [b"[" * 20_000, b'{"a":' * 1_500])
def test_a_token_that_is_deep_is_no_token(server: Server, nested: bytes) -> None:
    part = base64.urlsafe_b64encode(nested).rstrip(b"=").decode()
    plain = base64.urlsafe_b64encode(b'{"alg":"HS256"}').rstrip(b"=").decode()
    for token in (f"{part}.{part}.x", f"{plain}.{part}.x"):
        bearer = {"Authorization": f"Bearer {token}"}
        assert send(server, "GET", "/api/v1/auth/me", headers=bearer)[0] == 401
        cookies = "; ".join(f"fairdatabase-{kind}={token}" for kind in ("access", "refresh"))
        assert send(server, "GET", "/datasets", headers={"Cookie": cookies})[0] in {200, 302, 303}


@pytest.mark.parametrize(
    "headers",
    [
        b"X-Long: " + b"a" * MIB + b"\r\n",
        b"".join(b"X-%d: a\r\n" % n for n in range(10_000)),
        b"Cookie: " + b"; ".join(b"c%d=1" % n for n in range(50_000)) + b"\r\n",
    ],
    ids=["one header", "many headers", "many cookies"],
)
def test_headers_over_the_limit_are_refused(server: Server, headers: bytes) -> None:
    head = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n" + headers
    with io.BytesIO(head) as sent:
        answer = refused(server, b"", iter(lambda: sent.read(65536), b""))
    assert not answer.startswith(b"HTTP/1.1 2"), answer[:200]
    assert still_answers(server)


def test_an_address_over_the_limit_is_refused(server: Server) -> None:
    assert send(server, "GET", f"/datasets?q={'a' * 2000}")[0] == 200
    head = b"GET /datasets?q=" + b"a" * MIB + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = refused(server, head, iter(()))
    assert not answer.startswith(b"HTTP/1.1 2"), answer[:200]
    assert still_answers(server)


def test_many_ranges_are_not_many_answers(server: Server) -> None:
    ranges = ",".join(f"{n}-" for n in range(1300))
    path = "/api/docs/swagger-ui-bundle.js"
    whole = len(send(server, "GET", path)[1])
    status, answer = send(server, "GET", path, headers={"Range": f"bytes={ranges}"})
    assert status in {200, 206, 416}
    assert len(answer) <= whole
