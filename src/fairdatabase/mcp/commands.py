"""MCP on the command line: for an agent on the machine of the instance."""

import asyncio
import os
from functools import partial
from typing import TYPE_CHECKING, Final

import click

from fairdatabase.authorization.schemas import ANONYMOUS
from fairdatabase.mcp.schemas import Caller

if TYPE_CHECKING:
    from fairdatabase.cli import Instance

TOKEN_VARIABLE: Final = "FAIRDATABASE_TOKEN"  # noqa: S105 - its name


@click.command(epilog="\b\nExample:\n  FAIRDATABASE_TOKEN=fdb_... fairdatabase mcp")
@click.pass_obj
def mcp(instance: "Instance") -> None:
    """Answer an agent over standard input and output (MCP) until the input ends.

    It asks as the holder of the personal access token in FAIRDATABASE_TOKEN, else as nobody.
    """
    # These take a second to import, which every other command does without.
    from fairdatabase.mcp.server import build_server  # noqa: PLC0415
    from fairdatabase.mcp.transport import serve_stdio  # noqa: PLC0415

    caller = partial(_caller, instance, os.environ.get(TOKEN_VARIABLE, ""))
    caller()
    asyncio.run(serve_stdio(build_server(caller)))


def _caller(instance: "Instance", token: str) -> Caller:
    """Return who asks; a token that is revoked meanwhile counts no more."""
    services = instance.services
    if not token:
        return Caller(services, ANONYMOUS)
    actor = services.tokens.actor_for(token)
    services.sessions.note_presence(actor)
    return Caller(services, actor)
