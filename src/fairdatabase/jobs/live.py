"""Live progress: Socket.IO over WebSocket, namespace ``/jobs``.

A client emits ``subscribe`` with the id of a job. The acknowledgement carries the job, or the same
"there is no such job" for unknown ones and other people's; ``progress`` follows with each change
until the job has ended. Progress is read from the table of jobs, so that any worker process may
do the job and any web process may tell of it. ``docs/decisions/0003-server.md`` says more.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import socketio
from sqlalchemy.exc import SQLAlchemyError

from fairdatabase.jobs.errors import JobNotFoundError
from fairdatabase.jobs.schemas import JobRecord
from fairdatabase.jobs.service import Jobs
from fairdatabase.kernel.errors import AuthenticationError, FAIRDatabaseError, LimitExceededError

if TYPE_CHECKING:
    from fairdatabase.authorization.schemas import Actor

NAMESPACE = "/jobs"
_POLL_SECONDS = 0.5
_CONNECTION_SECONDS = 300.0
_MAX_CONNECTIONS = 1000
_MAX_SUBSCRIPTIONS = 50
_MAX_MESSAGE = 4096
_ACTOR = "fairdatabase.actor"

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
logger = logging.getLogger(__name__)
_transport_logger = logging.getLogger(f"{__name__}.transport")
_transport_logger.setLevel(logging.WARNING)  # it tells of every packet otherwise


class LiveProgress:
    """An ASGI application for ``websocket`` scopes.

    Args:
        jobs: Where progress is read.
        authenticate: Returns who opens a connection, or raises ``AuthenticationError``; called on
            a thread.
        origin: Of the site, accepted beside the host that the connection was made to.
        lifetime: Seconds after which a connection ends; the browser returns with its present
            cookie, so that nobody listens on after signing out.
    """

    def __init__(
        self,
        jobs: Jobs,
        authenticate: Callable[[Scope], "Actor"],
        *,
        origin: str,
        lifetime: float = _CONNECTION_SECONDS,
    ) -> None:
        self._jobs = jobs
        self._authenticate = authenticate
        self._origin = origin
        self._lifetime = lifetime
        self._connections = 0
        self._followed = _Followed()
        self._watcher: asyncio.Task[None] | None = None
        self._server = _new_server(self._is_own)
        self._application = socketio.ASGIApp(self._server)
        self._server.on("connect", self._connect, namespace=NAMESPACE)
        self._server.on("subscribe", self._subscribe, namespace=NAMESPACE)
        self._server.on("disconnect", self._disconnect, namespace=NAMESPACE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection of somebody who is signed in; refuse all others."""
        if self._connections >= _MAX_CONNECTIONS:
            await _refuse(receive, send)
            return
        self._connections += 1
        try:
            scope[_ACTOR] = await asyncio.to_thread(self._authenticate, scope)
            await self._application(scope, _limited(receive, self._lifetime), send)
        except AuthenticationError:
            await _refuse(receive, send)
        finally:
            self._connections -= 1

    def _is_own(self, origin: str | None, environ: Mapping[str, Any]) -> bool:
        """Tell whether a page of this site opened the connection; others have cookies as well."""
        if origin is None or origin == self._origin:
            return True
        return urlsplit(origin).netloc == environ.get("HTTP_HOST")

    async def _connect(self, sid: str, environ: Mapping[str, Any], _auth: object = None) -> None:
        actor = environ["asgi.scope"][_ACTOR]
        await self._server.save_session(sid, actor, namespace=NAMESPACE)

    async def _disconnect(self, sid: str, _reason: object = None) -> None:
        self._followed.leave(sid)

    async def _subscribe(self, sid: str, public_id: object = None, *_: object) -> dict[str, Any]:
        try:
            job = await self._follow(sid, public_id)
        except FAIRDatabaseError as error:
            return {"status": "error", "error": error.message}
        return {"status": "success", "data": _shown(job)}

    async def _follow(self, sid: str, public_id: object) -> JobRecord:
        actor: Actor = await self._server.get_session(sid, namespace=NAMESPACE)
        if not isinstance(public_id, str):
            raise JobNotFoundError(repr(public_id)[:20])
        self._followed.require_room(sid)
        job = await asyncio.to_thread(self._jobs.get, actor, public_id)
        if not job.state.has_ended:
            await self._server.enter_room(sid, public_id, namespace=NAMESPACE)
            self._followed.join(sid, job)
            if self._watcher is None or self._watcher.done():
                self._watcher = asyncio.create_task(self._watch())
        return job

    async def _watch(self) -> None:
        """Tell what changed, as long as somebody listens."""
        while public_ids := self._followed.public_ids:
            await asyncio.sleep(_POLL_SECONDS)
            try:
                jobs = await asyncio.to_thread(self._jobs.progress_of, public_ids)
            except SQLAlchemyError:
                logger.warning("Progress cannot be read; trying again", exc_info=True)
                continue
            for job in jobs:
                await self._tell(job)
            for public_id in public_ids - {job.public_id for job in jobs}:
                self._followed.forget(public_id)

    async def _tell(self, job: JobRecord) -> None:
        if not self._followed.is_news(job):
            return
        await self._server.emit("progress", _shown(job), room=job.public_id, namespace=NAMESPACE)
        if job.state.has_ended:
            await self._server.close_room(job.public_id, namespace=NAMESPACE)
            self._followed.forget(job.public_id)


class _Followed:
    """Which connections follow which jobs, and what they were told last."""

    def __init__(self) -> None:
        self._connections: defaultdict[str, set[str]] = defaultdict(set)
        self._told: dict[str, JobRecord] = {}

    @property
    def public_ids(self) -> set[str]:
        return set(self._connections)

    def require_room(self, sid: str) -> None:
        """Raise ``LimitExceededError`` where a connection follows as many jobs as it may."""
        if sum(sid in sids for sids in self._connections.values()) >= _MAX_SUBSCRIPTIONS:
            message = f"A connection follows at most {_MAX_SUBSCRIPTIONS} jobs."
            raise LimitExceededError(message)

    def join(self, sid: str, job: JobRecord) -> None:
        self._connections[job.public_id].add(sid)
        self._told.setdefault(job.public_id, job)

    def leave(self, sid: str) -> None:
        for public_id in self.public_ids:
            self._connections[public_id].discard(sid)
            if not self._connections[public_id]:
                self.forget(public_id)

    def forget(self, public_id: str) -> None:
        self._connections.pop(public_id, None)
        self._told.pop(public_id, None)

    def is_news(self, job: JobRecord) -> bool:
        """Remember ``job`` and tell whether it differs from what its followers know."""
        if job.public_id not in self._connections or self._told[job.public_id] == job:
            return False
        self._told[job.public_id] = job
        return True


def _new_server(is_own: Callable[[str | None, Mapping[str, Any]], bool]) -> socketio.AsyncServer:
    return socketio.AsyncServer(
        async_mode="asgi",
        transports=["websocket"],
        async_handlers=False,
        cors_allowed_origins=is_own,
        namespaces=[NAMESPACE],
        logger=_transport_logger,
        engineio_logger=_transport_logger,
    )


def _shown(job: JobRecord) -> dict[str, Any]:
    return job.model_dump(mode="json")


async def _refuse(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.close", "code": 1008, "reason": ""})


def _limited(receive: Receive, lifetime: float) -> Receive:
    """Let a connection end after ``lifetime`` seconds and at the first message that is too long."""
    deadline = asyncio.get_running_loop().time() + lifetime

    async def limited() -> Message:
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError:
            return {"type": "websocket.disconnect", "code": 1001}
        if len(message.get("text") or message.get("bytes") or "") > _MAX_MESSAGE:
            return {"type": "websocket.disconnect", "code": 1009}
        return message

    return limited
