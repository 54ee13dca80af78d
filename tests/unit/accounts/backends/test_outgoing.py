"""Requests to other servers have limits."""

import socket
import threading
from collections.abc import Iterator

import pytest

from fairdatabase.accounts.backends.outgoing import OutgoingTransport, read_document
from fairdatabase.kernel.errors import UnavailableError
from tests.factories.providers import HostileProvider, free_port


def test_a_document_is_read(shady: HostileProvider) -> None:
    transport = OutgoingTransport(loopback=True)
    assert "keys" in read_document(transport, f"{shady.issuer}/keys")
    shady.userinfo = {"sub": "x"}
    found = read_document(transport, f"{shady.issuer}/userinfo", bearer="at")
    assert found == {"sub": "x"}


def test_this_machine_is_not_asked_in_production(shady: HostileProvider) -> None:
    with pytest.raises(UnavailableError):
        read_document(OutgoingTransport(loopback=False), f"{shady.issuer}/keys")
    assert shady.asked == []


@pytest.mark.parametrize("address", ["http://127.0.0.1:{port}/", "https://127.0.0.1:{port}/", "x:"])
def test_where_nobody_answers_is_no_accident(address: str) -> None:
    with pytest.raises(UnavailableError):
        read_document(OutgoingTransport(loopback=True), address.format(port=free_port()))


@pytest.fixture
def dripping() -> Iterator[str]:
    """A server that sends one byte now and then, without end."""
    listening = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def drip() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not over.wait(0.05):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    over.set()
    thread.join()
    listening.close()


def test_an_answer_that_never_ends_is_given_up(dripping: str) -> None:
    with pytest.raises(UnavailableError):
        read_document(OutgoingTransport(loopback=True, seconds=0.3), dripping)
