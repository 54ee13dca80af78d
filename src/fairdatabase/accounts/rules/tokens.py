"""Personal access tokens: how they are made, and how a leaked one is recognised.

``fdb_``, forty random characters and six of a checksum, all in base 62. The prefix lets secret
scanners find a token, the checksum lets them (and us) tell a token from a text that resembles
one without asking anybody.
"""

import hashlib
import re
import secrets
import string
from binascii import crc32
from typing import Final

PREFIX: Final = "fdb_"
PATTERN: Final = re.compile(r"fdb_[0-9A-Za-z]{46}")
HINT_LENGTH: Final = 4
_ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM_LENGTH: Final = 40
_CHECK_LENGTH: Final = 6


def new_token() -> str:
    """Return a new token with 238 random bits."""
    body = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_LENGTH))
    return PREFIX + body + checksum(body)


def is_token(text: str) -> bool:
    """Tell whether a text has the form of a token and a right checksum."""
    if not PATTERN.fullmatch(text):
        return False
    body = text.removeprefix(PREFIX)
    return checksum(body[:_RANDOM_LENGTH]) == body[_RANDOM_LENGTH:]


def checksum(body: str) -> str:
    """Return the CRC-32 of the random characters, as six digits in base 62."""
    number = crc32(body.encode())
    digits = ""
    for _ in range(_CHECK_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits


def hash_of(token: str) -> str:
    """Return what is kept of a token; nothing slower is needed against 238 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()
