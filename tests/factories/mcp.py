"""Agents: what they are told, in the program's own process or over HTTP."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from httpx2 import AsyncClient
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, TextContent

from fairdatabase.authorization.schemas import ANONYMOUS, Actor
from fairdatabase.mcp.schemas import Caller
from fairdatabase.mcp.server import build_server
from fairdatabase.services import Services


def agent(services: Services, actor: Actor = ANONYMOUS, *, mode: str = "auto") -> Client:
    """Return a client in this process that asks as an actor."""
    return Client(build_server(lambda: Caller(services, actor)), mode=mode)


def refused_agent(refuse: Callable[[], Caller], *, mode: str = "auto") -> Client:
    """Return a client whose every request is refused by an error."""
    return Client(build_server(refuse), mode=mode)


@asynccontextmanager
async def agent_at(url: str, token: str = "", *, mode: str = "auto") -> AsyncIterator[Client]:
    """Connect to an instance over streamable HTTP, as the holder of a token or as nobody."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        AsyncClient(headers=headers, timeout=30) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


def told(answer: CallToolResult) -> dict[str, Any]:
    """Return the JSON that a tool answered."""
    (content,) = answer.content
    assert isinstance(content, TextContent)
    found: dict[str, Any] = json.loads(content.text)
    return found


async def ask(client: Client, tool: str, **arguments: Any) -> Any:  # noqa: ANN401 - JSON
    """Return the data of a tool's answer, which has to be a success."""
    answer = await client.call_tool(tool, arguments)
    assert not answer.is_error, answer.content
    return told(answer)["data"]


async def refusal(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return the error of a tool's answer, which has to be one."""
    answer = await client.call_tool(tool, arguments)
    assert answer.is_error, answer.content
    return told(answer)
