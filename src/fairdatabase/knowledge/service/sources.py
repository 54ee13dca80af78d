"""Use cases of those who look after the sources: add, refresh, remove, by jobs."""

import logging
import subprocess
from collections.abc import Callable
from dataclasses import replace

from fairdatabase.audit.service import Audit
from fairdatabase.authorization.rules import require
from fairdatabase.authorization.schemas import Action, Actor, Resource
from fairdatabase.jobs.schemas import JobRecord
from fairdatabase.jobs.service import Jobs
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import ConflictError, UnavailableError
from fairdatabase.knowledge.backends.library import Library
from fairdatabase.knowledge.errors import NotLoadedError, SourceNotFoundError
from fairdatabase.knowledge.rules import FOLDER, is_due, is_of_dataset, source_id_of, subject_of
from fairdatabase.knowledge.schemas import ScheduleIn, SourceIn
from knowledge_base.documents import Source
from knowledge_base.errors import KnowledgeBaseError
from knowledge_base.starter import STARTER
from knowledge_base.store.records import Scope

REFRESH_JOB = "knowledge.refresh"
EMBED_JOB = "knowledge.embed"
_EMBEDDING = subject_of("embedding")
_NEARLY = 0.95
Progress = Callable[[float, str], None]
logger = logging.getLogger(__name__)


class Sources:
    """Documents from outside: packages, websites, repositories, programs and a folder.

    Args:
        database: Where jobs and the audit log are.
        library: Holds the documents.
        jobs: Does what takes long.
        audit: Told of every change.
        clock: Source of the present time.
    """

    def __init__(
        self, database: Database, *, library: Library, jobs: Jobs, audit: Audit, clock: Clock
    ) -> None:
        self._database = database
        self._library = library
        self._jobs = jobs
        self._audit = audit
        self._clock = clock

    def add(self, actor: Actor, data: SourceIn) -> JobRecord:
        """Add a source and have it loaded.

        Raises:
            PermissionDeniedError: The actor is no curator; or it is a folder, and they no admin.
            LocationRefusedError: The location cannot be read as one, or leads out of the folder.
            ConflictError: Another source has its name.
        """
        require(actor, Resource.KNOWLEDGE, Action.CREATE)
        source_id = source_id_of(data.location)
        if data.location.startswith(FOLDER):
            require(actor, Resource.KNOWLEDGE, Action.ADD_FOLDER)
            self._library.folder(data.location)
        known = self._library.store.source(source_id)
        if known and known.location != data.location:
            raise ConflictError(
                f"There is a source {source_id} already, from {known.location}. Please remove it"
                " first."
            )
        with self._database.transaction():
            self._record(actor, "added", source_id, location=data.location)
            job = self._enqueue(source_id, actor)
            added = known or Source(source_id, data.location, data.location)
            self._library.store.put_source(replace(added, refresh_days=data.refresh_days))
            return job

    def add_starter(self, actor: Actor) -> tuple[JobRecord, ...]:
        """Add the sources that most begin with, unless they are there; each by a job of its own.

        Raises:
            PermissionDeniedError: The actor is no curator.
        """
        require(actor, Resource.KNOWLEDGE, Action.CREATE)
        loaded = {each.location for each in self._library.store.names(Scope()) if each.refreshed_at}
        wanted = [SourceIn(location=each) for each in STARTER if each not in loaded]
        return tuple(self.add(actor, each) for each in wanted)

    def refresh(self, actor: Actor, source_id: str) -> JobRecord:
        """Have a source loaded anew.

        Raises:
            SourceNotFoundError: There is none.
            PermissionDeniedError: The actor is no curator.
        """
        require(actor, Resource.KNOWLEDGE, Action.EDIT)
        self._require(source_id)
        with self._database.transaction():
            self._record(actor, "refreshed", source_id)
            return self._enqueue(source_id, actor)

    def schedule(self, actor: Actor, source_id: str, wanted: ScheduleIn) -> None:
        """Say how often a source is loaded anew; raises as :meth:`refresh`."""
        require(actor, Resource.KNOWLEDGE, Action.EDIT)
        source = self._require(source_id)
        with self._database.transaction():
            self._record(actor, "scheduled", source_id, days=wanted.refresh_days)
            self._library.store.put_source(replace(source, refresh_days=wanted.refresh_days))

    def remove(self, actor: Actor, source_id: str) -> None:
        """Remove a source with everything in it; raises as :meth:`refresh`."""
        require(actor, Resource.KNOWLEDGE, Action.DISCARD)
        source = self._require(source_id)
        with self._database.transaction():
            self._record(actor, "removed", source_id, location=source.location)
            self._library.store.drop_source(source_id)

    def load(self, source_id: str, progress: Progress) -> None:
        """Load a source; called by its job.

        Raises:
            NotLoadedError: Nothing is there, or it cannot be reached.
        """
        store = self._library.store
        source = store.source(source_id)
        if source is None:
            return
        expected = len(store.hashes(source_id))

        def told(count: int) -> None:
            share = min(count / expected, _NEARLY) if expected else 0.0
            progress(share, f"{count} documents read")

        try:
            found = self._library.load(source.location, source_id)
            said = replace(found.source, location=source.location, refresh_days=source.refresh_days)
            self._library.knowledge.refresh(said, found.pages, told)
        except (KnowledgeBaseError, subprocess.SubprocessError, OSError) as error:
            raise NotLoadedError(f"{source.location} could not be loaded: {error}") from error
        self.embed_later()

    def embed_later(self) -> None:
        """Have what has no vector yet embedded, where there is something to embed with."""
        if self._library.knowledge.embedder is not None and self._may_embed():
            self._jobs.enqueue(EMBED_JOB, {}, subject_id=_EMBEDDING)

    def embed(self, progress: Progress) -> None:
        """Embed what has no vector yet; called by its job.

        Raises:
            NotLoadedError: The embedder is not ready, or does not answer.
        """
        knowledge = self._library.knowledge
        try:
            waiting, done = knowledge.waiting(), 0
            while some := knowledge.embed_next():
                done += some
                progress(min(done / max(waiting, 1), 1.0), f"{done} sections embedded")
        except KnowledgeBaseError as error:
            raise NotLoadedError(f"Nothing is embedded: {error}") from error

    def sweep(self) -> int:
        """Have those sources loaded whose time has come; called by the worker.

        Returns:
            How many.
        """
        try:
            known = [each for each in self._library.store.names(Scope()) if each.refresh_days]
        except UnavailableError as error:
            logger.warning("No source is refreshed: %s", error.message)
            return 0
        tried = self._jobs.latest([subject_of(each.id) for each in known])
        due = []
        for source in known:
            job = tried.get(subject_of(source.id))
            began = job.created_at if job else None
            if is_due(source.refresh_days, source.refreshed_at, began, self._clock()):
                due.append(source)
                self._enqueue(source.id)
        return len(due)

    def _require(self, source_id: str) -> Source:
        found = None if is_of_dataset(source_id) else self._library.store.source(source_id)
        if found is None:
            raise SourceNotFoundError(source_id)
        return found

    def _enqueue(self, source_id: str, actor: Actor | None = None) -> JobRecord:
        return self._jobs.enqueue(
            REFRESH_JOB,
            {"source_id": source_id},
            subject_id=subject_of(source_id),
            owner_id=actor.user_id if actor else None,
            max_attempts=1,
        )

    def _may_embed(self) -> bool:
        """Tell whether no such job is still to be done."""
        job = self._jobs.latest([_EMBEDDING]).get(_EMBEDDING)
        return job is None or job.state.has_ended

    def _record(self, actor: Actor, act: str, source_id: str, **after: object) -> None:
        self._audit.record(
            actor, f"knowledge.source-{act}", Resource.KNOWLEDGE, source_id, after=after
        )
