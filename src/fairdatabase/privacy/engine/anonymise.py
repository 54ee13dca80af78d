"""Make a release table from a stored table by a recipe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from fairdatabase.privacy.engine.pseudonyms import dataset_key
from fairdatabase.privacy.engine.recoding import recode
from fairdatabase.privacy.engine.row_steps import label_table, mark_failing
from fairdatabase.privacy.engine.session import described, open_session, quote, scan_argument
from fairdatabase.privacy.engine.steps import (
    Expression,
    apply_step,
    changed_column,
    check,
    partitioned,
    refusal,
    unmapped,
)
from fairdatabase.privacy.engine.table_steps import derive_seed, table_step_sql
from fairdatabase.privacy.errors import RecipeError
from fairdatabase.privacy.schemas.recipes import (
    ApplyResult,
    DropColumn,
    Impute,
    Noise,
    Partition,
    Pseudonymise,
    Recipe,
    Recode,
    Shuffle,
    Step,
    StepEffect,
    SuppressCells,
    SuppressSmallGroups,
    TableStep,
    ValueStep,
)
from fairdatabase.tables.schemas import ColumnSchema

__all__ = ["apply", "check", "dataset_key"]

MIN_KEY_BYTES = 16
MAX_KEY_BYTES = 64


def apply(
    source: Path,
    target: Path,
    recipe: Recipe,
    *,
    quasi_identifiers: Sequence[str],
    key: bytes | None = None,
    columns: Sequence[ColumnSchema] | None = None,
) -> ApplyResult:
    """Apply a recipe to a Parquet file and write the release as another.

    Rows keep their order, and the same recipe on the same file with the same key gives the same
    table. The target appears when it is complete, or not at all.

    Args:
        source: Parquet file to read.
        target: Parquet file to write.
        recipe: Steps to apply.
        quasi_identifiers: Columns whose groups ``suppress`` looks at; dropped ones do not count.
        key: Pseudonym key of the dataset, see ``dataset_key``.
        columns: Schema of the source; without one the file's own names and types are taken.

    Returns:
        What each step did, and the columns of the release.

    Raises:
        RecipeError: If the recipe does not fit the table. No message quotes a value.
    """
    if key is not None and not MIN_KEY_BYTES <= len(key) <= MAX_KEY_BYTES:
        raise RecipeError(f"A pseudonym key has {MIN_KEY_BYTES} to {MAX_KEY_BYTES} bytes.")
    if source.resolve() == target.resolve():
        raise RecipeError("The release would overwrite its source; write it to another file.")
    with open_session() as connection, TemporaryDirectory(dir=target.parent) as scratch:
        known = described(source, columns)
        check(recipe, tuple(known.values()))
        unknown = sorted(set(quasi_identifiers) - set(known))
        if unknown:
            raise RecipeError(f"The table has no quasi-identifier {', '.join(map(repr, unknown))}.")
        release = _Release(connection, source, known, quasi_identifiers, key, Path(scratch))
        for index, step in enumerate(recipe.steps):
            release.add(index, step)
        return release.write(target)


@dataclass
class _Release:
    """The release table while its columns are still SQL expressions over the source."""

    connection: duckdb.DuckDBPyConnection
    source: Path
    columns: dict[str, ColumnSchema]
    quasi_identifiers: Sequence[str]
    key: bytes | None
    scratch: Path
    effects: list[StepEffect] = field(default_factory=list)
    pseudonymised: list[str] = field(default_factory=list)
    suppressed: int = 0

    def __post_init__(self) -> None:
        self.values = {name: Expression(quote(column.key)) for name, column in self.columns.items()}
        ((self.rows,),) = self._fetch("SELECT count(*) FROM read_parquet($source)")

    def add(self, index: int, step: Step) -> None:
        """Add a step and record its effect."""
        match step:
            case SuppressSmallGroups(sensitive=()):
                self._suppress(index, step)
            case SuppressSmallGroups():
                self._suppress_failing(index, step)
            case Partition():
                self._partition(index, step)
            case SuppressCells() | Impute() | Shuffle() | Noise():
                self._look_around(index, step)
            case DropColumn():
                ((distinct,),) = self._fetch_values(
                    f"count(DISTINCT {self.values[step.column].sql})", step.column
                )
                self._record(index, step.op, step.column, self.rows, distinct, 0)
                del self.values[step.column], self.columns[step.column]
            case _:
                self._change(index, step)

    def write(self, target: Path) -> ApplyResult:
        """Write the release and return what became of the table."""
        chosen = ", ".join(
            f"{value.sql} AS {quote(self.columns[name].key)}" for name, value in self.values.items()
        )
        rows = "FROM read_parquet($source, file_row_number = true)"
        if self.suppressed:
            rows += (
                " WHERE file_row_number NOT IN (SELECT place FROM suppressed)"
                " ORDER BY file_row_number"
            )
        partial = target.with_name(f"{target.name}.part")
        try:
            self._fetch(
                f"COPY (SELECT {chosen} {rows}) TO $target (FORMAT parquet, COMPRESSION zstd)",
                {"target": str(partial), **self._parameters(*self.values)},
            )
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        return ApplyResult(
            rows_in=self.rows,
            rows_out=self.rows - self.suppressed,
            rows_suppressed=self.suppressed,
            columns=tuple(self.columns.values()),
            pseudonymised=tuple(self.pseudonymised),
            effects=tuple(self.effects),
        )

    def _change(self, index: int, step: ValueStep) -> None:
        name = step.column
        before = self.values[name]
        if isinstance(step, Recode) and step.other is None:
            self._refuse_gaps(index, step, before)
        after = apply_step(step, before, index, self.key)
        if isinstance(step, Pseudonymise):
            self.pseudonymised.append(name)
        self.values[name] = after
        self.columns[name] = changed_column(step, self.columns[name])
        ((changed, distinct_before, distinct_after),) = self._fetch_values(
            f"count(*) FILTER (CAST({before.sql} AS VARCHAR)"
            f" IS DISTINCT FROM CAST({after.sql} AS VARCHAR)),"
            f" count(DISTINCT {before.sql}), count(DISTINCT {after.sql})",
            name,
        )
        self._record(index, step.op, name, changed, distinct_before, distinct_after)

    def _look_around(self, index: int, step: TableStep) -> None:
        """Do a step that looks at other rows, and go on from a table that holds its outcome."""
        column, value = self.columns[step.column], self.values[step.column]
        others = [self.values[name] for name in self._classes_beside(step.column)]
        cells = ", ".join(
            [f"{value.sql} AS x", *(f"{each.sql} AS c{n}" for n, each in enumerate(others))]
        )
        query = table_step_sql(step, column.type, len(others), index, self._seed(index, step))
        self._fetch(
            f"CREATE TEMP TABLE outcome{index} AS WITH cells AS (SELECT file_row_number AS place,"
            f" {cells} FROM read_parquet($source, file_row_number = true)),"
            f" outcome AS ({query.sql})"
            " SELECT place, x, value FROM cells JOIN outcome USING (place)",
            self._parameters(step.column, *self._classes_beside(step.column)) | query.parameters,
        )
        self._go_on_from(f"outcome{index}", {step.column: "value"})
        ((changed, before, after),) = self.connection.execute(
            "SELECT count(*) FILTER (x IS DISTINCT FROM value), count(DISTINCT x),"
            f" count(DISTINCT value) FROM outcome{index}"
        ).fetchall()
        self.connection.execute(f"DROP TABLE outcome{index}")
        self._record(index, step.op, step.column, changed, before, after)

    def _classes_beside(self, name: str | None) -> list[str]:
        return [each for each in self.quasi_identifiers if each in self.values and each != name]

    def _seed(self, index: int, step: TableStep) -> bytes | None:
        """Return the key of a step's random numbers: the same wherever the step stands."""
        if not isinstance(step, Shuffle | Noise):
            return None
        if self.key is None:
            raise refusal(index, step, "random numbers need the key of the dataset; pass one")
        nth = sum((step.op, step.column) == (done.op, done.column) for done in self.effects)
        return derive_seed(self.key, f"{step.op}/{nth}/{step.column}")

    def _partition(self, index: int, step: Partition) -> None:
        """Recode columns locally, and go on from a table with the labels."""
        names = list(dict.fromkeys([*step.columns, *(goal.column for goal in step.sensitive)]))
        cells = ", ".join(f"{self.values[name].sql} AS {quote(name)}" for name in names)
        table = self.connection.sql(
            f"SELECT {cells} FROM read_parquet($source, file_row_number = true)"
            " ORDER BY file_row_number",
            params={"source": scan_argument(self.source), **self._parameters(*names)},
        ).to_arrow_table()
        found = recode(table, self.columns, step)
        outcome = f"outcome{index}"
        self.connection.register(outcome, label_table(found, step.columns))
        labels = {name: f"p{place}" for place, name in enumerate(step.columns)}
        differs = " OR ".join(
            f"CAST({value} AS VARCHAR) IS DISTINCT FROM {labels[name]}"
            for name, value in zip(self.values, self._aliases(), strict=True)
            if name in labels
        )
        ((changed,),) = self._fetch(
            f"SELECT count(*) FROM {self._numbered()} JOIN {outcome} USING (place) WHERE {differs}",
            self._parameters(*self.values),
        )
        self._go_on_from(outcome, labels)
        self.connection.unregister(outcome)
        self.columns |= partitioned(step, self.columns)
        self._record(index, step.op, None, changed, found.combinations, found.sizes.size)

    def _go_on_from(self, outcome: str, changed: Mapping[str, str]) -> None:
        """Write the table as it is after a step, and take it as the source of what follows.

        Args:
            outcome: Table with the ``place`` of each row and its new values.
            changed: Which of its columns holds the new values of which column.
        """
        chosen = ", ".join(
            f"{changed.get(name, value)} AS {quote(self.columns[name].key)}"
            for name, value in zip(self.values, self._aliases(), strict=True)
        )
        target = self.scratch / f"{outcome}.parquet"
        self._fetch(
            f"COPY (SELECT {chosen} FROM {self._numbered()} JOIN {outcome} USING (place)"
            f" ORDER BY {outcome}.place) TO $target (FORMAT parquet, COMPRESSION zstd)",
            {"target": str(target), **self._parameters(*self.values)},
        )
        self.source = target
        self.values = {name: Expression(quote(self.columns[name].key)) for name in self.values}

    def _aliases(self) -> list[str]:
        return [f"v{place}" for place in range(len(self.values))]

    def _numbered(self) -> str:
        """Return SQL for the table as it is now, its columns by alias beside their ``place``."""
        cells = "".join(
            f", {value.sql} AS {alias}"
            for value, alias in zip(self.values.values(), self._aliases(), strict=True)
        )
        return (
            f"(SELECT file_row_number AS place{cells}"
            " FROM read_parquet($source, file_row_number = true))"
        )

    def _refuse_gaps(self, index: int, step: Recode, value: Expression) -> None:
        gap = unmapped(step, value, index)
        ((rows, distinct),) = self._fetch(
            f"SELECT count(*), count(DISTINCT {value.sql})"
            f" FROM read_parquet($source) WHERE {gap.sql}",
            gap.parameters,
        )
        if rows:
            reason = (
                f"{distinct} values ({rows} rows) are not in the mapping; add them, or set"
                " 'other' to a value for all of them"
            )
            raise refusal(index, step, reason)

    def _suppress(self, index: int, step: SuppressSmallGroups) -> None:
        """Mark the rows of small classes.

        Classes are left out whole, so the others keep their size: one pass is stable.
        """
        names = [name for name in self.quasi_identifiers if name in self.values]
        partition = ", ".join(self.values[name].sql for name in names)
        by = f"PARTITION BY {partition}" if partition else ""
        parameters = self._parameters(*names)
        self._fetch(
            "CREATE TEMP TABLE suppressed AS SELECT place FROM (SELECT file_row_number AS place,"
            f" count(*) OVER ({by}) AS size"
            " FROM read_parquet($source, file_row_number = true)) WHERE size < $k",
            {"k": step.k, **parameters},
        )
        ((self.suppressed,),) = self.connection.execute(
            "SELECT count(*) FROM suppressed"
        ).fetchall()
        groups = f"GROUP BY {partition}" if partition else ""
        ((before, after),) = self._fetch(
            "SELECT count(*), count(*) FILTER (size >= $k)"
            f" FROM (SELECT count(*) AS size FROM read_parquet($source) {groups})",
            {"k": step.k, **parameters},
        )
        self._record(index, step.op, None, self.suppressed, before, after)

    def _suppress_failing(self, index: int, step: SuppressSmallGroups) -> None:
        """Mark the rows of classes that miss a goal for sensitive attributes."""
        self._fetch(
            "CREATE TEMP TABLE places AS SELECT file_row_number AS place"
            " FROM read_parquet($source, file_row_number = true)"
        )
        self._go_on_from("places", {})
        keys = [self.columns[name].key for name in self._classes_beside(None)]
        before, after = mark_failing(self.connection, self.source, keys, step, self.columns)
        ((self.suppressed,),) = self.connection.execute(
            "SELECT count(*) FROM suppressed"
        ).fetchall()
        self._record(index, step.op, None, self.suppressed, before, after)

    def _record(self, index: int, op: str, column: str | None, *counts: int) -> None:
        changed, before, after = counts
        self.effects.append(
            StepEffect(
                index=index,
                op=op,
                column=column,
                rows_changed=changed,
                distinct_before=before,
                distinct_after=after,
            )
        )

    def _parameters(self, *names: str) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for name in names:
            merged |= self.values[name].parameters
        return merged

    def _fetch_values(self, selection: str, name: str) -> list[tuple[Any, ...]]:
        return self._fetch(f"SELECT {selection} FROM read_parquet($source)", self._parameters(name))

    def _fetch(
        self, statement: str, parameters: Mapping[str, Any] | None = None
    ) -> list[tuple[Any, ...]]:
        return self.connection.execute(
            statement, {"source": scan_argument(self.source), **(parameters or {})}
        ).fetchall()
