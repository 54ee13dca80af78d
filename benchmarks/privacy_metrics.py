"""Re-identification risk: this engine against pycanon, in the same run on the same table.

Then a table of ten million rows, by this engine alone, in a process of its own: time and the
most memory it held.

The table is made like the Adult census table: four quasi-identifiers with the number of distinct
values and roughly the skew of age, education, sex and race, and two sensitive attributes.
pycanon gets the table in memory, and reading the file does not count for it; for this engine it
counts. All nine measures of pycanon are in one call of ours. pycanon needs old releases of its
dependencies, so it runs in an environment of its own, which uv makes for it; without a network only
this engine is measured.

    python benchmarks/privacy_metrics.py --rows 300000 --large 10000000
"""

import argparse
import functools
import json
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from fairdatabase.privacy.engine.arrays import k_anonymity
from fairdatabase.privacy.engine.risk import assess

QUASI_IDENTIFIERS = ["age", "education", "sex", "race"]
CATEGORY = "occupation"
NUMBER = "hours"
TASKS: dict[str, Callable[[Path], object]] = {
    "k alone": lambda path: k_anonymity(path, QUASI_IDENTIFIERS),
    "all, one category": lambda path: every(path, [CATEGORY]),
    "all, one number": lambda path: every(path, [NUMBER]),
}
CHUNK = 1_000_000
LARGE = textwrap.dedent(
    """
    import json, resource, sys, time
    from pathlib import Path
    from fairdatabase.privacy.engine.risk import assess

    quasi, sensitive = sys.argv[2].split(","), sys.argv[3].split(",")
    start = time.perf_counter()
    report = assess(Path(sys.argv[1]), quasi_identifiers=quasi, sensitive=sensitive)
    seconds = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rows": report.rows, "seconds": seconds, "mebibytes": memory}))
    """
)
PYCANON = textwrap.dedent(
    """
    import json, sys, time
    import pandas as pd
    from pycanon import anonymity as a

    path, quasi, category, number = sys.argv[1], sys.argv[2].split(","), sys.argv[3], sys.argv[4]
    table = pd.read_csv(path)

    def every(s):
        a.k_anonymity(table, quasi)
        for measure in (a.l_diversity, a.entropy_l_diversity, a.recursive_c_l_diversity,
                        a.t_closeness, a.alpha_k_anonymity, a.basic_beta_likeness,
                        a.enhanced_beta_likeness, a.delta_disclosure):
            try:
                measure(table, quasi, [s])
            except Exception as problem:
                print(f"pycanon: {measure.__name__} failed: {problem!r}", file=sys.stderr)

    tasks = {"k alone": lambda: a.k_anonymity(table, quasi),
             "all, one category": lambda: every(category),
             "all, one number": lambda: a.t_closeness(table, quasi, [number])}
    seconds = {}
    for name, task in tasks.items():
        start = time.process_time()
        task()
        seconds[name] = time.process_time() - start
    print(json.dumps(seconds))
    """
)


def make_table(rows: int, seed: int) -> pa.Table:
    """Return a table like Adult: shape (rows, 6)."""
    random = np.random.default_rng(seed)

    def skewed(prefix: str, values: int, rate: float) -> pa.Array:
        codes = np.minimum(random.geometric(rate, rows), values) - 1
        return pa.array([f"{prefix}{code}" for code in codes])

    return pa.table(
        {
            "age": np.clip(random.gamma(8, 5, rows), 17, 90).astype(np.int64),
            "education": skewed("e", 16, 0.25),
            "sex": skewed("s", 2, 0.67),
            "race": skewed("r", 5, 0.85),
            CATEGORY: skewed("o", 14, 0.15),
            NUMBER: np.clip(random.normal(40, 12, rows), 1, 99).astype(np.int64),
        }
    )


def cpu_seconds(task: Callable[[], object], repeats: int) -> float:
    """Return the least CPU time of some runs, all threads counted."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        task()
        times.append(time.process_time() - start)
    return min(times)


def every(path: Path, sensitive: list[str]) -> object:
    """Measure everything, reading the file included."""
    return assess(path, quasi_identifiers=QUASI_IDENTIFIERS, sensitive=sensitive)


def large(folder: Path, rows: int, seed: int) -> dict[str, float]:
    """Assess a table of many rows in a process of its own."""
    path = folder / "large.parquet"
    with pq.ParquetWriter(path, make_table(1, seed).schema) as writer:
        for start in range(0, rows, CHUNK):
            writer.write_table(make_table(min(CHUNK, rows - start), seed + start))
    arguments = [str(path), ",".join(QUASI_IDENTIFIERS), f"{CATEGORY},{NUMBER}"]
    done = subprocess.run(
        [sys.executable, "-c", LARGE, *arguments], capture_output=True, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def pycanon(path: Path, timeout: float) -> dict[str, float] | str:
    """Measure pycanon in its own environment; return why not where that fails."""
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    if not Path(uv).exists():
        return "uv is not installed"
    command = [uv, "run", "--no-project", "--isolated", "--python", "3.11", "--with", "pycanon"]
    arguments = [str(path), ",".join(QUASI_IDENTIFIERS), CATEGORY, NUMBER]
    try:
        done = subprocess.run(
            [*command, "python", "-W", "ignore", "-c", PYCANON, *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired:
        return f"it took longer than {timeout:.0f} s"
    except subprocess.CalledProcessError as error:
        return f"it failed: {error.stderr.strip()[-300:]}"
    if "pycanon:" in done.stderr:
        print(done.stderr.strip())
    seconds: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return seconds


def main() -> None:
    """Print CPU seconds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--large", type=int, default=10_000_000, help="rows; 0 for none")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--timeout", type=float, default=900, help="seconds for pycanon")
    parser.add_argument("--alone", action="store_true", help="do not run pycanon")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table = make_table(options.rows, options.seed)
        parquet, text = Path(folder) / "table.parquet", Path(folder) / "table.csv"
        pq.write_table(table, parquet)
        pyarrow.csv.write_csv(table, text)
        every(parquet, [CATEGORY])
        found = {
            name: cpu_seconds(functools.partial(task, parquet), options.repeats)
            for name, task in TASKS.items()
        }
        other = "not asked for" if options.alone else pycanon(text, options.timeout)
    print(f"{options.rows:,} rows, {len(QUASI_IDENTIFIERS)} quasi-identifiers, CPU seconds")
    if isinstance(other, str):
        print(f"pycanon was not measured: {other}")
        other = {}
    print(f"{'':20}{'this engine':>12}{'pycanon':>10}{'ratio':>10}")
    for name, seconds in found.items():
        theirs = f"{other[name]:>10.3f}{other[name] / seconds:>9.0f}x" if name in other else ""
        print(f"{name:20}{seconds:>12.3f}{theirs}")
    if options.large:
        with tempfile.TemporaryDirectory() as folder:
            big = large(Path(folder), options.large, options.seed)
        print(
            f"{big['rows']:,} rows, two sensitive attributes: {big['seconds']:.1f} s wall time,"
            f" {big['mebibytes']:.0f} MiB at most"
        )


if __name__ == "__main__":
    main()
