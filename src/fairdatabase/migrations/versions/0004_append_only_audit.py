"""Events that the database itself keeps from change, and the reason of an override.

Revision: 0004
Follows: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_REFUSAL = "audit events are never changed or removed"
# REPLACE removes a row without asking the triggers of DELETE, so an INSERT is looked at as well.
_SQLITE = {
    "audit_events_refuse_update": "BEFORE UPDATE ON audit_events",
    "audit_events_refuse_delete": "BEFORE DELETE ON audit_events",
    "audit_events_refuse_replace": "BEFORE INSERT ON audit_events"
    " WHEN EXISTS (SELECT 1 FROM audit_events WHERE sequence = NEW.sequence)",
}
_POSTGRESQL = {
    "audit_events_refuse_change": "BEFORE UPDATE OR DELETE ON audit_events FOR EACH ROW",
    "audit_events_refuse_truncate": "BEFORE TRUNCATE ON audit_events FOR EACH STATEMENT",
}


def upgrade() -> None:
    op.add_column("versions", sa.Column("override_reason", sa.Text(), nullable=True))
    # The log is read from its end, all of it or what concerns one account or thing.
    op.drop_index("ix_audit_events_action", "audit_events")
    for column in ("actor", "subject"):
        op.drop_index(f"ix_audit_events_{column}", "audit_events")
        op.create_index(f"ix_audit_events_{column}_sequence", "audit_events", [column, "sequence"])
    if op.get_bind().dialect.name == "sqlite":
        for name, event in _SQLITE.items():
            op.execute(
                f"CREATE TRIGGER {name} {event} BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$"
    )
    for name, event in _POSTGRESQL.items():
        op.execute(f"CREATE TRIGGER {name} {event} EXECUTE FUNCTION refuse_audit_change()")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in _SQLITE:
            op.execute(f"DROP TRIGGER {name}")
    else:
        op.execute("DROP FUNCTION refuse_audit_change() CASCADE")
    for column in ("actor", "subject"):
        op.drop_index(f"ix_audit_events_{column}_sequence", "audit_events")
        op.create_index(f"ix_audit_events_{column}", "audit_events", [column])
    op.create_index("ix_audit_events_action", "audit_events", ["action"])
    op.drop_column("versions", "override_reason")
