"""Events name the access token that somebody came with.

Revision: 0007
Follows: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audit_events", sa.Column("token", sa.String(length=16), nullable=True))
    op.create_index("ix_audit_events_token_sequence", "audit_events", ["token", "sequence"])


def downgrade() -> None:
    op.drop_index("ix_audit_events_token_sequence", "audit_events")
    op.drop_column("audit_events", "token")
