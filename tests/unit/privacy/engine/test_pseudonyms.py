"""HKDF against the test vectors of RFC 5869, and what is derived by it."""

import hashlib
import hmac
from uuid import UUID

import pytest

from fairdatabase.privacy.engine.pseudonyms import dataset_key, hkdf, pseudonym

VECTORS = [
    (
        "0b" * 22,
        "000102030405060708090a0b0c",
        "f0f1f2f3f4f5f6f7f8f9",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    (
        bytes(range(0x50)).hex(),
        bytes(range(0x60, 0xB0)).hex(),
        bytes(range(0xB0, 0x100)).hex(),
        (
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
            "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
            "cc30c58179ec3e87c14c01d5c1f3434f1d87"
        ),
    ),
    (
        "0b" * 22,
        "",
        "",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ),
]


@pytest.mark.parametrize(("master", "salt", "info", "expected"), VECTORS)
def test_hkdf(master: str, salt: str, info: str, expected: str) -> None:
    derived = hkdf(
        bytes.fromhex(master),
        salt=bytes.fromhex(salt),
        info=bytes.fromhex(info),
        length=len(expected) // 2,
    )
    assert derived.hex() == expected


def test_keys_of_datasets_stay_what_they_were() -> None:
    """Releases are linked by pseudonyms for years, so that the derivation may not change."""
    master, dataset = b"m" * 32, UUID(int=7)
    for version, info in ((1, b"fairdatabase/pseudonym/v1"), (2, b"fairdatabase/pseudonym/v2")):
        expected = hkdf(master, salt=dataset.bytes, info=info, length=32)
        assert dataset_key(master, dataset, version) == expected
    assert dataset_key(master, dataset) == dataset_key(master, dataset, 1)


def test_a_pseudonym_is_the_beginning_of_an_hmac() -> None:
    key = bytes(range(32))
    whole = hmac.new(key, "P-1 \u00e9".encode(), hashlib.sha256).hexdigest()
    assert pseudonym("P-1 \u00e9", key) == whole[:24]
