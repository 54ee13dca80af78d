"""Communities and what belongs to them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Result, Row, Select, delete, distinct, func, select

from fairdatabase.catalog.models import Community, CommunityDataset, Version
from fairdatabase.catalog.schemas import VersionState
from fairdatabase.kernel.database import Repository

Counted = Row[Community, int]
"""A community and how many of its datasets are published."""


class CommunityRepository(Repository[Community]):
    """Communities, always with the number of their published datasets."""

    model = Community

    def all(self) -> Sequence[Counted]:
        """Return every community in the order of their names."""
        return self._rows(_counted().order_by(Community.name, Community.slug)).all()

    def find(self, slug: str) -> Counted | None:
        """Return the community of this name in addresses."""
        return self._rows(_counted().where(Community.slug == slug)).one_or_none()

    def of(self, dataset_id: UUID) -> Counted | None:
        """Return the community that a dataset belongs to."""
        belongs = select(CommunityDataset.community_id).where(
            CommunityDataset.dataset_id == dataset_id
        )
        return self._rows(_counted().where(Community.id == belongs.scalar_subquery())).one_or_none()

    def assign(self, dataset_id: UUID, community_id: UUID | None) -> None:
        """Have a dataset belong to this community and to no other; None: to none."""
        self._session.execute(
            delete(CommunityDataset).where(CommunityDataset.dataset_id == dataset_id)
        )
        if community_id is not None:
            self._session.add(CommunityDataset(dataset_id=dataset_id, community_id=community_id))
            self._session.flush()

    def _rows(self, statement: Select[Community, int]) -> Result[Community, int]:
        return self._session.execute(statement)


def _counted() -> Select[Community, int]:
    published = (
        select(func.count(distinct(Version.dataset_id)))
        .join(CommunityDataset, CommunityDataset.dataset_id == Version.dataset_id)
        .where(
            CommunityDataset.community_id == Community.id,
            Version.state == VersionState.PUBLISHED,
        )
        .correlate(Community)
        .scalar_subquery()
    )
    return select(Community, published)
