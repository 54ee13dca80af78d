"""Key versions, policies of datasets, saved recipes, hierarchies and automatic searches.

Revision: 0005
Follows: 0004
"""

import sqlalchemy as sa
from alembic import op

from fairdatabase.kernel.database import JsonDocument, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "release_recipes",
        sa.Column("key_version", sa.Integer(), nullable=False, server_default="1"),
    )
    op.create_table(
        "pseudonym_keys",
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        _belongs_to("pseudonym_keys", "dataset_id", "datasets"),
        sa.PrimaryKeyConstraint("dataset_id", "version", name=op.f("pk_pseudonym_keys")),
    )
    op.create_table(
        "dataset_policies",
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("policy", JsonDocument, nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        _belongs_to("dataset_policies", "dataset_id", "datasets"),
        sa.PrimaryKeyConstraint("dataset_id", name=op.f("pk_dataset_policies")),
    )
    op.create_table(
        "saved_recipes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=16), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("recipe", JsonDocument, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        _belongs_to("saved_recipes", "owner_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_recipes")),
        sa.UniqueConstraint("owner_id", "name", name=op.f("uq_saved_recipes_owner_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_saved_recipes_public_id")),
    )
    op.create_table(
        "column_hierarchies",
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("column", sa.String(length=1000), nullable=False),
        sa.Column("hierarchy", JsonDocument, nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        _belongs_to("column_hierarchies", "file_id", "files"),
        sa.PrimaryKeyConstraint("file_id", "column", name=op.f("pk_column_hierarchies")),
    )
    op.create_table(
        "recipe_drafts",
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("recipe", JsonDocument, nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        _belongs_to("recipe_drafts", "file_id", "files"),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_recipe_drafts")),
    )
    op.create_table(
        "recipe_searches",
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.String(length=16), nullable=False),
        sa.Column("source_sha256", sa.String(length=64), nullable=False),
        sa.Column("roles", JsonDocument, nullable=False),
        sa.Column("request", JsonDocument, nullable=False),
        sa.Column("result", JsonDocument, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        _belongs_to("recipe_searches", "file_id", "files"),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_recipe_searches")),
    )


def downgrade() -> None:
    for table in (
        "recipe_searches",
        "recipe_drafts",
        "column_hierarchies",
        "saved_recipes",
        "dataset_policies",
        "pseudonym_keys",
    ):
        op.drop_table(table)
    op.drop_column("release_recipes", "key_version")


def _belongs_to(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}"), ondelete="CASCADE"
    )
