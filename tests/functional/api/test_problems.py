"""Kinds of problems: stable codes, and a page that explains each."""

import re

import pytest
from flask import abort
from flask.testing import FlaskClient

from fairdatabase.app import create_app
from fairdatabase.authorization.rules.routes import ROUTES, Route
from fairdatabase.authorization.schemas import Action, Resource
from fairdatabase.kernel.config import Settings
from fairdatabase.services import Services
from tests.architecture.tree import ROOT

DOCUMENT = ROOT / "docs" / "reference" / "errors.md"
CODES = re.findall(r"^\| `([\w-]+)` \| \d{3} \|", DOCUMENT.read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "bad-request"),
        (401, "authentication-required"),
        (404, "not-found"),
        (405, "method-not-allowed"),
        (413, "limit-exceeded"),
        (415, "unsupported-media-type"),
        (416, "range-not-satisfiable"),
        (418, "http-418"),
        (422, "validation-error"),
        (500, "error"),
        (503, "unavailable"),
    ],
)
def test_codes_of_the_protocol_do_not_hang_on_phrases(
    services: Services, status: int, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ROUTES, "refused", Route(Resource.PLATFORM, Action.READ))
    app = create_app(services=services)
    app.add_url_rule("/api/refused", "refused", lambda: abort(status))
    answer = app.test_client().get("/api/refused")
    assert answer.status_code == status
    assert answer.get_json()["code"] == code


def test_the_type_is_an_address_of_this_instance(client: FlaskClient, settings: Settings) -> None:
    answer = client.get("/api/v1/nowhere", headers={"Host": "localhost:1"})
    kind = answer.get_json()["type"]
    assert kind == f"{settings.public_url}/problems/not-found"
    page = client.get(kind.removeprefix(settings.public_url))
    assert page.status_code == 200
    assert "<h1>Not found</h1>" in page.text


def test_every_documented_kind_has_a_page(client: FlaskClient) -> None:
    assert len(CODES) > 40
    for code in CODES:
        page = client.get(f"/problems/{code}")
        assert page.status_code == 200, code
        assert f"<code>{code}</code>" in page.text


def test_an_unknown_kind_has_no_page(client: FlaskClient) -> None:
    assert client.get("/problems/klingon").status_code == 404
