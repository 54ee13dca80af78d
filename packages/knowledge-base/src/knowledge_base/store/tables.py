"""The tables of a knowledge base, the same in SQLite and PostgreSQL."""

from datetime import UTC, datetime

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

metadata = MetaData()


class Moment(TypeDecorator[datetime]):
    """A moment in UTC; SQLite forgets the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Give the zone back."""
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)


def _within(table: str) -> ForeignKey:
    return ForeignKey(f"{table}.id", ondelete="CASCADE")


sources = Table(
    "sources",
    metadata,
    Column("id", String(100), primary_key=True),
    Column("location", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("version", Text, nullable=False, default=""),
    Column("licence", Text, nullable=False, default=""),
    Column("owner", String(100), nullable=False, default=""),
    Column("refresh_days", Integer),
    Column("refreshed_at", Moment),
)
pages = Table(
    "pages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source_id", _within("sources"), nullable=False),
    Column("url", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    UniqueConstraint("source_id", "url"),
)
sections = Table(
    "sections",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("page_id", _within("pages"), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("trail", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("anchor", Text, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("names", Text, nullable=False),
    Column("words", Integer, nullable=False),
)
examples = Table(
    "examples",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("section_id", _within("sections"), nullable=False, index=True),
    Column("code", Text, nullable=False),
    Column("language", String(40), nullable=False),
    Column("caption", Text, nullable=False),
)
vectors = Table(
    "vectors",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("section_id", _within("sections"), nullable=False),
    Column("model", String(100), nullable=False),
    Column("embedding", LargeBinary, nullable=False),
    UniqueConstraint("section_id", "model"),
    sqlite_autoincrement=True,  # an id that is gone never comes back for another vector
)
questions = Table(
    "questions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("query", Text, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("is_gap", Boolean, nullable=False),
    Column("asked_at", Moment, nullable=False),
    Index("questions_by_time", "asked_at"),
)
layout = Table("layout", metadata, Column("version", Integer, primary_key=True))
