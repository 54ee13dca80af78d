"""A virus scanner that the admin set looks at every file before the deposit has it."""

import sys

import pytest
from flask.testing import FlaskClient

from fairdatabase.authorization.schemas import Role
from fairdatabase.kernel.config import Settings
from tests.factories.accounts import ClientAs
from tests.factories.cohorts import harmless
from tests.factories.deposits import ok, open_deposit, upload

PROGRAM = "import sys; sys.exit(b'VIRUS' in open(sys.argv[1], 'rb').read())"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings of an instance with a scanner."""
    return settings.model_copy(update={"scan_command": (sys.executable, "-c", PROGRAM)})


@pytest.fixture
def owner(client_as: ClientAs) -> FlaskClient:
    """The client of somebody who deposits."""
    return client_as(Role.MEMBER)


@pytest.mark.parametrize("role", ["data", "documentation"])
def test_only_clean_files_are_taken(owner: FlaskClient, role: str) -> None:
    deposit = open_deposit(owner)
    path = f"/api/v1/deposits/{deposit}/files/notes.md?role={role}"
    refused = owner.put(path, data=b"# VIRUS", content_type="application/octet-stream")
    assert (refused.status_code, refused.get_json()["code"]) == (422, "file-infected")
    assert "notes.md" in refused.get_json()["detail"]
    assert ok(owner.get(f"/api/v1/deposits/{deposit}"))["files"] == []
    assert owner.put(path, data=b"# Notes", content_type="text/plain").status_code == 201


def test_a_refusal_is_recorded(owner: FlaskClient, client_as: ClientAs) -> None:
    deposit = open_deposit(owner)
    owner.put(f"/api/v1/deposits/{deposit}/files/a.csv", data=b"VIRUS")
    events = ok(client_as(Role.ADMIN).get("/api/v1/audit?action=dataset.file-refused"))
    assert [event["subject"] for event in events] == [deposit]
    assert events[0]["after"]["name"] == "a.csv"
    upload(owner, deposit, harmless())
