"""Reading use cases: what leads where, who sees it, and the guarded getters."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal
from uuid import UUID

from fairdatabase.audit.service import Audit
from fairdatabase.authorization.rules import require, require_user
from fairdatabase.authorization.schemas import ANONYMOUS, Action, Actor, Resource, State
from fairdatabase.catalog.models import Version
from fairdatabase.catalog.repository.versions import (
    DatasetRepository,
    FileRepository,
    VersionRepository,
)
from fairdatabase.catalog.rules import looks_after, require_act, state_of
from fairdatabase.catalog.schemas import FileRecord, VersionRecord, VersionState, VersionSummary
from fairdatabase.catalog.service.access import (
    no_such_dataset,
    no_such_file,
    require_bytes,
    require_data,
    require_draft_state,
    require_steward,
    require_visible,
)
from fairdatabase.catalog.service.records import file_record, version_record, version_summary
from fairdatabase.kernel.cache import Cache
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import NotFoundError
from fairdatabase.kernel.identifiers import is_public_id
from fairdatabase.kernel.records import PageQuery

Need = Literal["metadata", "data", "edit"]
_CACHED_RECORDS = 2000
# Bounds how long other processes show a record that this one has changed.
_CACHE_SECONDS = 10.0


class Reading:
    """The half of the catalogue that changes nothing.

    Args:
        database: Holds the catalogue.
        settings: Of this instance; identifiers are built from its NAAN.
        audit: Told of every change, and of who looks at data that are not open.
    """

    def __init__(self, database: Database, settings: Settings, audit: Audit) -> None:
        self._database = database
        self._audit = audit
        self._naan = settings.naan
        self._datasets = DatasetRepository(database)
        self._versions = VersionRepository(database)
        self._files = FileRepository(database)
        self._public: Cache[VersionRecord] = Cache(seconds=_CACHE_SECONDS, capacity=_CACHED_RECORDS)

    def get_dataset(self, actor: Actor, public_id: str) -> VersionRecord:
        """Return the version that stands for a dataset.

        That is the newest published one; where all were withdrawn, the newest tombstone; and
        before the first publication the draft, for those who look after it.

        Raises:
            NotFoundError: There is no such dataset, or the actor may not know of it.
        """
        with self._database.reading():
            return self._visible(actor, self._versions.leading(public_id), public_id)

    def get_version(self, actor: Actor, public_id: str) -> VersionRecord:
        """Return a version by its own identifier.

        Raises:
            NotFoundError: There is no such version, or the actor may not know of it.
        """
        with self._database.reading():
            return self._visible(actor, self._versions.find(public_id), public_id)

    def get_number(self, actor: Actor, dataset_public_id: str, number: int) -> VersionRecord:
        """Return a version by its dataset's identifier and its number.

        Raises:
            NotFoundError: There is no such version, or the actor may not know of it.
        """
        with self._database.reading():
            version = self._versions.numbered(dataset_public_id, number)
            return self._visible(actor, version, f"{dataset_public_id} with a version {number}")

    def resolve(self, actor: Actor, public_id: str) -> VersionRecord:
        """Return the version that an identifier leads to, be it a dataset's or a version's own.

        Raises:
            NotFoundError: The identifier leads nowhere, or to something the actor may not see.
        """
        if not is_public_id(public_id):
            raise NotFoundError(
                f"{public_id} is no identifier of this catalogue: its check character does not "
                "fit. Please look for a typing error."
            )
        with self._database.reading():
            row = self._versions.leading(public_id) or self._versions.find(public_id)
            return self._visible(actor, row, public_id)

    def show(self, actor: Actor, public_id: str) -> VersionRecord:
        """Return what an identifier leads to, from the cache where it is public.

        Raises:
            NotFoundError: The identifier leads nowhere, or to something the actor may not see.
        """
        try:
            return self.public_record(public_id)
        except NotFoundError:
            if not actor.is_authenticated:
                raise
            return self.resolve(actor, public_id)

    def require_identifier(self, actor: Actor, naan: str, name: str) -> str:
        """Return the public id of the dataset or version that an ARK names.

        Args:
            actor: Who asks.
            naan: Name assigning authority number.
            name: What the authority assigned; hyphens in it mean nothing (ARK specification).

        Raises:
            NotFoundError: It is another authority's, has a typing error, or leads nowhere.
        """
        if naan != self._naan:
            raise NotFoundError(
                f"ark:/{naan}/{name} is not from this catalogue, whose identifiers begin with "
                f"ark:/{self._naan}/. The resolver at https://n2t.net may know it."
            )
        public_id = name.replace("-", "")
        self.show(actor, public_id)
        return public_id

    def public_record(self, public_id: str) -> VersionRecord:
        """Return what everybody may see under an identifier, from the cache where it is there.

        A change made by another process shows after ten seconds at the latest.

        Raises:
            NotFoundError: The identifier leads nowhere, or to a draft.
        """
        return self._public.get_or_make(public_id, partial(self.resolve, ANONYMOUS, public_id))

    def list_versions(self, actor: Actor, dataset_public_id: str) -> tuple[VersionSummary, ...]:
        """Return the versions of a dataset that the actor may see, newest first.

        Raises:
            NotFoundError: There is no such dataset, or the actor may not know of it.
        """
        with self._database.reading():
            leading = self.get_dataset(actor, dataset_public_id)
            with_drafts = looks_after(actor, leading)
            rows = self._versions.of_dataset(leading.dataset_id, with_drafts=with_drafts)
            return tuple(version_summary(row) for row in rows)

    def my_drafts(self, actor: Actor, page: PageQuery) -> tuple[Sequence[VersionSummary], int]:
        """Return a page of the actor's drafts, last changed first, and how many there are.

        Raises:
            AuthenticationError: Nobody is signed in.
        """
        return self._mine(actor, VersionState.DRAFT, page)

    def my_publications(
        self, actor: Actor, page: PageQuery
    ) -> tuple[Sequence[VersionSummary], int]:
        """Return a page of the actor's published versions, and how many there are.

        Raises:
            AuthenticationError: Nobody is signed in.
        """
        return self._mine(actor, VersionState.PUBLISHED, page)

    def versions_of(self, owner_id: UUID, _public_id: str) -> tuple[VersionRecord, ...]:
        """Return every version of an owner's datasets, for the owner's copy of personal data."""
        with self._database.reading():
            return tuple(version_record(row, self._naan) for row in self._versions.all_of(owner_id))

    def holdings_of(self, owner_id: UUID) -> tuple[int, int]:
        """Return how many drafts and published versions an owner has."""
        with self._database.reading():
            _, drafts = self._versions.owned_by(owner_id, VersionState.DRAFT, offset=0, limit=0)
            _, published = self._versions.owned_by(
                owner_id, VersionState.PUBLISHED, offset=0, limit=0
            )
        return drafts, published

    def require_access(
        self, actor: Actor, public_id: str, *, need: Literal["metadata", "data"]
    ) -> VersionRecord:
        """Return a version, or a dataset's leading one, after checking what the actor needs.

        Raises:
            NotFoundError: It does not exist, or the actor may not know that it does.
            AuthenticationError: The data are restricted and nobody is signed in.
            PermissionDeniedError: The data are restricted and not for this actor.
            WithdrawnError: The data were withdrawn.
        """
        version = self.resolve(actor, public_id)
        if need == "data":
            require_data(actor, version)
        return version

    def require_file(
        self, actor: Actor, file_public_id: str, *, need: Need, act: str = "dataset.data-read"
    ) -> tuple[VersionRecord, FileRecord]:
        """Return a file and its version after checking what the actor needs of it.

        ``edit`` keeps others from changing the version until the caller's transaction ends, so
        that nobody publishes or discards it meanwhile. Whoever needs ``data`` that are not open
        is noted in the audit log, before anything of them is shown.

        Args:
            actor: Who asks.
            file_public_id: Of the file.
            need: What of it.
            act: How the audit log calls what is done with data that are not open.

        Raises:
            NotFoundError: It does not exist, or the actor may not know that it does.
            AuthenticationError: The data are restricted and nobody is signed in.
            PermissionDeniedError: The data are restricted and not for this actor.
            WithdrawnError: The data were withdrawn.
            NotADraftError: The file is to be changed and its version is no longer a draft.
        """
        if need == "edit":
            return self._file_of_draft(actor, file_public_id)
        with self._database.reading():
            row = self._files.find(file_public_id)
            if row is None:
                raise no_such_file(file_public_id)
            version = version_record(row.version, self._naan)
            require_visible(actor, version, no_such_file(file_public_id))
            file = file_record(row)
        if need == "data":
            require_data(actor, version)
            if state_of(version) is not State.OPEN:
                seen = {"file": file.public_id, "name": file.name}
                self._audit.note(actor, act, Resource.DATASET, version.public_id, after=seen)
        return version, file

    def require_download(
        self, actor: Actor, file_public_id: str
    ) -> tuple[VersionRecord, FileRecord]:
        """Return a file whose original bytes the actor may have.

        Raises:
            PermissionDeniedError: Only an anonymised release of the file leaves the house, or
                the data are restricted and not for this actor.
            NotFoundError: It does not exist, or the actor may not know that it does.
            AuthenticationError: The data are restricted and nobody is signed in.
            WithdrawnError: The data were withdrawn.
        """
        act = "dataset.downloaded"
        version, file = self.require_file(actor, file_public_id, need="data", act=act)
        require_bytes(file)
        return version, file

    def require_draft(self, actor: Actor, public_id: str, *, lock: bool = False) -> VersionRecord:
        """Return a draft that the actor may change.

        Args:
            actor: Who asks.
            public_id: Of the version.
            lock: Keep others from changing it until the caller's transaction ends.

        Raises:
            NotFoundError: There is no such draft, or it is somebody else's.
            NotADraftError: It was published or withdrawn.
        """
        if lock:
            with self._database.transaction():
                return version_record(self._locked_draft(actor, public_id), self._naan)
        with self._database.reading():
            version = self._visible(actor, self._versions.find(public_id), public_id)
            _require_editable(actor, version, Action.EDIT)
            return version

    def file(self, file_id: UUID) -> FileRecord:
        """Return a file by its inside identifier; for jobs, where no person asks.

        Raises:
            NotFoundError: It was removed meanwhile.
        """
        with self._database.reading():
            row = self._files.get(file_id)
            if row is None:
                raise no_such_file(str(file_id))
            return file_record(row)

    def opened(self, dataset_id: UUID) -> tuple[VersionRecord, ...]:
        """Return the versions whose data everybody could read once, newest first; for services.

        Those that were withdrawn are among them: whoever took a copy has it.
        """
        with self._database.reading():
            return tuple(
                version_record(row, self._naan) for row in self._versions.opened(dataset_id)
            )

    def dataset_of(self, file_id: UUID) -> UUID:
        """Return the inside identifier of the dataset that a file belongs to; for jobs.

        Raises:
            NotFoundError: The file was removed meanwhile.
        """
        with self._database.reading():
            row = self._files.with_version(file_id)
            if row is None:
                raise no_such_file(str(file_id))
            return row.version.dataset_id

    def record_file_act(
        self,
        actor: Actor,
        file_id: UUID,
        action: str,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """Record what was done to a file of a dataset, inside the transaction that does it.

        For services that have checked the actor; arguments as of ``Audit.record``.

        Raises:
            NotFoundError: The file was removed meanwhile.
        """
        row = self._files.with_version(file_id)
        if row is None:
            raise no_such_file(str(file_id))
        done = {"file": row.public_id, "name": row.name, **(after or {})}
        subject = row.version.public_id
        self._audit.record(actor, action, Resource.DATASET, subject, before=before, after=done)

    def _file_of_draft(self, actor: Actor, file_public_id: str) -> tuple[VersionRecord, FileRecord]:
        with self._database.transaction():
            version, _ = self.require_file(actor, file_public_id, need="metadata")
            draft = self.require_draft(actor, version.public_id, lock=True)
            for file in draft.files:
                if file.public_id == file_public_id:
                    return draft, file
            raise no_such_file(file_public_id)

    def _locked_draft(self, actor: Actor, public_id: str, action: Action = Action.EDIT) -> Version:
        row = self._versions.locked(public_id)
        version = self._visible(actor, row, public_id)
        _require_editable(actor, version, action)
        return self._present(row, public_id)

    def _visible(self, actor: Actor, row: Version | None, public_id: str) -> VersionRecord:
        version = version_record(self._present(row, public_id), self._naan)
        require_visible(actor, version, no_such_dataset(public_id))
        return version

    def _present(self, row: Version | None, public_id: str) -> Version:
        if row is None:
            raise no_such_dataset(public_id)
        return row

    def _mine(
        self, actor: Actor, state: VersionState, page: PageQuery
    ) -> tuple[Sequence[VersionSummary], int]:
        owner_id = require_user(actor)
        require(actor, Resource.DATASET, Action.READ, state=State.DRAFT, owner_id=owner_id)
        with self._database.reading():
            rows, total = self._versions.owned_by(
                owner_id, state, offset=page.offset, limit=page.per_page
            )
            return tuple(version_summary(row) for row in rows), total


def _require_editable(actor: Actor, version: VersionRecord, action: Action) -> None:
    require_steward(actor, version)
    require_draft_state(version)
    require_act(actor, action, version)
