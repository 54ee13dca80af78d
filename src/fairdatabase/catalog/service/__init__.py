"""Use cases of the catalogue: drafts, versions, publication, access."""

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from fairdatabase.audit.service import Audit
from fairdatabase.authorization.rules import require, require_user
from fairdatabase.authorization.schemas import Action, Actor, Resource
from fairdatabase.catalog.errors import IncompleteVersionError, OpenDraftError
from fairdatabase.catalog.models import DataFile, Dataset, Version
from fairdatabase.catalog.rules import (
    clean_file_name,
    clean_index_text,
    clean_media_type,
    metadata_changes,
    missing_for_publication,
    require_act,
)
from fairdatabase.catalog.schemas import (
    AccessClass,
    DraftChanged,
    FileRecord,
    FileRole,
    Metadata,
    Override,
    SearchQuery,
    SearchResult,
    VersionPublished,
    VersionRecord,
    VersionState,
    VersionWithdrawn,
)
from fairdatabase.catalog.service.access import no_such_dataset, require_steward
from fairdatabase.catalog.service.reading import Reading
from fairdatabase.catalog.service.records import file_record, version_record
from fairdatabase.catalog.service.search import Search
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import ConflictError, LimitExceededError
from fairdatabase.kernel.events import Events
from fairdatabase.storage.schemas import BlobRecord

MAX_FILES = 1000
_AGAIN = "It was changed by somebody else a moment ago. Please look at it again."


class Catalog(Reading):
    """Datasets and their versions, and the one guarded getter before everything they hold.

    Args:
        database: Holds the catalogue.
        events: Told of publications and withdrawals, after the commit.
        settings: Of this instance; identifiers are built from its NAAN.
        clock: Source of the present time.
        audit: Told of every change, and of who looks at data that are not open.
    """

    def __init__(
        self, database: Database, events: Events, settings: Settings, clock: Clock, *, audit: Audit
    ) -> None:
        super().__init__(database, settings, audit)
        self._events = events
        self._clock = clock
        self._search = Search(database, clock)

    def search(self, query: SearchQuery) -> SearchResult:
        """Return a page of the published datasets that match, with facets over all that do.

        The newest published version of each dataset is searched, for everybody alike: their
        metadata are open whatever the access to their data.
        """
        return self._search.find(query)

    def create_draft(
        self, actor: Actor, metadata: Metadata, *, access: AccessClass = AccessClass.OPEN
    ) -> VersionRecord:
        """Open a new dataset with its first draft.

        Raises:
            AuthenticationError: Nobody is signed in.
        """
        require(actor, Resource.DATASET, Action.CREATE)
        owner_id = require_user(actor)
        with self._database.transaction():
            dataset = self._datasets.add(Dataset(owner_id=owner_id, created_at=self._clock()))
            draft = self._add_draft(dataset.id, 1, metadata, access)
            made = {"dataset": dataset.public_id, "title": metadata.title, "access": access.value}
            self._record(actor, "created", draft, after=made)
            return self._changed(draft)

    def new_version(self, actor: Actor, dataset_public_id: str) -> VersionRecord:
        """Open the draft of a dataset's next version, with metadata and files of the newest one.

        Raises:
            NotFoundError: There is no such dataset.
            PermissionDeniedError: It is somebody else's.
            OpenDraftError: It has a draft already.
            ConflictError: No version of it is published.
        """
        with self._database.transaction():
            leading = self.get_dataset(actor, dataset_public_id)
            require_steward(actor, leading)
            self._datasets.lock(leading.dataset_id)
            if draft := self._versions.open_draft(leading.dataset_id):
                raise OpenDraftError(
                    f"Version {draft.number} of this dataset is a draft already. Please publish "
                    "or discard it first."
                )
            newest = self._versions.newest_published(leading.dataset_id)
            if newest is None:
                raise ConflictError("A withdrawn dataset gets no new versions.")
            before = version_record(newest, self._naan)
            require_act(actor, Action.REVISE, before)
            number = self._versions.last_number(before.dataset_id) + 1
            draft = self._add_draft(before.dataset_id, number, before.metadata, before.access)
            for position, file in enumerate(before.files):
                self._copy_file(draft.id, position, file)
            opened = {"dataset": dataset_public_id, "number": number, "from": before.public_id}
            self._record(actor, "version-opened", draft, after=opened)
            return self._changed(draft)

    def update_metadata(
        self, actor: Actor, version_public_id: str, metadata: Metadata
    ) -> VersionRecord:
        """Replace the metadata of a draft.

        Raises:
            NotFoundError: There is no such draft, or it is somebody else's.
            NotADraftError: The version was published or withdrawn.
        """
        with self._database.transaction():
            draft = self._locked_draft(actor, version_public_id)
            was, now = metadata_changes(Metadata.model_validate(draft.record), metadata)
            if now:
                self._record(actor, "metadata-changed", draft, before=was, after=now)
            draft.title = metadata.title
            draft.record = metadata.model_dump(mode="json")
            return self._changed(draft)

    def set_access(
        self, actor: Actor, version_public_id: str, access: AccessClass
    ) -> VersionRecord:
        """Choose who may read the data once they are published; raises as update_metadata."""
        with self._database.transaction():
            draft = self._locked_draft(actor, version_public_id)
            if access is not draft.access:
                was = {"access": draft.access.value}
                now = {"access": access.value}
                self._record(actor, "access-changed", draft, before=was, after=now)
            draft.access = access
            return self._changed(draft)

    def check_new_file(self, actor: Actor, version_public_id: str, name: str) -> str:
        """Tell early, before its bytes are sent, whether a draft could take a file.

        Returns:
            The name as it will be stored.

        Raises:
            NotFoundError: There is no such draft, or it is somebody else's.
            NotADraftError: The version was published or withdrawn.
            FileNameError: A file cannot have this name.
            ConflictError: The draft has a file of this name.
            LimitExceededError: The draft has too many files.
        """
        return _free_name(self.require_draft(actor, version_public_id), name)

    def add_file(
        self,
        actor: Actor,
        version_public_id: str,
        name: str,
        blob: BlobRecord,
        *,
        media_type: str = "application/octet-stream",
        role: FileRole = FileRole.DATA,
    ) -> FileRecord:
        """Add stored bytes to a draft as a file; raises as :meth:`check_new_file`."""
        with self._database.transaction():
            draft = self._locked_draft(actor, version_public_id)
            version = version_record(draft, self._naan)
            row = self._files.add(
                DataFile(
                    version_id=draft.id,
                    position=max((file.position for file in draft.files), default=-1) + 1,
                    name=_free_name(version, name),
                    role=role,
                    sha256=blob.sha256,
                    size=blob.size,
                    media_type=clean_media_type(media_type),
                    created_at=self._clock(),
                )
            )
            self._changed(draft)
            added = {"size": row.size, "sha256": row.sha256, "role": role.value}
            self.record_file_act(actor, row.id, "dataset.file-added", after=added)
            return file_record(row)

    def remove_file(self, actor: Actor, file_public_id: str) -> None:
        """Take a file out of a draft, with everything that was made from it.

        Raises:
            NotFoundError: There is no such file, or it is somebody else's.
            NotADraftError: The version was published or withdrawn.
        """
        with self._database.transaction():
            version, file = self.require_file(actor, file_public_id, need="edit")
            was = {"sha256": file.sha256, "size": file.size}
            self.record_file_act(actor, file.id, "dataset.file-removed", before=was)
            self._files.remove(file.id)
            self._changed(self._locked_draft(actor, version.public_id))

    def withhold(self, file_id: UUID, *, withheld: bool) -> None:
        """Say whether the bytes of a draft's file stay in the house.

        For the deposits service, which has checked the actor and holds the draft's lock.
        """
        with self._database.transaction():
            self._files.set_withheld(file_id, withheld=withheld)

    def discard_draft(self, actor: Actor, version_public_id: str) -> None:
        """Throw a draft away; a dataset that was never published goes with it.

        Raises:
            NotFoundError: There is no such draft, or it is somebody else's.
            NotADraftError: The version was published or withdrawn.
        """
        with self._database.transaction():
            draft = self._locked_draft(actor, version_public_id, Action.DISCARD)
            was = {"title": draft.title, "files": len(draft.files)}
            self._record(actor, "discarded", draft, before=was)
            self._tell(draft.dataset.public_id)
            self._versions.remove(draft.id)
            self._datasets.remove_empty(draft.dataset_id)

    def discard_drafts_of(self, actor: Actor, owner_id: UUID) -> None:
        """Throw all drafts of an owner away, for whoever deletes the account.

        Raises:
            PermissionDeniedError: The drafts are somebody else's.
        """
        with self._database.transaction():
            for version in self._versions.all_of(owner_id):
                if version.state is VersionState.DRAFT:
                    self.discard_draft(actor, version.public_id)

    def publish(
        self,
        actor: Actor,
        version_public_id: str,
        *,
        index_text: str = "",
        override: Override | None = None,
    ) -> VersionRecord:
        """Make a draft public, for good.

        Args:
            actor: Who publishes.
            version_public_id: The draft.
            index_text: Words of the files, such as column names, by which the search finds it.
            override: Why it is published although the privacy policy speaks against it.

        Raises:
            NotFoundError: There is no such draft, or it is somebody else's.
            NotADraftError: It was published already, perhaps a moment ago by somebody else.
            IncompleteVersionError: Something is missing; every problem is listed.
        """
        with self._database.transaction():
            draft = self.require_draft(actor, version_public_id, lock=True)
            require_act(actor, Action.PUBLISH, draft)
            if problems := missing_for_publication(draft.metadata, draft.files):
                raise IncompleteVersionError(
                    f"This cannot be published yet. {' '.join(p.message for p in problems)}",
                    details=[problem.model_dump() for problem in problems],
                )
            now = self._clock()
            metadata = draft.metadata.model_copy(
                update={"publication_year": draft.metadata.publication_year or now.year}
            )
            if not self._versions.publish(
                draft.id,
                record=metadata.model_dump(mode="json"),
                index_text=clean_index_text(index_text),
                moment=now,
                override_reason=override.reason if override else None,
            ):
                raise ConflictError(_AGAIN)
            made: dict[str, Any] = {"identifier": draft.identifier, "access": draft.access.value}
            if override:
                made["override"] = override.model_dump(mode="json")
            self._record(actor, "published", draft, after=made)
            return self._announce(draft, VersionPublished)

    def withdraw(self, actor: Actor, version_public_id: str, reason: str) -> VersionRecord:
        """Take the data of a published version back; its metadata stay as a tombstone.

        Raises:
            NotFoundError: There is no such version.
            AuthenticationError: Nobody is signed in.
            PermissionDeniedError: It is somebody else's.
            ConflictError: It is not published, or was withdrawn already.
        """
        with self._database.transaction():
            row = self._versions.locked(version_public_id)
            version = self._visible(actor, row, version_public_id)
            require_steward(actor, version)
            if version.state is not VersionState.PUBLISHED:
                raise ConflictError(
                    f"Version {version.number} is {version.state.value}; only published versions "
                    "can be withdrawn."
                )
            require_act(actor, Action.WITHDRAW, version)
            if not self._versions.withdraw(version.id, reason=reason, moment=self._clock()):
                raise ConflictError(_AGAIN)
            self._record(actor, "withdrawn", version, after={"reason": reason})
            return self._announce(version, VersionWithdrawn)

    def _record(
        self,
        actor: Actor,
        act: str,
        version: Version | VersionRecord,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        subject = version.public_id
        self._audit.record(
            actor, f"dataset.{act}", Resource.DATASET, subject, before=before, after=after
        )

    def _announce(
        self, before: VersionRecord, event: type[VersionPublished] | type[VersionWithdrawn]
    ) -> VersionRecord:
        """Update the search, and tell those who must know once it is committed."""
        self._search.refresh(before.dataset_id)
        keys = (before.public_id, before.dataset_public_id)
        self._database.after_commit(partial(self._public.forget, *keys))
        happened = event(
            version_id=before.id,
            public_id=before.public_id,
            dataset_public_id=before.dataset_public_id,
        )
        self._database.after_commit(partial(self._events.publish, happened))
        return self._fresh(before.public_id)

    def _add_draft(
        self, dataset_id: UUID, number: int, metadata: Metadata, access: AccessClass
    ) -> Version:
        now = self._clock()
        return self._versions.add(
            Version(
                dataset_id=dataset_id,
                number=number,
                state=VersionState.DRAFT,
                access=access,
                title=metadata.title,
                record=metadata.model_dump(mode="json"),
                created_at=now,
                updated_at=now,
            )
        )

    def _copy_file(self, version_id: UUID, position: int, file: FileRecord) -> None:
        self._files.add(
            DataFile(
                version_id=version_id,
                position=position,
                name=file.name,
                role=file.role,
                sha256=file.sha256,
                size=file.size,
                media_type=file.media_type,
                withheld=file.withheld,
                created_at=self._clock(),
            )
        )

    def _changed(self, draft: Version) -> VersionRecord:
        draft.updated_at = self._clock()
        version = self._fresh(draft.public_id)
        self._tell(version.dataset_public_id)
        return version

    def _tell(self, dataset_public_id: str) -> None:
        """Tell those who must know that the draft of a dataset is not what it was."""
        event = DraftChanged(dataset_public_id=dataset_public_id)
        self._database.after_commit(partial(self._events.publish, event))

    def _fresh(self, public_id: str) -> VersionRecord:
        row = self._versions.locked(public_id)
        if row is None:
            raise no_such_dataset(public_id)
        return version_record(row, self._naan)


def _free_name(draft: VersionRecord, name: str) -> str:
    """Return the name that a new file of the draft gets."""
    cleaned = clean_file_name(name)
    if any(file.name == cleaned for file in draft.files):
        raise ConflictError(
            f"This deposit has a file {cleaned} already. Please rename the new one, or remove the "
            "other first."
        )
    if len(draft.files) >= MAX_FILES:
        raise LimitExceededError(
            f"A version has at most {MAX_FILES} files. Please put tables of the same columns "
            "into one, or open another deposit for the rest."
        )
    return cleaned
