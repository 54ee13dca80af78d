"""The story of a deposit: open, add files, validate, screen, publish."""

from collections.abc import Callable, Sequence
from uuid import UUID

from fairdatabase.audit.service import Audit
from fairdatabase.authorization.schemas import Action, Actor, Resource
from fairdatabase.catalog.rules import require_act
from fairdatabase.catalog.schemas import (
    AccessClass,
    FileRecord,
    FileRole,
    Metadata,
    Override,
    VersionRecord,
    VersionSummary,
)
from fairdatabase.catalog.service import Catalog
from fairdatabase.deposits.errors import NotPublishableError, SequenceFileError
from fairdatabase.deposits.rules import (
    MAX_DOCUMENTATION_BYTES,
    about_sequences,
    documentation_type,
    keeps_back,
    publishable,
    stage_of,
)
from fairdatabase.deposits.schemas import Deposit, DepositFile, DepositIn
from fairdatabase.jobs.schemas import JobRecord
from fairdatabase.jobs.service import Jobs
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.records import PageQuery
from fairdatabase.privacy.engine.reads import examine
from fairdatabase.privacy.service import Privacy
from fairdatabase.storage.checksums import Readable
from fairdatabase.storage.errors import InfectedFileError
from fairdatabase.storage.service import Storage
from fairdatabase.tables.schemas import ColumnEdit, IngestOptions, TableKind, TableRecord
from fairdatabase.tables.service import Tables

Progress = Callable[[float, str], None]
VALIDATE_JOB = "deposits.validate"
SCREEN_JOB = "deposits.screen"


class Deposits:
    """Leads a draft from its first file to its publication."""

    def __init__(
        self,
        database: Database,
        *,
        storage: Storage,
        catalog: Catalog,
        tables: Tables,
        privacy: Privacy,
        jobs: Jobs,
        audit: Audit,
        settings: Settings,
    ) -> None:
        self._database = database
        self._audit = audit
        self._storage = storage
        self._catalog = catalog
        self._tables = tables
        self._privacy = privacy
        self._jobs = jobs
        self._settings = settings

    def open(self, actor: Actor, data: DepositIn) -> Deposit:
        """Open a deposit: the first draft of a new dataset.

        Raises:
            AuthenticationError: Nobody is signed in.
        """
        with self._database.transaction():
            version = self._catalog.create_draft(actor, data.metadata, access=data.access)
            return self._deposit(version)

    def open_next_version(self, actor: Actor, dataset_public_id: str) -> Deposit:
        """Open a draft of a dataset's next version, with the files and tables of the last one.

        Raises:
            ConflictError: The dataset has an open draft already.
        """
        with self._database.transaction():
            last = self._catalog.get_dataset(actor, dataset_public_id)
            draft = self._catalog.new_version(actor, dataset_public_id)
            before = {file.name: file for file in last.files}
            for file in draft.files:
                copied = self._tables.copy(before[file.name].id, file.id)
                self._privacy.copy(copied)
            return self._deposit(draft)

    def drafts(self, actor: Actor, page: PageQuery) -> tuple[Sequence[VersionSummary], int]:
        """Return the actor's open deposits, newest first, and how many there are."""
        return self._catalog.my_drafts(actor, page)

    def get(self, actor: Actor, public_id: str) -> Deposit:
        """Return a deposit with the state of its files and what keeps it from publication.

        Raises:
            NotFoundError: There is no such deposit, or it is somebody else's.
        """
        with self._database.reading():
            return self._deposit(self._catalog.require_draft(actor, public_id))

    def describe(
        self,
        actor: Actor,
        public_id: str,
        metadata: Metadata,
        *,
        access: AccessClass | None = None,
    ) -> Deposit:
        """Replace the metadata of a deposit, and its access class where one is given."""
        with self._database.transaction():
            version = self._catalog.update_metadata(actor, public_id, metadata)
            if access is not None:
                version = self._catalog.set_access(actor, public_id, access)
            return self._deposit(version)

    def set_access(self, actor: Actor, public_id: str, access: AccessClass) -> Deposit:
        """Choose who may read the data once it is published."""
        with self._database.transaction():
            return self._deposit(self._catalog.set_access(actor, public_id, access))

    def add_file(
        self,
        actor: Actor,
        public_id: str,
        name: str,
        stream: Readable,
        *,
        role: FileRole = FileRole.DATA,
    ) -> DepositFile:
        """Store a file as it is and have it validated by a job.

        What it is, is decided by its content, whatever the one who sends it says. The bytes are
        stored before any row names them and outside of every transaction, so that a slow upload
        blocks nobody and a broken one leaves nothing.

        Raises:
            LimitExceededError: The file is larger than this instance accepts.
            StorageFullError: There is no space left.
            ConflictError: The deposit has a file of this name, or is no draft any more.
            InfectedFileError: The virus scanner of the instance found something in it.
            SequenceFileError: It holds sequence reads.
        """
        self._catalog.check_new_file(actor, public_id, name)
        blob = self._storage.store(stream, limit=self._settings.max_upload_bytes)
        self._scan(actor, public_id, name, blob.sha256)
        media_type = self._media_type(blob.sha256, name, role)
        with self._database.transaction():
            file = self._catalog.add_file(
                actor, public_id, name, blob, media_type=media_type, role=role
            )
            if role is FileRole.DATA:
                self._enqueue_validation(actor, file, IngestOptions())
            dataset_id = self._catalog.dataset_of(file.id)
            return self._files([file], dataset_id)[0]

    def remove_file(self, actor: Actor, file_public_id: str) -> None:
        """Take a file out of a deposit, with everything made from it."""
        self._catalog.remove_file(actor, file_public_id)

    def revalidate(self, actor: Actor, file_public_id: str, options: IngestOptions) -> JobRecord:
        """Read a stored file anew with other options, without a new upload."""
        with self._database.transaction():
            _, file = self._catalog.require_file(actor, file_public_id, need="edit")
            asked = options.model_dump(mode="json", exclude_defaults=True)
            act = "dataset.file-reread"
            self._catalog.record_file_act(actor, file.id, act, after={"options": asked})
            return self._enqueue_validation(actor, file, options)

    def set_columns(
        self, actor: Actor, file_public_id: str, edits: dict[str, ColumnEdit]
    ) -> TableRecord:
        """Change columns and have the table screened by a job."""
        with self._database.transaction():
            table = self._tables.edit_columns(actor, file_public_id, edits)
            self._jobs.enqueue(
                SCREEN_JOB,
                {"file_id": str(table.file_id)},
                subject_id=table.file_id,
                owner_id=actor.user_id,
            )
            return table

    def publish(
        self, actor: Actor, public_id: str, *, override: str | None = None
    ) -> VersionRecord:
        """Publish a deposit that passes the gate, or that a curator lets through it.

        Args:
            actor: Who publishes.
            public_id: Of the deposit.
            override: Why a curator takes the risk that was measured; everybody can read it.

        Raises:
            NotPublishableError: Something is missing or too risky; every reason is listed.
            PermissionDeniedError: An override is for curators who confirmed it.
            ConflictError: Somebody else published it a moment ago.
        """
        with self._database.transaction():
            version = self._catalog.require_draft(actor, public_id, lock=True)
            deposit = self._deposit(version)
            decision = None
            if override is not None and deposit.overridable:
                require_act(actor, Action.OVERRIDE, version)
                against = tuple(blocker.message for blocker in deposit.blockers)
                decision = Override(reason=override, against=against)
            elif deposit.blockers:
                listed = " ".join(blocker.message for blocker in deposit.blockers[:3])
                raise NotPublishableError(
                    f"The deposit cannot be published yet. {listed}",
                    details=[blocker.model_dump() for blocker in deposit.blockers],
                )
            self._privacy.keep_verdicts([each for item in deposit.files for each in item.verdicts])
            for item in deposit.files:
                self._catalog.withhold(item.file.id, withheld=keeps_back(item))
            return self._catalog.publish(
                actor, public_id, index_text=_column_words(deposit), override=decision
            )

    def discard(self, actor: Actor, public_id: str) -> None:
        """Throw a draft away."""
        self._catalog.discard_draft(actor, public_id)

    def validate(self, file_id: UUID, options: IngestOptions, progress: Progress) -> None:
        """Read a stored file as a table; called by the validation job."""
        file = self._catalog.file(file_id)
        self._tables.ingest(file, options, progress)

    def screen(self, file_id: UUID) -> None:
        """Measure the tables of a file; called by the screening job."""
        tables = self._tables.of_files([file_id]).get(file_id, {})
        for kind in tables:
            self._privacy.screen(file_id, kind)

    def _scan(self, actor: Actor, public_id: str, name: str, sha256: str) -> None:
        try:
            self._storage.scan(sha256, name)
        except InfectedFileError:
            after = {"name": name, "sha256": sha256}
            self._audit.note(
                actor, "dataset.file-refused", Resource.DATASET, public_id, after=after
            )
            raise

    def _media_type(self, sha256: str, name: str, role: FileRole) -> str:
        path = self._storage.path(sha256)
        with path.open("rb") as file:
            if role is FileRole.DATA:
                if sequences := examine(file):
                    raise SequenceFileError(about_sequences(name, sequences))
                return self._tables.media_type(path, name)
            return documentation_type(name, file.read(MAX_DOCUMENTATION_BYTES + 1))

    def _enqueue_validation(
        self, actor: Actor, file: FileRecord, options: IngestOptions
    ) -> JobRecord:
        payload = {"file_id": str(file.id), "options": options.model_dump(mode="json")}
        return self._jobs.enqueue(VALIDATE_JOB, payload, subject_id=file.id, owner_id=actor.user_id)

    def _deposit(self, version: VersionRecord) -> Deposit:
        files = self._files(version.files, version.dataset_id)
        return Deposit(version=version, files=files, blockers=publishable(version, files))

    def _files(self, files: Sequence[FileRecord], dataset_id: UUID) -> tuple[DepositFile, ...]:
        ids = [file.id for file in files]
        tables = self._tables.of_files(ids)
        jobs = self._jobs.latest(ids)
        verdicts = self._privacy.of_draft(
            dataset_id, files, [table for kinds in tables.values() for table in kinds.values()]
        )
        found = []
        for file in files:
            source = tables.get(file.id, {}).get(TableKind.SOURCE)
            release = tables.get(file.id, {}).get(TableKind.RELEASE)
            screening = verdicts.get(source.id) if source else None
            found.append(
                DepositFile(
                    file=file,
                    stage=stage_of(
                        is_data=file.role is FileRole.DATA,
                        job=jobs.get(file.id),
                        table=source,
                        screened=screening is not None,
                    ),
                    job=jobs.get(file.id),
                    table=source,
                    screening=screening,
                    release=release,
                    release_screening=verdicts.get(release.id) if release else None,
                )
            )
        return tuple(found)


def _column_words(deposit: Deposit) -> str:
    """Return names and descriptions of the columns that leave the house, for the search."""
    tables = [item.release or item.table for item in deposit.files]
    columns = [column for table in tables if table for column in table.columns]
    return "\n".join(f"{column.name} {column.description or ''}".strip() for column in columns)
