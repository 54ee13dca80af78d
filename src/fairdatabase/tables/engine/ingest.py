"""Makes one Parquet file, a column schema and a report of a data file of any known format.

The target appears by an atomic rename when everything is done and checked: an ingestion that is
killed leaves nothing behind that could be taken for a table, and can simply be run again.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow.parquet as pq

from fairdatabase.kernel.errors import StorageFullError
from fairdatabase.tables.engine.advice import column_findings, reason
from fairdatabase.tables.engine.columns import ColumnReader, MissingCodes
from fairdatabase.tables.engine.delimited import (
    DelimitedTable,
    IrregularRowsError,
    open_delimited,
    repair,
)
from fairdatabase.tables.engine.excel import open_excel
from fairdatabase.tables.engine.isolation import isolated
from fairdatabase.tables.engine.jsonlines import open_json_lines
from fairdatabase.tables.engine.limits import IngestLimits
from fairdatabase.tables.engine.parquet import (
    ParquetTable,
    nan_findings,
    open_parquet,
    store_parquet,
)
from fairdatabase.tables.engine.sniff import table_format
from fairdatabase.tables.engine.store import (
    Progress,
    TextTable,
    make_readers,
    physical_names,
    store,
)
from fairdatabase.tables.errors import UnknownColumnError
from fairdatabase.tables.rules import HeaderNames, shorten
from fairdatabase.tables.schemas import (
    DEFAULT_MISSING_CODES,
    ColumnReport,
    ColumnSchema,
    ColumnType,
    Dialect,
    Finding,
    IngestOptions,
    IngestReport,
    IngestResult,
    RejectedRow,
    Severity,
    TableFormat,
)


def ingest(
    source: Path,
    name: str,
    target: Path,
    *,
    options: IngestOptions,
    progress: Progress,
    limits: IngestLimits | None = None,
) -> IngestResult:
    """Read a data file and write it as Parquet.

    Args:
        source: The file; it is only read, and its format is decided by its content.
        name: The name people know it by, for messages.
        target: The Parquet file to make; temporary files are made in its folder.
        options: What the user stated about the file.
        progress: Told the share done, 0 to 1, and what is being done.
        limits: Limits of the ingestion.

    Returns:
        The columns and the report. Every row of the file is stored or reported as rejected.

    Raises:
        TableError: The file cannot be read as a table; says where, why and what to do.
        LimitExceededError: The file expands to more than is allowed.
        StorageFullError: The disk is full; the target was not made.
    """
    limits = limits or IngestLimits()
    kind = table_format(source, name)
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".ingest-") as folder:
            run = _Ingestion(source, name, options, limits, Path(folder))
            read = _isolated if limits.isolated and kind in _BINARY else _read
            result = read(kind, run, progress)
            os.replace(run.parquet, target)  # noqa: PTH105  the atomic one, by name
            _sync_folder(target.parent)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            message = f"There is no space left to store {name}; nothing of it was kept."
            raise StorageFullError(message) from error
        raise
    return result


def _isolated(kind: TableFormat, run: _Ingestion, progress: Progress) -> IngestResult:
    return isolated(
        _read,
        kind,
        run,
        name=run.name,
        progress=progress,
        memory_mib=run.limits.memory_mib,
        seconds=run.limits.seconds,
    )


def _read(kind: TableFormat, run: _Ingestion, progress: Progress) -> IngestResult:
    return _STEPS[kind](replace(run, progress=progress))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _silent(_share: float, _activity: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class _Ingestion:
    """One ingestion: what every format's step needs."""

    source: Path
    name: str
    options: IngestOptions
    limits: IngestLimits
    workspace: Path
    progress: Progress = _silent

    @property
    def parquet(self) -> Path:
        return self.workspace / "table.parquet"

    def part(self, begin: float, end: float) -> Progress:
        """Progress of a step that goes from one share of the whole to another."""

        def report(share: float, activity: str) -> None:
            self.progress(begin + (end - begin) * share, activity)

        return report

    def missing_codes(self, default: Sequence[str]) -> tuple[str, ...]:
        chosen = self.options.missing_codes
        return tuple(default if chosen is None else chosen)

    def check_types(self, names: Sequence[str]) -> None:
        unknown = self.options.types.keys() - set(names)
        if unknown:
            message = f"A type is stated for {shorten(min(unknown))!r}, which is no column."
            raise UnknownColumnError(message)

    def store_text(
        self, table: TextTable, default_codes: Sequence[str], begin: float
    ) -> tuple[HeaderNames, list[ColumnReader]]:
        names = HeaderNames(table.names)
        self.check_types(names.names)
        readers = make_readers(
            table,
            names.names,
            MissingCodes(self.missing_codes(default_codes)),
            self.options.types,
            trim=self.options.trim,
        )
        rows = store(
            table,
            readers,
            self.parquet,
            threads=self.limits.threads,
            progress=self.part(begin, 1.0),
        )
        self.check_rows(rows, table.rows)
        return names, readers

    def check_rows(self, rows: int, expected: int) -> None:
        """The promise of this module: as many rows were stored as were counted before."""
        stored = pq.read_metadata(self.parquet).num_rows
        if not rows == expected == stored:
            message = (
                f"{self.name}: {expected:,} rows were counted, {rows:,} read and {stored:,} stored."
            )
            raise RuntimeError(message)

    def result(
        self,
        table: TextTable,
        names: HeaderNames,
        readers: Sequence[ColumnReader],
        report: IngestReport,
        line_of: Callable[[int], int | None],
    ) -> IngestResult:
        """Add columns, their reports and findings to the report of a text table."""
        findings = [*report.findings, *names.findings()]
        for name, reader in zip(names.names, readers, strict=True):
            row = reader.contradiction[0] if reader.contradiction else None
            line = None if row is None else line_of(row)
            findings += column_findings(name, reader, self.options.types.get(name), line)
        if not table.rows:
            findings.append(_NO_ROWS)
        columns = _columns(
            names,
            [reader.type or ColumnType.TEXT for reader in readers],
            [reader.missing for reader in readers],
        )
        reports = tuple(
            ColumnReport(
                name=column.name,
                type=column.type,
                reason=reason(reader, self.options.types.get(column.name)),
                missing=reader.missing_total,
                missing_codes=_by_code(reader.missing),
            )
            for column, reader in zip(columns, readers, strict=True)
        )
        update = {"findings": tuple(findings), "columns": reports}
        return IngestResult(columns=columns, report=report.model_copy(update=update))


_NO_ROWS = Finding(
    code="no_rows",
    severity=Severity.WARNING,
    message="The table has a header and no rows.",
    advice="Check that this is the right file.",
)


def _by_code(missing: Counter[str | None]) -> dict[str, int]:
    return {code: count for code, count in missing.items() if code is not None}


def _columns(
    names: HeaderNames, types: Sequence[ColumnType], missing: Sequence[Counter[str | None]]
) -> tuple[ColumnSchema, ...]:
    keys = physical_names(len(types))
    return tuple(
        ColumnSchema(
            key=key,
            name=names.names[position],
            type=types[position],
            missing_codes=tuple(sorted(_by_code(missing[position]))),
            original_name=names.original(position),
        )
        for position, key in enumerate(keys)
    )


def _report(
    kind: TableFormat,
    rows: int,
    *,
    rejected: Sequence[RejectedRow] = (),
    dialect: Dialect | None = None,
    findings: Sequence[Finding] = (),
) -> IngestReport:
    return IngestReport(
        format=kind,
        dialect=dialect or Dialect(),
        rows_read=rows + len(rejected),
        rows_stored=rows,
        rows_rejected=len(rejected),
        rejected=tuple(rejected),
        findings=tuple(findings),
    )


def _delimited(run: _Ingestion) -> IngestResult:
    table = open_delimited(
        run.source,
        run.name,
        options=run.options,
        limits=run.limits,
        workspace=run.workspace,
        progress=run.part(0.0, 0.2),
    )
    table, names, readers = _store_delimited(run, table)
    report = _report(
        TableFormat.DELIMITED,
        table.rows,
        rejected=table.rejected,
        dialect=table.dialect,
        findings=table.findings,
    )
    return run.result(table, names, readers, report, table.line_of)


def _store_delimited(
    run: _Ingestion, table: DelimitedTable
) -> tuple[DelimitedTable, HeaderNames, list[ColumnReader]]:
    try:
        return table, *run.store_text(table, DEFAULT_MISSING_CODES, 0.2)
    except IrregularRowsError:
        if table.repaired:
            raise
    table = repair(table, run.name, run.limits, run.workspace, run.part(0.2, 0.4))
    return table, *run.store_text(table, DEFAULT_MISSING_CODES, 0.4)


def _excel(run: _Ingestion) -> IngestResult:
    table = open_excel(run.source, run.name, run.options, run.limits)
    names, readers = run.store_text(table, DEFAULT_MISSING_CODES, 0.2)
    dialect = Dialect(header=table.header, sheet=table.sheet)
    report = _report(TableFormat.EXCEL, table.rows, dialect=dialect, findings=table.findings)
    return run.result(table, names, readers, report, table.line_of)


def _json_lines(run: _Ingestion) -> IngestResult:
    table = open_json_lines(run.source, run.name, run.limits, run.part(0.0, 0.4))
    names, readers = run.store_text(table, (), 0.4)
    report = _report(
        TableFormat.JSON_LINES,
        table.rows,
        rejected=list(table.rejected.values()),
        dialect=Dialect(encoding="utf-8"),
        findings=table.findings,
    )
    return run.result(table, names, readers, report, lambda _: None)


def _parquet(run: _Ingestion) -> IngestResult:
    table = open_parquet(run.source, run.name, run.limits)
    names = HeaderNames(table.names)
    run.check_types(names.names)
    codes = run.missing_codes(())
    rows = store_parquet(table, run.parquet, codes, run.part(0.0, 1.0))
    run.check_rows(rows, table.rows)
    findings = [*names.findings(), *nan_findings(table, names.names), *_kept_types(run, table)]
    if not rows:
        findings.append(_NO_ROWS)
    report = _report(TableFormat.PARQUET, rows, findings=findings)
    coded = [Counter[str | None](table.coded.get(n, {})) for n in range(len(table.names))]
    columns = _columns(names, table.types, coded)
    reports = tuple(
        ColumnReport(
            name=column.name,
            type=column.type,
            reason="The Parquet file states this type.",
            missing=table.missing[position],
            missing_codes=_by_code(coded[position]),
        )
        for position, column in enumerate(columns)
    )
    return IngestResult(columns=columns, report=report.model_copy(update={"columns": reports}))


def _kept_types(run: _Ingestion, table: ParquetTable) -> list[Finding]:
    if not run.options.types:
        return []
    return [
        Finding(
            code="types_kept",
            severity=Severity.WARNING,
            message="A Parquet file states its types; they were kept.",
            advice="Change the types where the file is made.",
            count=len(table.types),
        )
    ]


_BINARY = {TableFormat.EXCEL, TableFormat.PARQUET}
"""Formats whose readers reserve what a file claims to hold."""
_STEPS: dict[TableFormat, Callable[[_Ingestion], IngestResult]] = {
    TableFormat.DELIMITED: _delimited,
    TableFormat.EXCEL: _excel,
    TableFormat.JSON_LINES: _json_lines,
    TableFormat.PARQUET: _parquet,
}
