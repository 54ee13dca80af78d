"""Signed reports: what they say, who gets them, and that no change goes unnoticed."""

import base64
import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from fairdatabase.authorization.schemas import Role
from fairdatabase.cli import main
from fairdatabase.privacy.errors import SignatureError
from fairdatabase.privacy.formats.signature import verify
from tests.factories.accounts import ClientAs
from tests.factories.cohorts import HARMLESS_ROLES, ROLES, cohort, harmless
from tests.factories.deposits import Work, ok, screened
from tests.functional.api.test_releases import LINKED, released

FORMATS = ("json", "html", "pdf")


@pytest.fixture
def owner(client_as: ClientAs) -> FlaskClient:
    """The client of somebody who deposits."""
    return client_as(Role.MEMBER)


@pytest.fixture
def file(owner: FlaskClient, work: Work) -> str:
    """A file with a release."""
    return released(owner, work, LINKED)[1]


def report(client: FlaskClient, file: str, kind: str = "json") -> bytes:
    answer = client.get(f"/api/v1/files/{file}/risk-report?format={kind}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Disposition"].startswith("attachment")
    return bytes(answer.data)


def trusted_key(client: FlaskClient) -> str:
    answer = client.get("/.well-known/fairdatabase/report-keys.json")
    assert answer.content_type == "application/jwk-set+json"
    key, *_ = json.loads(answer.data)["keys"]
    assert (key["kty"], key["crv"]) == ("OKP", "Ed25519")
    return str(key["x"])


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_signed_by_the_instance(
    owner: FlaskClient, client: FlaskClient, file: str, kind: str
) -> None:
    document = report(owner, file, kind)
    found = verify(document, trusted_key(client))
    assert found.trusted
    assert verify(document).trusted is None
    assert verify(document, "A" * 43).trusted is False
    assert found.tables["file"] == hashlib.sha256(cohort()).hexdigest()
    release = owner.get(f"/api/v1/files/{file}/export?format=csv&kind=release").data
    assert found.tables["release_csv"] == hashlib.sha256(release).hexdigest()


@pytest.mark.parametrize("kind", FORMATS)
def test_any_change_is_noticed(owner: FlaskClient, file: str, kind: str) -> None:
    document = report(owner, file, kind)
    places = range(0, len(document), max(1, len(document) // 60))
    for place in places:
        changed = bytearray(document)
        changed[place] ^= 1
        if kind == "json" and _same_json(bytes(changed), document):
            continue
        with pytest.raises(SignatureError):
            verify(bytes(changed))


def _same_json(one: bytes, other: bytes) -> bool:
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False


@pytest.mark.parametrize(
    "document",
    [b"", b"{", b"{}", b'{"report": 1, "signature": {}}', b"%PDF-1.7\n%%EOF\n", b"<p>hello</p>\n"],
)
def test_what_is_not_signed_is_said_to_be_so(document: bytes) -> None:
    with pytest.raises(SignatureError, match="no signed report"):
        verify(document)


def test_a_key_that_is_none_is_refused(owner: FlaskClient, file: str) -> None:
    signed = json.loads(report(owner, file))
    for key in ("public_key", "value"):
        changed = json.loads(json.dumps(signed))
        changed["signature"][key] = "!" * len(changed["signature"][key])
        with pytest.raises(SignatureError, match="was changed"):
            verify(json.dumps(changed).encode())


def test_the_report_has_measures_before_and_after_and_no_values(
    owner: FlaskClient, file: str
) -> None:
    signed = json.loads(report(owner, file))
    told = signed["report"]
    assert told["source"]["measures"]["k"] == 1
    assert told["release"]["measures"]["k"] >= 5
    assert told["passed"]
    assert told["policy"]["k"] == 5
    assert [step["op"] for step in told["recipe"]["steps"]] == [
        step["op"] for step in LINKED["steps"]
    ]
    assert "Utrecht" not in json.dumps(signed)
    assert "small_classes" not in json.dumps(signed)
    assert told["dataset"]["title"] == "Gut health of nobody"


def test_the_page_is_self_contained(owner: FlaskClient, file: str) -> None:
    page = report(owner, file, "html").decode()
    assert page.startswith("<!doctype html>")
    assert "<script" not in page
    assert "<link" not in page
    assert "src=" not in page
    assert "The table holds the policy" in page


def test_a_table_that_is_refused_says_why(owner: FlaskClient, work: Work) -> None:
    _, file = screened(owner, work, cohort(), ROLES)
    for kind in FORMATS:
        verify(report(owner, file, kind))
    page = report(owner, file, "html").decode()
    assert "does not hold the policy" in page
    assert "are in groups smaller than 5" in page
    assert "Nothing: the table leaves the house as it was deposited." in page


def test_only_those_who_look_after_the_dataset_get_it(
    owner: FlaskClient, stranger: FlaskClient, client: FlaskClient, work: Work
) -> None:
    deposit, file = screened(owner, work, harmless(), HARMLESS_ROLES)
    assert stranger.get(f"/api/v1/files/{file}/risk-report").status_code == 404
    ok(owner.post(f"/api/v1/deposits/{deposit}/publication"), 201)
    assert stranger.get(f"/api/v1/files/{file}/risk-report").status_code == 403
    assert client.get(f"/api/v1/files/{file}/risk-report").status_code == 401
    assert json.loads(report(owner, file))["report"]["dataset"]["state"] == "published"


def test_a_published_report_states_the_policy_of_its_publication(
    owner: FlaskClient, work: Work
) -> None:
    deposit, file = screened(owner, work, harmless(), HARMLESS_ROLES)
    address = f"/api/v1/deposits/{deposit}/privacy-policy"
    ok(owner.put(address, json={"alpha": 1, "max_missing": 0.5}))
    before = json.loads(report(owner, file))["report"]["policy"]
    ok(owner.post(f"/api/v1/deposits/{deposit}/publication"), 201)
    after = json.loads(report(owner, file))["report"]["policy"]
    assert (before["alpha"], before["max_missing"]) == (1, 0.5)
    assert after == before


def test_there_is_no_report_on_what_was_not_measured(owner: FlaskClient, work: Work) -> None:
    deposit, file = screened(owner, work, harmless(), HARMLESS_ROLES)
    ok(owner.put(f"/api/v1/deposits/{deposit}/privacy-policy", json={"k": 7}))
    assert owner.get(f"/api/v1/files/{file}/risk-report").status_code == 409


def test_the_command_checks_reports_and_tables(
    owner: FlaskClient, client: FlaskClient, file: str, tmp_path: Path
) -> None:
    path, table, key = tmp_path / "r.pdf", tmp_path / "people.csv", tmp_path / "key"
    path.write_bytes(report(owner, file, "pdf"))
    table.write_bytes(cohort())
    key.write_text(trusted_key(client), encoding="utf-8")
    run = CliRunner().invoke
    arguments = ["privacy", "verify-report", str(path)]

    held = run(main, [*arguments, "--public-key", str(key), "--table", str(table)])
    assert held.exit_code == 0, held.output
    assert "people.csv is the file of the report" in held.output
    assert "Compare this key" in run(main, arguments).output
    other = base64.urlsafe_b64encode(b"x" * 32).decode().rstrip("=")
    assert run(main, [*arguments, "--public-key", other]).exit_code == 1
    table.write_bytes(b"other")
    refused = run(main, [*arguments, "--table", str(table)])
    assert refused.exit_code == 1
    assert "none of the tables" in refused.output


def test_no_reader_of_pdf_is_bothered(owner: FlaskClient, file: str) -> None:
    """The end mark has to be in the last 1,024 bytes, as readers look for it there."""
    document = report(owner, file, "pdf")
    assert document.startswith(b"%PDF-")
    assert b"%%EOF" in document[-1024:]
