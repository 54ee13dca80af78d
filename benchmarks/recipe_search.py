"""Search for recipes: the optimal search, Mondrian, and anjana, in the same run on one table.

The table is the Adult census table (UCI, 30,162 rows without missing values, 9 quasi-identifiers, a
lattice of 12,960 nodes). It is not part of this repository: give its CSV with a header by
``--adult``, in the environment variable ADULT_CSV, or as benchmarks/data/adult.csv. Without it a
table of the same shape is made up, and the targets do not apply.

anjana needs old releases of its dependencies, so it runs in an environment of its own, which uv
makes for it; without a network only this engine is measured.

    python benchmarks/recipe_search.py --adult adult.csv
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from math import prod
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from fairdatabase.privacy.engine.combinations import read_combinations
from fairdatabase.privacy.engine.hierarchy_files import write_csv
from fairdatabase.privacy.engine.lattice import Lattice
from fairdatabase.privacy.engine.search import find_recipe
from fairdatabase.privacy.engine.session import open_session
from fairdatabase.privacy.schemas.goals import Goal
from fairdatabase.privacy.schemas.hierarchies import Hierarchy
from fairdatabase.privacy.schemas.recipes import DropColumn, Intervals, Recode
from fairdatabase.privacy.schemas.searches import SearchRequest, SearchResult
from fairdatabase.tables.schemas import ColumnRole, ColumnSchema, ColumnType

K = 5
TARGETS = {0.0: 0.3, 0.02: 4.0, 0.05: 4.0, 1.0: 2.0}
MONDRIAN_TARGET = 0.5
SMALL = ("age", "education", "marital-status", "race", "sex")
PLACE = Path(__file__).resolve().parent / "data" / "adult.csv"

GROUPS: dict[str, dict[str, list[str]]] = {
    "workclass": {
        "private": ["Private", "Self-emp-not-inc", "Self-emp-inc"],
        "government": ["Federal-gov", "Local-gov", "State-gov"],
        "unpaid": ["Without-pay", "Never-worked"],
    },
    "marital-status": {
        "with spouse": ["Married-civ-spouse", "Married-AF-spouse"],
        "without spouse": [
            "Divorced",
            "Never-married",
            "Separated",
            "Widowed",
            "Married-spouse-absent",
        ],
    },
    "occupation": {
        "technical": ["Tech-support", "Craft-repair", "Prof-specialty", "Machine-op-inspct"],
        "trade": ["Sales", "Exec-managerial", "Handlers-cleaners"],
        "service": [
            "Other-service",
            "Adm-clerical",
            "Farming-fishing",
            "Transport-moving",
            "Priv-house-serv",
            "Protective-serv",
            "Armed-Forces",
        ],
    },
    "native-country": {
        "North America": [
            *("United-States", "Puerto-Rico", "Canada", "Outlying-US(Guam-USVI-etc)", "Cuba"),
            *("Honduras", "Jamaica", "Mexico", "Dominican-Republic", "Haiti", "Guatemala"),
            *("Nicaragua", "El-Salvador"),
        ],
        "South America": ["Ecuador", "Columbia", "Peru", "Trinadad&Tobago"],
        "Europe": [
            *("England", "Germany", "Greece", "Italy", "Poland", "Portugal", "Ireland", "France"),
            *("Hungary", "Scotland", "Yugoslavia", "Holand-Netherlands"),
        ],
        "Asia": [
            *("Cambodia", "India", "Japan", "China", "Iran", "Philippines", "Vietnam", "Laos"),
            *("Taiwan", "Thailand", "Hong"),
        ],
        "unknown": ["South"],
    },
    "education": {
        "undergraduate": ["Bachelors", "Some-college"],
        "graduate": ["Masters", "Doctorate"],
        "professional": ["Prof-school", "Assoc-acdm", "Assoc-voc"],
        "secondary": ["7th-8th", "9th", "10th", "11th", "12th", "HS-grad"],
        "primary": ["Preschool", "1st-4th", "5th-6th"],
    },
    "race": {},
    "sex": {},
    "salary-class": {},
}
QUASI = ("age", *GROUPS)
HIGHER = ("undergraduate", "graduate", "professional")
ANJANA = textwrap.dedent(
    """
    import json, sys, time
    import pandas as pd
    from anjana.anonymity import k_anonymity
    from anjana.anonymity.utils.utils import check_gen_level

    table, folder, quasi = sys.argv[1], sys.argv[2], sys.argv[3].split(",")
    k, share = int(sys.argv[4]), float(sys.argv[5])
    data = pd.read_csv(table, dtype=str)
    read = lambda name: pd.read_csv(f"{folder}/{name}.csv", sep=";", header=None, dtype=str)
    hierarchies = {name: dict(read(name)) for name in quasi}
    start = time.process_time()
    found = k_anonymity(data, [], quasi, k, share * 100, hierarchies)
    seconds = time.process_time() - start
    levels = check_gen_level(found, quasi, hierarchies) if len(found) else {}
    print(json.dumps({"seconds": seconds, "rows": len(found),
                      "levels": {name: int(level) for name, level in levels.items()}}))
    """
)


@dataclass(frozen=True)
class Bench:
    """A table in its files, and how it may be generalised."""

    parquet: Path
    text: Path
    columns: list[ColumnSchema]
    hierarchies: list[Hierarchy]

    def find(self, names: tuple[str, ...], request: SearchRequest) -> SearchResult:
        """Search for a recipe with only some quasi-identifiers."""
        other = {"role": ColumnRole.INSENSITIVE}
        columns = [
            column if column.name in names else column.model_copy(update=other)
            for column in self.columns
        ]
        return find_recipe(self.parquet, columns, request, hierarchies=self.hierarchies)

    def lattice(self, names: tuple[str, ...]) -> Lattice:
        """Return the lattice of some quasi-identifiers."""
        chosen = [column for column in self.columns if column.name in names]
        hierarchies = {hierarchy.column: hierarchy for hierarchy in self.hierarchies}
        with open_session() as connection:
            return Lattice(read_combinations(connection, self.parquet, chosen, [], hierarchies))


def hierarchy(name: str) -> Hierarchy:
    """Return the hierarchy of a column of Adult."""
    last = DropColumn(column=name)
    if name == "age":
        widths = (Intervals(column=name, width=width) for width in (5, 10, 20))
        return Hierarchy(column=name, levels=(*widths, last))
    groups = {value: label for label, values in GROUPS[name].items() for value in values}
    levels = [groups] if groups else []
    if name == "education":
        levels.append(
            {value: "higher" if label in HIGHER else label for value, label in groups.items()}
        )
    recodings = (Recode(column=name, mapping=mapping) for mapping in levels)
    return Hierarchy(column=name, levels=(*recodings, last))


def read_adult(path: Path) -> pa.Table:
    """Read the quasi-identifiers of Adult, without rows that miss a value."""
    table = pyarrow.csv.read_csv(
        path, convert_options=pyarrow.csv.ConvertOptions(strings_can_be_null=False)
    )
    table = table.rename_columns([name.strip() for name in table.column_names])
    cells = {name: pc.utf8_trim_whitespace(table[name].cast(pa.string())) for name in QUASI}
    table = pa.table(cells)
    for name in QUASI:
        table = table.filter(pc.invert(pc.is_in(table[name], pa.array(["?", ""]))))
    return table.set_column(0, "age", table["age"].cast(pa.int64()))


def make_up(rows: int, seed: int) -> pa.Table:
    """Return a table of the shape of Adult with independent columns."""
    random = np.random.default_rng(seed)
    cells: dict[str, object] = {"age": np.clip(random.gamma(8, 5, rows), 17, 90).astype(np.int64)}
    fallback = {
        "race": ["White", "Black", "Other", "Asian-Pac-Islander", "Amer-Indian-Eskimo"],
        "sex": ["Male", "Female"],
        "salary-class": ["<=50K", ">50K"],
    }
    for name, groups in GROUPS.items():
        values = [value for each in groups.values() for value in each] or fallback[name]
        places = np.minimum(random.geometric(0.5, rows), len(values)) - 1
        cells[name] = pa.array(values).take(pa.array(places))
    return pa.table(cells)


def prepare(table: pa.Table, folder: Path) -> Bench:
    """Write the files of a table."""
    bench = Bench(
        parquet=folder / "table.parquet",
        text=folder / "table.csv",
        columns=[
            ColumnSchema(
                key=name,
                name=name,
                type=ColumnType.INTEGER if name == "age" else ColumnType.TEXT,
                role=ColumnRole.QUASI_IDENTIFIER,
            )
            for name in table.column_names
        ],
        hierarchies=[hierarchy(name) for name in table.column_names],
    )
    pq.write_table(table, bench.parquet)
    pyarrow.csv.write_csv(table, bench.text)
    for column, levels in zip(bench.columns, bench.hierarchies, strict=True):
        written = write_csv(bench.parquet, column, levels)
        (folder / f"{column.name}.csv").write_text(written, encoding="utf-8")
    return bench


def cpu_seconds(task: Callable[[], SearchResult], repeats: int) -> tuple[float, SearchResult]:
    """Return the least CPU time of some runs, all threads counted, and what they give."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        found = task()
        times.append(time.process_time() - start)
    return min(times), found


def told(seconds: float, target: float | None) -> str:
    """Return how a time compares with its target."""
    if target is None:
        return f"{seconds:>8.2f} s"
    return f"{seconds:>8.2f} s  target {target:g} s: {'held' if seconds < target else 'MISSED'}"


def optimal(bench: Bench, repeats: int, *, is_adult: bool) -> None:
    """Print the optimal search at several shares of rows left out."""
    print("\nOptimal search, reading the file and the choices included (CPU)")
    for share, target in TARGETS.items():
        request = SearchRequest(goal=Goal(k=K), max_suppression=share, method="optimal")
        seconds, found = cpu_seconds(partial(bench.find, QUASI, request), repeats)
        if found.best is None:
            print(f"{share:>6.0%}  nothing reaches k = {K}")
            continue
        print(
            f"{share:>6.0%}  loss {found.best.loss:.4f}, {found.checked:,} of {found.nodes:,}"
            f" nodes, proven {found.proven} {told(seconds, target if is_adult else None)}"
        )


def exhaustive(bench: Bench) -> None:
    """Print whether looking at every node of a smaller lattice finds anything better."""
    lattice = bench.lattice(SMALL)
    print(f"\nEvery node of the {prod(lattice.shape):,} of {', '.join(SMALL)}")
    rows = lattice.table.rows
    for share in TARGETS:
        most = min(int(share * rows), rows - 1)
        nodes = product(*(range(length) for length in lattice.shape))
        figures = (lattice.figures(node, Goal(k=K), most) for node in nodes)
        least = min(each.loss for each in figures if each.suppressed <= most)
        request = SearchRequest(goal=Goal(k=K), max_suppression=share, method="optimal")
        found = bench.find(SMALL, request)
        ours = found.best.loss if found.best else float("inf")
        verdict = "equal" if abs(ours - least) < 1e-9 else "DIFFERENT"
        print(f"{share:>6.0%}  least {least:.6f}, found {ours:.6f}: {verdict}")


def mondrian(bench: Bench, repeats: int, *, is_adult: bool) -> None:
    """Print local recoding."""
    request = SearchRequest(goal=Goal(k=K), method="mondrian")
    seconds, found = cpu_seconds(
        lambda: find_recipe(bench.parquet, bench.columns, request), repeats
    )
    if found.best:
        print(
            f"\nMondrian  loss {found.best.loss:.4f}, average class"
            f" {found.best.average_class_size:.1f}"
            f" {told(seconds, MONDRIAN_TARGET if is_adult else None)}"
        )


def anjana(bench: Bench, names: tuple[str, ...], share: float, timeout: float) -> dict[str, object]:
    """Run anjana in its own environment; return why not where that fails."""
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    if not Path(uv).exists():
        return {"problem": "uv is not installed"}
    command = [uv, "run", "--no-project", "--isolated", "--python", "3.11", "--with", "anjana"]
    folder = str(bench.text.parent)
    arguments = [str(bench.text), folder, ",".join(names), str(K), str(share)]
    try:
        done = subprocess.run(
            [*command, "python", "-W", "ignore", "-c", ANJANA, *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired:
        return {"problem": f"it took longer than {timeout:.0f} s"}
    except subprocess.CalledProcessError as error:
        return {"problem": f"it failed: {error.stderr.strip()[-300:]}"}
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def against_anjana(bench: Bench, repeats: int, timeout: float) -> None:
    """Print time and loss of both on the same tasks."""
    print("\nAgainst anjana (CPU): k-anonymity with the same hierarchies")
    for names, share in product((SMALL, QUASI), (0.0, 0.05)):
        request = SearchRequest(goal=Goal(k=K), max_suppression=share, method="optimal")
        seconds, ours = cpu_seconds(partial(bench.find, names, request), repeats)
        theirs = anjana(bench, names, share, timeout)
        print(f"{len(names)} quasi-identifiers, at most {share:.0%} left out: ", end="")
        if "problem" in theirs:
            print(f"anjana was not measured: {theirs['problem']}")
            continue
        loss = _loss(bench, names, theirs)
        best = ours.best.loss if ours.best else float("inf")
        print(
            f"{seconds:.2f} s, loss {best:.4f}; anjana {theirs['seconds']:.2f} s, loss {loss:.4f}:"
            f" {float(str(theirs['seconds'])) / seconds:.0f}x as fast,"
            f" {'never worse' if best <= loss + 1e-9 else 'WORSE'}"
        )


def _loss(bench: Bench, names: tuple[str, ...], found: Mapping[str, object]) -> float:
    """Return the granularity loss of what anjana found; 1 where it found nothing."""
    levels = found["levels"]
    if not found["rows"] or not isinstance(levels, dict):
        return 1.0
    lattice = bench.lattice(names)
    node = tuple(
        max(place for place, rung in enumerate(ladder) if rung.level <= levels.get(name, 0))
        for name, ladder in zip(lattice.table.names, lattice.table.ladders, strict=True)
    )
    return lattice.figures(node, Goal(k=K), lattice.table.rows).loss


def main() -> None:
    """Print times, losses, and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--adult", type=Path, default=Path(os.environ.get("ADULT_CSV", PLACE)))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--timeout", type=float, default=900, help="seconds for each run of anjana")
    parser.add_argument("--alone", action="store_true", help="do not run anjana")
    options = parser.parse_args()
    is_adult = options.adult.is_file()
    table = read_adult(options.adult) if is_adult else make_up(30_162, 1)
    if not is_adult:
        print(f"MISSING: the Adult table is not at {options.adult}; a made-up table stands in for")
        print("it, and the targets do not apply. See the head of this file.")
    with tempfile.TemporaryDirectory() as folder:
        bench = prepare(table, Path(folder))
        print(f"{table.num_rows:,} rows, {table.num_columns} quasi-identifiers, k = {K}")
        optimal(bench, options.repeats, is_adult=is_adult)
        exhaustive(bench)
        mondrian(bench, options.repeats, is_adult=is_adult)
        if not options.alone:
            against_anjana(bench, options.repeats, options.timeout)


if __name__ == "__main__":
    main()
