"""Deposits made over the REST API, as a program would make them."""

from collections.abc import Callable, Mapping
from typing import Any

from flask.testing import FlaskClient

from tests.factories.cohorts import METADATA

Work = Callable[[], None]
"""Does all jobs that are waiting."""


def ok(response: Any, status: int = 200) -> Any:  # noqa: ANN401 - a test response
    """Return the data of an answer that has to be a success."""
    assert response.status_code == status, response.get_data(as_text=True)
    return response.get_json()["data"]


def open_deposit(client: FlaskClient, *, access: str = "open") -> str:
    """Open a described deposit; return its public id."""
    body = {"metadata": METADATA, "access": access}
    deposit = ok(client.post("/api/v1/deposits", json=body), 201)
    return str(deposit["version"]["public_id"])


def upload(client: FlaskClient, deposit: str, content: bytes, name: str = "people.csv") -> str:
    """Send a file by its bytes; return its public id."""
    added = ok(
        client.put(
            f"/api/v1/deposits/{deposit}/files/{name}",
            data=content,
            content_type="application/octet-stream",
        ),
        201,
    )
    return str(added["file"]["public_id"])


def set_roles(client: FlaskClient, file: str, roles: Mapping[str, str]) -> None:
    """Confirm the role of each column."""
    edits = {"columns": {name: {"role": role} for name, role in roles.items()}}
    ok(client.patch(f"/api/v1/files/{file}/columns", json=edits))


def screened(
    client: FlaskClient,
    work: Work,
    content: bytes,
    roles: Mapping[str, str],
    *,
    access: str = "open",
) -> tuple[str, str]:
    """Lead a table as far as its verdict; return the ids of deposit and file."""
    deposit = open_deposit(client, access=access)
    file = upload(client, deposit, content)
    work()
    set_roles(client, file, roles)
    work()
    return deposit, file


def published(
    client: FlaskClient,
    work: Work,
    content: bytes,
    roles: Mapping[str, str],
    *,
    access: str = "open",
) -> tuple[str, str]:
    """Publish a table that passes the gate; return the ids of dataset and file."""
    deposit, file = screened(client, work, content, roles, access=access)
    version = ok(client.post(f"/api/v1/deposits/{deposit}/publication"), 201)
    return version["dataset_public_id"], file
