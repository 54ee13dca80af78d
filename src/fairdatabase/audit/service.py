"""Use cases of the audit log."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from fairdatabase.audit.formats.exports import MEDIA_TYPES, written
from fairdatabase.audit.models import AuditEvent
from fairdatabase.audit.repository import AuditRepository
from fairdatabase.audit.rules import (
    FIRST_HASH,
    against_head,
    chain_key,
    first_fault,
    link_hash,
    recordable,
)
from fairdatabase.audit.schemas import (
    AuditExportQuery,
    AuditFilters,
    AuditPage,
    AuditQuery,
    AuditRecord,
    Fault,
    Head,
    Verification,
)
from fairdatabase.authorization.rules import require
from fairdatabase.authorization.schemas import Action, Actor, Resource
from fairdatabase.kernel.cache import Cache
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.observability.logging import correlation_id

_BATCH = 2000
_CHECKED_AT_ONCE = 1000
_ALL = AuditFilters()
_QUIET_SECONDS = 600.0
"""How long the same actor's same act that changes nothing is not recorded again."""
_KEPT_ACTS = 10_000
_SUBJECT_LENGTH = 64
_TOLD = ("sequence", "actor", "action", "subject_type", "subject", "after")
logger = logging.getLogger("fairdatabase.audit")


@dataclass(frozen=True, slots=True)
class Export:
    """Events on their way out: the file's name, its media type and its bytes in chunks."""

    name: str
    media_type: str
    chunks: Iterator[bytes]


class Audit:
    """The chain of everything that matters for security or data.

    Args:
        database: Holds the chain, beside what is audited.
        settings: Its secret key makes the chain hold.
        clock: Source of the present time.
    """

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._events = AuditRepository(database)
        self._key = chain_key(settings.data_key.get_secret_value())
        self._recent: Cache[bool] = Cache(seconds=_QUIET_SECONDS, capacity=_KEPT_ACTS)

    def record(
        self,
        actor: Actor,
        action: str,
        subject_type: Resource,
        subject: str,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """Record an act inside the transaction that does it: both happen or neither.

        Args:
            actor: Who did it.
            action: What was done, as ``noun.verb-in-the-past``, such as ``dataset.published``.
            subject_type: Kind of the thing.
            subject: Its public id.
            before: What it was; only what changed, JSON values, no secrets.
            after: What it is now; likewise.

        Raises:
            RuntimeError: No transaction is open.
        """
        event = {
            "at": self._clock(),
            "actor": actor.public_id or actor.name,
            "token": actor.token_public_id or None,
            "action": action,
            "subject_type": subject_type.value,
            "subject": subject[:_SUBJECT_LENGTH],
            "request_id": correlation_id(),
            "before": None if before is None else recordable(before),
            "after": None if after is None else recordable(after),
        }
        self._database.before_commit(partial(self._append, event))

    def note(
        self,
        actor: Actor,
        action: str,
        subject_type: Resource,
        subject: str,
        *,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """Record an act that changes nothing, such as looking, in a transaction of its own.

        The same act of the same actor, by the same token or none, within ten minutes is recorded
        once, so that neither turning pages nor knocking at a closed door fills the log. Arguments
        as of :meth:`record`.
        """
        who = actor.public_id or actor.name
        key = "\n".join((who, actor.token_public_id, action, subject, str(after)))

        def write() -> bool:
            with self._database.transaction():
                self.record(actor, action, subject_type, subject, after=after)
            return True

        self._recent.get_or_make(key, write)

    def note_denial(self, actor: Actor, route: str) -> None:
        """Record that somebody who is signed in was refused; who is not would fill the log.

        A log that cannot be written to leaves the refusal as it is.
        """
        if not actor.is_authenticated:
            return
        try:
            self.note(actor, "access.denied", Resource.PLATFORM, "", after={"route": route})
        except SQLAlchemyError:
            logger.exception("A refusal could not be recorded", extra={"route": route})

    def list_events(self, actor: Actor, query: AuditQuery) -> AuditPage:
        """Return a page of events, newest first; two statements.

        Raises:
            PermissionDeniedError: The actor is no admin.
        """
        require(actor, Resource.AUDIT, Action.READ)
        with self._database.reading():
            found = self._events.latest(query, before=query.before, limit=query.limit + 1)
            head = self._head()
        shown = found[: query.limit]
        return AuditPage(
            events=tuple(AuditRecord.model_validate(event) for event in shown),
            next=shown[-1].sequence if len(found) > len(shown) else None,
            head=head,
        )

    def export(self, actor: Actor, query: AuditExportQuery) -> Export:
        """Return all events that match, streamed, oldest first; this is an event itself.

        Raises:
            PermissionDeniedError: The actor is no admin, or did not confirm it.
        """
        require(actor, Resource.AUDIT, Action.EXPORT)
        asked = query.model_dump(mode="json", exclude_defaults=True)
        with self._database.transaction():
            self.record(actor, "audit.exported", Resource.AUDIT, "", after=asked)
        return Export(
            name=f"audit-{self._clock():%Y-%m-%d}.{query.format.value}",
            media_type=MEDIA_TYPES[query.format],
            chunks=written(self._walk(query), query.format),
        )

    def of_account(self, _user_id: UUID, public_id: str) -> Iterator[AuditRecord]:
        """Yield what an account did and what was done to it, for its owner's copy."""
        yield from self._walk(AuditFilters(actor=public_id))
        for event in self._walk(AuditFilters(subject=public_id)):
            if event.actor != public_id:
                yield event

    def check_end(self, actor: Actor) -> Verification:
        """Walk the newest thousand events, which is quick.

        Raises:
            PermissionDeniedError: The actor is no admin.
        """
        require(actor, Resource.AUDIT, Action.READ)
        return self.verify(newest=_CHECKED_AT_ONCE)

    def verify(self, *, expect: Head | None = None, newest: int | None = None) -> Verification:
        """Walk the whole chain, some thousand events at a time.

        Args:
            expect: An event that is known to have been in the chain, kept elsewhere.
            newest: Only so many events from the end; the one before them is believed.
        """
        with self._database.reading():
            head = self._head()
            start = self._events.get_sequence(head.sequence - newest) if newest else None
        first = Head.model_validate(start) if start else Head(sequence=0, hash=FIRST_HASH)
        last, fault = first, None
        while fault is None and (piece := self._piece(_ALL, last.sequence, until=head.sequence)):
            found = first_fault(self._key, last, piece)
            if isinstance(found, Fault):
                fault = found
                last = self._before(last, piece, found)
            else:
                last = found
            if expect and piece[0].sequence <= expect.sequence <= last.sequence:
                seen = next(each for each in piece if each.sequence == expect.sequence)
                fault = fault or against_head(Head.model_validate(seen), expect)
        fault = fault or against_head(last, head) or self._added()
        if expect and not fault and last.sequence < expect.sequence:
            fault = against_head(last, expect)
        return Verification(events=last.sequence, head=last, fault=fault)

    def _added(self) -> Fault | None:
        """Look for events after the end that is noted, read in an order that writers keep to."""
        with self._database.reading():
            newest = self._events.latest(_ALL, before=None, limit=1)
        with self._database.reading():
            head = self._head()
        if newest and newest[0].sequence > head.sequence:
            return against_head(Head.model_validate(newest[0]), head)
        return None

    @staticmethod
    def _before(last: Head, piece: list[AuditRecord], fault: Fault) -> Head:
        """Return the last event that holds."""
        held = [Head.model_validate(each) for each in piece if each.sequence < fault.sequence]
        return held[-1] if held else last

    def _walk(self, filters: AuditFilters) -> Iterator[AuditRecord]:
        last = 0
        while piece := self._piece(filters, last):
            yield from piece
            last = piece[-1].sequence

    def _piece(
        self, filters: AuditFilters, after: int, *, until: int | None = None
    ) -> list[AuditRecord]:
        with self._database.reading():
            found = self._events.following(filters, after=after, limit=_BATCH, until=until)
            return [AuditRecord.model_validate(event) for event in found]

    def _head(self) -> Head:
        head = self._events.head()
        if head is None:
            return Head(sequence=0, hash=FIRST_HASH)
        return Head(sequence=head.sequence, hash=head.hash)

    def _append(self, event: dict[str, Any]) -> None:
        head = self._events.lock_head()
        event["sequence"] = head.sequence + 1
        head.hash, previous_hash = link_hash(self._key, head.hash, event), head.hash
        head.sequence = event["sequence"]
        self._events.add(AuditEvent(**event, previous_hash=previous_hash, hash=head.hash))
        told = {name: event[name] for name in _TOLD}
        self._database.after_commit(partial(logger.info, "Recorded %s", told["action"], extra=told))
