"""The demonstration as one command: a whole instance, ready to sign in."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

FAIRDATABASE = Path(sys.executable).with_name("fairdatabase")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def demo(folder: Path, port: int) -> Iterator[dict[str, str]]:
    """Run the demonstration; yield what it prints about signing in; end it by SIGTERM."""
    command = [str(FAIRDATABASE), "--instance", str(folder), "demo", "--port", str(port)]
    environment = {name: text for name, text in os.environ.items() if "FAIRDATABASE" not in name}
    log = folder.with_suffix(".log")
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
    try:
        for _ in range(3000):
            if "Ctrl-C" in log.read_text() or process.poll() is not None:
                break
            time.sleep(0.1)
        assert process.poll() is None, log.read_text()
        lines = (line.split() for line in log.read_text().splitlines())
        yield {words[0]: words[1] for words in lines if len(words) == 2}
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=120) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()


def ask(port: int, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """Return status and JSON body of an answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Content-Type": "application/json"}
    try:
        connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        return answer.status, json.load(answer)
    finally:
        connection.close()


def sign_in(port: int, login: dict[str, str]) -> int:
    credentials = {"email": login["E-mail"], "password": login["Password"]}
    return ask(port, "POST", "/api/v1/auth/login", credentials)[0]


def test_one_command_makes_an_instance_and_serves_it_again(tmp_path: Path) -> None:
    for package in ("scikit-bio", "statsmodels"):
        try:
            metadata.distribution(package)
        except metadata.PackageNotFoundError:
            pytest.skip(f"{package} is not installed")
    port = free_port()
    with demo(tmp_path / "instance", port) as first:
        assert first["Address"] == f"http://127.0.0.1:{port}"
        assert sign_in(port, first) == 200
        assert ask(port, "GET", "/health/ready")[0] == 200
        assert ask(port, "GET", "/api/v1/datasets")[1]["meta"]["total"] == 3
    with demo(tmp_path / "instance", port) as second:
        assert second == first
        assert sign_in(port, second) == 200
