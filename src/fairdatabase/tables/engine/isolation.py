"""Reads files in a process of its own that may use so much memory and time and no more.

Readers of binary formats are native code that reserves what a file claims to hold: a workbook of
a kilobyte with a cell in each corner of its sheet, or a Parquet file in which a million rows
refer to one long text. Where that fails they abort the process, and where it does not they take
the memory of the machine. In a process of its own it costs the one file.
"""

from __future__ import annotations

import logging
import multiprocessing
import re
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, TypeVar

from fairdatabase.tables.engine.store import Progress
from fairdatabase.tables.errors import ExpansionLimitError

T = TypeVar("T")
_IMPORTED_ONCE = "fairdatabase.tables.engine.ingest"
_STATUS = Path("/proc/self/status")
_IN_USE = re.compile(r"^VmData:\s+(\d+) kB", re.MULTILINE)
_MIB = 1 << 20
_PROGRESS, _RESULT, _ERROR = "progress", "result", "error"
logger = logging.getLogger(__name__)


def isolated(
    work: Callable[..., T],
    *arguments: object,
    name: str,
    progress: Progress,
    memory_mib: int,
    seconds: int,
) -> T:
    """Call a function in a process of its own and return what it returns.

    Args:
        work: A function of a module, whose last parameter is the progress to tell.
        *arguments: Its other arguments; they and the result can be pickled.
        name: Of the file, for messages.
        progress: Told what the function tells; what it raises ends the work.
        memory_mib: Memory that the function may take, on Linux.
        seconds: CPU time that it may take.

    Raises:
        ExpansionLimitError: It would have taken more of either, or it crashed.
        Exception: What the function raises.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([_IMPORTED_ONCE])
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(theirs, work, arguments, memory_mib, seconds))
    process.start()
    theirs.close()
    try:
        with ours:
            result: T = _await(ours, progress)
            return result
    except (EOFError, MemoryError):
        process.join()
        raise _used_up(process, name, memory_mib, seconds) from None
    finally:
        process.kill()
        process.join()
        process.close()


def _await(connection: Connection, progress: Progress) -> Any:  # noqa: ANN401 - of the work
    while True:
        kind, *content = connection.recv()
        if kind == _PROGRESS:
            progress(*content)
        elif kind == _ERROR:
            raise content[0]
        else:
            return content[0]


def _used_up(
    process: ForkServerProcess, name: str, memory_mib: int, seconds: int
) -> ExpansionLimitError:
    logger.warning("Reading a file was given up", extra={"exit_code": process.exitcode})
    cost = f"{memory_mib:,} MiB of memory"
    if process.exitcode == -signal.SIGXCPU:
        cost = f"{seconds:,} seconds"
    return ExpansionLimitError(
        f"{name} takes more than {cost} to be read, far more than tables of its size do."
        " Save the table as CSV and send that."
    )


def _run(
    connection: Connection,
    work: Callable[..., object],
    arguments: tuple[object, ...],
    memory_mib: int,
    seconds: int,
) -> None:
    """Do the work in the new process."""
    _limit(memory_mib, seconds)

    def tell(share: float, activity: str) -> None:
        connection.send((_PROGRESS, share, activity))

    # Nobody may be there any more to be told.
    with suppress(BrokenPipeError):
        try:
            connection.send((_RESULT, work(*arguments, tell)))
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001 - raised again where the work was asked for
            connection.send((_ERROR, error))


def _limit(memory_mib: int, seconds: int) -> None:
    # Whoever stops the instance lets running work end, and the one who asked for this waits for it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # it would hold what the file held
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    if sys.platform == "linux":
        found = _IN_USE.search(_STATUS.read_text(encoding="ascii", errors="replace"))
        used = int(found[1]) << 10 if found else 0
        most = used + memory_mib * _MIB
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
