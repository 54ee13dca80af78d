"""Uploads that are too large or find no space: refused, and nothing is left behind."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI

from fairdatabase.authorization.schemas import Role
from fairdatabase.kernel.config import Settings
from tests.factories.accounts import ClientAs
from tests.factories.deposits import ok, open_deposit


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings of an instance that takes files of 50 kB at most."""
    return settings.model_copy(update={"max_upload_bytes": 50_000})


@pytest.fixture
def owner(client_as: ClientAs) -> FlaskClient:
    """The client of somebody who deposits."""
    return client_as(Role.MEMBER)


def left_behind(settings: Settings) -> list[Path]:
    """Return the files in the store and in the folder of unfinished work."""
    folders = (settings.storage_path, settings.work_path)
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


def test_a_file_over_the_limit_leaves_nothing(owner: FlaskClient, settings: Settings) -> None:
    deposit = open_deposit(owner)
    path = f"/api/v1/deposits/{deposit}/files/big.csv"
    refused = owner.put(path, data=b"a\n" + b"1\n" * 100_000)
    assert refused.status_code == 413, refused.get_data(as_text=True)
    assert ok(owner.get(f"/api/v1/deposits/{deposit}"))["files"] == []
    assert left_behind(settings) == []


@pytest.mark.parametrize("media_type", ["text/csv", "application/json", None])
def test_a_file_may_be_larger_than_a_form(
    owner: FlaskClient, app: OpenAPI, media_type: str | None
) -> None:
    """A file is streamed to the store; a JSON body or a form is read into memory."""
    app.config["MAX_FORM_MEMORY_SIZE"] = 1024
    deposit = open_deposit(owner)
    path = f"/api/v1/deposits/{deposit}/files/a.csv"
    content = b"a\n" + b"1\n" * 2000
    assert owner.put(path, data=content, content_type=media_type).status_code == 201
    too_long = {"email": "a@example.org", "password": "x" * 2000}
    assert owner.post("/api/v1/auth/login", json=too_long).status_code == 413
    assert owner.post("/sign-in", data=too_long).status_code == 413
