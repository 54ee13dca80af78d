"""Use cases of communities: who is there, and what belongs to them."""

from uuid import UUID

from fairdatabase.audit.service import Audit
from fairdatabase.authorization.rules import require
from fairdatabase.authorization.schemas import Action, Actor, Resource
from fairdatabase.catalog.models import Community
from fairdatabase.catalog.repository.communities import CommunityRepository, Counted
from fairdatabase.catalog.schemas import CommunityEdit, CommunityIn, CommunityRecord
from fairdatabase.catalog.service import Catalog
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import ConflictError, NotFoundError


class Communities:
    """Groups of people whose datasets belong together."""

    def __init__(self, database: Database, clock: Clock, *, catalog: Catalog, audit: Audit) -> None:
        self._database = database
        self._clock = clock
        self._catalog = catalog
        self._audit = audit
        self._communities = CommunityRepository(database)

    def all(self) -> tuple[CommunityRecord, ...]:
        """Return every community in the order of their names."""
        with self._database.reading():
            return tuple(_record(row) for row in self._communities.all())

    def get(self, slug: str) -> CommunityRecord:
        """Return a community.

        Raises:
            NotFoundError: There is none of this name.
        """
        with self._database.reading():
            return _record(self._present(slug))

    def of(self, dataset_id: UUID) -> CommunityRecord | None:
        """Return the community that a dataset belongs to; for services."""
        with self._database.reading():
            row = self._communities.of(dataset_id)
            return _record(row) if row else None

    def create(self, actor: Actor, wanted: CommunityIn) -> CommunityRecord:
        """Found a community.

        Raises:
            AuthenticationError: Nobody is signed in.
            PermissionDeniedError: The actor is no curator.
            ConflictError: Another one has this name in addresses.
        """
        require(actor, Resource.COMMUNITY, Action.CREATE)
        with self._database.transaction():
            if self._communities.find(wanted.slug):
                raise ConflictError(
                    f"There is a community {wanted.slug} already. Please choose another name.",
                    details=[{"field": "slug", "message": "Another community has this name."}],
                )
            made = wanted.model_dump()
            self._communities.add(Community(**made, created_at=self._clock()))
            self._audit.record(
                actor, "community.created", Resource.COMMUNITY, wanted.slug, after=made
            )
            return _record(self._present(wanted.slug))

    def edit(self, actor: Actor, slug: str, wanted: CommunityEdit) -> CommunityRecord:
        """Change what is said about a community.

        Raises:
            AuthenticationError: Nobody is signed in.
            PermissionDeniedError: The actor is no curator.
            NotFoundError: There is none of this name.
        """
        community = self.require_editor(actor, slug)
        was = {"name": community.name, "description": community.description}
        now = wanted.model_dump()
        with self._database.transaction():
            row, _ = self._present(slug)
            row.name, row.description = wanted.name, wanted.description
            self._audit.record(
                actor, "community.changed", Resource.COMMUNITY, slug, before=was, after=now
            )
        return self.get(slug)

    def require_editor(self, actor: Actor, slug: str) -> CommunityRecord:
        """Return a community that the actor may change; raises as :meth:`edit`."""
        require(actor, Resource.COMMUNITY, Action.EDIT)
        return self.get(slug)

    def of_draft(self, actor: Actor, version_public_id: str) -> CommunityRecord | None:
        """Return the community that a draft's dataset belongs to.

        Raises:
            NotFoundError: There is no such draft, or it is somebody else's.
            NotADraftError: The version was published or withdrawn.
        """
        return self.of(self._catalog.require_draft(actor, version_public_id).dataset_id)

    def assign(
        self, actor: Actor, version_public_id: str, slug: str | None
    ) -> CommunityRecord | None:
        """Have a draft's dataset belong to a community and to no other; None: to none.

        Raises:
            NotFoundError: There is no such draft or community, or the draft is somebody else's.
            NotADraftError: The version was published or withdrawn.
        """
        with self._database.transaction():
            draft = self._catalog.require_draft(actor, version_public_id, lock=True)
            before = self.of(draft.dataset_id)
            after = self.get(slug) if slug else None
            if before == after:
                return after
            self._communities.assign(draft.dataset_id, after.id if after else None)
            self._audit.record(
                actor,
                "dataset.community-changed",
                Resource.DATASET,
                draft.public_id,
                before={"community": before.slug if before else None},
                after={"community": slug},
            )
            return after

    def _present(self, slug: str) -> Counted:
        row = self._communities.find(slug)
        if row is None:
            raise NotFoundError(f"There is no community {slug}. Please check the address.")
        return row


def _record(row: Counted) -> CommunityRecord:
    community, datasets = row
    return CommunityRecord(
        id=community.id,
        slug=community.slug,
        name=community.name,
        description=community.description,
        datasets=datasets,
        created_at=community.created_at,
    )
