"""Small tables for tests of the privacy feature."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def write_parquet(
    path: Path,
    columns: Mapping[str, Sequence[Any]],
    types: Sequence[str] | None = None,
    *,
    group_rows: int | None = None,
) -> Path:
    """Write columns to a Parquet file and return its path.

    Args:
        path: File to write.
        columns: Values by column name.
        types: Arrow type of each column; inferred without them.
        group_rows: Rows of a row group, which are the units read in parallel.
    """
    arrays = {
        name: pa.array(values, type=types[index] if types else None)
        for index, (name, values) in enumerate(columns.items())
    }
    pq.write_table(pa.table(arrays), path, row_group_size=group_rows)
    return path


def read_parquet(path: Path) -> dict[str, list[Any]]:
    """Return the values of a Parquet file by column name."""
    values: dict[str, list[Any]] = pq.read_table(path).to_pydict()
    return values
