"""Path traversal: names that people choose never become paths, and addresses lead to no file."""

import http.client
import io
import re
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from fairdatabase.authorization.schemas import State
from tests.factories.deposits import open_deposit
from tests.factories.serving import Server
from tests.factories.world import World

SECRET = b"[project]"
"""Stands in pyproject.toml and in no answer."""
TRAVERSALS = (
    "../pyproject.toml",
    "../../../../../../../../etc/passwd",
    "..\\..\\..\\windows\\win.ini",
    "....//....//pyproject.toml",
    "..;/pyproject.toml",
    "..%2fpyproject.toml",
    "..%252fpyproject.toml",
    "%2e%2e/pyproject.toml",
    "%2e%2e%2fpyproject.toml",
    "..%5cpyproject.toml",
    "..%c0%afpyproject.toml",
    "..%ef%bc%8fpyproject.toml",
    "/etc/passwd",
    "//etc/passwd",
    "C:\\boot.ini",
    "file:///etc/passwd",
    "js/../../../app.py",
    "js/..%2f..%2f..%2fapp.py",
    "js/app.js%00.py",
    "~root/.profile",
    "secrets.toml",
    "..",
    ".",
    "",
)
REFUSED_NAMES = (
    "../evil.csv",
    "..\\evil.csv",
    "/etc/cron.d/evil",
    "a/b.csv",
    "a\\b.csv",
    "..",
    ".",
    "",
    "a\x00.csv",
    "a\nb.csv",
    "a\x1b[31m.csv",
    "\u202egpj.exe",
    "x" * 256,
    "\u2028.csv",
)
STRANGE_NAMES = (
    "-rf.csv",
    "$(touch evil).csv",
    "`id`.csv",
    "; rm.csv",
    "CON.csv",
    "a.csv.exe",
    "<img src=x onerror=alert(1)>.csv",
    '"quoted".csv',
    "'; filename=evil.html; x='.csv",
    "été 日本語 \U0001f9ec.csv",
    "%2e%2e%2fevil.csv",
    "a;b=c.csv",
    ".htaccess",
    "...csv",
)
_DISPOSITION = re.compile(r"attachment; filename=\"([\x20-\x7e]*)\"; filename\*=UTF-8''([^;]*)")


def everything(folder: Path) -> set[Path]:
    """Return all that lies in a folder."""
    return {path.relative_to(folder) for path in folder.rglob("*")}


@pytest.mark.parametrize("name", REFUSED_NAMES, ids=repr)
def test_a_name_that_is_a_path_is_no_name(scene: World, name: str) -> None:
    owner = scene.visitors["owner"].client
    deposit = open_deposit(owner)
    file = (io.BytesIO(b"a,b\n1,2\n"), name)
    owner.post(f"/api/v1/deposits/{deposit}/files", data={"file": file})
    address = f"/api/v1/deposits/{deposit}/files/{quote(name, safe='')}"
    if name not in {"", ".", ".."}:
        owner.put(address, data=b"a,b\n1,2\n")
    held = owner.get(f"/api/v1/deposits/{deposit}").get_json()["data"]["files"]
    names = [each["file"]["name"] for each in held]
    # The reader of forms takes backslashes for quoting; what is left of a name is harmless.
    assert all(re.fullmatch(r"[\w.]+", each) for each in names), names
    assert name not in names


@pytest.mark.parametrize("name", STRANGE_NAMES, ids=repr)
def test_a_strange_name_is_a_name_and_nothing_else(scene: World, name: str) -> None:
    """It comes back as it was sent, in a header that ends where it should, and made no file."""
    owner = scene.visitors["owner"].client
    storage = scene.services.settings.instance_path
    deposit = open_deposit(owner)
    added = owner.put(
        f"/api/v1/deposits/{deposit}/files/{quote(name, safe='')}", data=name.encode()
    )
    assert added.status_code == 201, added.text
    file = added.get_json()["data"]["file"]
    assert file["name"] == name
    answer = owner.get(f"/api/v1/files/{file['public_id']}/content")
    header = _DISPOSITION.fullmatch(answer.headers["Content-Disposition"])
    assert header, answer.headers["Content-Disposition"]
    assert not set('"\\/') & set(header[1])
    assert unquote(header[2]) == name
    assert answer.headers.getlist("Content-Disposition") == [header[0]]
    assert answer.mimetype not in {"text/html", "image/svg+xml"}
    answer.close()
    parts = {part for path in everything(storage) for part in path.parts}
    assert not [part for part in parts if name in part or "evil" in part]


def test_what_is_stored_is_named_by_its_content(world: World) -> None:
    storage = world.services.settings.storage_path
    blobs = [path for path in storage.rglob("*") if path.is_file()]
    assert blobs
    assert all(re.fullmatch(r"[0-9a-f]{64}", path.name) for path in blobs)
    assert all(path.is_relative_to(storage) for path in blobs)


@pytest.mark.parametrize("name", ["../evil.csv", "a/b.csv", "..", "", "x" * 256])
def test_a_name_that_is_a_path_is_refused_with_words(scene: World, name: str) -> None:
    owner = scene.visitors["owner"].client
    deposit = open_deposit(owner)
    sent = {"file": (io.BytesIO(b"a,b\n1,2\n"), name)}
    refused = owner.post(f"/api/v1/deposits/{deposit}/files", data=sent)
    assert refused.status_code == 422
    assert "name" in refused.get_json()["detail"] or "file" in refused.get_json()["detail"]


@pytest.mark.parametrize("payload", TRAVERSALS)
def test_no_address_leads_out_of_its_folder(world: World, payload: str) -> None:
    client = world.visitors["owner"].client
    identifier = world.datasets[State.OPEN]
    bases = ("/static/", "/api/docs/", "/ark:/99999/", "/datasets/", "/problems/", "/dev/mail/")
    for base in (*bases, f"/api/v1/datasets/{identifier}/export/", "/api/v1/files/"):
        for path in {f"{base}{payload}", f"{base}{quote(payload, safe='')}"}:
            with client.get(path) as answer:
                content = answer.get_data()
            assert SECRET not in content, path
            assert b"root:" not in content, path
            if answer.status_code == 200:
                assert answer.mimetype in {"text/html", "application/json"}, path


def raw_get(server: Server, target: str) -> tuple[int, bytes]:
    """Ask for exactly this, which a client library would tidy up."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.putrequest("GET", target, skip_accept_encoding=True)
    connection.endheaders()
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content


def test_the_server_leads_out_of_no_folder_either(server: Server) -> None:
    served = raw_get(server, "/static/js/app.js")
    assert served[0] == 200
    for payload in TRAVERSALS:
        if not payload.isprintable() or " " in payload:
            continue
        for target in (f"/static/{payload}", f"/static/js/{payload}", f"/{payload}"):
            status, content = raw_get(server, target)
            assert SECRET not in content, target
            assert b"root:" not in content, target
            assert b"secret_key" not in content, target
            assert status in {200, 400, 404, 405}, (target, status)
            if status == 200:
                assert b"<!doctype html>" in content[:100].lower(), target
