"""Health over HTTP."""

import pytest
from flask.testing import FlaskClient

from fairdatabase.services import Services


def test_a_process_that_answers_is_alive(client: FlaskClient) -> None:
    answer = client.get("/health/live")
    assert answer.status_code == 200
    assert answer.json
    assert answer.json["status"] == "success"
    assert answer.headers["Cache-Control"] == "no-store"


def test_every_part_is_named(client: FlaskClient) -> None:
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json
    parts = {part["name"]: part for part in answer.json["data"]["parts"]}
    assert set(parts) == {"database", "queue", "storage", "disk"}
    assert all(part["ready"] and part["detail"] for part in parts.values())


def test_an_instance_with_a_broken_part_is_not_ready(
    client: FlaskClient, services: Services
) -> None:
    storage = services.settings.storage_path
    storage.rmdir() if storage.exists() else None
    storage.write_text("a file where the folder should be")
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json
    assert answer.json["error"] == "Not ready: storage."
    parts = {part["name"]: part["ready"] for part in answer.json["details"]["parts"]}
    assert parts == {"database": True, "queue": True, "storage": False, "disk": True}
    assert client.get("/health/live").status_code == 200


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_health_needs_no_token_and_minds_no_wrong_one(client: FlaskClient, path: str) -> None:
    assert client.get(path, headers={"Authorization": "Bearer nonsense"}).status_code == 200
