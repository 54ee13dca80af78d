"""An instance in its own processes: slow clients, stopping, and parts that die."""

import http.client
import json
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from fairdatabase.kernel.errors import ConfigurationError
from fairdatabase.serving.processes import serve
from tests.factories.serving import Server, instance_settings, running

SLOW_CLIENTS = 51
LIVENESS = "/health/live"
BIG_FILE = "/api/docs/swagger-ui-bundle.js"
_BEGINNINGS = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    (
        b"POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    ),
    b"GET " + BIG_FILE.encode() + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Server]:
    """One web process with four request threads."""
    folder = tmp_path_factory.mktemp("serving")
    settings = instance_settings(folder / "instance", sqlite_template)
    with running(settings, log=folder / "log") as server:
        yield server


def get(server: Server, path: str = LIVENESS) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def slow_client(server: Server, kind: int) -> socket.socket:
    """Open a connection that stalls in its headers, its body, or while reading."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", server.port))
    client.sendall(_BEGINNINGS[kind % len(_BEGINNINGS)])
    return client


def test_others_are_answered_while_slow_clients_hold_their_connections(server: Server) -> None:
    with ExitStack() as clients:
        for kind in range(SLOW_CLIENTS):
            clients.enter_context(slow_client(server, kind))
        time.sleep(0.5)
        assert [get(server)[0] for _ in range(20)] == [200] * 20
    assert get(server)[0] == 200


def test_a_large_answer_is_whole(server: Server) -> None:
    status, body = get(server, BIG_FILE)
    assert status == 200
    assert len(body) > 1_000_000


def test_errors_come_in_the_shape_of_the_api(server: Server) -> None:
    status, body = get(server, "/api/v1/nothing")
    assert (status, json.loads(body)["status"]) == (404, "error")


@pytest.mark.parametrize("size", [10, 200_000])
def test_bodies_of_both_sizes_reach_the_application(server: Server, size: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    body = json.dumps({"email": "a@example.org", "password": "x" * size})
    connection.request("POST", "/api/v1/auth/login", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    assert answer.status in {401, 422}
    assert json.loads(answer.read())["status"] == "error"
    connection.close()


def test_stopping_lets_running_requests_end(tmp_path: Path, sqlite_template: Path) -> None:
    settings = instance_settings(tmp_path / "instance", sqlite_template)
    with running(settings, workers=2, with_worker=True, log=tmp_path / "log") as server:
        body = b'{"email": "nobody@example.org", "password": "a long walk by the sea"}'
        client = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        client.sendall(
            b"POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:20]
        )
        time.sleep(0.5)
        server.process.terminate()
        time.sleep(0.5)
        client.sendall(body[20:])
        with client, client.makefile("rb") as answer:
            assert answer.readline().split()[1] == b"401"
        assert server.process.wait(60) == 0
    assert not _is_open(server.port)


def test_nothing_stays_behind_when_the_supervisor_is_killed(
    tmp_path: Path, sqlite_template: Path
) -> None:
    settings = instance_settings(tmp_path / "instance", sqlite_template)
    with running(settings, with_worker=True, log=tmp_path / "log") as server:
        server.process.kill()
        server.process.wait()
        _eventually_closed(server.port)


def test_the_death_of_a_part_is_not_hidden(tmp_path: Path, sqlite_template: Path) -> None:
    settings = instance_settings(tmp_path / "instance", sqlite_template)
    log = tmp_path / "log"
    with running(settings, with_worker=True, log=log) as server:
        os.kill(_worker_of(log), signal.SIGKILL)
        assert server.process.wait(60) != 0
    assert "The job worker ended unexpectedly" in log.read_text()
    assert not _is_open(server.port)


def test_a_taken_port_is_explained(server: Server) -> None:
    with pytest.raises(ConfigurationError, match=f"port {server.port}"):
        serve(server.settings, host="127.0.0.1", port=server.port, workers=1, with_worker=False)


def _worker_of(log: Path) -> int:
    found = re.search(r"The job worker runs as process (\d+)", log.read_text())
    assert found
    return int(found[1])


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _eventually_closed(port: int) -> None:
    for _ in range(300):
        if not _is_open(port):
            return
        time.sleep(0.1)
    pytest.fail("somebody still listens")
