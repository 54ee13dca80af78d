"""Datasets, versions and their files."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, case, delete, func, select, update
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from fairdatabase.catalog.models import DataFile, Dataset, Version
from fairdatabase.catalog.schemas import AccessClass, VersionState
from fairdatabase.kernel.database import Repository


class DatasetRepository(Repository[Dataset]):
    """Concepts that versions share."""

    model = Dataset

    def lock(self, dataset_id: UUID) -> None:
        """Keep others from opening versions of the dataset until the transaction ends."""
        self._session.scalar(select(Dataset.id).where(Dataset.id == dataset_id).with_for_update())

    def remove_empty(self, dataset_id: UUID) -> None:
        """Remove the dataset where it has no version left."""
        versions = select(Version.id).where(Version.dataset_id == dataset_id)
        self._session.execute(delete(Dataset).where(Dataset.id == dataset_id, ~versions.exists()))


class VersionRepository(Repository[Version]):
    """Versions, always with their dataset and files."""

    model = Version

    def find(self, public_id: str) -> Version | None:
        """Return the version with this outside identifier."""
        return self._session.scalar(_whole().where(Version.public_id == public_id))

    def locked(self, public_id: str) -> Version | None:
        """Return the version as it is now and keep others from changing it meanwhile.

        SQLite has no row locks and needs none: a writing transaction is the only one.
        """
        statement = _whole().where(Version.public_id == public_id).with_for_update(of=Version)
        return self._session.scalar(statement.execution_options(populate_existing=True))

    def numbered(self, dataset_public_id: str, number: int) -> Version | None:
        """Return the version of a dataset with this number."""
        of_dataset = Dataset.public_id == dataset_public_id
        return self._session.scalar(_whole().where(of_dataset, Version.number == number))

    def leading(self, dataset_public_id: str) -> Version | None:
        """Return the version that stands for its dataset.

        The newest published one; where all are withdrawn, the newest tombstone; before the
        first publication, the draft.
        """
        rank = case(
            (Version.state == VersionState.PUBLISHED, 0),
            (Version.state == VersionState.WITHDRAWN, 1),
            else_=2,
        )
        statement = _whole().where(Dataset.public_id == dataset_public_id)
        return self._session.scalar(statement.order_by(rank, Version.number.desc()).limit(1))

    def newest_published(self, dataset_id: UUID) -> Version | None:
        """Return the newest published version of a dataset."""
        statement = _whole().where(
            Version.dataset_id == dataset_id, Version.state == VersionState.PUBLISHED
        )
        return self._session.scalar(statement.order_by(Version.number.desc()).limit(1))

    def index_text(self, version_id: UUID) -> str:
        """Return the words of a version's files."""
        return self._session.scalars(
            select(Version.index_text).where(Version.id == version_id)
        ).one()

    def open_draft(self, dataset_id: UUID) -> Version | None:
        """Return the draft of a dataset, of which there is one at most."""
        return self._session.scalar(
            _whole().where(Version.dataset_id == dataset_id, Version.state == VersionState.DRAFT)
        )

    def of_dataset(self, dataset_id: UUID, *, with_drafts: bool) -> Sequence[Version]:
        """Return the versions of a dataset, newest first."""
        statement = _whole(files=False).where(Version.dataset_id == dataset_id)
        if not with_drafts:
            statement = statement.where(Version.is_public)
        return self._session.scalars(statement.order_by(Version.number.desc())).all()

    def opened(self, dataset_id: UUID) -> Sequence[Version]:
        """Return the versions of a dataset whose data were published openly, newest first."""
        statement = _whole().where(
            Version.dataset_id == dataset_id,
            Version.is_public,
            Version.access == AccessClass.OPEN,
        )
        return self._session.scalars(statement.order_by(Version.number.desc())).all()

    def last_number(self, dataset_id: UUID) -> int:
        """Return the highest version number that a dataset has had; 0 before the first."""
        statement = select(func.max(Version.number)).where(Version.dataset_id == dataset_id)
        return self._session.scalar(statement) or 0

    def all_of(self, owner_id: UUID) -> Sequence[Version]:
        """Return every version of an owner's datasets, the oldest first."""
        statement = _whole().where(Dataset.owner_id == owner_id)
        return self._session.scalars(statement.order_by(Version.created_at, Version.id)).all()

    def owned_by(
        self, owner_id: UUID, state: VersionState, *, offset: int, limit: int
    ) -> tuple[Sequence[Version], int]:
        """Return a page of somebody's versions in a state, last changed first, and their number."""
        condition = (Dataset.owner_id == owner_id, Version.state == state)
        total = self._session.scalar(
            select(func.count()).select_from(Version).join(Dataset).where(*condition)
        )
        page = _whole(files=False).where(*condition)
        page = page.order_by(Version.updated_at.desc(), Version.id.desc())
        return self._session.scalars(page.offset(offset).limit(limit)).all(), total or 0

    def publish(
        self,
        version_id: UUID,
        *,
        record: dict[str, Any],
        index_text: str,
        moment: datetime,
        override_reason: str | None,
    ) -> bool:
        """Turn a draft into a published version; False where it was no draft any more."""
        statement = (
            update(Version)
            .where(Version.id == version_id, Version.state == VersionState.DRAFT)
            .values(
                state=VersionState.PUBLISHED,
                record=record,
                index_text=index_text,
                published_at=moment,
                updated_at=moment,
                override_reason=override_reason,
            )
            .returning(Version.id)
            .execution_options(synchronize_session=False)
        )
        return self._session.scalar(statement) is not None

    def withdraw(self, version_id: UUID, *, reason: str, moment: datetime) -> bool:
        """Turn a published version into a tombstone; False where it was not published."""
        statement = (
            update(Version)
            .where(Version.id == version_id, Version.state == VersionState.PUBLISHED)
            .values(
                state=VersionState.WITHDRAWN,
                withdrawn_at=moment,
                withdrawal_reason=reason,
                updated_at=moment,
            )
            .returning(Version.id)
            .execution_options(synchronize_session=False)
        )
        return self._session.scalar(statement) is not None

    def remove(self, version_id: UUID) -> None:
        """Remove a version with its files; the foreign keys take along what hangs on them."""
        self._session.execute(delete(Version).where(Version.id == version_id))


class FileRepository(Repository[DataFile]):
    """Files of versions."""

    model = DataFile

    def find(self, public_id: str) -> DataFile | None:
        """Return the file with this outside identifier, with its version."""
        return self._session.scalar(_file_with_version().where(DataFile.public_id == public_id))

    def with_version(self, file_id: UUID) -> DataFile | None:
        """Return the file with this inside identifier, with its version."""
        return self._session.scalar(_file_with_version().where(DataFile.id == file_id))

    def set_withheld(self, file_id: UUID, *, withheld: bool) -> None:
        """Say whether the bytes of a file stay in the house."""
        self._session.execute(
            update(DataFile).where(DataFile.id == file_id).values(withheld=withheld)
        )

    def remove(self, file_id: UUID) -> None:
        """Remove a file's row; its blob stays with the storage feature."""
        self._session.execute(delete(DataFile).where(DataFile.id == file_id))


def _whole(*, files: bool = True) -> Select[Version]:
    statement = select(Version).join(Version.dataset).options(contains_eager(Version.dataset))
    return statement.options(selectinload(Version.files)) if files else statement


def _file_with_version() -> Select[DataFile]:
    version = joinedload(DataFile.version, innerjoin=True)
    return select(DataFile).options(
        version.joinedload(Version.dataset, innerjoin=True),
        version.selectinload(Version.files),
    )
