"""Which versions have documents that may be searched, and by whom."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, or_, select

from fairdatabase.catalog.models import Dataset, Version
from fairdatabase.catalog.schemas import AccessClass, VersionState
from fairdatabase.kernel.database import Repository

_IS_DRAFT = Version.state == VersionState.DRAFT
_IS_PUBLISHED = Version.state == VersionState.PUBLISHED


class Closed(NamedTuple):
    """A version with something that not everybody may read."""

    public_id: str
    state: VersionState
    access: AccessClass
    owner_id: UUID


class Standing(NamedTuple):
    """A version that is neither withdrawn nor gone."""

    public_id: str
    dataset_public_id: str
    state: VersionState
    number: int
    updated_at: datetime


class DocumentRepository(Repository[Version]):
    """Versions as the keeper of their documents asks for them."""

    model = Version

    def closed(self, owner_id: UUID | None) -> Sequence[Closed]:
        """Return drafts and restricted versions of an owner; of all owners without one."""
        is_restricted = and_(_IS_PUBLISHED, Version.access == AccessClass.RESTRICTED)
        statement = (
            select(Version.public_id, Version.state, Version.access, Dataset.owner_id)
            .join(Version.dataset)
            .where(or_(_IS_DRAFT, is_restricted))
        )
        if owner_id is not None:
            statement = statement.where(Dataset.owner_id == owner_id)
        return [Closed(*row) for row in self._session.execute(statement)]

    def published(self, public_ids: Collection[str]) -> Sequence[str]:
        """Return which of some versions are published and not withdrawn."""
        statement = select(Version.public_id).where(
            Version.public_id.in_(public_ids), _IS_PUBLISHED
        )
        return self._session.scalars(statement).all()

    def standing(self) -> Sequence[Standing]:
        """Return all drafts and published versions, the newest of a dataset last."""
        statement = (
            select(
                Version.public_id, Dataset.public_id, Version.state, Version.number,
                Version.updated_at,
            )
            .join(Version.dataset)
            .where(or_(_IS_DRAFT, _IS_PUBLISHED))
            .order_by(Version.number)
        )  # fmt: skip
        return [Standing(*row) for row in self._session.execute(statement)]
