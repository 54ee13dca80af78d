"""The application as an ASGI server sees it: pages and API by HTTP, live progress by WebSocket."""

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from flask import Flask, request

from fairdatabase.accounts.authentication import actor_of, read_token
from fairdatabase.app import create_app
from fairdatabase.jobs.live import LiveProgress
from fairdatabase.kernel import current
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.http import apart_paths
from fairdatabase.observability.logging import configure_logging
from fairdatabase.services import build_services
from fairdatabase.serving.bridge import Scope, WsgiBridge, environ_of
from fairdatabase.serving.transfer import Receive, Send

if TYPE_CHECKING:
    from fairdatabase.authorization.schemas import Actor


class Application:
    """One ASGI application for everything that comes in.

    Args:
        http: Answers requests.
        live: Serves WebSockets.
    """

    def __init__(self, http: WsgiBridge, live: LiveProgress) -> None:
        self._http = http
        self._live = live

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, one WebSocket, or the process's life."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._live(scope, receive, send)
        else:
            await self._live_and_die(receive, send)

    async def _live_and_die(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await asyncio.to_thread(self._http.close)
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return


def build_application(settings: Settings) -> Application:
    """Build the application of one web process.

    There are as many request threads as database connections: more would only wait for one.

    Args:
        settings: Of this instance.
    """
    configure_logging(settings)
    services = build_services(settings)
    app = create_app(services=services)
    return Application(
        WsgiBridge(app, threads=2 * settings.database_pool_size, apart=apart_paths(app)),
        LiveProgress(services.jobs, partial(listener, app), origin=settings.public_url),
    )


def listener(app: Flask, scope: Scope) -> "Actor":
    """Return who opens a WebSocket, by access cookie or bearer token.

    A refresh cookie does not help: it is good for one use, and the new one cannot be sent back
    here. The page renews both with its next request and tries again.

    Args:
        app: The WSGI application, for its keys and services.
        scope: Of the connection.

    Raises:
        AuthenticationError: Nobody is signed in.
    """
    with app.request_context(environ_of(scope)):
        sent = request.authorization
        if sent is not None and sent.type == "bearer":
            return actor_of(sent.token or "")
        cookie = request.cookies.get(app.config["JWT_ACCESS_COOKIE_NAME"], "")
        claims = read_token(cookie, "access", "cookie")
        return current.services().accounts.actor_for(claims.sub, claims.sid)
