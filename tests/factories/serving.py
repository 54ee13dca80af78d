"""Instances that run in processes of their own."""

import pickle
import select
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fairdatabase.kernel.config import Settings, load_settings

_START_SECONDS = 300
_STOP_SECONDS = 180
_PROGRAM = """
import pickle, sys
from fairdatabase.observability.logging import configure_logging
from fairdatabase.serving.processes import serve
settings, options = pickle.load(sys.stdin.buffer)
configure_logging(settings)
serve(settings, host="127.0.0.1", on_ready=lambda: print("ready", flush=True), **options)
"""


def instance_settings(folder: Path, sqlite_template: Path) -> Settings:
    """Return the settings of a new instance on SQLite with four request threads."""
    folder.mkdir(parents=True)
    shutil.copy(sqlite_template, folder / "fairdatabase.db")
    return load_settings(
        _env_file=None,
        environment="development",
        instance_path=folder,
        base_url=f"http://127.0.0.1:{free_port()}",
        secret_key="t" * 32,
        jwt_secret_key="j" * 64,
        data_key="d" * 32,
        pseudonym_key="p" * 32,
        argon2_memory_kib=8,
        argon2_time_cost=1,
        argon2_parallelism=1,
        rate_limits_enabled=False,
        database_pool_size=2,
    )


@dataclass(frozen=True)
class Server:
    """A running instance."""

    process: subprocess.Popen[bytes]
    settings: Settings
    port: int

    @property
    def url(self) -> str:
        """Address without a closing slash."""
        return self.settings.public_url

    def stop(self) -> int:
        """Ask it to stop as a service manager does, and return its exit code."""
        self.process.terminate()
        return self.process.wait(_STOP_SECONDS)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    settings: Settings, *, workers: int = 1, with_worker: bool = False, log: Path
) -> Iterator[Server]:
    """Serve an instance inside the block, at the port of its address.

    Args:
        settings: Of the instance.
        workers: Number of web processes.
        with_worker: Whether to do jobs.
        log: Where the instance writes what it has to say.
    """
    port = settings.base_url.port
    assert port
    options = {"port": port, "workers": workers, "with_worker": with_worker}
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=sink,
        )
    assert process.stdin
    assert process.stdout
    try:
        process.stdin.write(pickle.dumps((settings, options)))
        process.stdin.close()
        readable, _, _ = select.select([process.stdout], [], [], _START_SECONDS)
        assert readable, log.read_text()
        assert process.stdout.readline() == b"ready\n", log.read_text()
        yield Server(process, settings, port)
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        finally:
            process.kill()
            process.stdout.close()
