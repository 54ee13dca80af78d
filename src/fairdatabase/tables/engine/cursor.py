"""Page cursors: where the next page begins, bound to the query and the file they belong to.

A cursor holds the sort values and the row number of the last row of a page, sealed together with
the query by a key of the instance (HMAC-SHA-256): what comes back is what was given out, and
nothing that somebody wrote reaches the query.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Sequence
from typing import Any

from fairdatabase.tables.errors import CursorError
from fairdatabase.tables.schemas import QuerySpec

_SEAL_BYTES = 16
_PURPOSE = b"fairdatabase page cursors"
_BINDING_FIELDS = {"filters", "sort", "search"}


def cursor_key(secret: str) -> bytes:
    """Return the key that seals cursors, derived from a secret of the instance."""
    return hmac.digest(secret.encode(), _PURPOSE, "sha256")


def encode_cursor(
    source: str, spec: QuerySpec, keys: Sequence[Any], row: int, *, key: bytes
) -> str:
    """Make the cursor behind a row.

    Args:
        source: What identifies the file.
        spec: The query.
        keys: JSON values of the row's sort columns.
        row: The row's number in the file.
        key: Seals it.
    """
    payload = json.dumps([*keys, row], separators=(",", ":")).encode()
    sealed = _seal(source, spec, payload, key) + payload
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def decode_cursor(source: str, spec: QuerySpec, *, key: bytes) -> tuple[list[Any], int]:
    """Read the sort values and the row number out of the cursor of a query.

    Raises:
        CursorError: The cursor is damaged or forged, or belongs to another query or file.
    """
    text = spec.cursor or ""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise _refusal() from error
    seal, payload = raw[:_SEAL_BYTES], raw[_SEAL_BYTES:]
    if not hmac.compare_digest(seal, _seal(source, spec, payload, key)):
        raise _refusal()
    *keys, row = json.loads(payload)
    return keys, row


def _seal(source: str, spec: QuerySpec, payload: bytes, key: bytes) -> bytes:
    binding = spec.model_dump_json(include=_BINDING_FIELDS)
    content = json.dumps([source, binding]).encode() + payload
    return hmac.digest(key, content, "sha256")[:_SEAL_BYTES]


def _refusal() -> CursorError:
    return CursorError(
        "The cursor is damaged, was not made by this site, or belongs to another query: filters, "
        "sort and search have to stay the same from page to page. Begin again without a cursor."
    )
