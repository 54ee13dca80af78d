"""Requests: a JSON hello world against reads of datasets, all on the same server.

The baseline is a bare Flask application behind the same server and bridge as the platform. The
platform runs as ``fairdatabase serve`` with one web process over a demonstration instance;
its rate limits are off, because they would do their work. Load comes from this process
over keep-alive connections, so on few cores it competes with the server: compare the requests
per CPU second of the server rather than those per second.

    python benchmarks/http_requests.py --seconds 5
"""

import argparse
import asyncio
import json
import os
import socket
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

from flask import Flask

from fairdatabase.serving.bridge import WsgiBridge

ROOT = Path(__file__).resolve().parents[1]
CONNECTIONS = 16
WARM_UP_SECONDS = 1.0
START_SECONDS = 120
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Measured:
    """What one address achieved; times in seconds."""

    per_cpu_second: float
    per_second: float
    p50: float
    p95: float
    p99: float


def hello() -> WsgiBridge:
    """Return the baseline: a Flask application that says one thing."""
    app = Flask("hello")

    @app.get("/hello")
    def say() -> dict[str, str]:
        return {"hello": "world"}

    return WsgiBridge(app, threads=20)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], port: int, path: str, **settings: str) -> Iterator[int]:
    """Run a server inside the block, from its first answer on; yields its process id."""
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | settings, stdout=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and all below it."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        number = int(stat.parent.name)
        parents[number], ticks[number] = int(fields[1]), int(fields[11]) + int(fields[12])
    family = {pid}
    while more := {n for n, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(ticks.get(number, 0) for number in family) / TICKS


async def ask(port: int, request: bytes, until: float, times: list[float]) -> None:
    """Send the same request again and again over one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.monotonic() < until:
        started = time.perf_counter()
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        status = int(head.split(b" ", 2)[1])
        if status not in {200, 304}:
            raise RuntimeError(f"{request.split()[1].decode()} was answered with {status}")
        length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        if length:
            await reader.readexactly(int(length))
        times.append(time.perf_counter() - started)
    writer.close()


async def load(port: int, request: bytes, seconds: float) -> list[float]:
    """Return the seconds that each request took."""
    times: list[float] = []
    until = time.monotonic() + seconds
    await asyncio.gather(*(ask(port, request, until, times) for _ in range(CONNECTIONS)))
    return times


def measure(port: int, pid: int, path: str, seconds: float, header: str = "") -> Measured:
    """Measure one address, after warming up."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{header}\r\n".encode()
    asyncio.run(load(port, request, WARM_UP_SECONDS))
    cpu, started = cpu_seconds(pid), time.monotonic()
    times = asyncio.run(load(port, request, seconds))
    elapsed, cpu = time.monotonic() - started, cpu_seconds(pid) - cpu
    hundredths = statistics.quantiles(times, n=100)
    return Measured(
        len(times) / cpu, len(times) / elapsed, hundredths[49], hundredths[94], hundredths[98]
    )


def measure_baseline(seconds: float) -> Measured:
    """Measure the hello world."""
    port = free_port()
    target = "benchmarks.http_requests:hello"
    command = [sys.executable, "-m", "granian", "--factory", "--interface", "asginl", target]
    command += ["--port", str(port), "--no-ws", "--http", "1", "--log-level", "error"]
    with running(command, port, "/hello") as pid:
        return measure(port, pid, "/hello", seconds)


def measure_platform(seconds: float) -> dict[str, Measured]:
    """Measure reads of a published dataset."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        instance = str(Path(folder) / "instance")
        settings = {
            "FAIRDATABASE_INSTANCE_PATH": instance,
            "FAIRDATABASE_BASE_URL": f"http://127.0.0.1:{port}",
            "FAIRDATABASE_RATE_LIMITS_ENABLED": "false",
            "FAIRDATABASE_LOG_LEVEL": "ERROR",
        }
        program = [str(Path(sys.executable).with_name("fairdatabase"))]
        prepare = [*program, "--instance", instance, "demo", "--prepare-only"]
        subprocess.run(
            prepare, check=True, env=os.environ | settings, stdout=subprocess.DEVNULL, cwd=ROOT
        )
        serve = [*program, "--instance", instance, "serve", "--port", str(port)]
        serve += ["--workers", "1", "--no-worker"]
        with running(serve, port, "/health/live", **settings) as pid:
            return _measure_reads(port, pid, seconds)


def _measure_reads(port: int, pid: int, seconds: float) -> dict[str, Measured]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/datasets") as answer:
        public_id = json.load(answer)["data"][0]["dataset_public_id"]
    dataset = f"/api/v1/datasets/{public_id}"
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{dataset}") as answer:
        known = f"If-None-Match: {answer.headers['ETag']}\r\n"
    reads = {
        "dataset, cached": (dataset, ""),
        "dataset, known to the client": (dataset, known),
        "dataset, not cached": (f"{dataset}/versions/1", ""),
        "search, one word": ("/api/v1/datasets?q=survey", ""),
    }
    return {
        name: measure(port, pid, path, seconds, header) for name, (path, header) in reads.items()
    }


def main() -> None:
    """Print requests and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="of load on each address")
    options = parser.parse_args()
    baseline = measure_baseline(options.seconds)
    found = {"hello world": baseline} | measure_platform(options.seconds)
    print(f"{CONNECTIONS} connections, one web process, {os.cpu_count()} cores, latency in ms")
    print(f"{'':30}{'per CPU s':>10}{'ratio':>7}{'per s':>8}{'p50':>7}{'p95':>7}{'p99':>7}")
    for name, each in found.items():
        ratio = each.per_cpu_second / baseline.per_cpu_second
        latency = "".join(f"{1000 * value:>7.1f}" for value in (each.p50, each.p95, each.p99))
        print(f"{name:30}{each.per_cpu_second:>10.0f}{ratio:>7.2f}{each.per_second:>8.0f}{latency}")


if __name__ == "__main__":
    main()
