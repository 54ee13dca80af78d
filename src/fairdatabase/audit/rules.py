"""How records are chained, and how a chain is checked."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any

from fairdatabase.audit.schemas import AuditRecord, Fault, Head

FIRST_HASH = "0" * 64
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def chain_key(secret_key: str) -> bytes:
    """Return the key of the chain, derived from the instance's secret key."""
    return hmac.digest(secret_key.encode(), b"fairdatabase audit chain", "sha256")


def recordable(value: object) -> Any:  # noqa: ANN401 - JSON of any shape
    """Return a value as every database gives it back, so that its hash holds.

    Numbers with a fraction become text, because databases write them in forms of their own;
    what no database can keep in a text is replaced.
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Mapping):
        return {_text(name): recordable(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [recordable(inner) for inner in value]
    return _text(value)


def _text(value: object) -> str:
    return str(value).replace("\0", _REPLACEMENT).encode("utf-8", "replace").decode()


def link_hash(key: bytes, previous_hash: str, event: Mapping[str, Any]) -> str:
    """Return the hash that ties an event to all before it.

    A keyed hash (HMAC-SHA-256), so that who can write to the database but does not know the
    instance's secrets cannot make a chain that holds.

    Args:
        key: Of this instance.
        previous_hash: Of the event before, in hexadecimal.
        event: Everything else that is recorded; its moment aware, the rest JSON values.
    """
    plain = {**event, "at": event["at"].astimezone(UTC).isoformat()}
    if plain["token"] is None:
        del plain["token"]  # as in the events from before there was this field
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hmac.new(key, f"{previous_hash}\n{text}".encode(), hashlib.sha256).hexdigest()


def first_fault(key: bytes, before: Head, events: Iterable[AuditRecord]) -> Fault | Head:
    """Walk along a piece of the chain.

    Args:
        key: Of this instance.
        before: The last event before the piece.
        events: The piece, by sequence.

    Returns:
        What is wrong with the first event that does not hold, or the last one where all do.
    """
    for event in events:
        expected = before.sequence + 1
        if event.sequence != expected:
            gone = f"events {expected} to {event.sequence - 1}"
            one = event.sequence == expected + 1
            return Fault(
                sequence=expected,
                reason="missing",
                message=f"{f'Event {expected}' if one else gone.capitalize()} missing.",
            )
        if event.previous_hash != before.hash:
            return Fault(
                sequence=event.sequence,
                reason="reordered",
                message=f"Event {event.sequence} does not follow the one before it: events were "
                "put in another order, or one was replaced.",
            )
        content = event.model_dump(exclude={"previous_hash", "hash"})
        if not hmac.compare_digest(link_hash(key, before.hash, content), event.hash):
            return Fault(
                sequence=event.sequence,
                reason="changed",
                message=f"Event {event.sequence} was changed, or was not written by this instance.",
            )
        before = Head(sequence=event.sequence, hash=event.hash)
    return before


def against_head(last: Head, head: Head) -> Fault | None:
    """Compare the last event of the chain with where it is said to end.

    Args:
        last: The last event that was walked to.
        head: What the instance noted, or what somebody kept elsewhere.
    """
    if last.sequence < head.sequence:
        return Fault(
            sequence=last.sequence + 1,
            reason="truncated",
            message=f"The chain ends with event {last.sequence}, and there were at least "
            f"{head.sequence}: events at its end were removed.",
        )
    if last.sequence > head.sequence:
        return Fault(
            sequence=head.sequence + 1,
            reason="added",
            message=f"Event {head.sequence + 1} comes after the end that was noted: it was put in, "
            "or the note was set back.",
        )
    if last.hash != head.hash:
        return Fault(
            sequence=last.sequence,
            reason="changed",
            message=f"Event {last.sequence} is not the one that was noted: the chain was "
            "written anew.",
        )
    return None
