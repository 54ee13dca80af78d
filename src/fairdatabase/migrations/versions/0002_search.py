"""Search.

Revision: 0002
Follows: 0001
"""

import sqlalchemy as sa
from alembic import op

from fairdatabase.kernel.database import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Two indexes over the same texts: word stems find "studies" by "study", whole words find
# "university" by its beginning "universi", which no stem begins with.
FTS5_INDEXES = {
    "search_stems": "porter unicode61 remove_diacritics 2",
    "search_words": "unicode61 remove_diacritics 2",
}


def upgrade() -> None:
    op.create_table(
        "search_documents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("access", sa.String(length=32), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("published_at", UtcDateTime(), nullable=False),
        # Long texts come last: SQLite reads a row up to the last column it needs.
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"],
            ["datasets.id"],
            name=op.f("fk_search_documents_dataset_id_datasets"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["versions.id"],
            name=op.f("fk_search_documents_version_id_versions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_documents")),
        sa.UniqueConstraint("dataset_id", name=op.f("uq_search_documents_dataset_id")),
    )
    op.create_index("ix_search_documents_published", "search_documents", ["published_at"])
    op.create_table(
        "search_subjects",
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["search_documents.id"],
            name=op.f("fk_search_subjects_document_id_search_documents"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("document_id", "subject", name=op.f("pk_search_subjects")),
    )
    op.create_index("ix_search_subjects_subject", "search_subjects", ["subject"])
    op.create_table(
        "search_misses",
        sa.Column("query", sa.String(length=300), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("query", name=op.f("pk_search_misses")),
    )
    op.create_index("ix_search_misses_last", "search_misses", ["last_at"])
    if op.get_bind().dialect.name == "sqlite":
        _create_fts5()
    else:
        _create_vector()


def _create_fts5() -> None:
    for name, tokenizer in FTS5_INDEXES.items():
        op.execute(
            f"CREATE VIRTUAL TABLE {name} USING fts5(title, description, words, "
            f"content='search_documents', content_rowid='id', tokenize='{tokenizer}', "
            "prefix='2 3 4')"
        )
    # An index over another table's texts forgets a row only when it is told the old texts.
    forget = "".join(
        f"INSERT INTO {name}({name}, rowid, title, description, words) "  # noqa: S608
        "VALUES ('delete', old.id, old.title, old.description, old.words); "
        for name in FTS5_INDEXES
    )
    learn = "".join(
        f"INSERT INTO {name}(rowid, title, description, words) "  # noqa: S608
        "VALUES (new.id, new.title, new.description, new.words); "
        for name in FTS5_INDEXES
    )
    for moment, statements in {
        "INSERT": learn,
        "DELETE": forget,
        "UPDATE": forget + learn,
    }.items():
        op.execute(
            f"CREATE TRIGGER search_documents_{moment.lower()} AFTER {moment} ON search_documents "
            f"BEGIN {statements}END"
        )


def _create_vector() -> None:
    parts = [
        f"setweight(to_tsvector('{words}', {column}), '{weight}')"
        for column, weight in (("title", "A"), ("description", "B"), ("words", "D"))
        for words in ("english", "simple")
    ]
    op.execute(
        "ALTER TABLE search_documents ADD COLUMN vector tsvector "
        f"GENERATED ALWAYS AS ({' || '.join(parts)}) STORED"
    )
    op.create_index(
        "ix_search_documents_vector", "search_documents", ["vector"], postgresql_using="gin"
    )


def downgrade() -> None:
    op.drop_table("search_misses")
    op.drop_table("search_subjects")
    if op.get_bind().dialect.name == "sqlite":
        for name in FTS5_INDEXES:
            op.drop_table(name)
    op.drop_table("search_documents")
