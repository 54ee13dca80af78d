"""Use cases of tables: ingest a file, describe, edit columns, query, export."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from fairdatabase.authorization.schemas import WORKER, Actor
from fairdatabase.catalog.rules import looks_after
from fairdatabase.catalog.schemas import FileRecord, VersionRecord, VersionState
from fairdatabase.catalog.service import Catalog
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import NotFoundError
from fairdatabase.storage.service import Storage
from fairdatabase.tables.engine import duck
from fairdatabase.tables.engine.address import query_spec
from fairdatabase.tables.engine.cursor import cursor_key
from fairdatabase.tables.engine.ingest import ingest
from fairdatabase.tables.engine.limits import IngestLimits
from fairdatabase.tables.engine.predicates import Columns
from fairdatabase.tables.engine.sniff import media_type
from fairdatabase.tables.models import DataTable
from fairdatabase.tables.repository import TableRepository
from fairdatabase.tables.rules import column_changes, edited, outgoing
from fairdatabase.tables.schemas import (
    AggregateSpec,
    ColumnEdit,
    ColumnSchema,
    ColumnStatistics,
    ExportFormat,
    ExportQuery,
    IngestOptions,
    IngestReport,
    Measure,
    Page,
    QuerySpec,
    RowsQuery,
    TableKind,
    TableRecord,
)
from fairdatabase.tables.schemas.exploration import Exploration, ExploreQuery

Progress = Callable[[float, str], None]
MAX_SHOWN_COLUMNS = 40


@dataclass(frozen=True, slots=True)
class Export:
    """A table on its way out: the file's name, its media type and its bytes in chunks."""

    name: str
    media_type: str
    chunks: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class StoredParquet:
    """A Parquet file in the blob store: its checksum and its number of rows."""

    sha256: str
    row_count: int


class Tables:
    """Tables of files: made by ingestion, kept as Parquet, read through one engine."""

    def __init__(
        self,
        database: Database,
        *,
        storage: Storage,
        catalog: Catalog,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._storage = storage
        self._catalog = catalog
        self._settings = settings
        self._clock = clock
        self._repository = TableRepository(database)
        self._cursor_key = cursor_key(settings.data_key.get_secret_value())
        self._ingest_limits = IngestLimits(memory_mib=settings.ingest_memory_mib)
        self._limits = duck.Limits(
            memory_mib=settings.engine_memory_mib,
            threads=settings.engine_threads,
            seconds=settings.query_seconds,
        )

    def ingest(self, file: FileRecord, options: IngestOptions, progress: Progress) -> TableRecord:
        """Make the source table of a stored file; called by the validation job.

        Replaces the table of an earlier run together with everything derived from it, in one
        transaction, so that a run that dies leaves what was there.

        Raises:
            ValidationError: The file cannot be read as a table; says why and what to do.
        """
        source = self._storage.path(file.sha256)
        with self.workspace() as folder:
            target = folder / "table.parquet"
            result = ingest(
                source,
                file.name,
                target,
                options=options,
                progress=progress,
                limits=self._ingest_limits,
            )
            stored = self.store(target)
        with self._database.transaction():
            self._repository.remove(file.id, TableKind.RELEASE)
            made = {"rows": stored.row_count, "columns": len(result.columns)}
            made |= {"rows_rejected": result.report.rows_rejected}
            self._catalog.record_file_act(WORKER, file.id, "dataset.table-read", after=made)
            return self._keep(file.id, TableKind.SOURCE, stored, result.columns, result.report)

    def media_type(self, path: Path, name: str) -> str:
        """Return what a file is by its content: a table format read here, or unknown bytes."""
        return media_type(path, name)

    def store(self, parquet: Path) -> StoredParquet:
        """Move a Parquet file into the blob store; outside of any transaction, as it may be big."""
        row_count = duck.row_count(parquet)
        return StoredParquet(self._storage.store_file(parquet).sha256, row_count)

    def keep_release(
        self, file_id: UUID, stored: StoredParquet, columns: tuple[ColumnSchema, ...]
    ) -> TableRecord:
        """Make a stored Parquet file the anonymised table of a file; called by privacy."""
        with self._database.transaction():
            return self._keep(file_id, TableKind.RELEASE, stored, columns, None)

    def copy(self, from_file: UUID, to_file: UUID) -> dict[UUID, UUID]:
        """Give a file the tables of another one with the same bytes, for a new version.

        Returns:
            Id of each new table by the id of the one it was copied from.
        """
        with self._database.transaction():
            return {
                row.id: self._repository.add(row.copy_for(to_file, self._clock())).id
                for row in self._repository.of_files([from_file])
            }

    def drop_release(self, file_id: UUID) -> None:
        """Forget the anonymised table of a file."""
        with self._database.transaction():
            self._repository.remove(file_id, TableKind.RELEASE)

    def of_file(self, file_id: UUID, kind: TableKind) -> TableRecord | None:
        """Return a table of a file; for services that have checked access themselves."""
        with self._database.reading():
            row = self._repository.of_file(file_id, kind)
            return _record(row) if row else None

    def of_files(self, file_ids: Collection[UUID]) -> dict[UUID, dict[TableKind, TableRecord]]:
        """Return the tables of several files in one query; access is checked by the caller."""
        found: dict[UUID, dict[TableKind, TableRecord]] = {}
        with self._database.reading():
            for row in self._repository.of_files(file_ids):
                found.setdefault(row.file_id, {})[row.kind] = _record(row)
        return found

    def path(self, table: TableRecord) -> Path:
        """Return the Parquet file of a table, to be read only."""
        return self._storage.path(table.sha256)

    def csv_sha256(self, table: TableRecord) -> str:
        """Return the checksum of a table as it is handed out in CSV, all columns and rows."""
        chunks = duck.export(
            self.path(table), table.columns, QuerySpec(), ExportFormat.CSV, limits=self._limits
        )
        digest = hashlib.sha256()
        for chunk in chunks:
            digest.update(chunk)
        return digest.hexdigest()

    def describe(
        self, actor: Actor, file_public_id: str, kind: TableKind | None = None
    ) -> TableRecord:
        """Return the column schema of a file's table.

        The schema of published data is open even where the data is restricted. The report is for
        those who look after it: it quotes values and rows that are not in the table.

        Raises:
            NotFoundError: There is no such file or table, or the actor may not know of it.
        """
        version, file = self._catalog.require_file(actor, file_public_id, need="metadata")
        table = self._table(actor, version, file, kind)
        if looks_after(actor, version):
            return table
        return table.model_copy(update={"report": None})

    def edit_columns(
        self, actor: Actor, file_public_id: str, edits: Mapping[str, ColumnEdit]
    ) -> TableRecord:
        """Change names, roles, units and descriptions of a draft's columns.

        An anonymised release made before is dropped: it was made for other columns.

        Raises:
            ValidationError: A column does not exist or two would have the same name.
            ConflictError: The version is no longer a draft.
        """
        _, file = self._catalog.require_file(actor, file_public_id, need="edit")
        with self._database.transaction():
            row = self._repository.of_file(file.id, TableKind.SOURCE)
            if row is None:
                raise _no_table(file)
            before = _record(row)
            after = edited(before.columns, edits)
            row.columns = [column.model_dump(mode="json") for column in after]
            row.updated_at = self._clock()
            if after != before.columns:
                was, now = column_changes(before.columns, after)
                act = "dataset.columns-changed"
                self._catalog.record_file_act(actor, file.id, act, before=was, after=now)
            if [column.role for column in after] != [column.role for column in before.columns]:
                self._repository.remove(file.id, TableKind.RELEASE)
            return _record(row)

    def query(
        self, actor: Actor, file_public_id: str, spec: QuerySpec, kind: TableKind | None = None
    ) -> Page:
        """Return a page of rows.

        Raises:
            PermissionDeniedError: The data is restricted.
            ValidationError: The query names unknown columns or values of a wrong type.
        """
        table = self._readable(actor, file_public_id, kind)
        return self._query(table, spec)

    def rows(self, actor: Actor, file_public_id: str, query: RowsQuery) -> Page:
        """Return the page of rows that an address asks for; raises as :meth:`query` does."""
        table = self._readable(actor, file_public_id, query.kind)
        spec = query_spec(query, table.columns)
        return self._query(table, spec)

    def explore(self, actor: Actor, file_public_id: str, query: ExploreQuery) -> Exploration:
        """Return rows or aggregates with everything a page about them needs.

        Where no columns are chosen, those of a wide table that a page can hold are shown.

        Raises:
            PermissionDeniedError: The data is restricted.
            ValidationError: The query names unknown columns or values of a wrong type.
        """
        version, file = self._catalog.require_file(actor, file_public_id, need="data")
        table = self._table(actor, version, file, query.kind)
        shown = tuple(query.columns) or tuple(c.name for c in table.columns[:MAX_SHOWN_COLUMNS])
        spec = query_spec(query, table.columns).model_copy(update={"columns": shown})
        if query.group_by:
            groups = AggregateSpec(
                group_by=(query.group_by,),
                measures=(Measure(function=query.function, column=query.measure or None),),
                filters=spec.filters,
                search=spec.search,
            )
            page = duck.aggregate(self.path(table), table.columns, groups, limits=self._limits)
        else:
            page = self._query(table, spec)
        return Exploration(
            title=version.metadata.title,
            version_id=version.public_id,
            file_id=file.public_id,
            file_name=file.name,
            table=table,
            shown=shown,
            page=page,
        )

    def aggregate(
        self, actor: Actor, file_public_id: str, spec: AggregateSpec, kind: TableKind | None = None
    ) -> Page:
        """Return aggregates per group; raises as :meth:`query` does."""
        table = self._readable(actor, file_public_id, kind)
        return duck.aggregate(self.path(table), table.columns, spec, limits=self._limits)

    def statistics(
        self,
        actor: Actor,
        file_public_id: str,
        names: tuple[str, ...] | None = None,
        kind: TableKind | None = None,
    ) -> tuple[ColumnStatistics, ...]:
        """Return summaries of the named columns, or of all; raises as :meth:`query` does."""
        table = self._readable(actor, file_public_id, kind)
        columns = table.columns
        if names is not None:
            columns = tuple(map(Columns(columns).get, names))
        return duck.describe(self.path(table), columns, limits=self._limits)

    def export(self, actor: Actor, file_public_id: str, query: ExportQuery) -> Export:
        """Return all rows that match, streamed in the wanted format; raises as query does."""
        act = "dataset.exported"
        version, file = self._catalog.require_file(actor, file_public_id, need="data", act=act)
        table = self._table(actor, version, file, query.kind)
        spec = query_spec(query, table.columns)
        stem = file.name.rpartition(".")[0] or file.name
        suffix = "" if table.kind is TableKind.SOURCE else ".anonymised"
        return Export(
            name=f"{stem}{suffix}.{query.format.value}",
            media_type=duck.MEDIA_TYPES[query.format],
            chunks=duck.export(
                self.path(table), table.columns, spec, query.format, limits=self._limits
            ),
        )

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """A private folder for files that are being made; gone afterwards."""
        self._settings.work_path.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="table-", dir=self._settings.work_path))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _query(self, table: TableRecord, spec: QuerySpec) -> Page:
        return duck.query(
            self.path(table), table.columns, spec, key=self._cursor_key, limits=self._limits
        )

    def _readable(self, actor: Actor, file_public_id: str, kind: TableKind | None) -> TableRecord:
        version, file = self._catalog.require_file(actor, file_public_id, need="data")
        return self._table(actor, version, file, kind)

    def _table(
        self, actor: Actor, version: VersionRecord, file: FileRecord, kind: TableKind | None
    ) -> TableRecord:
        """Choose the table; behind a release, the source is for those who look after it."""
        tables = self.of_files([file.id]).get(file.id, {})
        if kind is None:
            is_draft = version.state is VersionState.DRAFT
            table = tables.get(TableKind.SOURCE) if is_draft else outgoing(tables)
        elif TableKind.RELEASE in tables and not looks_after(actor, version):
            table = tables.get(TableKind.RELEASE) if kind is TableKind.RELEASE else None
        else:
            table = tables.get(kind)
        if table is None:
            raise _no_table(file)
        return table

    def _keep(
        self,
        file_id: UUID,
        kind: TableKind,
        stored: StoredParquet,
        columns: tuple[ColumnSchema, ...],
        report: IngestReport | None,
    ) -> TableRecord:
        self._repository.remove(file_id, kind)
        now = self._clock()
        row = self._repository.add(
            DataTable(
                file_id=file_id,
                kind=kind,
                sha256=stored.sha256,
                row_count=stored.row_count,
                columns=[column.model_dump(mode="json") for column in columns],
                report=report.model_dump(mode="json") if report else {},
                created_at=now,
                updated_at=now,
            )
        )
        return _record(row)


def _record(row: DataTable) -> TableRecord:
    return TableRecord(
        id=row.id,
        file_id=row.file_id,
        public_id=row.public_id,
        kind=row.kind,
        sha256=row.sha256,
        row_count=row.row_count,
        columns=tuple(ColumnSchema.model_validate(column) for column in row.columns),
        report=IngestReport.model_validate(row.report) if row.report else None,
        updated_at=row.updated_at,
    )


def _no_table(file: FileRecord) -> NotFoundError:
    return NotFoundError(
        f"The file {file.name} has no such table: it was not validated yet, or it is no table."
    )
