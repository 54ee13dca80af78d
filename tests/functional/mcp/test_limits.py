"""Who asks too often is told so in the answer, where the model reads it."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from fairdatabase.app import create_app
from fairdatabase.services import build_services
from tests.factories.world import empty_instance

HEADERS = {"Accept": "application/json, text/event-stream"}


@pytest.fixture
def limited(tmp_path: Path, sqlite_template: Path) -> FlaskClient:
    """A client of an instance that answers three requests a minute."""
    with empty_instance(tmp_path, sqlite_template) as (_, services, _work):
        strict = {"rate_limits_enabled": True, "rate_limit": "3 per minute"}
        settings = services.settings.model_copy(update=strict)
        return create_app(services=build_services(settings, services.database)).test_client()


def send(client: FlaskClient, method: str, **params: Any) -> tuple[Any, dict[str, Any]]:  # noqa: ANN401 - JSON
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = client.post("/mcp", json=message, headers=HEADERS)
    assert answer.status_code == 200
    return answer, answer.get_json()


def test_the_limit_is_that_of_the_api(limited: FlaskClient) -> None:
    for _ in range(3):
        _, told = send(limited, "tools/call", name="search_datasets", arguments={})
        assert told["result"]["isError"] is False
    answer, told = send(limited, "tools/call", name="search_datasets", arguments={})
    assert told["result"]["isError"] is True
    error = json.loads(told["result"]["content"][0]["text"])
    assert error["code"] == "rate-limited"
    assert "3 per 1 minute" in error["error"]
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    _, told = send(limited, "tools/list")
    assert "Too many requests" in told["error"]["message"]
