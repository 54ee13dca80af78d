"""Every SELECT of the tables feature, named by its question."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import delete, select

from fairdatabase.kernel.database import Repository
from fairdatabase.tables.models import DataTable
from fairdatabase.tables.schemas import TableKind


class TableRepository(Repository[DataTable]):
    """Tables of files."""

    model = DataTable

    def of_file(self, file_id: UUID, kind: TableKind) -> DataTable | None:
        """Return the source or the release table of a file."""
        return self._session.scalar(
            select(DataTable).where(DataTable.file_id == file_id, DataTable.kind == kind)
        )

    def of_files(self, file_ids: Collection[UUID]) -> Sequence[DataTable]:
        """Return all tables of these files in one query."""
        return self._session.scalars(
            select(DataTable).where(DataTable.file_id.in_(file_ids)).order_by(DataTable.kind)
        ).all()

    def remove(self, file_id: UUID, kind: TableKind) -> None:
        """Forget a table of a file; its blob stays until no row names it."""
        self._session.execute(
            delete(DataTable).where(DataTable.file_id == file_id, DataTable.kind == kind)
        )
