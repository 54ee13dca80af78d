"""Use cases of those who search and read, and the board of gaps."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from fairdatabase.audit.service import Audit
from fairdatabase.authorization.rules import may, require
from fairdatabase.authorization.schemas import Action, Actor, Resource
from fairdatabase.catalog.service.documents import Documents
from fairdatabase.jobs.schemas import JobRecord
from fairdatabase.jobs.service import Jobs
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import KnowledgeBaseError
from fairdatabase.knowledge.backends.library import Library
from fairdatabase.knowledge.errors import PageNotFoundError, SourceNotFoundError
from fairdatabase.knowledge.formats.blocks import blocks_of
from fairdatabase.knowledge.rules import (
    FOLDER,
    dataset_at,
    is_of_dataset,
    levels_of,
    marked,
    shown_url,
    subject_of,
)
from fairdatabase.knowledge.schemas import (
    DATASETS,
    Answer,
    Citation,
    Document,
    ExampleFound,
    Examples,
    GapRecord,
    Origin,
    PageEntry,
    Scoped,
    SectionFound,
    SectionRead,
    SourceRecord,
)
from fairdatabase.knowledge.service.agents import Agents
from fairdatabase.knowledge.service.datasets import DatasetDocuments
from fairdatabase.knowledge.service.reach import Reach
from fairdatabase.knowledge.service.sources import Sources
from fairdatabase.storage.service import Storage
from knowledge_base.documents import Source, Stored
from knowledge_base.gaps import gaps_of
from knowledge_base.store.records import Counts, Scope, StoredPage

_MOST_GAPS = 50


class Knowledge:
    """What may be searched and read, by everybody who may read the catalogue.

    Attributes:
        sources: For those who look after what comes from outside.
        agents: Answers in the shapes that agents' programs read.
        datasets: Keeps the documents of datasets in step with the catalogue.

    Args:
        database: Where jobs, the catalogue and the audit log are.
        settings: Of this instance.
        clock: Source of the present time.
        storage: Has the bytes of documentation files.
        jobs: Does what takes long.
        audit: Told of every change.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        clock: Clock,
        *,
        storage: Storage,
        jobs: Jobs,
        audit: Audit,
    ) -> None:
        self._database = database
        self._library = Library(settings, clock)
        self._reach = Reach(Documents(database, settings))
        self._jobs = jobs
        self._audit = audit
        self.sources = Sources(database, library=self._library, jobs=jobs, audit=audit, clock=clock)
        self.agents = Agents(self._library, self._reach)
        self.datasets = DatasetDocuments(
            library=self._library,
            documents=self._reach.documents,
            storage=storage,
            jobs=jobs,
            sources=self.sources,
            settings=settings,
        )

    def close(self) -> None:
        """Let go of the database of documents."""
        self._library.close()

    def sweep(self) -> None:
        """Have done what is due and was missed; called by the worker."""
        self.sources.sweep()
        self.datasets.sweep()

    def search(
        self, actor: Actor, query: Scoped, *, noted: bool = True, demanded: bool = False
    ) -> Answer:
        """Return the sections that answer a question best.

        Who asked is kept nowhere. The question is, so that gaps can be filled.

        Args:
            actor: Who asks.
            query: The question, and where to look.
            noted: False while it is still being typed.
            demanded: Whether to fail rather than answer below the line of confidence.

        Raises:
            KnowledgeBaseError: An answer was demanded and there is none to trust.
        """
        require(actor, Resource.KNOWLEDGE, Action.READ)
        if not query.q:
            return Answer()
        view = self._view(actor)
        found = self._library.knowledge.search(
            query.q, view.scope(query.source, query.version), count=query.count, noted=noted
        )
        is_open = self._reach.still_open(hit.stored.source_id for hit in found.hits)
        hits = [hit for hit in found.hits if is_open[hit.stored.source_id]]
        if demanded and (found.is_gap or not hits):
            raise KnowledgeBaseError(
                "The knowledge base has no answer to this that could be trusted. The question is"
                " noted, so that somebody can add a source."
            )
        return Answer(
            sections=tuple(
                SectionFound(
                    citation=view.citation(hit.stored),
                    text=hit.stored.section.text,
                    snippet=marked(hit.snippet, query.q),
                    score=round(hit.score, 4),
                )
                for hit in hits
            ),
            confidence=round(found.confidence, 2) if hits else 0.0,
            is_gap=found.is_gap or not hits,
            mode="hybrid" if found.mode == "hybrid" else "lexical",
            missing=found.missing,
        )

    def examples(self, actor: Actor, query: Scoped) -> Examples:
        """Return the pieces of code that do what is asked, or use the names in it."""
        require(actor, Resource.KNOWLEDGE, Action.READ)
        if not query.q:
            return Examples()
        view = self._view(actor)
        found = self._library.knowledge.examples(
            query.q, view.scope(query.source, query.version), count=query.count
        )
        is_open = self._reach.still_open(each.stored.source_id for each in found)
        return Examples(
            examples=tuple(
                ExampleFound(
                    citation=view.citation(each.stored),
                    code=each.example.code,
                    language=each.example.language,
                    caption=each.example.caption,
                )
                for each in found
                if is_open[each.stored.source_id]
            )
        )

    def document(self, actor: Actor, page_id: int) -> Document:
        """Return a document with everything in it.

        Raises:
            PageNotFoundError: There is none, or the actor may not know of it.
        """
        require(actor, Resource.KNOWLEDGE, Action.READ)
        view = self._view(actor)
        found = self._library.store.page(view.everything, page_id=page_id)
        if found is None or not self._reach.still_open([found[0].source_id])[found[0].source_id]:
            raise PageNotFoundError(page_id)
        page, parts = found
        listed = [
            _entry(each) for each in self._library.store.pages(page.source_id, view.everything)
        ]
        place = next(place for place, each in enumerate(listed) if each.id == page.id)
        return Document(
            id=page.id,
            title=page.title,
            url=shown_url(page.url),
            source=view.origin(page.source_id),
            sections=tuple(_read(parts, page.title)),
            before=listed[place - 1] if place else None,
            after=listed[place + 1] if place + 1 < len(listed) else None,
        )

    def contents(self, actor: Actor, source_id: str) -> tuple[Origin, tuple[PageEntry, ...]]:
        """Return a source and its documents in their order.

        Raises:
            SourceNotFoundError: There is none, or the actor may not know of it.
        """
        require(actor, Resource.KNOWLEDGE, Action.READ)
        view = self._view(actor)
        if source_id not in view.sources or not self._reach.still_open([source_id])[source_id]:
            raise SourceNotFoundError(source_id)
        pages = self._library.store.pages(source_id, view.everything)
        return view.origin(source_id), tuple(map(_entry, pages))

    def list_sources(self, actor: Actor) -> tuple[SourceRecord, ...]:
        """Return the sources that the actor may read; curators see the work on them as well."""
        require(actor, Resource.KNOWLEDGE, Action.READ)
        found = self._library.store.sources(self._view(actor).everything)
        is_open = self._reach.still_open(source.id for source, _ in found)
        jobs: dict[str, JobRecord] = {}
        inspects = may(actor, Resource.KNOWLEDGE, Action.INSPECT)
        if inspects:
            subjects = {subject_of(source.id): source.id for source, _ in found}
            latest = self._jobs.latest(subjects)
            jobs = {subjects[subject]: job for subject, job in latest.items()}
        return tuple(
            _source(source, counts, jobs.get(source.id), whole=inspects)
            for source, counts in found
            if is_open[source.id]
        )

    def choices(self, actor: Actor) -> tuple[Origin, ...]:
        """Return the sources to choose from, without those of datasets."""
        require(actor, Resource.KNOWLEDGE, Action.READ)
        found = self._library.store.names(Scope())
        return tuple(_origin(each) for each in found if not is_of_dataset(each.id))

    def gaps(self, actor: Actor) -> tuple[GapRecord, ...]:
        """Return what was asked and not found, the most often asked first.

        Raises:
            PermissionDeniedError: The actor is no curator.
        """
        require(actor, Resource.KNOWLEDGE, Action.INSPECT)
        store = self._library.store
        known = {source.location.lower() for source in store.names(Scope())}
        return tuple(
            GapRecord(
                questions=gap.questions,
                times=gap.times,
                confidence=round(gap.confidence, 2),
                suggestions=tuple(each for each in gap.suggestions if each.lower() not in known),
            )
            for gap in gaps_of(store, most=_MOST_GAPS)
        )

    def dismiss(self, actor: Actor, question: str) -> None:
        """Forget a question and those that mean about the same.

        Raises:
            PermissionDeniedError: The actor is no curator.
        """
        require(actor, Resource.KNOWLEDGE, Action.EDIT)
        gaps = gaps_of(self._library.store, most=_MOST_GAPS)
        asked = next((gap.questions for gap in gaps if question in gap.questions), (question,))
        with self._database.transaction():
            # What people typed does not go into a log that cannot be changed.
            self._audit.record(
                actor, "knowledge.gap-dismissed", Resource.KNOWLEDGE, "",
                after={"questions": len(asked)},
            )  # fmt: skip
            self._library.store.forget(asked)

    def _view(self, actor: Actor) -> "_View":
        scope = Scope(readers=self._reach.readers(actor))
        return _View(scope, {each.id: each for each in self._library.store.names(scope)})


@dataclass(frozen=True, slots=True)
class _View:
    """What one actor may read."""

    everything: Scope
    sources: Mapping[str, Source]

    def scope(self, source: str, version: str) -> Scope:
        """Return where to look for a question; nowhere where the filters leave nothing."""
        if not (source or version):
            return self.everything
        chosen = frozenset(
            each.id
            for each in self.sources.values()
            if (not source or each.id == source or (source == DATASETS and is_of_dataset(each.id)))
            and (not version or each.version == version)
        )
        return Scope(chosen, self.everything.readers)

    def origin(self, source_id: str) -> Origin:
        """Return a source as results name it."""
        return _origin(self.sources[source_id])

    def citation(self, stored: Stored) -> Citation:
        """Return where a section stands."""
        return Citation(
            source=self.origin(stored.source_id),
            page_id=stored.page_id,
            section_id=stored.id,
            trail=stored.section.trail,
            url=shown_url(stored.url),
        )


def _origin(source: Source) -> Origin:
    return Origin(
        id=source.id,
        title=source.title,
        version=source.version,
        licence=source.licence,
        dataset_id=dataset_at(source.location),
    )


def _entry(page: StoredPage) -> PageEntry:
    return PageEntry(id=page.id, title=page.title, url=shown_url(page.url), words=page.words)


def _source(source: Source, counts: Counts, job: JobRecord | None, *, whole: bool) -> SourceRecord:
    """Return a source; where its folder lies on the server is for curators alone."""
    is_hidden = source.location.startswith(FOLDER) and not whole
    return SourceRecord(
        **_origin(source).model_dump(),
        location=FOLDER if is_hidden else source.location,
        refresh_days=source.refresh_days,
        refreshed_at=source.refreshed_at,
        pages=counts.pages,
        sections=counts.sections,
        examples=counts.examples,
        job=job,
    )


def _read(parts: list[Stored], page_title: str) -> Iterable[SectionRead]:
    trails = [part.section.trail for part in parts]
    inner = [trail[1:] if trail[:1] == (page_title,) else trail for trail in trails]
    same = [False, *(before == trail for before, trail in pairwise(trails))]
    levels = levels_of([max(len(trail), 1) for trail in inner])
    for part, level, is_same in zip(parts, levels, same, strict=True):
        yield SectionRead(
            id=part.id,
            title=part.section.title,
            level=level,
            is_continued=is_same,
            url=shown_url(part.url),
            blocks=blocks_of(part.section.text),
        )
