"""Keeps the documents of datasets in step with the catalogue, under the access rules of each."""

import logging
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from fairdatabase.authorization.schemas import State
from fairdatabase.catalog.rules import state_of
from fairdatabase.catalog.schemas import (
    DraftChanged,
    FileRecord,
    FileRole,
    VersionPublished,
    VersionRecord,
    VersionState,
    VersionWithdrawn,
)
from fairdatabase.catalog.service.documents import Documents
from fairdatabase.jobs.schemas import JobState
from fairdatabase.jobs.service import Jobs
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.errors import UnavailableError
from fairdatabase.knowledge.backends.library import Library
from fairdatabase.knowledge.rules import (
    ABOUT,
    CLOSED,
    DRAFT,
    dataset_at,
    location_of_dataset,
    subject_of,
    version_of,
)
from fairdatabase.knowledge.service.sources import Sources
from fairdatabase.storage.service import Storage
from knowledge_base.documents import Format, Page, Source
from knowledge_base.loading.folder import page_of_file

INDEX_JOB = "knowledge.index"
_SUFFIXES = {"application/pdf": ".pdf", "text/markdown": ".md"}
"""What the deposits take as documentation."""
logger = logging.getLogger(__name__)


class DatasetDocuments:
    """Makes documents of the descriptions and the documentation files of datasets.

    What everybody may read belongs to nobody. A draft, and the files of restricted data, are
    sources of their own with owners: who may read those is asked of the catalogue at each search.

    Args:
        library: Holds the documents.
        documents: The catalogue's side of them.
        storage: Has the bytes of the files.
        jobs: Does the work after what caused it is committed.
        sources: Asked to embed what is new.
        settings: Of this instance.
    """

    def __init__(
        self,
        *,
        library: Library,
        documents: Documents,
        storage: Storage,
        jobs: Jobs,
        sources: Sources,
        settings: Settings,
    ) -> None:
        self._library = library
        self._documents = documents
        self._storage = storage
        self._jobs = jobs
        self._sources = sources
        self._settings = settings

    def changed(self, event: VersionPublished | VersionWithdrawn | DraftChanged) -> None:
        """Have the documents of a dataset made anew, because something of it has changed."""
        self._index_later(event.dataset_public_id)

    def index(self, dataset_public_id: str) -> None:
        """Bring the documents of a dataset in step with the catalogue; called by its job."""
        location = location_of_dataset(dataset_public_id)
        store = self._library.store
        wanted = dict(self._wanted(dataset_public_id))
        for source in store.names(None):
            if source.location == location and source.id not in wanted:
                store.drop_source(source.id)
        with tempfile.TemporaryDirectory() as folder:
            for source, version in wanted.values():
                pages = self._pages(source, version, Path(folder))
                self._library.knowledge.refresh(source, pages)
        self._sources.embed_later()

    def sweep(self) -> int:
        """Have those datasets looked at whose documents are out of step; called by the worker.

        Returns:
            How many.
        """
        try:
            kept = {each.id: each for each in self._library.store.names(None)}
        except UnavailableError as error:
            logger.warning("No documents of datasets are looked at: %s", error.message)
            return 0
        standing = self._documents.standing()
        expected = {
            f"{DRAFT if state is VersionState.DRAFT else ABOUT}{version}": (dataset, changed)
            for (dataset, state), (version, changed) in standing.items()
        }
        late = {dataset for key, (dataset, at) in expected.items() if _is_late(kept.get(key), at)}
        versions = {version for version, _ in standing.values()}
        gone = {
            dataset
            for source in kept.values()
            if (dataset := dataset_at(source.location)) and version_of(source.id) not in versions
        }
        for dataset in sorted(late | gone):
            self._index_later(dataset)
        return len(late | gone)

    def _index_later(self, dataset_public_id: str) -> None:
        subject = subject_of(location_of_dataset(dataset_public_id))
        job = self._jobs.latest([subject]).get(subject)
        if job is None or job.state is not JobState.QUEUED:
            self._jobs.enqueue(INDEX_JOB, {"dataset": dataset_public_id}, subject_id=subject)

    def _wanted(self, dataset: str) -> Iterator[tuple[str, tuple[Source, VersionRecord]]]:
        """Yield the sources that a dataset has to have, by their ids."""
        for version in self._documents.of_dataset(dataset):
            state = state_of(version)
            prefix = DRAFT if state is State.DRAFT else ABOUT
            about = self._source(dataset, f"{prefix}{version.public_id}", version)
            yield about.id, (about, version)
            if state is State.RESTRICTED:
                closed = self._source(dataset, f"{CLOSED}{version.public_id}", version)
                yield closed.id, (closed, version)

    def _source(self, dataset: str, source_id: str, version: VersionRecord) -> Source:
        return Source(
            id=source_id,
            location=location_of_dataset(dataset),
            title=version.metadata.title or "Untitled dataset",
            version=str(version.number),
            licence=version.metadata.licence,
            owner="" if source_id.startswith(ABOUT) else source_id,
        )

    def _pages(self, source: Source, version: VersionRecord, folder: Path) -> Iterator[Page]:
        """Yield what may be read by everybody who may read the source."""
        if not source.id.startswith(CLOSED):
            yield self._description(version)
        if source.id.startswith(ABOUT) and state_of(version) is not State.OPEN:
            return
        for file in version.files:
            if file.role is FileRole.DOCUMENTATION and not file.withheld:
                yield from self._page(file, folder)

    def _description(self, version: VersionRecord) -> Page:
        said = version.metadata
        subjects = ", ".join(each.term for each in said.subjects)
        creators = "; ".join(each.name for each in said.creators)
        parts = (
            said.description,
            f"Methods: {said.methods}" if said.methods else "",
            f"Subjects: {subjects}" if subjects else "",
            f"Creators: {creators}" if creators else "",
        )
        return Page(
            url=f"{self._settings.public_url}/datasets/{version.public_id}",
            text="\n\n".join(filter(None, parts)) or said.title,
            format=Format.TEXT,
            title=said.title or "Untitled dataset",
        )

    def _page(self, file: FileRecord, folder: Path) -> Iterator[Page]:
        suffix = _SUFFIXES.get(file.media_type)
        if suffix is None:
            return
        # The store knows bytes by their checksum, and readers choose by the suffix.
        link = folder / f"{file.public_id}{suffix}"
        link.unlink(missing_ok=True)
        link.symlink_to(self._storage.path(file.sha256).resolve())
        address = f"{self._settings.public_url}/api/v1/files/{file.public_id}/content"
        try:
            page = page_of_file(link, address)
        except Exception:
            # People send broken files; one of them must not keep the others from being found.
            logger.exception("A document cannot be read", extra={"file": file.public_id})
            return
        if page:
            yield Page(page.url, page.text, page.format, title=file.name)


def _is_late(source: Source | None, changed: datetime) -> bool:
    at = source.refreshed_at if source else None
    return at is None or at < changed
