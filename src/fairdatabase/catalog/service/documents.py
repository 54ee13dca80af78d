"""What the keeper of documents has to know of the catalogue."""

from collections.abc import Collection
from datetime import datetime

from fairdatabase.authorization.rules import may
from fairdatabase.authorization.schemas import Action, Actor, Resource, State
from fairdatabase.catalog.repository.documents import DocumentRepository
from fairdatabase.catalog.repository.versions import VersionRepository
from fairdatabase.catalog.schemas import VersionRecord, VersionState
from fairdatabase.catalog.service.records import version_record
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database


class Documents:
    """Tells whose documents may be read now, and which there are.

    Args:
        database: Holds the catalogue.
        settings: Of this instance; identifiers are built from its NAAN.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._naan = settings.naan
        self._documents = DocumentRepository(database)
        self._versions = VersionRepository(database)

    def open_to(self, actor: Actor) -> tuple[frozenset[str], frozenset[str]]:
        """Return drafts, and versions with restricted data, that this actor may read.

        Returns:
            Public ids of the drafts, and those of the restricted versions.
        """
        if not actor.is_authenticated:
            return frozenset(), frozenset()
        sees_all = may(actor, Resource.DATASET, Action.READ_DATA, state=State.DRAFT)
        with self._database.reading():
            rows = self._documents.closed(None if sees_all else actor.user_id)
        drafts: set[str] = set()
        restricted: set[str] = set()
        for row in rows:
            is_draft = row.state is VersionState.DRAFT
            state = State.DRAFT if is_draft else State(row.access.value)
            if may(actor, Resource.DATASET, Action.READ_DATA, state=state, owner_id=row.owner_id):
                (drafts if is_draft else restricted).add(row.public_id)
        return frozenset(drafts), frozenset(restricted)

    def published(self, public_ids: Collection[str]) -> frozenset[str]:
        """Return which of some versions are published and were not withdrawn."""
        if not public_ids:
            return frozenset()
        with self._database.reading():
            return frozenset(self._documents.published(public_ids))

    def of_dataset(self, dataset_public_id: str) -> tuple[VersionRecord, ...]:
        """Return the newest published version of a dataset and its draft; for jobs."""
        with self._database.reading():
            leading = self._versions.leading(dataset_public_id)
            if leading is None:
                return ()
            found = (
                self._versions.newest_published(leading.dataset_id),
                self._versions.open_draft(leading.dataset_id),
            )
            return tuple(version_record(row, self._naan) for row in found if row)

    def standing(self) -> dict[tuple[str, VersionState], tuple[str, datetime]]:
        """Return for each dataset its draft and its newest published version; for jobs.

        Returns:
            Public id and last change of the version, by public id of the dataset and state.
        """
        with self._database.reading():
            rows = self._documents.standing()
        return {(row.dataset_public_id, row.state): (row.public_id, row.updated_at) for row in rows}
