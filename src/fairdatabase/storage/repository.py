"""Questions about blobs."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite

from fairdatabase.kernel.database import Base, Repository
from fairdatabase.storage.models import Blob
from fairdatabase.storage.schemas import BlobRecord


class BlobRepository(Repository[Blob]):
    """The rows of all blobs."""

    model = Blob

    def remember(self, blob: BlobRecord, now: datetime) -> None:
        """Note that a blob was stored; one that was damaged is whole again."""
        insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        statement = insert(Blob).values(sha256=blob.sha256, size=blob.size, stored_at=now)
        self._session.execute(
            statement.on_conflict_do_update(
                index_elements=["sha256"], set_={"damaged_at": None, "stored_at": now}
            )
        )

    def size_of(self, sha256: str) -> int | None:
        """Return the number of bytes of a blob."""
        return self._session.scalar(select(Blob.size).where(Blob.sha256 == sha256))

    def unused(self, stored_before: datetime) -> Sequence[str]:
        """Return the checksums that no row of any table refers to, stored before a moment."""
        return self._session.scalars(
            select(Blob.sha256).where(Blob.stored_at < stored_before, *_no_referrer())
        ).all()

    def remove_unused(self, sha256: str, stored_before: datetime) -> bool:
        """Forget a blob unless it came into use meanwhile; tell whether it was forgotten."""
        statement = delete(Blob).where(
            Blob.sha256 == sha256, Blob.stored_at < stored_before, *_no_referrer()
        )
        return bool(self._session.execute(statement.returning(Blob.sha256)).all())

    def longest_unverified(self, limit: int) -> Sequence[str]:
        """Return the checksums whose last check is longest ago, never checked ones first."""
        order = (Blob.verified_at.asc().nulls_first(), Blob.sha256)
        return self._session.scalars(select(Blob.sha256).order_by(*order).limit(limit)).all()

    def note_check(self, sha256: str, now: datetime, *, damaged: bool) -> None:
        """Note the outcome of a fixity check; when a damage was first seen stays known."""
        values: dict[str, object] = {"verified_at": now, "damaged_at": None}
        statement = update(Blob).where(Blob.sha256 == sha256)
        if damaged:
            self._session.execute(statement.where(Blob.damaged_at.is_(None)).values(damaged_at=now))
            values.pop("damaged_at")
        self._session.execute(statement.values(values))


def _no_referrer() -> list[ColumnElement[bool]]:
    """Return that no foreign key of any feature's tables points to the blob."""
    return [
        ~exists().where(key.parent == Blob.sha256)
        for table in Base.metadata.tables.values()
        for key in table.foreign_keys
        if key.column is Blob.__table__.c.sha256
    ]
