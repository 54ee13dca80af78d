"""Earlier versions of a dataset: what a table tells together with what was published before."""

from pathlib import Path
from uuid import UUID

from fairdatabase.catalog.service import Catalog
from fairdatabase.privacy.engine.versions import compare_versions
from fairdatabase.privacy.rules import comparable, shared_columns
from fairdatabase.privacy.schemas import VersionComparison
from fairdatabase.privacy.schemas.versions import PublishedTable
from fairdatabase.tables.rules import outgoing
from fairdatabase.tables.schemas import TableRecord
from fairdatabase.tables.service import Tables


class Versions:
    """Holds tables against what everybody may have a copy of already."""

    def __init__(self, *, tables: Tables, catalog: Catalog) -> None:
        self._tables = tables
        self._catalog = catalog

    def published(self, dataset_id: UUID) -> tuple[PublishedTable, ...]:
        """Return the tables of a dataset that were published openly, newest version first.

        Also those of versions that were withdrawn: whoever has a copy keeps it.
        """
        versions = self._catalog.opened(dataset_id)
        if not versions:
            return ()
        tables = self._tables.of_files([file.id for each in versions for file in each.files])
        return tuple(
            PublishedTable(version=each.number, file=file.name, table=table)
            for each in versions
            for file in each.files
            if (table := outgoing(tables.get(file.id, {})))
        )

    def compare(
        self, file_name: str, table: TableRecord, path: Path, dataset_id: UUID, *, k: int
    ) -> tuple[VersionComparison, ...]:
        """Compare a table with those published before that it can be held against.

        Args:
            file_name: Of the table's file.
            table: The table.
            path: Parquet file of its rows.
            dataset_id: Of its dataset.
            k: Fewest people that a difference may be about.
        """
        before = comparable(file_name, table, self.published(dataset_id))
        return tuple(self._compared(each, table, path, k) for each in before)

    def _compared(
        self, before: PublishedTable, table: TableRecord, path: Path, k: int
    ) -> VersionComparison:
        quasi_identifiers, sensitive = shared_columns(before.table, table)
        found = compare_versions(
            self._tables.path(before.table),
            path,
            quasi_identifiers=quasi_identifiers,
            sensitive=sensitive,
            k=k,
            earlier_columns=before.table.columns,
            later_columns=table.columns,
        )
        return VersionComparison(
            version=before.version,
            file=before.file,
            sha256=before.table.sha256,
            k=k,
            **found.model_dump(),
        )
