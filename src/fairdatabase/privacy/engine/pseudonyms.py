"""Keyed pseudonyms: HMAC-SHA-256 (RFC 2104) under a key derived per dataset by HKDF (RFC 5869)."""

import hashlib
import hmac
from uuid import UUID

PURPOSE = "fairdatabase/pseudonym"
KEY_BYTES = 32
BLOCK_BYTES = 64
KEPT_DIGITS = 24
"""Hexadecimal digits kept, 96 bits: among 10^9 pseudonyms two are equal with a chance of 10^-11."""


def hkdf(master: bytes, *, salt: bytes, info: bytes, length: int) -> bytes:
    """Derive a key by HKDF with SHA-256.

    Args:
        master: Input keying material.
        salt: Separates keys of different owners.
        info: Separates keys of different purposes.
        length: Bytes to derive, at most 255 * 32.
    """
    extracted = hmac.digest(salt or bytes(hashlib.sha256().digest_size), master, "sha256")
    block, derived, counter = b"", b"", 1
    while len(derived) < length:
        block = hmac.digest(extracted, block + info + bytes([counter]), "sha256")
        derived += block
        counter += 1
    return derived[:length]


def dataset_key(master: bytes, dataset_id: UUID, version: int = 1) -> bytes:
    """Return a version of the pseudonym key of a dataset.

    Keys of other datasets and of other versions have nothing to do with each other.
    """
    info = f"{PURPOSE}/v{version}".encode()
    return hkdf(master, salt=dataset_id.bytes, info=info, length=KEY_BYTES)


def pseudonym(value: str, key: bytes) -> str:
    """Return the pseudonym of a value, as :func:`pseudonym_sql` makes it."""
    return hmac.new(key, value.encode(), "sha256").hexdigest()[:KEPT_DIGITS]


def pseudonym_sql(value: str, key: bytes, place: int) -> tuple[str, dict[str, bytes]]:
    """Return SQL for the pseudonyms of a text expression, and its parameters.

    The pseudonym is the beginning of HMAC-SHA-256(key, UTF-8 of the value), written out as
    H(opad || H(ipad || value)), so that the database computes it in parallel. A missing value
    stays missing.

    Args:
        value: SQL expression of type VARCHAR.
        key: Key of the dataset, at most 64 bytes.
        place: Makes the names of the parameters unique.
    """
    padded = key.ljust(BLOCK_BYTES, b"\0")
    inner, outer = f"inner{place}", f"outer{place}"
    digest = f"sha256(${outer}::BLOB || unhex(sha256(${inner}::BLOB || encode({value}))))"
    return f"substr({digest}, 1, {KEPT_DIGITS})", {
        inner: bytes(byte ^ 0x36 for byte in padded),
        outer: bytes(byte ^ 0x5C for byte in padded),
    }
