"""Live progress: a real server, and real Socket.IO clients over WebSocket."""

import gc
import queue
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import socketio
from flask_openapi3 import OpenAPI
from pydantic import SecretStr
from socketio.exceptions import ConnectionError as RefusedError

from fairdatabase.accounts.authentication import TokenKind, tokens_for
from fairdatabase.accounts.schemas import Credentials, Tokens
from fairdatabase.app import create_app
from fairdatabase.authorization.schemas import Actor, Role
from fairdatabase.jobs.backends.memory import MemoryQueue
from fairdatabase.jobs.schemas import JobRecord
from fairdatabase.jobs.service import JobContext
from fairdatabase.services import Services, build_services
from tests.factories.accounts import PASSWORD, make_actor
from tests.factories.serving import Server, instance_settings, running

NAMESPACE = "/jobs"
KIND = "tests.wait"
PATIENCE = 30


@dataclass(frozen=True)
class Instance:
    """A running server, and its services in this process."""

    server: Server
    services: Services
    queue: MemoryQueue
    app: OpenAPI

    def tokens(self, actor: Actor, kind: TokenKind) -> Tokens:
        """Sign in."""
        credentials = Credentials(email=actor.email, password=SecretStr(PASSWORD))
        with self.app.app_context():
            return tokens_for(self.services.accounts.sign_in(credentials), kind=kind)

    def cookie(self, actor: Actor) -> dict[str, str]:
        """Return the header that a signed-in browser sends."""
        name = self.app.config["JWT_ACCESS_COOKIE_NAME"]
        token = self.tokens(actor, "cookie").access_token
        return {"Cookie": f"{name}={token}"}

    def enqueue(self, owner_id: UUID | None) -> JobRecord:
        """Let a job wait, without anybody to do it."""
        return self.services.jobs.enqueue(KIND, {}, owner_id=owner_id)

    @contextmanager
    def client(self, headers: dict[str, str], *, origin: str = "") -> Iterator["Listener"]:
        """Connect as a page of ``origin`` does; of this server by default."""
        client = socketio.Client(
            reconnection=False, websocket_extra_options={"origin": origin or self.server.url}
        )
        listener = Listener(client)
        client.connect(
            self.server.url, headers=headers, transports=["websocket"], namespaces=[NAMESPACE]
        )
        connection = client.eio.ws
        try:
            yield listener
        finally:
            client.disconnect()
            connection.shutdown()  # the client leaves it open when the server ended it


class Listener:
    """Keeps the progress that arrives."""

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - socketio has no types
        self.client = client
        self.heard: queue.Queue[dict[str, Any]] = queue.Queue()
        client.on("progress", self.heard.put, namespace=NAMESPACE)

    def subscribe(self, public_id: object) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.call(
            "subscribe", public_id, namespace=NAMESPACE, timeout=PATIENCE
        )
        return answer

    def until(self, **values: object) -> dict[str, Any]:
        """Return the first progress with these values."""
        while True:
            progress = self.heard.get(timeout=PATIENCE)
            if progress | values == progress:
                return progress


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Instance]:
    """Two web processes; jobs are done in this process, when a test says so."""
    folder = tmp_path_factory.mktemp("live")
    settings = instance_settings(folder / "instance", sqlite_template)
    jobs = MemoryQueue()
    services = build_services(settings, queue=jobs)
    app = create_app(services=services)
    with running(settings, workers=2, log=folder / "log") as server:
        yield Instance(server, services, jobs, app)
    services.database.dispose()


@pytest.fixture
def owner(instance: Instance) -> Actor:
    return make_actor(instance.services.accounts)


def test_progress_arrives_from_waiting_to_done(instance: Instance, owner: Actor) -> None:
    go_on = threading.Event()

    def handler(context: JobContext, _payload: object) -> None:
        context.progress(0.25, "Reading rows")
        assert go_on.wait(PATIENCE)

    instance.services.jobs.register(KIND, handler)
    job = instance.enqueue(owner.user_id)
    curator = make_actor(instance.services.accounts, Role.CURATOR)
    bearer = {"Authorization": f"Bearer {instance.tokens(curator, 'bearer').access_token}"}
    with instance.client(instance.cookie(owner)) as mine, instance.client(bearer) as theirs:
        for listener in (mine, theirs):
            answer = listener.subscribe(job.public_id)
            assert answer["status"] == "success"
            assert answer["data"]["state"] == "queued"
        worker = threading.Thread(target=instance.queue.drain, args=[instance.services.jobs.run])
        worker.start()
        assert mine.until(progress=0.25)["message"] == "Reading rows"
        go_on.set()
        for listener in (mine, theirs):
            done = listener.until(state="done")
            assert (done["public_id"], done["progress"]) == (job.public_id, 1.0)
            assert "owner_id" not in done
        worker.join()
        assert mine.subscribe(job.public_id)["data"]["state"] == "done"


def test_other_peoples_jobs_are_as_unknown_as_those_that_never_were(
    instance: Instance, owner: Actor
) -> None:
    stranger = make_actor(instance.services.accounts)
    job = instance.enqueue(owner.user_id)
    nobodys = instance.enqueue(None)
    with instance.client(instance.cookie(stranger)) as listener:
        for public_id in (job.public_id, nobodys.public_id, "0000000000x"):
            answer = {"status": "error", "error": f"There is no job {public_id}."}
            assert listener.subscribe(public_id) == answer


@pytest.mark.parametrize("public_id", [None, 7, ["a"], {"id": "a"}, "", "x" * 3000])
def test_strange_ids_are_refused(instance: Instance, owner: Actor, public_id: object) -> None:
    with instance.client(instance.cookie(owner)) as listener:
        assert listener.subscribe(public_id)["status"] == "error"
        assert listener.subscribe(instance.enqueue(owner.user_id).public_id)["status"] == "success"


def test_a_connection_follows_a_bounded_number_of_jobs(instance: Instance, owner: Actor) -> None:
    with instance.client(instance.cookie(owner)) as listener:
        answers = [
            listener.subscribe(instance.enqueue(owner.user_id).public_id)["status"]
            for _ in range(51)
        ]
        assert answers == ["success"] * 50 + ["error"]


def test_long_messages_end_the_connection(instance: Instance, owner: Actor) -> None:
    ended = threading.Event()
    with instance.client(instance.cookie(owner)) as listener:
        listener.client.on("disconnect", lambda *_: ended.set(), namespace=NAMESPACE)
        listener.client.emit("subscribe", "x" * 5000, namespace=NAMESPACE)
        assert ended.wait(PATIENCE)


def _refused(instance: Instance, headers: dict[str, str], *, origin: str = "") -> bool:
    refused = False
    with warnings.catch_warnings():
        # The client leaves the socket of a refused handshake to the garbage collector.
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            with instance.client(headers, origin=origin):
                pass
        except RefusedError:
            refused = True
        gc.collect()
    return refused


def test_only_signed_in_people_may_listen(instance: Instance, owner: Actor) -> None:
    name = instance.app.config["JWT_ACCESS_COOKIE_NAME"]
    refresh = instance.tokens(owner, "cookie").refresh_token
    bearer = instance.tokens(owner, "bearer").access_token
    assert _refused(instance, {})
    assert _refused(instance, {"Cookie": f"{name}={refresh}"})
    assert _refused(instance, {"Cookie": f"{name}={bearer}"})
    assert _refused(instance, {"Authorization": "Bearer nonsense"})
    assert not _refused(instance, {"Authorization": f"Bearer {bearer}"})


def test_other_sites_may_not_use_a_visitors_cookie(instance: Instance, owner: Actor) -> None:
    headers = instance.cookie(owner)
    assert not _refused(instance, headers)
    assert not _refused(instance, headers, origin=instance.services.settings.public_url)
    assert _refused(instance, headers, origin="https://evil.example")
    assert _refused(instance, headers, origin="null")


def test_a_session_that_was_ended_may_not_listen(instance: Instance, owner: Actor) -> None:
    credentials = Credentials(email=owner.email, password=SecretStr(PASSWORD))
    grant = instance.services.accounts.sign_in(credentials)
    with instance.app.app_context():
        token = tokens_for(grant, kind="bearer").access_token
    headers = {"Authorization": f"Bearer {token}"}
    assert not _refused(instance, headers)
    instance.services.accounts.sign_out(grant.actor)
    assert _refused(instance, headers)
