"""Steps of a recipe over rows: local recoding, and leaving out classes that miss a goal."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from fairdatabase.privacy.engine.classes import ClassTables
from fairdatabase.privacy.engine.combinations import is_ordered
from fairdatabase.privacy.engine.goals import Attribute, failures
from fairdatabase.privacy.engine.recoding import Recoding
from fairdatabase.privacy.engine.session import quote, scan_argument
from fairdatabase.privacy.schemas.recipes import SuppressSmallGroups
from fairdatabase.tables.schemas import ColumnSchema


def mark_failing(
    connection: duckdb.DuckDBPyConnection,
    source: Path,
    keys: Sequence[str],
    step: SuppressSmallGroups,
    columns: Mapping[str, ColumnSchema],
) -> tuple[int, int]:
    """Create the table ``suppressed`` with the ``place`` of every row to leave out.

    Args:
        connection: Session to work in.
        source: Parquet file as it is before the step.
        keys: Its quasi-identifiers.
        step: What the classes have to reach.
        columns: Its columns by name.

    Returns:
        The classes before and after the step.
    """
    tables = ClassTables(connection, source, keys, "category")
    tables.build()
    sizes = tables.sizes()["n"]
    attributes = [
        Attribute(goal, is_ordered(goal, column), tables.counts(column.key)[0])
        for goal in step.sensitive
        for column in (columns[goal.column],)
    ]
    failing = failures(sizes, step.k, attributes)
    connection.register("failing", pa.table({"id": np.flatnonzero(failing)}))
    same = " AND ".join(
        f"rows.{quote(key)} IS NOT DISTINCT FROM classes.q{place}" for place, key in enumerate(keys)
    )
    connection.execute(
        "CREATE TEMP TABLE suppressed AS SELECT file_row_number AS place"
        " FROM read_parquet($source, file_row_number = true) AS rows"
        f" JOIN classes ON {same or 'true'} JOIN failing ON failing.id = classes.id",
        {"source": scan_argument(source)},
    )
    return sizes.size, int(sizes.size - failing.sum())


def label_table(recoding: Recoding, names: Sequence[str]) -> pa.Table:
    """Return the labels of every row as columns ``p0``, ``p1`` ... beside its ``place``."""
    groups = pa.array(recoding.groups)
    labels = {
        f"p{place}": pa.array(recoding.labels[name], pa.string()).take(groups)
        for place, name in enumerate(names)
    }
    return pa.table({"place": pa.array(np.arange(recoding.groups.size)), **labels})
