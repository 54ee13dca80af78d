"""Finds sections and code by their words, ranked by BM25.

SQLite has FTS5. PostgreSQL's own ranking knows neither BM25 nor the length of documents, so there
the postings are kept in a table and the formula of Robertson and Zaragoza ("The Probabilistic
Relevance Framework: BM25 and Beyond", 2009) is computed over them.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

from sqlalchemy import (
    Column,
    Connection,
    Float,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    case,
    column,
    delete,
    func,
    insert,
    literal_column,
    select,
    table,
    text,
)

from knowledge_base.terms import stem, words_of

FIELDS: Final = ("title", "trail", "body", "names")
"""Where words are found: the heading, those above it, the text, names in code."""

Document = tuple[str, str, str, str]
"""The text of each of :data:`FIELDS`."""


class LexicalIndex(Protocol):
    """An inverted index over documents with four fields."""

    def create(self, connection: Connection) -> None:
        """Make the tables of an empty index."""

    def put(self, connection: Connection, documents: Mapping[int, Document]) -> None:
        """Add documents by their ids."""

    def drop(self, connection: Connection, ids: Sequence[int]) -> None:
        """Remove documents."""

    def find(
        self,
        connection: Connection,
        terms: Sequence[str],
        limit: int,
        within: Select[tuple[int]] | None,
    ) -> list[tuple[int, float]]:
        """Return ids and scores of documents that hold any of the terms, the best first.

        Args:
            connection: To the database.
            terms: Of the question.
            limit: How many.
            within: Selects the ids to look among; all by default.
        """

    def frequencies(
        self, connection: Connection, terms: Iterable[str], within: Select[tuple[int]] | None
    ) -> dict[str, int]:
        """Return in how many documents each term is; arguments as of :meth:`find`."""

    def highest(self, frequencies: Iterable[int], documents: int) -> float:
        """Return the score that no document can pass: that of one all about every term.

        Each term adds at most ``(k1 + 1)`` times its inverse document frequency.

        Args:
            frequencies: In how many documents each term is.
            documents: How many there are.
        """


class FTS5:
    """An index of SQLite."""

    K1: Final = 1.2
    LEAST: Final = 1e-6
    """Of an inverse document frequency, as FTS5 has it."""

    def __init__(self, name: str, weights: tuple[float, float, float, float]) -> None:
        """Name an index.

        Args:
            name: Of its table.
            weights: How much a word counts in each of :data:`FIELDS`.
        """
        self.name = name
        self._weights = ", ".join(map(str, weights))

    def create(self, connection: Connection) -> None:
        """Make the virtual table."""
        columns = ", ".join(FIELDS)
        connection.execute(
            text(
                f"CREATE VIRTUAL TABLE {self.name} USING fts5({columns},"
                " tokenize = \"porter unicode61 remove_diacritics 2 tokenchars '_'\")"
            )
        )

    def put(self, connection: Connection, documents: Mapping[int, Document]) -> None:
        """Add documents."""
        columns = ", ".join(FIELDS)
        marks = ", ".join(f":{field}" for field in FIELDS)
        statement = text(f"INSERT INTO {self.name} (rowid, {columns}) VALUES (:id, {marks})")
        rows = [
            {"id": key, **dict(zip(FIELDS, document, strict=True))}
            for key, document in documents.items()
        ]
        if rows:
            connection.execute(statement, rows)

    def drop(self, connection: Connection, ids: Sequence[int]) -> None:
        """Remove documents."""
        if ids:
            statement = text(f"DELETE FROM {self.name} WHERE rowid = :id")
            connection.execute(statement, [{"id": each} for each in ids])

    def find(
        self,
        connection: Connection,
        terms: Sequence[str],
        limit: int,
        within: Select[tuple[int]] | None,
    ) -> list[tuple[int, float]]:
        """Return ids and scores, the best first."""
        if not terms:
            return []
        row = column("rowid", Integer)
        score = literal_column(f"-bm25({self.name}, {self._weights})", Float).label("score")
        statement = (
            select(row, score)
            .select_from(table(self.name))
            .where(text(f"{self.name} MATCH :question").bindparams(question=_any_of(terms)))
            .order_by(score.desc(), row)
            .limit(limit)
        )
        if within is not None:
            statement = statement.where(row.in_(within))
        return [(each[0], each[1]) for each in connection.execute(statement).all()]

    def frequencies(
        self, connection: Connection, terms: Iterable[str], within: Select[tuple[int]] | None
    ) -> dict[str, int]:
        """Return in how many documents each term is."""
        statement = select(func.count()).select_from(table(self.name))
        statement = statement.where(text(f"{self.name} MATCH :question"))
        if within is not None:
            statement = statement.where(column("rowid", Integer).in_(within))
        return {
            term: connection.execute(statement, {"question": _any_of([term])}).scalar_one()
            for term in terms
        }

    def highest(self, frequencies: Iterable[int], documents: int) -> float:
        """Return the score that no document can pass."""
        rarities = (math.log((documents - each + 0.5) / (each + 0.5)) for each in frequencies)
        return (self.K1 + 1) * sum(max(each, self.LEAST) for each in rarities)


def _any_of(terms: Iterable[str]) -> str:
    quoted = (term.replace('"', '""') for term in terms)
    return " OR ".join(f'"{term}"' for term in quoted)


class Postings:
    """An index in ordinary tables, for databases without one of their own."""

    K1: Final = 1.2
    B: Final = 0.75

    def __init__(self, name: str, weights: tuple[float, float, float, float]) -> None:
        """Name an index.

        Args:
            name: Its tables begin with it.
            weights: How much a word counts in each of :data:`FIELDS`.
        """
        self._weights = weights
        self._metadata = MetaData()
        self._postings = Table(
            f"{name}_postings", self._metadata,
            Column("term", String(80), primary_key=True),
            Column("document_id", Integer, primary_key=True, index=True),
            Column("frequency", Float, nullable=False),
        )  # fmt: skip
        self._lengths = Table(
            f"{name}_lengths", self._metadata,
            Column("document_id", Integer, primary_key=True, autoincrement=False),
            Column("length", Float, nullable=False),
        )  # fmt: skip

    def create(self, connection: Connection) -> None:
        """Make the tables."""
        self._metadata.create_all(connection)

    def put(self, connection: Connection, documents: Mapping[int, Document]) -> None:
        """Add documents."""
        postings, lengths = [], []
        for key, document in documents.items():
            counted: Counter[str] = Counter()
            for weight, field in zip(self._weights, document, strict=True):
                for term in map(stem, words_of(field)):
                    counted[term] += weight  # type: ignore[assignment]  # a weighted count
            postings += [
                {"term": term, "document_id": key, "frequency": count}
                for term, count in counted.items()
            ]
            lengths.append({"document_id": key, "length": float(sum(counted.values()))})
        if lengths:
            connection.execute(insert(self._lengths), lengths)
        if postings:
            connection.execute(insert(self._postings), postings)

    def drop(self, connection: Connection, ids: Sequence[int]) -> None:
        """Remove documents."""
        for kept in (self._postings, self._lengths):
            connection.execute(delete(kept).where(kept.c.document_id.in_(ids)))

    def find(
        self,
        connection: Connection,
        terms: Sequence[str],
        limit: int,
        within: Select[tuple[int]] | None,
    ) -> list[tuple[int, float]]:
        """Return ids and scores, the best first."""
        count, mean = connection.execute(
            select(func.count(), func.avg(self._lengths.c.length))
        ).one()
        known = self._counted(connection, set(map(stem, terms)), None)
        if not known:
            return []
        rarity = {
            term: math.log1p((count - each + 0.5) / (each + 0.5)) for term, each in known.items()
        }
        found, lengths = self._postings.c, self._lengths.c
        norm = self.K1 * (1 - self.B + self.B * lengths.length / mean)
        weight = case(rarity, value=found.term)
        score = func.sum(weight * found.frequency * (self.K1 + 1) / (found.frequency + norm))
        statement = (
            select(found.document_id, score.label("score"))
            .join(self._lengths, lengths.document_id == found.document_id)
            .where(found.term.in_(known))
            .group_by(found.document_id)
            .order_by(score.desc(), found.document_id)
            .limit(limit)
        )
        if within is not None:
            statement = statement.where(found.document_id.in_(within))
        return [(row[0], row[1]) for row in connection.execute(statement)]

    def frequencies(
        self, connection: Connection, terms: Iterable[str], within: Select[tuple[int]] | None
    ) -> dict[str, int]:
        """Return in how many documents each term is."""
        stems = {term: stem(term) for term in terms}
        known = self._counted(connection, set(stems.values()), within)
        return {term: known.get(stemmed, 0) for term, stemmed in stems.items()}

    def highest(self, frequencies: Iterable[int], documents: int) -> float:
        """Return the score that no document can pass."""
        rarities = (math.log1p((documents - each + 0.5) / (each + 0.5)) for each in frequencies)
        return (self.K1 + 1) * sum(rarities)

    def _counted(
        self, connection: Connection, stems: set[str], within: Select[tuple[int]] | None
    ) -> dict[str, int]:
        found = self._postings.c
        statement = select(found.term, func.count()).where(found.term.in_(stems))
        if within is not None:
            statement = statement.where(found.document_id.in_(within))
        return {row[0]: row[1] for row in connection.execute(statement.group_by(found.term))}
