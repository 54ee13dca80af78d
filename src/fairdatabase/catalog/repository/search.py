"""The search index: one interface, and an implementation for each database.

Its tables are made by the migration ``0002_search`` and not by models, because they consist of
what only one database has: FTS5 with BM25 ranking in SQLite, weighted vectors in PostgreSQL.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import reduce
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    Column,
    ColumnClause,
    ColumnElement,
    Float,
    FromClause,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    Text,
    Uuid,
    bindparam,
    cast,
    column,
    delete,
    func,
    insert,
    literal,
    select,
    table,
    text,
    union_all,
)
from sqlalchemy.dialects.postgresql import REGCONFIG
from sqlalchemy.orm import joinedload

from fairdatabase.catalog.models import Community, CommunityDataset, Version
from fairdatabase.catalog.rules import SearchTerms
from fairdatabase.catalog.schemas import SearchQuery
from fairdatabase.kernel.database import Database, UtcDateTime

_TABLES = MetaData()
DOCUMENTS = Table(
    "search_documents",
    _TABLES,
    Column("id", Integer, primary_key=True),
    Column("dataset_id", Uuid),
    Column("version_id", Uuid),
    Column("title", Text),
    Column("description", Text),
    Column("words", Text),
    Column("access", String),
    Column("year", Integer),
    Column("published_at", UtcDateTime),
)
SUBJECTS = Table(
    "search_subjects", _TABLES, Column("document_id", Integer), Column("subject", String)
)
_VECTORS = table("search_documents", column("id", Integer), column("vector"))
_SHOWN = ("id", "version_id", "title", "access", "year", "published_at")
_ID: ColumnClause[int] = column("id", Integer)
_SCORE: ColumnClause[float] = column("score", Float)
_BY_LOGARITHM_OF_LENGTH = 1
_FACET_VALUES = 50
_MISSES_KEPT = 10_000
_COUNT_MISS = text(
    "INSERT INTO search_misses (query, count, last_at) VALUES (:query, 1, :moment)"
    " ON CONFLICT (query) DO UPDATE"
    " SET count = search_misses.count + 1, last_at = excluded.last_at"
).bindparams(bindparam("moment", type_=UtcDateTime()))
_DROP_OLD_MISSES = text(
    "DELETE FROM search_misses WHERE query IN"
    " (SELECT query FROM search_misses ORDER BY last_at DESC LIMIT 1000 OFFSET :kept)"
)


@dataclass(frozen=True, slots=True)
class Document:
    """What the index knows of a dataset; all texts went through ``rules.search_words``."""

    dataset_id: UUID
    version_id: UUID
    title: str
    description: str
    words: str
    subjects: frozenset[str]
    access: str
    year: int
    published_at: datetime


class SearchIndex(ABC):
    """Full-text search over the newest published version of each dataset."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @abstractmethod
    def _matches(self, terms: SearchTerms) -> FromClause:
        """Return the documents that have all terms, as columns ``id`` and ``score``."""

    def replace(self, dataset_id: UUID, document: Document | None) -> None:
        """Make a document what the index knows of a dataset; None takes the dataset out."""
        session = self._database.session
        session.execute(delete(DOCUMENTS).where(DOCUMENTS.c.dataset_id == dataset_id))
        if document is None:
            return
        values = asdict(document)
        subjects = values.pop("subjects")
        added = session.execute(insert(DOCUMENTS).values(values).returning(DOCUMENTS.c.id))
        document_id = added.scalar_one()
        if subjects:
            rows = [{"document_id": document_id, "subject": subject} for subject in subjects]
            session.execute(insert(SUBJECTS), rows)

    def page(self, terms: SearchTerms, query: SearchQuery) -> Sequence[Version]:
        """Return the versions on a page of the results, with their datasets."""
        found = self._found(terms, query)
        ordered = select(found).order_by(*_order(found, query.sort))
        # Cut before the join: otherwise every result's metadata would be sorted along.
        page = ordered.offset(query.offset).limit(query.per_page).subquery("page")
        statement = (
            select(Version)
            .join(page, Version.id == page.c.version_id)
            .options(joinedload(Version.dataset, innerjoin=True))
            .order_by(*_order(page, query.sort))
        )
        return self._database.session.scalars(statement).all()

    def facets(self, terms: SearchTerms, query: SearchQuery) -> Sequence[tuple[str, str, int]]:
        """Return name, value and number of results of each facet's most frequent values."""
        found = self._found(terms, query)
        subjects = found.join(SUBJECTS, SUBJECTS.c.document_id == found.c.id)
        statement = union_all(
            _facet("access", found.c.access, found),
            _facet("year", cast(found.c.year, String), found),
            _facet("subject", SUBJECTS.c.subject, subjects),
        )
        rows = self._database.session.execute(statement)
        return [(name, value, count) for name, value, count in rows]

    def record_miss(self, query: str, moment: datetime) -> None:
        """Count a query that found nothing; the ones not asked for the longest make room."""
        session = self._database.session
        session.execute(_COUNT_MISS, {"query": query, "moment": moment})
        session.execute(_DROP_OLD_MISSES, {"kept": _MISSES_KEPT})

    def _found(self, terms: SearchTerms, query: SearchQuery) -> CTE:
        score: ColumnElement[Any] = literal(0.0)
        source: FromClause = DOCUMENTS
        if terms:
            matches = self._matches(terms)
            score = matches.c.score
            source = DOCUMENTS.join(matches, matches.c.id == DOCUMENTS.c.id)
        shown = (DOCUMENTS.c[name] for name in _SHOWN)
        statement = select(*shown, score.label("score")).select_from(source)
        if query.access is not None:
            statement = statement.where(DOCUMENTS.c.access == query.access.value)
        if query.year is not None:
            statement = statement.where(DOCUMENTS.c.year == query.year)
        if query.community is not None:
            belonging = select(CommunityDataset.dataset_id).join(
                Community, Community.id == CommunityDataset.community_id
            )
            belonging = belonging.where(Community.slug == query.community)
            statement = statement.where(DOCUMENTS.c.dataset_id.in_(belonging))
        if query.subject is not None:
            having = select(SUBJECTS.c.document_id).where(SUBJECTS.c.subject == query.subject)
            statement = statement.where(DOCUMENTS.c.id.in_(having))
        return statement.cte("found")


class SqliteSearch(SearchIndex):
    """FTS5 with BM25 ranking; a word in the title weighs ten times one among the others."""

    def _matches(self, terms: SearchTerms) -> FromClause:
        asked = [f'"{each}"' for each in (*terms.words, *terms.phrases)]
        if terms.beginning:
            asked.append(f'"{terms.beginning}" *')
        statement = text(
            "SELECT id, max(score) AS score FROM ("
            " SELECT rowid AS id, -bm25(search_stems, 10.0, 4.0, 1.0) AS score"
            " FROM search_stems WHERE search_stems MATCH :query"
            " UNION ALL"
            " SELECT rowid, -bm25(search_words, 10.0, 4.0, 1.0)"
            " FROM search_words WHERE search_words MATCH :query"
            ") GROUP BY id"
        )
        return statement.bindparams(query=" ".join(asked)).columns(_ID, _SCORE).subquery("matches")


class PostgresqlSearch(SearchIndex):
    """Weighted vectors of stems and of whole words, each asked in its own way."""

    def _matches(self, terms: SearchTerms) -> FromClause:
        asked = _vector_query("english", terms).op("||")(_vector_query("simple", terms))
        score = func.ts_rank(_VECTORS.c.vector, asked, _BY_LOGARITHM_OF_LENGTH)
        matching = select(_VECTORS.c.id, score.label("score"))
        return matching.where(_VECTORS.c.vector.op("@@")(asked)).subquery("matches")


def _vector_query(words: str, terms: SearchTerms) -> ColumnElement[Any]:
    configuration = cast(literal(words), REGCONFIG)
    parts: list[ColumnElement[Any]] = [func.plainto_tsquery(configuration, " ".join(terms.words))]
    parts += [func.phraseto_tsquery(configuration, phrase) for phrase in terms.phrases]
    if terms.beginning:
        parts.append(func.to_tsquery(configuration, f"'{terms.beginning}':*"))
    return reduce(lambda one, other: one.op("&&")(other), parts)


def _order(found: FromClause, sort: str) -> tuple[ColumnElement[Any], ...]:
    newest = found.c.published_at.desc()
    orders: dict[str, tuple[ColumnElement[Any], ...]] = {
        "relevance": (found.c.score.desc(), newest),
        "newest": (newest,),
        "oldest": (found.c.published_at,),
        "title": (found.c.title, newest),
    }
    return (*orders[sort], found.c.id.desc())


def _facet(name: str, value: ColumnElement[Any], source: FromClause) -> Select[Any]:
    number = func.count().label("count")
    counted = select(literal(name).label("name"), value.label("value"), number)
    most = counted.select_from(source).group_by(value).order_by(number.desc(), value)
    limited = most.limit(_FACET_VALUES).subquery()
    return select(limited.c.name, limited.c.value, limited.c.count)
