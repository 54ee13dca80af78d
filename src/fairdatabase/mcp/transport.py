"""Carries messages: over HTTP within a request that has been read, or over standard input."""

import asyncio
import logging
from collections.abc import Iterable, MutableMapping
from typing import Any, NamedTuple

from mcp.server import Server
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

Message = MutableMapping[str, Any]
# It tells of the beginning and end of every transport, which here is every request.
logging.getLogger("mcp").setLevel(logging.WARNING)


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


async def answered(server: Server[Any], headers: Iterable[tuple[str, str]], body: bytes) -> Answer:
    """Answer one POST of the streamable HTTP transport, without a session and in JSON.

    No message of the server waits for another of the client, so that any process can answer any
    request. It runs on the thread of the request, in its context.

    Args:
        server: That answers.
        headers: Of the request.
        body: Of the request, read and limited already.
    """
    given, sent = [body], list[Message]()

    async def receive() -> Message:
        if given:
            return {"type": "http.request", "body": given.pop(), "more_body": False}
        return await asyncio.Future()

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/mcp",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
    }
    manager = StreamableHTTPSessionManager(
        server, json_response=True, stateless=True, max_request_body_size=max(len(body), 1)
    )
    async with manager.run():
        await manager.handle_request(scope, receive, send)
    start, *pieces = sent
    return Answer(
        start["status"],
        [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]],
        b"".join(piece.get("body", b"") for piece in pieces),
    )


async def serve_stdio(server: Server[Any]) -> None:
    """Answer the messages on standard input until it ends."""
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())
