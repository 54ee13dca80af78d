"""Signing in: its latency and rate at the default cost of a hash, and what others feel of it.

The platform runs as ``fairdatabase serve`` with one web process over an empty instance; its rate
limits are off. The baseline is a JSON hello world on the same server. First one client signs in
again and again, then sixteen at once. Then a cheap page is asked for by two clients, alone and
while the sixteen go on signing in: what matters is how much longer the page takes then. Load
comes from this process, so on few cores it competes with the server.

    python -m benchmarks.sign_in --seconds 10
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.http_requests import (
    ROOT,
    ask,
    cpu_seconds,
    free_port,
    measure_baseline,
    running,
)

CLIENTS = 16
READERS = 2
PAGE = "/about"
PASSWORD = "a long walk by the sea"  # noqa: S105 - of accounts that live for seconds
WARM_UP_SECONDS = 1.0


@dataclass(frozen=True)
class Instance:
    """A running instance."""

    port: int
    pid: int


@dataclass(frozen=True)
class Measured:
    """What a group of clients achieved; times in seconds."""

    per_second: float
    per_cpu_second: float
    p50: float
    p95: float


@contextmanager
def instance() -> Iterator[Instance]:
    """Run an instance with an account for each client."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "FAIRDATABASE_INSTANCE_PATH": str(Path(folder) / "instance"),
            "FAIRDATABASE_BASE_URL": f"http://127.0.0.1:{port}",
            "FAIRDATABASE_RATE_LIMITS_ENABLED": "false",
            "FAIRDATABASE_LOG_LEVEL": "ERROR",
        }
        program = [str(Path(sys.executable).with_name("fairdatabase"))]
        for step in ("init", "migrate"):
            subprocess.run(
                [*program, step],
                check=True,
                env=os.environ | settings,
                stdout=subprocess.DEVNULL,
                cwd=ROOT,
            )
        serve = [*program, "serve", "--port", str(port), "--workers", "1", "--no-worker"]
        with running(serve, port, "/health/live", **settings) as pid:
            for number in range(CLIENTS):
                register(port, number)
            yield Instance(port, pid)


def register(port: int, number: int) -> None:
    """Make an account."""
    person = {"name": f"Person {number}", "email": address(number), "password": PASSWORD}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/auth/register",
        data=json.dumps(person).encode(),
        headers={"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=60).close()  # noqa: S310 - ours


def address(number: int) -> str:
    """Return the e-mail address of a client."""
    return f"person{number}@example.org"


def sign_in(port: int, number: int) -> bytes:
    """Return the request by which a client signs in."""
    body = json.dumps({"email": address(number), "password": PASSWORD}).encode()
    return (
        f"POST /api/v1/auth/login HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def read(port: int) -> bytes:
    """Return the request of a reader."""
    return f"GET {PAGE} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()


async def load(
    port: int, requests: list[bytes], seconds: float, *, beside: list[bytes] | None = None
) -> list[float]:
    """Return the seconds that each request took.

    Args:
        port: Of the server.
        requests: One for each client, sent again and again.
        seconds: How long.
        beside: Requests of further clients that are not measured.
    """
    times: list[float] = []
    others: list[float] = []
    until = time.monotonic() + seconds
    async with asyncio.TaskGroup() as clients:
        background = [
            clients.create_task(ask(port, each, until + 3600, others)) for each in beside or ()
        ]
        await asyncio.sleep(WARM_UP_SECONDS if background else 0)
        until = time.monotonic() + seconds
        measured = [clients.create_task(ask(port, each, until, times)) for each in requests]
        await asyncio.gather(*measured)
        for task in background:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    return times


def measure(
    where: Instance, requests: list[bytes], seconds: float, *, beside: list[bytes] | None = None
) -> Measured:
    """Measure a group of clients, after warming up."""
    asyncio.run(load(where.port, requests, WARM_UP_SECONDS))
    cpu, started = cpu_seconds(where.pid), time.monotonic()
    times = asyncio.run(load(where.port, requests, seconds, beside=beside))
    elapsed, cpu = time.monotonic() - started, cpu_seconds(where.pid) - cpu
    hundredths = statistics.quantiles(times, n=100)
    return Measured(len(times) / elapsed, len(times) / cpu, hundredths[49], hundredths[94])


def main() -> None:
    """Print sign-ins and what they cost others."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="of load in each step")
    options = parser.parse_args()
    hello = measure_baseline(options.seconds)
    with instance() as where:
        everybody = [sign_in(where.port, number) for number in range(CLIENTS)]
        readers = [read(where.port)] * READERS
        alone = measure(where, everybody[:1], options.seconds)
        together = measure(where, everybody, options.seconds)
        quiet = measure(where, readers, options.seconds)
        busy = measure(where, readers, options.seconds, beside=everybody)
    print(f"one web process, {os.cpu_count()} cores, latency in ms")
    print(f"{'':38}{'per s':>8}{'p50':>8}{'p95':>8}")
    rows = {
        "hello world, 16 clients": (hello.per_second, hello.p50, hello.p95),
        "sign in, one client": (alone.per_second, alone.p50, alone.p95),
        "sign in, 16 clients": (together.per_second, together.p50, together.p95),
        f"{PAGE}, 2 clients": (quiet.per_second, quiet.p50, quiet.p95),
        f"{PAGE}, while 16 clients sign in": (busy.per_second, busy.p50, busy.p95),
    }
    for name, (rate, p50, p95) in rows.items():
        print(f"{name:38}{rate:>8.1f}{1000 * p50:>8.1f}{1000 * p95:>8.1f}")
    cost = hello.per_cpu_second / alone.per_cpu_second
    print(f"\nSigning in costs as much CPU as {cost:,.0f} hello worlds.")
    print(
        f"While 16 clients sign in, {PAGE} takes {busy.p50 / quiet.p50:.1f} times as long at the"
        f" median and {busy.p95 / quiet.p95:.1f} times at the 95th percentile."
    )


if __name__ == "__main__":
    main()
