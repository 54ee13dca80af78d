"""Huey as carrier, over a SQLite file and over a real Redis server."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from redis import Redis
from redis.exceptions import RedisError

from fairdatabase.jobs.backends.huey import HueyQueue
from fairdatabase.kernel.config import Settings, load_settings
from fairdatabase.kernel.errors import UnavailableError

_SERVER = shutil.which("redis-server")


def made_settings(folder: Path, redis_url: str = "") -> Settings:
    secret = "s" * 32
    return load_settings(
        _env_file=None,
        instance_path=folder,
        redis_url=redis_url,
        secret_key=secret,
        jwt_secret_key=secret,
        data_key=secret,
        pseudonym_key=secret,
    )


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a Redis server of this test run."""
    if _SERVER is None:
        pytest.skip("no redis-server on this machine")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("redis")
    command = [
        _SERVER,
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        str(folder),
    ]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    client = Redis(port=port)
    for _ in range(200):
        try:
            client.ping()
            break
        except RedisError:
            time.sleep(0.05)
    yield f"redis://127.0.0.1:{port}/0"
    client.close()
    server.terminate()
    server.wait()


@pytest.fixture(params=["sqlite", "redis"])
def queue_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    url = request.getfixturevalue("redis_url") if request.param == "redis" else ""
    return made_settings(tmp_path / "instance", url)


@pytest.fixture
def queue(queue_settings: Settings) -> Iterator[HueyQueue]:
    queue = HueyQueue(queue_settings)
    yield queue
    queue._huey.storage.flush_queue()
    queue.close()


def consume(queue: HueyQueue, count: int) -> list[UUID]:
    """Consume in this thread, as a worker does, until ``count`` ids came; then ask it to stop."""
    seen: list[UUID] = []
    before = {
        number: signal.getsignal(number)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    }

    def run(job_id: UUID) -> None:
        seen.append(job_id)
        if len(seen) == count:
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()

    try:
        queue.consume(run, threads=2)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return seen


def test_ids_travel_to_the_worker(queue: HueyQueue) -> None:
    ids = {uuid4() for _ in range(5)}
    for job_id in ids:
        queue.put(job_id)
    assert queue.check() == "5 waiting"
    assert set(consume(queue, 5)) == ids
    assert queue.check() == "0 waiting"


def test_ids_travel_between_processes(queue: HueyQueue, queue_settings: Settings) -> None:
    job_id = uuid4()
    code = (
        "import sys; from uuid import UUID\n"
        "from fairdatabase.jobs.backends.huey import HueyQueue\n"
        "from fairdatabase.kernel.config import Settings\n"
        "HueyQueue(Settings.model_construct(instance_path=__import__('pathlib').Path(sys.argv[1]),"
        " redis_url=sys.argv[2])).put(UUID(sys.argv[3]))\n"
    )
    arguments = [str(queue_settings.instance_path), queue_settings.redis_url, str(job_id)]
    subprocess.run([sys.executable, "-c", code, *arguments], check=True)
    assert consume(queue, 1) == [job_id]


def test_only_ids_travel_and_nothing_is_unpickled(queue: HueyQueue) -> None:
    job_id = uuid4()
    queue.put(job_id)
    assert [bytes(item) for item in queue._huey.storage.enqueued_items()] == [str(job_id).encode()]


def test_what_is_not_an_id_is_left_out(queue: HueyQueue, caplog: pytest.LogCaptureFixture) -> None:
    queue._huey.storage.enqueue(b"cos\nsystem\n(S'true'\ntR.")
    job_id = uuid4()
    queue.put(job_id)
    assert consume(queue, 1) == [job_id]
    assert "Error reading from queue" in caplog.text


def test_a_queue_that_does_not_answer_is_reported(tmp_path: Path) -> None:
    queue = HueyQueue(made_settings(tmp_path, "redis://127.0.0.1:1/0"))
    with pytest.raises(UnavailableError, match="does not answer"):
        queue.check()


def test_a_queue_without_consumer_runs_nothing(queue: HueyQueue) -> None:
    with pytest.raises(RuntimeError, match="consume"):
        queue._work(uuid4())
