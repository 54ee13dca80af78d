"""The processes of a running instance: web server and job worker below one supervisor.

Nothing is restarted in silence: when a part ends that was not told to, the others are stopped
and the supervisor fails, for whoever started it (a person, systemd, a container) to see.
"""

import http.client
import logging
import multiprocessing
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from multiprocessing import forkserver
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerProcess
from types import FrameType

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from fairdatabase import worker
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.errors import ConfigurationError, UnavailableError
from fairdatabase.observability.logging import configure_logging
from fairdatabase.serving.asgi import Application, build_application

_HEADER_MILLISECONDS = 15_000
_HEADER_BYTES = 64 * 1024
_REQUESTS_AT_A_TIME = 4096
_BACKLOG = 2048
_OPEN_FILES = 16_384
_STOP_SECONDS = 30
_LOOK_SECONDS = 0.2
_LIVENESS_PATH = "/health/live"
_IMPORTED_ONCE = ("fairdatabase.serving.asgi", "fairdatabase.worker")
"""Imported by the fork server, which has neither threads nor connections, for all parts."""
_LOGS_TO_ROOT = {
    "formatters": {},
    "handlers": {},
    "loggers": {"_granian": {"handlers": [], "propagate": True}},
}
logger = logging.getLogger(__name__)


def serve(
    settings: Settings,
    *,
    host: str,
    port: int,
    workers: int,
    with_worker: bool,
    on_ready: Callable[[], object] | None = None,
) -> None:
    """Serve an instance until SIGTERM or SIGINT, then let running requests and jobs end.

    Call it in the main thread of a process that does nothing else.

    Args:
        settings: Of the instance.
        host: Address to listen on.
        port: Port to listen on.
        workers: Number of web processes.
        with_worker: Whether to do jobs as well; otherwise ``fairdatabase worker`` does.
        on_ready: Called once the server answers.

    Raises:
        ConfigurationError: The address cannot be listened on.
        UnavailableError: A part ended without being told to.
    """
    _check_address(host, port)
    preload()
    context = multiprocessing.get_context("forkserver")
    parts = {"web server": context.Process(target=_run_web, args=(settings, host, port, workers))}
    if with_worker:
        parts["job worker"] = context.Process(target=_run_worker, args=(settings,))
    told = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        told.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        for name, part in parts.items():
            part.start()
            logger.info("The %s runs as process %s", name, part.pid)
        _watch(parts, told, host, port, on_ready)
    finally:
        _stop(parts)
        for number, handler in before.items():
            signal.signal(number, handler)


def preload() -> None:
    """Begin to import the application in another process, where :func:`serve` will need it."""
    multiprocessing.set_forkserver_preload(list(_IMPORTED_ONCE))
    forkserver.ensure_running()


def _check_address(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            message = (
                f"Cannot listen on {host}, port {port}: {error.strerror}. Stop the program that"
                " uses it, or choose another with --host and --port."
            )
            raise ConfigurationError(message) from error


def _watch(
    parts: Mapping[str, ForkServerProcess],
    told: threading.Event,
    host: str,
    port: int,
    on_ready: Callable[[], object] | None,
) -> None:
    """Return when told to stop; see :func:`serve`."""
    announce = on_ready
    while not told.is_set():
        wait([part.sentinel for part in parts.values()], timeout=_LOOK_SECONDS)
        ended = [name for name, part in parts.items() if part.exitcode is not None]
        if ended and not told.is_set():
            message = (
                f"The {ended[0]} ended unexpectedly (exit code {parts[ended[0]].exitcode}), so"
                " everything was stopped. The log above says why."
            )
            raise UnavailableError(message)
        if announce is not None and _answers(host, port):
            announce()
            announce = None


def _answers(host: str, port: int) -> bool:
    anywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to ask, not to listen
    connection = http.client.HTTPConnection(anywhere.get(host, host), port, timeout=1)
    try:
        connection.request("GET", _LIVENESS_PATH)
        return connection.getresponse().status < http.client.INTERNAL_SERVER_ERROR
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _stop(parts: Mapping[str, ForkServerProcess]) -> None:
    started = [part for part in parts.values() if part.pid is not None]
    for part in started:
        part.terminate()
    deadline = time.monotonic() + _STOP_SECONDS + 5
    for part in started:
        part.join(max(deadline - time.monotonic(), 0))
    for name, part in parts.items():
        if part.is_alive():
            logger.error("The %s did not end in time and is killed", name)
            part.kill()
            part.join()


def _run_web(settings: Settings, host: str, port: int, workers: int) -> None:
    configure_logging(settings)
    _end_with_parent()
    _allow_many_connections()
    multiprocessing.set_start_method("fork", force=True)  # granian's workers: imported already
    server = Granian(
        __name__,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        workers=workers,
        websockets=True,
        backlog=_BACKLOG,
        backpressure=_REQUESTS_AT_A_TIME,
        http1_settings=HTTP1Settings(
            header_read_timeout=_HEADER_MILLISECONDS, max_buffer_size=_HEADER_BYTES
        ),
        http=HTTPModes.http1,
        log_level=LogLevels.warning,
        log_dictconfig=_LOGS_TO_ROOT,
        respawn_failed_workers=False,
        workers_kill_timeout=_STOP_SECONDS,
    )
    server.serve(target_loader=partial(_web_worker, settings), wrap_loader=False)


def _web_worker(settings: Settings) -> Application:
    _end_with_parent()
    return build_application(settings)


def _run_worker(settings: Settings) -> None:
    configure_logging(settings)
    _end_with_parent()
    worker.start(settings)


def _allow_many_connections() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _end_with_parent() -> None:
    """End this process when its parent was killed: nobody would tell it to any more."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()
