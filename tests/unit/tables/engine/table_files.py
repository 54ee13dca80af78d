"""Tables made for the tests of the engine: written in every format, ingested, read back."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from fairdatabase.tables.engine.ingest import ingest
from fairdatabase.tables.engine.limits import IngestLimits
from fairdatabase.tables.schemas import (
    ColumnReport,
    ColumnSchema,
    ColumnType,
    IngestOptions,
    IngestReport,
)


@dataclass(frozen=True)
class Stored:
    """A table after its ingestion."""

    path: Path
    columns: tuple[ColumnSchema, ...]
    report: IngestReport

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def types(self) -> list[ColumnType]:
        return [column.type for column in self.columns]

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """The stored rows as Python values."""
        table = pq.read_table(self.path)
        assert table.schema.names == [column.key for column in self.columns]
        columns = [column.to_pylist() for column in table.columns]
        return list(zip(*columns, strict=True))

    @property
    def findings(self) -> set[str]:
        return {finding.code for finding in self.report.findings}

    def column(self, name: str) -> list[Any]:
        return [row[self.names.index(name)] for row in self.rows]

    def column_report(self, name: str) -> ColumnReport:
        return self.report.columns[self.names.index(name)]


def _check_progress(share: float, activity: str) -> None:
    assert 0 <= share <= 1
    assert activity


def ingest_file(
    source: Path,
    *,
    limits: IngestLimits | None = None,
    **options: Any,  # noqa: ANN401  the fields of IngestOptions
) -> Stored:
    """Ingest a file into a Parquet file beside it."""
    target = source.with_name("stored.parquet")
    result = ingest(
        source,
        source.name,
        target,
        options=IngestOptions(**options),
        progress=_check_progress,
        limits=limits,
    )
    report = result.report
    assert report.rows_read == report.rows_stored + report.rows_rejected
    assert len(report.rejected) == report.rows_rejected
    assert pq.read_metadata(target).num_rows == report.rows_stored
    left = {path.name for path in source.parent.iterdir()}
    assert left == {source.name, target.name}, "temporary files were left"
    return Stored(target, result.columns, report)


def refused(
    error: type[Exception],
    match: str,
    content: bytes | str,
    **options: Any,  # noqa: ANN401
) -> Exception:
    """Check that bytes are refused, with a message, and that nothing is left of them."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "table.csv"
        source.write_bytes(content.encode() if isinstance(content, str) else content)
        with pytest.raises(error, match=match) as raised:
            ingest_file(source, **options)
        assert [path.name for path in Path(folder).iterdir()] == [source.name]
    return raised.value


@contextmanager
def ingested(
    content: bytes | str,
    name: str = "table.csv",
    *,
    limits: IngestLimits | None = None,
    **options: Any,  # noqa: ANN401  the fields of IngestOptions
) -> Iterator[Stored]:
    """Ingest bytes in a folder of their own."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / name
        source.write_bytes(content.encode() if isinstance(content, str) else content)
        yield ingest_file(source, limits=limits, **options)
