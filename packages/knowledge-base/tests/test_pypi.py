"""Documents come out of source distributions by their hash, and nothing else does."""

import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from knowledge_base.documents import Format
from knowledge_base.errors import LimitError, LocationError, UnreachableError
from knowledge_base.loading import load, pypi
from knowledge_base.releases import fetch, find_release

INFO = """Metadata-Version: 2.4
Name: demo
Version: 1.2
Summary: Shows things.
License-Expression: MIT
Project-URL: Documentation, https://demo.example/
"""
FILES = {
    "PKG-INFO": INFO,
    "setup.py": "raise SystemExit('run')",
    "README.md": "# Demo\n\nHello.",
    "docs/guide.rst": "Guide\n=====\n\nText.",
    "docs/_build/x.rst": "Built",
    "src/demo.py": "x = 1",
}
Publish = Callable[..., str]


def archive(files: dict[str, str], *, link: str = "") -> bytes:
    """Return a source distribution."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as opened:
        for name, text in files.items():
            member = tarfile.TarInfo(f"demo-1.2/{name}")
            member.size = len(text.encode())
            opened.addfile(member, io.BytesIO(text.encode()))
        if link:
            member = tarfile.TarInfo("demo-1.2/docs/link.rst")
            member.type, member.linkname = tarfile.SYMTYPE, link
            opened.addfile(member)
    return made.getvalue()


@pytest.fixture
def publish(monkeypatch: pytest.MonkeyPatch) -> Iterator[Publish]:
    """``publish(body)`` puts a release of demo on a package index of this test's own."""
    answers: dict[str, bytes] = {}

    class Index(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = answers.get(self.path)
            self.send_response(200 if body is not None else 404)
            is_page = self.path.endswith("/")
            kind = "application/vnd.pypi.simple.v1+json" if is_page else "application/gzip"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        base = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("UV_DEFAULT_INDEX", f"{base}/simple")
        monkeypatch.setenv("UV_NO_CACHE", "1")

        def put(body: bytes, *, served: bytes | None = None, name: str = "demo-1.2.tar.gz") -> str:
            sha256 = hashlib.sha256(body).hexdigest()
            file = {"filename": name, "url": f"/files/{name}", "hashes": {"sha256": sha256}}
            page = {"meta": {"api-version": "1.0"}, "name": "demo", "files": [file]}
            answers["/simple/demo/"] = json.dumps(page).encode()
            answers[f"/files/{name}"] = body if served is None else served
            return sha256

        yield put
        server.shutdown()
        thread.join()


def test_documents_and_what_the_package_says(publish: Publish) -> None:
    publish(archive(FILES, link="/etc/hostname"))
    loaded = load("pypi:demo")
    source = loaded.source
    assert (source.id, source.version, source.licence) == ("demo", "1.2", "MIT")
    assert source.location == "pypi:demo"
    assert {page.url: page.format for page in loaded.pages} == {
        "https://demo.example/README": Format.MARKDOWN,
        "https://demo.example/docs/guide": Format.REST,
    }


def test_a_release_comes_with_its_hash(publish: Publish) -> None:
    body = archive(FILES)
    sha256 = publish(body)
    release = find_release("Demo==1.2")
    assert (release.name, release.version, release.sha256) == ("demo", "1.2", sha256)
    assert fetch(release) == body


def test_another_file_than_promised_is_refused(publish: Publish) -> None:
    publish(archive(FILES), served=archive({"PKG-INFO": INFO}))
    with pytest.raises(UnreachableError, match="not the one"):
        load("pypi:demo==1.2")


def test_nothing_leads_out_of_the_folder(publish: Publish) -> None:
    publish(archive({"PKG-INFO": INFO, "docs/../../../outside.md": "# Out"}))
    with pytest.raises(LocationError, match="cannot be unpacked"):
        load("pypi:demo")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (archive({"PKG-INFO": INFO, "src/demo.py": "x"}), "no documents"),
        (archive({"docs/a.md": "# A"}), "no PKG-INFO"),
        (archive(FILES)[:100], "cannot be unpacked"),
        (b"nothing", "cannot be unpacked"),
    ],
    ids=["no documents", "no metadata", "cut off", "no archive"],
)
def test_what_cannot_be_used_is_explained(publish: Publish, body: bytes, said: str) -> None:
    publish(body)
    with pytest.raises(LocationError, match=said):
        load("pypi:demo")


def test_limits(publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(archive(FILES))
    monkeypatch.setattr(pypi, "LARGEST_DOCUMENTS", 10)
    with pytest.raises(LimitError, match="documents"):
        load("pypi:demo")
    monkeypatch.setattr("knowledge_base.releases.LARGEST_ARCHIVE", 10)
    with pytest.raises(LimitError, match="200 MiB"):
        load("pypi:demo")


def test_what_the_index_does_not_have(publish: Publish) -> None:
    with pytest.raises(LocationError, match="No release meets"):
        find_release("demo")
    publish(archive(FILES), name="demo-1.2-py3-none-any.whl")
    with pytest.raises(LocationError, match=r"No release meets|no source distribution"):
        find_release("demo==1.2")
