"""Agents on the machine of the instance: the command, over standard input and output."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from fairdatabase.accounts.schemas.tokens import TokenIn
from fairdatabase.authorization.schemas import OPERATOR, Scope, State
from fairdatabase.cli import main
from fairdatabase.mcp.server import TOOLS
from tests.factories.mcp import ask, refusal
from tests.factories.world import World, inhabited


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[World]:
    with inhabited(tmp_path_factory.mktemp("stdio"), sqlite_template) as made:
        yield made


def environment(world: World) -> dict[str, str]:
    """Return what a process needs to open the instance."""
    settings = world.services.settings
    keys = ("secret_key", "jwt_secret_key", "data_key", "pseudonym_key")
    return {
        "FAIRDATABASE_ENVIRONMENT": "development",
        "FAIRDATABASE_INSTANCE_PATH": str(settings.instance_path),
        "FAIRDATABASE_DATABASE_URL": settings.database_url,
        **{
            f"FAIRDATABASE_{key.upper()}": getattr(settings, key).get_secret_value() for key in keys
        },
    }


async def test_an_agent_asks_as_the_holder_of_a_token_until_it_is_revoked(world: World) -> None:
    services = world.services
    owner = world.visitors["owner"].client.get("/api/v1/auth/me").get_json()["data"]
    wanted = TokenIn(name="desk", scopes=frozenset({Scope.DATASETS_READ}))
    token = services.tokens.issue(OPERATOR, owner["email"], wanted)
    command = StdioServerParameters(
        command=str(Path(sys.executable).with_name("fairdatabase")),
        args=["mcp"],
        env={**environment(world), "FAIRDATABASE_TOKEN": token.token},
    )
    question = {"file_id": world.files[State.RESTRICTED], "limit": 1}
    async with Client(stdio_client(command), mode="legacy") as client:
        assert len((await client.list_tools()).tools) == len(TOOLS)
        assert (await ask(client, "query_rows", **question))["rows"]
        services.tokens.revoke(services.accounts.actor_by_email(owner["email"]), token.public_id)
        assert (await refusal(client, "query_rows", **question))["code"] == "session-ended"


def test_a_token_that_is_none_is_explained(world: World) -> None:
    given = {**environment(world), "FAIRDATABASE_TOKEN": "fdb_wrong"}
    result = CliRunner().invoke(main, ["mcp"], env=given)
    assert result.exit_code == 1
    assert "not whole" in result.output
    assert "Traceback" not in result.output
