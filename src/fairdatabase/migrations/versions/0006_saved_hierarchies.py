"""Saved recipes bring the hierarchies that they were made with.

Revision: 0006
Follows: 0005
"""

import sqlalchemy as sa
from alembic import op

from fairdatabase.kernel.database import JsonDocument

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "saved_recipes",
        sa.Column("hierarchies", JsonDocument, nullable=False, server_default="[]"),
    )


def downgrade() -> None:
    op.drop_column("saved_recipes", "hierarchies")
