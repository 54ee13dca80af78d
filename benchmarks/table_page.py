"""Pages of a stored table against bare DuckDB queries over the same file, in the same run."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv

from fairdatabase.tables.engine import duck
from fairdatabase.tables.engine.ingest import ingest
from fairdatabase.tables.schemas import (
    AggregateSpec,
    ColumnSchema,
    Filter,
    FilterOp,
    IngestOptions,
    QuerySpec,
    Sort,
)

_GROUPS = np.array(["north", "south", "east", "west"])


def make_table(folder: Path, rows: int) -> tuple[Path, tuple[ColumnSchema, ...]]:
    """Store a table of 20 columns."""
    random = np.random.default_rng(0)
    columns: dict[str, object] = {f"n{n}": random.integers(0, 10**6, rows) for n in range(9)}
    columns |= {f"x{n}": np.round(random.normal(size=rows), 4) for n in range(9)}
    columns["group"] = _GROUPS[random.integers(0, len(_GROUPS), rows)]
    columns["id"] = np.char.add("id", np.arange(rows).astype(str))
    source, target = folder / "table.csv", folder / "table.parquet"
    pa.csv.write_csv(pa.table(columns), source)
    result = ingest(
        source, "table.csv", target, options=IngestOptions(), progress=lambda _share, _what: None
    )
    return target, result.columns


def measure(action: Callable[[], object], repeats: int) -> tuple[float, float, float]:
    """Median and 95th percentile of wall milliseconds, and mean CPU milliseconds."""
    action()
    walls = []
    cpu = time.process_time()
    for _ in range(repeats):
        begin = time.perf_counter()
        action()
        walls.append((time.perf_counter() - begin) * 1000)
    cpu = (time.process_time() - cpu) * 1000 / repeats
    return statistics.median(walls), sorted(walls)[int(0.95 * (len(walls) - 1))], cpu


def cases(
    path: Path, columns: tuple[ColumnSchema, ...], connection: duckdb.DuckDBPyConnection
) -> dict[str, tuple[Callable[[], object], Callable[[], object]]]:
    """Ours and the bare query of each kind of page."""
    keys = {column.name: column.key for column in columns}
    table = f"read_parquet('{path}')"
    n0, group = keys["n0"], keys["group"]
    filters = (
        Filter(column="group", op=FilterOp.EQ, value="north"),
        Filter(column="n0", op=FilterOp.LT, value=1000),
    )
    sort = (Sort(column="n0", descending=True),)

    def ours(spec: QuerySpec) -> Callable[[], object]:
        return lambda: duck.query(path, columns, spec, key=b"any")

    def bare(sql: str) -> Callable[[], object]:
        return lambda: connection.execute(sql).fetchall()

    facet = AggregateSpec(group_by=("group",))
    return {
        "first page": (ours(QuerySpec()), bare(f"FROM {table} LIMIT 100")),
        "filtered page": (
            ours(QuerySpec(filters=filters)),
            bare(f"FROM {table} WHERE {group} = 'north' AND {n0} < 1000 LIMIT 100"),
        ),
        "sorted page": (
            ours(QuerySpec(sort=sort)),
            bare(f"FROM {table} ORDER BY {n0} DESC NULLS LAST LIMIT 100"),
        ),
        "facet": (
            lambda: duck.aggregate(path, columns, facet),
            bare(f"FROM {table} SELECT {group}, count(*) GROUP BY {group}"),
        ),
    }


def main() -> None:
    """Parse the arguments and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, duckdb.connect() as connection:
        connection.execute("SET threads = 2")
        path, columns = make_table(Path(name), arguments.rows)
        print(f"{arguments.rows:,} rows x {len(columns)} columns; milliseconds")
        for label, (ours, bare) in cases(path, columns, connection).items():
            bare_wall, bare_p95, bare_cpu = measure(bare, arguments.repeats)
            wall, p95, cpu = measure(ours, arguments.repeats)
            print(
                f"{label:14} bare {bare_wall:7.1f} (p95 {bare_p95:7.1f}, cpu {bare_cpu:7.1f})"
                f"  ours {wall:7.1f} (p95 {p95:7.1f}, cpu {cpu:7.1f})"
                f"  ratio {wall / bare_wall:5.2f} (cpu {cpu / bare_cpu:5.2f})"
            )


if __name__ == "__main__":
    main()
