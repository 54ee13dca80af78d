"""Tables of the audit log."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from fairdatabase.kernel.database import Base


class AuditEvent(Base):
    """One act. Rows are added and never changed; the database refuses anything else."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_actor_sequence", "actor", "sequence"),
        Index("ix_audit_events_subject_sequence", "subject", "sequence"),
        Index("ix_audit_events_token_sequence", "token", "sequence"),
    )

    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str] = mapped_column(String(64))
    """Public id of the account; empty: nobody was signed in; otherwise a program's name."""
    token: Mapped[str | None] = mapped_column(String(16))
    """Public id of the access token that the account came with; None: it came with none."""
    action: Mapped[str] = mapped_column(String(64))
    subject_type: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(64))
    """Public id of what was acted on."""
    request_id: Mapped[str | None] = mapped_column(String(128))
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """Where the chain ends: the one row that writers wait for."""

    __tablename__ = "audit_heads"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sequence: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64))
