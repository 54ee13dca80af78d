"""A verdict keeps the policy that it was found by.

Revision: 0008
Follows: 0007
"""

import sqlalchemy as sa
from alembic import op

from fairdatabase.kernel.database import JsonDocument

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "screenings", sa.Column("policy", JsonDocument, nullable=False, server_default="{}")
    )


def downgrade() -> None:
    op.drop_column("screenings", "policy")
