"""Where sources, sections, examples and embeddings are kept: SQLite or PostgreSQL."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    Connection,
    Engine,
    Select,
    create_engine,
    delete,
    distinct,
    event,
    func,
    insert,
    inspect,
    select,
    update,
)

from knowledge_base.documents import Example, Page, Section, Source, Stored
from knowledge_base.errors import KnowledgeBaseError
from knowledge_base.store.lexical import FTS5, Document, LexicalIndex, Postings
from knowledge_base.store.records import (
    Counts,
    Place,
    Question,
    Scope,
    StoredExample,
    StoredPage,
)
from knowledge_base.store.rows import (
    batches,
    count_of,
    examples_of,
    ids_in,
    insert_unless_there,
    key_of,
    may_read,
    names_in,
    page_of,
    row_of,
    select_pages,
    select_sections,
    source_of,
    stored_of,
    written_names,
)
from knowledge_base.store.tables import (
    examples,
    layout,
    metadata,
    pages,
    questions,
    sections,
    sources,
    vectors,
)

Matrix = NDArray[np.float32]
Ids = NDArray[np.int64]

_LAYOUT: Final = 2
_ALONE: Final = "SELECT pg_advisory_xact_lock(7235419)"
_SECTION_WEIGHTS: Final = (5.0, 1.0, 1.0, 2.0)
_EXAMPLE_WEIGHTS: Final = (2.0, 3.0, 1.0, 3.0)
"""Of heading, caption, code and names."""


class Store:
    """A knowledge base in a database. Its methods may be called from several threads."""

    def __init__(self, url: str) -> None:
        """Open a database, and make the tables where there are none.

        Args:
            url: Of SQLAlchemy, such as ``sqlite:///knowledge.db``.

        Raises:
            KnowledgeBaseError: The tables were made by another version.
        """
        self._engine = create_engine(url)
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _configure_sqlite)
        index: type[FTS5 | Postings] = FTS5 if self._engine.dialect.name == "sqlite" else Postings
        self._sections: LexicalIndex = index("sections_index", _SECTION_WEIGHTS)
        self._examples: LexicalIndex = index("examples_index", _EXAMPLE_WEIGHTS)
        _prepare(self._engine, (self._sections, self._examples))

    def put_source(self, source: Source) -> None:
        """Add a source, or change what is said about it."""
        values = asdict(source)
        with self._engine.begin() as connection:
            known = connection.execute(
                update(sources).where(sources.c.id == source.id).values(values)
            ).rowcount
            if not known:
                connection.execute(insert(sources).values(values))

    def drop_source(self, source_id: str) -> bool:
        """Remove a source with everything in it; tell whether there was one."""
        with self._engine.begin() as connection:
            of_source = select(pages.c.id).where(pages.c.source_id == source_id)
            self._drop(connection, of_source)
            return bool(
                connection.execute(delete(sources).where(sources.c.id == source_id)).rowcount
            )

    def source(self, source_id: str) -> Source | None:
        """Return a source."""
        with self._engine.connect() as connection:
            row = connection.execute(select(sources).where(sources.c.id == source_id)).first()
        return source_of(row) if row else None

    def sources(self, scope: Scope) -> list[tuple[Source, Counts]]:
        """Return the sources in scope by their ids, and how much each holds."""
        counted = (
            select(
                pages.c.source_id,
                func.count(distinct(pages.c.id)).label("pages"),
                func.count(distinct(sections.c.id)).label("sections"),
                func.coalesce(func.sum(sections.c.words), 0).label("words"),
            )
            .outerjoin(sections, sections.c.page_id == pages.c.id)
            .group_by(pages.c.source_id)
        )
        with self._engine.connect() as connection:
            counts = {row.source_id: row for row in connection.execute(counted)}
            code = count_of(connection, examples)
            embedded = count_of(connection, vectors)
        return [
            (
                each,
                Counts(
                    pages=counts[each.id].pages if each.id in counts else 0,
                    sections=counts[each.id].sections if each.id in counts else 0,
                    words=int(counts[each.id].words) if each.id in counts else 0,
                    examples=code.get(each.id, 0),
                    embedded=embedded.get(each.id, 0),
                ),
            )
            for each in self.names(scope)
        ]

    def names(self, scope: Scope | None) -> list[Source]:
        """Return the sources in scope by their ids, without counting what they hold.

        Args:
            scope: Whose; ``None`` for all, whoever owns them, for who keeps the store in order.
        """
        statement = select(sources).order_by(sources.c.id)
        if scope is not None:
            statement = statement.where(may_read(scope))
        with self._engine.connect() as connection:
            return [source_of(row) for row in connection.execute(statement)]

    def hashes(self, source_id: str) -> dict[str, str]:
        """Return the hash of every page of a source by URL."""
        statement = select(pages.c.url, pages.c.sha256).where(pages.c.source_id == source_id)
        with self._engine.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(statement)}

    def put_page(
        self, source_id: str, page: Page, title: str, position: int, parts: Sequence[Section]
    ) -> None:
        """Add a page, or replace the one with its URL."""
        there = (pages.c.source_id == source_id) & (pages.c.url == page.url)
        with self._engine.begin() as connection:
            self._drop(connection, select(pages.c.id).where(there))
            made = connection.execute(
                insert(pages).values(
                    source_id=source_id, url=page.url, title=title, position=position,
                    sha256=page.sha256,
                )
            )  # fmt: skip
            self._put_sections(connection, key_of(made), title, parts)

    def drop_pages(self, source_id: str, urls: Iterable[str]) -> None:
        """Remove pages."""
        with self._engine.begin() as connection:
            for some in batches(urls):
                there = (pages.c.source_id == source_id) & pages.c.url.in_(some)
                self._drop(connection, select(pages.c.id).where(there))

    def pages(self, source_id: str, scope: Scope) -> list[StoredPage]:
        """Return the pages of a source in their order."""
        statement = select_pages().where(pages.c.source_id == source_id, may_read(scope))
        with self._engine.connect() as connection:
            return [page_of(row) for row in connection.execute(statement)]

    def page(
        self, scope: Scope, *, page_id: int | None = None, url: str | None = None
    ) -> tuple[StoredPage, list[Stored]] | None:
        """Return a page with its sections, by its id or address."""
        wanted = pages.c.id == page_id if page_id is not None else pages.c.url == url
        with self._engine.connect() as connection:
            row = connection.execute(select_pages().where(wanted, may_read(scope))).first()
            if row is None:
                return None
            statement = (
                select_sections().where(sections.c.page_id == row.id).order_by(sections.c.position)
            )
            parts = connection.execute(statement).all()
            code = examples_of(connection, [part.id for part in parts])
        return page_of(row), [stored_of(part, code) for part in parts]

    def lexical(self, terms: Sequence[str], scope: Scope, limit: int) -> list[tuple[int, float]]:
        """Return ids of sections with any of some terms and their BM25 scores, best first."""
        with self._engine.connect() as connection:
            return self._sections.find(connection, terms, limit, self._within(scope))

    def examples(self, terms: Sequence[str], scope: Scope, limit: int) -> list[StoredExample]:
        """Return pieces of code that hold, or are described by, any of some terms, best first."""
        with self._engine.connect() as connection:
            of_sections = self._within(scope)
            within = None
            if of_sections is not None:
                within = select(examples.c.id).where(examples.c.section_id.in_(of_sections))
            scores = dict(self._examples.find(connection, terms, limit, within))
            rows = connection.execute(select(examples).where(examples.c.id.in_(scores))).all()
        stored = self.sections(row.section_id for row in rows)
        found = [
            StoredExample(
                stored[row.section_id], Example(row.code, row.language, row.caption), scores[row.id]
            )
            for row in rows
        ]
        return sorted(found, key=lambda each: -each.score)

    def frequencies(
        self, terms: Iterable[str], readers: frozenset[str] = frozenset()
    ) -> tuple[dict[str, int], int]:
        """Return in how many sections each term is, and how many sections there are.

        What others own is not counted: whether a word occurs in it is theirs to know.

        Args:
            terms: Of a question.
            readers: Owners whose sources may be read.
        """
        within = self._within(Scope(readers=readers))
        counted = select(func.count()).select_from(
            sections if within is None else within.subquery()
        )
        with self._engine.connect() as connection:
            count = connection.execute(counted).scalar_one()
            return self._sections.frequencies(connection, terms, within), count

    def highest_score(self, frequencies: Mapping[str, int], count: int) -> float:
        """Return the score of :meth:`lexical` that no section can pass.

        Args:
            frequencies: In how many sections each term is.
            count: How many sections there are.
        """
        return self._sections.highest(frequencies.values(), count)

    def places(self, ids: Iterable[int]) -> dict[int, Place]:
        """Return where sections are."""
        statement = select(sections.c.id, pages.c.id, pages.c.url, pages.c.source_id).join(
            pages, pages.c.id == sections.c.page_id
        )
        with self._engine.connect() as connection:
            rows = connection.execute(statement.where(sections.c.id.in_(list(ids)))).all()
            return {row[0]: Place(*row[1:]) for row in rows}

    def locations(self) -> dict[str, str]:
        """Return the location of every source by its id."""
        statement = select(sources.c.id, sources.c.location)
        with self._engine.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(statement)}

    def sections(self, ids: Iterable[int]) -> dict[int, Stored]:
        """Return sections by their ids."""
        wanted = list(dict.fromkeys(ids))
        with self._engine.connect() as connection:
            rows = connection.execute(select_sections().where(sections.c.id.in_(wanted))).all()
            code = examples_of(connection, wanted)
        return {row.id: stored_of(row, code) for row in rows}

    def without_vectors(self, model: str, limit: int) -> dict[int, Section]:
        """Return sections that a model has not embedded yet."""
        done = select(vectors.c.section_id).where(vectors.c.model == model)
        statement = (
            select_sections().where(sections.c.id.not_in(done)).order_by(sections.c.id).limit(limit)
        )
        with self._engine.connect() as connection:
            return {row.id: stored_of(row, {}).section for row in connection.execute(statement)}

    def count_without_vectors(self, model: str) -> int:
        """Return how many sections a model has not embedded yet."""
        done = select(vectors.c.section_id).where(vectors.c.model == model)
        statement = select(func.count()).select_from(sections).where(sections.c.id.not_in(done))
        with self._engine.connect() as connection:
            return connection.execute(statement).scalar_one()

    def put_vectors(self, model: str, made: Mapping[int, Matrix]) -> None:
        """Keep the embeddings of sections that have none by now and are not gone."""
        # Held until the end, so that no section goes between being seen and being referred to.
        there = select(sections.c.id).where(sections.c.id.in_(made)).with_for_update(read=True)
        with self._engine.begin() as connection:
            rows = [
                {"section_id": key, "model": model, "embedding": made[key].astype("<f4").tobytes()}
                for key in connection.execute(there).scalars()
            ]
            if rows:
                connection.execute(insert_unless_there(self._engine.dialect.name, vectors), rows)

    def vector_ids(self, model: str) -> Ids:
        """Return the ids of all vectors of a model, in order."""
        statement = select(vectors.c.id).where(vectors.c.model == model).order_by(vectors.c.id)
        with self._engine.connect() as connection:
            return np.array(connection.execute(statement).scalars().all(), dtype=np.int64)

    def vectors(self, model: str, since: int = 0) -> tuple[Ids, Ids, Matrix]:
        """Return the vectors of a model from an id on, in the order of their ids.

        Returns:
            Ids of the vectors, ids of their sections, and the embeddings, one row each.
        """
        statement = (
            select(vectors.c.id, vectors.c.section_id, vectors.c.embedding)
            .where(vectors.c.model == model, vectors.c.id >= since)
            .order_by(vectors.c.id)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(statement).all()
        ids = np.array([(row[0], row[1]) for row in rows], dtype=np.int64).reshape(-1, 2)
        joined = np.frombuffer(b"".join(row[2] for row in rows), dtype="<f4")
        embeddings = joined.reshape(len(rows), -1) if rows else joined.reshape(0, 0)
        return ids[:, 0], ids[:, 1], embeddings

    def ids(self, scope: Scope) -> Ids | None:
        """Return the ids of the sections in scope, in order; ``None`` where all are."""
        within = self._within(scope)
        if within is None:
            return None
        with self._engine.connect() as connection:
            found = connection.execute(within.order_by(sections.c.id)).scalars().all()
        return np.array(found, dtype=np.int64)

    def state(self) -> tuple[int, int]:
        """Return numbers that differ when embeddings were added or removed."""
        newest = select(func.coalesce(func.max(vectors.c.id), 0))
        count = select(func.count()).select_from(vectors)
        with self._engine.connect() as connection:
            return (
                connection.execute(newest).scalar_one(),
                connection.execute(count).scalar_one(),
            )

    def note(self, question: Question) -> None:
        """Keep a question that was asked."""
        with self._engine.begin() as connection:
            connection.execute(insert(questions).values(asdict(question)))

    def questions(self, *, gaps_only: bool, limit: int) -> list[Question]:
        """Return questions that were asked, the newest first."""
        columns = (
            questions.c.query,
            questions.c.confidence,
            questions.c.is_gap,
            questions.c.asked_at,
        )
        statement = select(*columns).order_by(questions.c.id.desc()).limit(limit)
        if gaps_only:
            statement = statement.where(questions.c.is_gap)
        with self._engine.connect() as connection:
            return [Question(*row) for row in connection.execute(statement)]

    def forget(self, queries: Iterable[str]) -> None:
        """Remove every time that some questions were asked."""
        with self._engine.begin() as connection:
            for some in batches(queries):
                connection.execute(delete(questions).where(questions.c.query.in_(some)))

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def _within(self, scope: Scope) -> Select[tuple[int]] | None:
        """Return what selects the sections in scope; nothing where all are."""
        if scope.sources is None and scope.kind is None and not self._has_owners():
            return None
        return ids_in(scope)

    def _has_owners(self) -> bool:
        with self._engine.connect() as connection:
            owned = select(sources.c.id).where(sources.c.owner != "").limit(1)
            return connection.execute(owned).first() is not None

    def _drop(self, connection: Connection, of_pages: Select[tuple[int]]) -> None:
        """Remove pages with their sections, and both from the indexes."""
        gone = connection.execute(of_pages).scalars().all()
        for some in batches(gone):
            parts = select(sections.c.id).where(sections.c.page_id.in_(some))
            code = select(examples.c.id).where(examples.c.section_id.in_(parts))
            self._examples.drop(connection, connection.execute(code).scalars().all())
            self._sections.drop(connection, connection.execute(parts).scalars().all())
            connection.execute(delete(pages).where(pages.c.id.in_(some)))

    def _put_sections(
        self, connection: Connection, page_id: int, title: str, parts: Sequence[Section]
    ) -> None:
        texts: dict[int, Document] = {}
        code: dict[int, Document] = {}
        for position, part in enumerate(parts):
            section_id = key_of(
                connection.execute(insert(sections).values(row_of(part, page_id, position)))
            )
            names = written_names(part)
            texts[section_id] = (part.title, " ".join((title, *part.trail[:-1])), part.text, names)
            for example in part.examples:
                values = {**asdict(example), "section_id": section_id}
                example_id = key_of(connection.execute(insert(examples).values(values)))
                code[example_id] = (
                    " ".join(part.trail), example.caption, example.code, names_in(example.code)
                )  # fmt: skip
        self._sections.put(connection, texts)
        self._examples.put(connection, code)


def _configure_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - of the driver
    for setting in ("foreign_keys = ON", "journal_mode = WAL", "synchronous = NORMAL",
                    "busy_timeout = 10000"):  # fmt: skip
        connection.execute(f"PRAGMA {setting}")


def _prepare(engine: Engine, indexes: Iterable[LexicalIndex]) -> None:
    """Make the tables of an empty database, or refuse those of another version."""
    with engine.begin() as connection:
        # Processes that start together wait for the first, which makes the tables.
        alone = "BEGIN IMMEDIATE" if engine.dialect.name == "sqlite" else _ALONE
        connection.exec_driver_sql(alone)
        if not inspect(connection).has_table(layout.name):
            metadata.create_all(connection)
            for index in indexes:
                index.create(connection)
            connection.execute(insert(layout).values(version=_LAYOUT))
            return
        version = connection.execute(select(layout.c.version)).scalar_one()
    if version != _LAYOUT:
        raise KnowledgeBaseError(
            f"The knowledge base has layout {version}, and this version reads {_LAYOUT}: load its"
            " sources into a new one."
        )
