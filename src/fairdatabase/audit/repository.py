"""Every question the audit log asks the database."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select, text

from fairdatabase.audit.models import AuditEvent, AuditHead
from fairdatabase.audit.rules import FIRST_HASH
from fairdatabase.audit.schemas import NOBODY, AuditFilters
from fairdatabase.kernel.database import Repository

_HEAD = 1
_FIRST_HEAD = text(
    "INSERT INTO audit_heads (id, sequence, hash) VALUES (:id, 0, :hash) ON CONFLICT DO NOTHING"
)


class AuditRepository(Repository[AuditEvent]):
    """Events and the end of their chain."""

    model = AuditEvent

    def head(self) -> AuditHead | None:
        """Return the end of the chain; None before the first event."""
        return self._session.get(AuditHead, _HEAD)

    def get_sequence(self, sequence: int) -> AuditEvent | None:
        """Return the event at a place of the chain."""
        return self._session.get(AuditEvent, sequence)

    def lock_head(self) -> AuditHead:
        """Return the end of the chain; nobody else adds to it before this transaction ends."""
        statement = select(AuditHead).where(AuditHead.id == _HEAD).with_for_update()
        if head := self._session.scalar(statement):
            return head
        # Another writer may be first with it; then this one waits and does nothing.
        self._session.execute(_FIRST_HEAD, {"id": _HEAD, "hash": FIRST_HASH})
        return self._session.scalars(statement).one()

    def latest(self, filters: AuditFilters, *, before: int | None, limit: int) -> list[AuditEvent]:
        """Return events that match, newest first.

        Args:
            filters: What has to hold.
            before: Only events before this one; None: from the end.
            limit: At most so many.
        """
        statement = select(AuditEvent).where(*_conditions(filters))
        if before is not None:
            statement = statement.where(AuditEvent.sequence < before)
        statement = statement.order_by(AuditEvent.sequence.desc()).limit(limit)
        return list(self._session.scalars(statement))

    def following(
        self, filters: AuditFilters, *, after: int, limit: int, until: int | None = None
    ) -> Sequence[AuditEvent]:
        """Return events that match, oldest first.

        Args:
            filters: What has to hold.
            after: Only events after this one.
            limit: At most so many.
            until: None later than this one.
        """
        statement = select(AuditEvent).where(*_conditions(filters), AuditEvent.sequence > after)
        if until is not None:
            statement = statement.where(AuditEvent.sequence <= until)
        statement = statement.order_by(AuditEvent.sequence).limit(limit)
        return self._session.scalars(statement).all()


def _conditions(filters: AuditFilters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.actor:
        conditions.append(AuditEvent.actor == ("" if filters.actor == NOBODY else filters.actor))
    if filters.token:
        conditions.append(AuditEvent.token == filters.token)
    if filters.action:
        conditions.append(AuditEvent.action.startswith(filters.action, autoescape=True))
    if filters.subject:
        conditions.append(AuditEvent.subject == filters.subject)
    if filters.since:
        conditions.append(AuditEvent.at >= filters.since)
    if filters.until:
        conditions.append(AuditEvent.at < filters.until)
    return conditions
