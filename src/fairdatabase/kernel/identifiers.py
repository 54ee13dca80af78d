"""Identifiers: UUIDv7 inside, short check-digit identifiers outside.

The outer form uses the "betanumeric" alphabet of NOID (no vowels, no ``l``), so that no word
arises by chance and no letter is mistaken for a digit, and ends in the NOID check character,
which detects every single wrong character and every swap of two neighbours.
Source: J. Kunze, "NOID: nice opaque identifiers", check digit algorithm (NCDA).
"""

import secrets
import time
from uuid import UUID

ALPHABET = "0123456789bcdfghjkmnpqrstvwxz"
PUBLIC_ID_LENGTH = 11
_RANDOM_LENGTH = PUBLIC_ID_LENGTH - 1
_VALUES = {character: value for value, character in enumerate(ALPHABET)}


def new_uuid() -> UUID:
    """Return a UUIDv7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (2**48 - 1)) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def check_character(text: str) -> str:
    """Return the NOID check character of ``text``.

    Each character counts with its value in the alphabet (others with 0) times its position
    from 1; the sum modulo 29 picks the character. Holds for texts shorter than 29 characters.
    """
    total = sum(
        position * _VALUES.get(character, 0) for position, character in enumerate(text, start=1)
    )
    return ALPHABET[total % len(ALPHABET)]


def new_public_id() -> str:
    """Return a new outside identifier: ten random characters (48 bits) and their check."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(_RANDOM_LENGTH))
    return body + check_character(body)


def is_public_id(text: str) -> bool:
    """Tell whether ``text`` is a well-formed outside identifier with a right check character."""
    return (
        len(text) == PUBLIC_ID_LENGTH
        and all(character in _VALUES for character in text)
        and check_character(text[:-1]) == text[-1]
    )
