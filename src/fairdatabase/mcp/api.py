"""MCP over streamable HTTP: one address, guarded as every route is.

The protocol's package takes a second to import, so it is when the first agent comes.
"""

import asyncio
from functools import cache
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, g, request
from flask_limiter import RateLimitExceeded

from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.errors import FAIRDatabaseError, PermissionDeniedError
from fairdatabase.kernel.extensions import asked_too_often
from fairdatabase.mcp.schemas import Caller

if TYPE_CHECKING:
    from mcp.server import Server

api = Blueprint("mcp_api", __name__)


def _caller() -> Caller:
    """Return who makes this request; it is identified before, as for every route."""
    refusal: FAIRDatabaseError | None = g.get("mcp_refusal")
    if refusal is not None:
        raise refusal
    return Caller(services(), actor())


@cache
def _server() -> "Server[Any]":
    from fairdatabase.mcp.server import build_server  # noqa: PLC0415

    return build_server(_caller)


@api.before_request
def require_own_origin() -> None:
    """Refuse pages of other sites: a browser that one is open in may reach what it should not.

    Raises:
        PermissionDeniedError: The request names the origin of another site.
    """
    origin = request.headers.get("Origin")
    if origin is not None and origin != services().settings.public_url:
        raise PermissionDeniedError("Pages of other sites may not call this address.")


@api.post("/mcp")
def exchange() -> Response:
    """Answer one JSON-RPC message."""
    from fairdatabase.mcp.transport import answered  # noqa: PLC0415

    request.max_content_length = request.max_form_memory_size
    answer = asyncio.run(answered(_server(), request.headers.items(), request.get_data()))
    return Response(answer.body, answer.status, answer.headers)


@api.errorhandler(RateLimitExceeded)
def refuse(error: RateLimitExceeded) -> Response:
    """Tell the one who reads the answer, the model, why there is none."""
    g.mcp_refusal = asked_too_often(error)
    return exchange()
