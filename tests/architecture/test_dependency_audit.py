"""The dependency audit fails for what is known to be vulnerable, and for nothing else."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from requirements.audit import main
from tests.architecture.tree import ROOT
from tests.factories.serving import free_port

LOCK = "jinja2==3.1.6 \\\n    --hash=sha256:00\nMarkupSafe==3.0.2 ; sys_platform == 'linux'\n"
NOTES = """
[[advisory]]
package = "Jinja2"
id = "CVE-2025-27516"
affected = ["<3.1.6"]
"""
ACCEPTED = '[[accepted]]\nid = "GHSA-new"\nreason = "Not called."\nuntil = {until}\n'
NOTHING: dict[str, Any] = {"results": [{}, {}]}
NEW = {"results": [{"vulns": [{"id": "GHSA-new"}]}, {}]}
Run = Callable[..., tuple[int, str]]


@contextmanager
def answering(body: bytes, status: int = 200) -> Iterator[tuple[str, list[Any]]]:
    """Run a service that gives one answer; yields its address and what it was asked."""
    asked: list[Any] = []

    class Service(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


@pytest.fixture
def audit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Audit a lock file against a service; returns the exit code and what was said."""

    def run(service: str, *, lock: str = LOCK, notes: str = NOTES) -> tuple[int, str]:
        (tmp_path / "base.lock").write_text(lock)
        (tmp_path / "advisories.toml").write_text(notes)
        code = main(["--folder", str(tmp_path), "--service", service])
        return code, capsys.readouterr().out

    return run


def unreachable() -> str:
    """Return an address where nobody answers."""
    return f"http://127.0.0.1:{free_port()}"


def test_harmless_packages_pass_and_each_was_asked_about(audit: Run) -> None:
    with answering(json.dumps(NOTHING).encode()) as (service, asked):
        code, said = audit(service)
    assert (code, service in said) == (0, True)
    assert asked == [
        {
            "queries": [
                {"package": {"name": name, "ecosystem": "PyPI"}, "version": version}
                for name, version in (("jinja2", "3.1.6"), ("markupsafe", "3.0.2"))
            ]
        }
    ]


def test_what_the_service_knows_fails(audit: Run) -> None:
    with answering(json.dumps(NEW).encode()) as (service, _):
        code, said = audit(service)
    assert code == 1
    assert "jinja2 3.1.6: GHSA-new" in said


def test_without_a_network_the_notes_decide_and_it_is_said(audit: Run) -> None:
    service = unreachable()
    code, said = audit(service)
    assert code == 0
    assert f"NOT ASKED: {service} cannot be reached" in said
    code, said = audit(service, lock=LOCK.replace("3.1.6", "3.1.5"))
    assert code == 1
    assert "jinja2 3.1.5: CVE-2025-27516" in said


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"<html>Sign in to this hotel</html>", 200), (b"[]", 200), (b'{"results": [{}]}', 200),
     (b"", 503), (b"", 429)],
)  # fmt: skip
def test_what_is_no_answer_counts_as_none(audit: Run, body: bytes, status: int) -> None:
    with answering(body, status) as (service, _):
        code, said = audit(service)
    assert code == 0
    assert "NOT ASKED" in said


@pytest.mark.parametrize(("until", "expected"), [("2999-01-01", 0), ("2020-01-01", 1)])
def test_an_advisory_is_accepted_until_a_day(audit: Run, until: str, expected: int) -> None:
    with answering(json.dumps(NEW).encode()) as (service, _):
        code, _ = audit(service, notes=NOTES + ACCEPTED.format(until=until))
    assert code == expected


def test_our_own_locks_hold_nothing_that_is_noted(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--folder", str(ROOT / "requirements"), "--service", unreachable()])
    assert code == 0, capsys.readouterr().out
