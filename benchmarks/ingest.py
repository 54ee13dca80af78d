"""Ingestion of a CSV file against a bare DuckDB ``COPY`` of the same file, in the same run.

The bare copy reads with ``read_csv``, which guesses types from a sample, and writes Parquet with
the same compression. Ours proves every type over all values, counts the rows twice and reports.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv

from fairdatabase.tables.engine.ingest import ingest
from fairdatabase.tables.engine.limits import IngestLimits
from fairdatabase.tables.schemas import IngestOptions

_WORDS = np.array(["alpha", "beta", "gamma, delta", "epsilon"])


def make_tall(path: Path, rows: int) -> None:
    """Write a table of 20 columns: integers, decimals, full doubles, texts, dates, booleans."""
    random = np.random.default_rng(0)
    columns: dict[str, object] = {}
    for n in range(6):
        columns[f"int{n}"] = random.integers(0, 10 ** (n + 2), rows)
        columns[f"num{n}"] = np.round(random.normal(0, 100, rows), n + 1)
    for n in range(2):
        columns[f"full{n}"] = random.normal(size=rows)
    for n in range(3):
        columns[f"word{n}"] = _WORDS[random.integers(0, len(_WORDS), rows)]
    columns["id"] = np.char.add("id", random.integers(0, rows, rows).astype(str))
    days = random.integers(0, 9000, rows).astype("timedelta64[D]")
    columns["date"] = np.datetime64("2000-01-01") + days
    columns["flag"] = random.random(rows) < 0.5
    pa.csv.write_csv(pa.table(columns), path)


def make_wide(path: Path, rows: int, width: int) -> None:
    """Write a table of many columns: counts and full doubles by turns."""
    random = np.random.default_rng(0)
    columns = {
        f"taxon{n}": random.integers(0, 1000, rows) if n % 2 else random.random(rows)
        for n in range(width)
    }
    pa.csv.write_csv(pa.table(columns), path)


def bare_copy(source: Path, target: Path) -> None:
    """DuckDB alone."""
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (FROM read_csv('{source}')) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
        )


def our_ingest(source: Path, target: Path) -> None:
    """The platform's ingestion."""
    ingest(
        source,
        source.name,
        target,
        options=IngestOptions(),
        progress=lambda _share, _activity: None,
        limits=IngestLimits(row_bytes=64 << 20),
    )


def measure(action: Callable[[], None]) -> tuple[float, float]:
    """Wall and CPU seconds of an action."""
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - cpu


def compare(label: str, source: Path, folder: Path, repeats: int) -> None:
    """Run both by turns and print medians and ratios."""
    bare, ours = [], []
    for _ in range(repeats):
        bare.append(measure(lambda: bare_copy(source, folder / "bare.parquet")))
        ours.append(measure(lambda: our_ingest(source, folder / "ours.parquet")))
    bare_wall, bare_cpu = (statistics.median(values) for values in zip(*bare, strict=True))
    wall, cpu = (statistics.median(values) for values in zip(*ours, strict=True))
    size = source.stat().st_size / 1e6
    print(f"{label} ({size:.0f} MB)")
    print(f"  bare COPY  wall {bare_wall:7.2f} s   cpu {bare_cpu:7.2f} s")
    print(f"  ingest     wall {wall:7.2f} s   cpu {cpu:7.2f} s")
    print(f"  ratio      wall {wall / bare_wall:7.2f}     cpu {cpu / bare_cpu:7.2f}")


def main() -> None:
    """Parse the arguments and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the tall table")
    parser.add_argument("--width", type=int, default=10_000, help="columns of the wide table")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        warm_up, tall, wide = folder / "warm.csv", folder / "tall.csv", folder / "wide.csv"
        make_tall(warm_up, 1000)
        our_ingest(warm_up, folder / "ours.parquet")
        make_tall(tall, arguments.rows)
        compare(f"{arguments.rows:,} rows x 20 columns", tall, folder, arguments.repeats)
        make_wide(wide, 200, arguments.width)
        compare(f"200 rows x {arguments.width:,} columns", wide, folder, arguments.repeats)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of the process, both kinds together: {peak:.0f} MiB")


if __name__ == "__main__":
    main()
