"""Tables of the tables feature."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from fairdatabase.kernel.database import Base
from fairdatabase.kernel.identifiers import new_public_id, new_uuid
from fairdatabase.tables.schemas import TableKind


class DataTable(Base):
    """A table made from a file: one Parquet blob and its column schema.

    A file has one source table and, once a release recipe was applied, one release table;
    making either anew replaces the row.
    """

    __tablename__ = "tables"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_uuid)
    public_id: Mapped[str] = mapped_column(String(16), unique=True, default=new_public_id)
    file_id: Mapped[UUID] = mapped_column(ForeignKey("files.id", ondelete="CASCADE"))
    kind: Mapped[TableKind]
    sha256: Mapped[str] = mapped_column(ForeignKey("blobs.sha256"))
    row_count: Mapped[int] = mapped_column(BigInteger)
    columns: Mapped[list[dict[str, Any]]]
    report: Mapped[dict[str, Any]]
    """What happened on the way in, as ``tables.schemas.IngestReport`` writes it."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (Index("uq_tables_file_kind", "file_id", "kind", unique=True),)

    def copy_for(self, file_id: UUID, now: datetime) -> "DataTable":
        """Return a new row that gives another file the same table."""
        return DataTable(
            file_id=file_id,
            kind=self.kind,
            sha256=self.sha256,
            row_count=self.row_count,
            columns=self.columns,
            report=self.report,
            created_at=now,
            updated_at=now,
        )
