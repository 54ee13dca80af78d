"""The hashes of events stay what they were, whatever is added to events later."""

from datetime import UTC, datetime

from fairdatabase.audit.rules import FIRST_HASH, link_hash

EVENT = {
    "sequence": 1,
    "at": datetime(2026, 3, 1, 12, tzinfo=UTC),
    "actor": "5k9z2m4xqvb",
    "action": "dataset.published",
    "subject_type": "dataset",
    "subject": "7h3k9z2m4xq",
    "request_id": None,
    "before": None,
    "after": {"identifier": "ark"},
}
# Of the code before.
BEFORE_THERE_WERE_TOKENS = (
    "252654c764ba23c0a98e38a1ff0d75e8e15955f8e41852c8271c0fdcfbe3255a"  # pragma: allowlist secret
)


def test_an_event_without_a_token_holds_as_before_there_were_any() -> None:
    assert link_hash(b"key", FIRST_HASH, EVENT | {"token": None}) == BEFORE_THERE_WERE_TOKENS
    assert link_hash(b"key", FIRST_HASH, EVENT | {"token": "a"}) != BEFORE_THERE_WERE_TOKENS
