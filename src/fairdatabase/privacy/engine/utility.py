"""Utility of a release: how much of the source is left in it.

With N rows of the source, S of them left out, classes c of n_c rows in the release:

- Discernibility: sum n_c^2 + S N (Bayardo and Agrawal 2005, "Data privacy through optimal
  k-anonymization").
- Average class size: (N - S) / number of classes (LeFevre et al. 2006, "Mondrian multidimensional
  k-anonymity", there divided by k).
- Granularity loss: mean over rows and quasi-identifiers of (leaves-1)/(domain-1) (Iyengar 2002,
  "Transforming data to satisfy privacy constraints").
- Non-uniform entropy: sum over rows of -log2 (rows with the value / rows with the label), over what
  the sum is where one label stands for all (de Waal and Willenborg 1999, "Information loss through
  global recoding and local suppression"; Gionis and Tassa 2009, "k-anonymization with minimal loss
  of information").
- Distance of distributions: total variation, or the ordered earth mover's distance of Li et al.
  2007 ("t-closeness"), where a label stands for its values equally often.

The release alone does not tell which value a label came from. So the recipe is applied to the
source once more without leaving out rows, which pairs values with labels row by row; the rows left
out are those whose class is not in the release.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
import pyarrow.parquet as pq

from fairdatabase.privacy.engine.anonymise import apply
from fairdatabase.privacy.engine.combinations import ORDERED
from fairdatabase.privacy.engine.measures import Floats, Integers
from fairdatabase.privacy.engine.session import described, open_session, quote, relation
from fairdatabase.privacy.errors import AssessmentError
from fairdatabase.privacy.schemas.recipes import (
    Intervals,
    Partition,
    Prefix,
    Pseudonymise,
    Recipe,
    Recode,
    SuppressSmallGroups,
    TruncateDate,
)
from fairdatabase.privacy.schemas.utility import ColumnUtility, UtilityReport
from fairdatabase.tables.schemas import ColumnSchema

_MISMATCH = "Give the recipe, the key and the source that the release was made with."


def measure_utility(
    source: Path,
    release: Path,
    recipe: Recipe,
    *,
    quasi_identifiers: Sequence[str],
    key: bytes | None = None,
    columns: Sequence[ColumnSchema] | None = None,
) -> UtilityReport:
    """Measure what a release keeps of its source.

    Args:
        source: Parquet file of the source.
        release: Parquet file of the release.
        recipe: Recipe that made it.
        quasi_identifiers: Columns of the source that the recipe was applied with.
        key: Pseudonym key that it was applied with.
        columns: Schema of the source; without one the file's own names and types are taken.

    Raises:
        RecipeError: If the recipe does not fit the source.
        AssessmentError: If the recipe does not make this release of this source.
    """
    steps = tuple(step for step in recipe.steps if not isinstance(step, SuppressSmallGroups))
    with open_session() as connection, TemporaryDirectory() as scratch:
        known = described(source, columns)
        whole = Path(scratch) / "whole.parquet"
        applied = apply(
            source,
            whole,
            Recipe(steps=steps),
            quasi_identifiers=quasi_identifiers,
            key=key,
            columns=columns,
        )
        if pq.read_schema(release).names != pq.read_schema(whole).names:
            raise AssessmentError(f"The release has other columns. {_MISMATCH}")
        left = {column.name: column for column in applied.columns}
        keys = [left[name].key for name in quasi_identifiers if name in left]
        comparison = _Comparison(connection, source, whole, release, keys)
        comparison.pair()
        classes = comparison.classes()
        found = tuple(
            _column(
                comparison, column, name in left, name in quasi_identifiers, _relabels(name, steps)
            )
            for name, column in known.items()
        )
    return _report(applied.rows_in, classes, found)


def _relabels(name: str, steps: Sequence[object]) -> bool:
    """Return whether the labels of a column are no values of it."""
    return any(
        name in step.columns
        if isinstance(step, Partition)
        else isinstance(step, Intervals | Prefix | Recode | TruncateDate | Pseudonymise)
        and step.column == name
        for step in steps
    )


def _report(rows: int, classes: Integers, columns: tuple[ColumnUtility, ...]) -> UtilityReport:
    left = int(classes.sum())
    chosen = [column for column in columns if column.quasi_identifier]
    count = max(len(chosen), 1)
    discernibility = int((classes * classes).sum()) + (rows - left) * rows
    return UtilityReport(
        rows_in=rows,
        rows_out=left,
        rows_suppressed=rows - left,
        classes=classes.size,
        average_class_size=left / classes.size if classes.size else None,
        discernibility=discernibility,
        discernibility_share=discernibility / max(rows * rows, 1),
        granularity_loss=sum(column.granularity_loss for column in chosen) / count,
        entropy_loss=sum(column.entropy_loss for column in chosen) / count,
        columns=columns,
    )


@dataclass(frozen=True)
class _Pairs:
    """How often a value of the source has a label of the release.

    Attributes:
        values: Place of the value among all values.
        labels: Place of the label among all labels.
        rows: Rows of the source with both.
        kept: Rows of them that are in the release.
    """

    values: Integers
    labels: Integers
    rows: Integers
    kept: Integers


@dataclass(frozen=True)
class _Comparison:
    """Source, release, and the release as it would be with all rows, side by side."""

    connection: duckdb.DuckDBPyConnection
    source: Path
    whole: Path
    release: Path
    keys: Sequence[str]

    def pair(self) -> None:
        """Create the tables ``classes`` of the release and ``kept``, a flag for each row."""
        texts = [f"CAST({quote(key)} AS VARCHAR)" for key in self.keys]
        keys = "".join(f"{text} AS q{place}, " for place, text in enumerate(texts))
        for name, file in (("classes", self.release), ("expected", self.whole)):
            self.connection.execute(
                f"CREATE TEMP TABLE {name} AS SELECT {keys}count(*) AS n"
                f" FROM {relation(self.connection, file)} GROUP BY ALL HAVING count(*) > 0"
            )
        places = range(len(self.keys))
        same = " AND ".join(f"c.q{place} IS NOT DISTINCT FROM e.q{place}" for place in places)
        strangers = self._number(
            f"SELECT count(*) FROM classes c ANTI JOIN expected e ON {same or 'true'} AND c.n = e.n"
        )
        if strangers:
            raise AssessmentError(
                f"{strangers} groups of the release are not those of the recipe. {_MISMATCH}"
            )
        here = " AND ".join(
            f"CAST(w.{quote(key)} AS VARCHAR) IS NOT DISTINCT FROM c.q{place}"
            for place, key in enumerate(self.keys)
        )
        self.connection.execute(
            "CREATE TEMP TABLE kept AS SELECT c.n IS NOT NULL AS kept FROM"
            f" (SELECT *, file_row_number FROM {self._numbered(self.whole)}) w"
            f" LEFT JOIN classes c ON {here or 'true'} ORDER BY w.file_row_number"
        )

    def classes(self) -> Integers:
        """Return the size of each class of the release."""
        found: Integers = self.connection.execute(
            "SELECT n FROM classes ORDER BY ALL"
        ).fetchnumpy()["n"]
        return found.astype(np.int64)

    def pairs(self, key: str, *, kept: bool) -> _Pairs:
        """Count the values of a column and their labels; one that was left out has one label."""
        label = f"w.{quote(key)}" if kept else "NULL"
        found = self.connection.execute(
            "SELECT dense_rank() OVER (ORDER BY s NULLS LAST) - 1 AS s,"
            " dense_rank() OVER (ORDER BY l NULLS LAST) - 1 AS l, n, k"
            f" FROM (SELECT s.{quote(key)} AS s, {label} AS l, count(*) AS n,"
            f" count(*) FILTER (kept) AS k FROM {relation(self.connection, self.source)} s"
            f" POSITIONAL JOIN {relation(self.connection, self.whole)} w"
            " POSITIONAL JOIN kept GROUP BY ALL) ORDER BY 1, 2"
        ).fetchnumpy()
        return _Pairs(*(found[name].astype(np.int64) for name in ("s", "l", "n", "k")))

    def counts(self, key: str) -> tuple[Integers, Integers]:
        """Return how often each value occurs in source and release, in the order of values."""
        name = quote(key)
        found = self.connection.execute(
            "SELECT count(*) FILTER (was) AS p, count(*) FILTER (NOT was) AS q FROM"
            f" (SELECT {name} AS v, true AS was FROM {relation(self.connection, self.source)}"
            f" UNION ALL SELECT {name}, false FROM {relation(self.connection, self.release)})"
            " GROUP BY v ORDER BY v NULLS LAST"
        ).fetchnumpy()
        return found["p"].astype(np.int64), found["q"].astype(np.int64)

    def _number(self, statement: str) -> int:
        ((number,),) = self.connection.execute(statement).fetchall()
        return int(number)

    def _numbered(self, file: Path) -> str:
        return f"{relation(self.connection, file)[:-1]}, file_row_number = true)"


def _column(
    comparison: _Comparison,
    column: ColumnSchema,
    kept: bool,
    quasi_identifier: bool,
    relabelled: bool,
) -> ColumnUtility:
    pairs = comparison.pairs(column.key, kept=kept)
    return ColumnUtility(
        column=column.name,
        quasi_identifier=quasi_identifier,
        kept=kept,
        granularity_loss=_granularity_loss(pairs),
        entropy_loss=_entropy_loss(pairs),
        distance=_distance(comparison, column, pairs, relabelled)
        if pairs.kept.any() and kept
        else None,
    )


def _granularity_loss(pairs: _Pairs) -> float:
    if not pairs.rows.size:
        return 0.0
    domain = int(pairs.values.max()) + 1
    leaves = np.bincount(pairs.labels)[pairs.labels]
    lost = (leaves - 1) / max(domain - 1, 1) * pairs.kept + (pairs.rows - pairs.kept)
    return float(lost.sum() / pairs.rows.sum())


def _entropy_loss(pairs: _Pairs) -> float:
    """Return the non-uniform entropy over its greatest value; 0 where all rows are alike."""
    total = pairs.rows.sum()
    with_value = np.bincount(pairs.values, pairs.rows)[pairs.values]
    with_label = np.bincount(pairs.labels, pairs.rows)[pairs.labels]
    greatest = (pairs.rows * np.log2(total / with_value)).sum()
    if not greatest > 0:
        return 0.0
    left = pairs.kept * np.log2(with_label / with_value)
    out = (pairs.rows - pairs.kept) * np.log2(total / with_value)
    return float(min((left + out).sum() / greatest, 1.0))


def _distance(
    comparison: _Comparison, column: ColumnSchema, pairs: _Pairs, relabelled: bool
) -> float:
    if relabelled:
        before = np.bincount(pairs.values, pairs.rows)
        leaves = np.bincount(pairs.labels)
        share = np.bincount(pairs.labels, pairs.kept) / leaves
        after = np.bincount(pairs.values, share[pairs.labels])
    else:
        before, after = (counts.astype(float) for counts in comparison.counts(column.key))
    gaps: Floats = before / before.sum() - after / after.sum()
    if column.type not in ORDERED:
        return float(np.abs(gaps).sum() / 2)
    return float(np.abs(np.cumsum(gaps)).sum() / max(gaps.size - 1, 1))
