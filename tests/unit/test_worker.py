"""Workers as real processes: killed, stopped, replaced."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from fairdatabase.authorization.schemas import OPERATOR
from fairdatabase.jobs.schemas import JobRecord, JobState
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.services import Services, build_services

WORKER = """
import sys, time
from pathlib import Path
from fairdatabase.jobs.backends.huey import HueyQueue
from fairdatabase.kernel.config import load_settings
from fairdatabase.services import build_services
from fairdatabase.worker import work

folder = Path(sys.argv[1])
queue = HueyQueue(load_settings(_env_file=None))
services = build_services(load_settings(_env_file=None), queue=queue)

def slow(context, payload):
    with (folder / "started").open("a") as file:
        file.write("x")
    while not (folder / "go").exists():
        context.progress(0.5, "Waiting")
        time.sleep(0.05)
    with (folder / "finished").open("a") as file:
        file.write("x")

services.jobs.register("slow", slow)
work(services, queue)
"""
Start = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings with a lease of a second and a half."""
    settings.instance_path.mkdir()
    return settings.model_copy(update={"job_lease_seconds": 1.5})


@pytest.fixture
def services(settings: Settings, database: Database) -> Services:
    """Services as a web process has them: jobs go through Huey's file."""
    return build_services(settings, database)


@pytest.fixture
def start(settings: Settings, tmp_path: Path) -> Iterator[Start]:
    """A function that starts a worker; what still runs at the end is killed."""
    environment = os.environ | {
        "FAIRDATABASE_ENVIRONMENT": "development",
        "FAIRDATABASE_INSTANCE_PATH": str(settings.instance_path),
        "FAIRDATABASE_DATABASE_URL": settings.database_url,
        "FAIRDATABASE_SECRET_KEY": "t" * 32,
        "FAIRDATABASE_JWT_SECRET_KEY": "j" * 32,
        "FAIRDATABASE_DATA_KEY": "d" * 32,
        "FAIRDATABASE_PSEUDONYM_KEY": "p" * 32,
        "FAIRDATABASE_JOB_LEASE_SECONDS": str(settings.job_lease_seconds),
    }
    with ExitStack() as processes:

        def started() -> "subprocess.Popen[bytes]":
            command = [sys.executable, "-c", WORKER, str(tmp_path)]
            process = processes.enter_context(subprocess.Popen(command, env=environment))
            processes.callback(process.kill)
            return process

        yield started


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that other processes do; fail after three minutes."""
    for _ in range(1800):
        if condition():
            return
        time.sleep(0.1)
    pytest.fail("it did not happen")


def count(path: Path) -> int:
    return len(path.read_text()) if path.exists() else 0


def state(services: Services, job: JobRecord) -> JobState:
    return services.jobs.get(OPERATOR, job.public_id).state


def test_a_killed_workers_job_is_done_once_by_the_next(
    services: Services, start: Start, tmp_path: Path
) -> None:
    job = services.jobs.enqueue("slow", {})
    first = start()
    until(lambda: count(tmp_path / "started") == 1)
    assert state(services, job) is JobState.RUNNING
    first.send_signal(signal.SIGKILL)
    first.wait()
    (tmp_path / "go").touch()
    assert count(tmp_path / "finished") == 0

    start()
    until(lambda: state(services, job).has_ended)
    done = services.jobs.get(OPERATOR, job.public_id)
    assert (done.state, done.attempts) == (JobState.DONE, 2)
    assert (count(tmp_path / "started"), count(tmp_path / "finished")) == (2, 1)


def test_a_worker_that_is_told_to_stop_ends_its_job_first(
    services: Services, start: Start, tmp_path: Path
) -> None:
    job = services.jobs.enqueue("slow", {})
    worker = start()
    until(lambda: count(tmp_path / "started") == 1)
    worker.send_signal(signal.SIGTERM)
    (tmp_path / "go").touch()
    assert worker.wait(timeout=180) == 0
    assert state(services, job) is JobState.DONE
    assert (count(tmp_path / "started"), count(tmp_path / "finished")) == (1, 1)


def test_a_starting_worker_finds_jobs_that_nobody_told_it_of(
    services: Services, start: Start, tmp_path: Path
) -> None:
    job = services.jobs.enqueue("slow", {})
    for file in services.settings.instance_path.glob("queue.db*"):
        file.unlink()
    (tmp_path / "go").touch()
    start()
    until(lambda: state(services, job) is JobState.DONE)
