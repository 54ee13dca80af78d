"""Passwords: what makes a good one, and how they are kept."""

import base64
import re
import secrets
import unicodedata
from contextlib import AbstractContextManager, nullcontext

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from fairdatabase.accounts.rules.strength import estimate

PASSWORD_MIN = 12
PASSWORD_MAX = 1000
_LEAST_GUESSES = 9.0
"""Decimal logarithm of the guesses that a password has to stand, besides the limits of attempts."""
_TELLING_LENGTH = 4
_SALT_BYTES = 16
_HASH_BYTES = 32


def password_problem(
    password: str, *, name: str, email: str, site: str = "FAIRDatabase"
) -> str | None:
    """Return why a password is refused, in a sentence for its owner, or None.

    Length counts, composition does not (NIST SP 800-63B, section 3.1.1.2). What an attacker
    tries first is refused: the person's own name and address, the site's name with little
    besides, common passwords and their variations, and patterns.

    Args:
        password: As it was typed.
        name: Of the person.
        email: Of the person.
        site: Name of the instance.
    """
    normal = normalised(password)
    if len(normal) < PASSWORD_MIN:
        return f"Please use at least {PASSWORD_MIN} characters; a few unrelated words do well."
    if len(normal) > PASSWORD_MAX:
        return f"Please use at most {PASSWORD_MAX} characters."
    folded = normal.casefold()
    telling = [*re.split(r"\W+", _folded(name)), *re.split(r"[@.]", _folded(email))]
    if any(len(part) >= _TELLING_LENGTH and part in folded for part in telling):
        return "Please choose a password without your name or e-mail address in it."
    return _weakness(normal, site)


def _weakness(password: str, site: str) -> str | None:
    """Return why a password would be guessed soon; the site's name in it counts for nothing."""
    letters = (re.escape(letter) for letter in _folded(site) if letter.isalnum())
    name = r"[\W_]*".join(letters)
    rest = re.sub(name, "", password, flags=re.IGNORECASE) if name else password
    if not rest:
        return "Please choose a password that is not the name of this site."
    strength, weakness = estimate(rest)
    if strength >= _LEAST_GUESSES:
        return None
    if rest != password:
        weakness = "It is little more than the name of this site."
    return (
        f"This password would be guessed soon. {weakness} Another unrelated word or two make it"
        " strong."
    )


class Passwords:
    """Argon2id hashes (RFC 9106) of passwords in Unicode form NFKC.

    Args:
        memory_kib: Memory of one hash, in KiB.
        time_cost: Passes over the memory.
        parallelism: Lanes, which also are threads.
        gate: Passed while a hash is computed; lets in as many as the machine can stand.
    """

    def __init__(
        self,
        *,
        memory_kib: int,
        time_cost: int,
        parallelism: int,
        gate: AbstractContextManager[object] | None = None,
    ) -> None:
        self._gate = gate or nullcontext()
        self._hasher = PasswordHasher(
            memory_cost=memory_kib,
            time_cost=time_cost,
            parallelism=parallelism,
            hash_len=_HASH_BYTES,
            salt_len=_SALT_BYTES,
        )
        # Nobody's hash: of random bytes, with the cost of a real one.
        self._decoy = (
            f"$argon2id$v=19$m={memory_kib},t={time_cost},p={parallelism}"
            f"${_random_base64(_SALT_BYTES)}${_random_base64(_HASH_BYTES)}"
        )

    def hash(self, password: str) -> str:
        """Return the hash of a password, with its salt and parameters."""
        with self._gate:
            return self._hasher.hash(normalised(password))

    def verify(self, stored: str | None, password: str) -> bool:
        """Tell whether a password fits a hash.

        Without a hash a decoy is verified instead, so that an account that does not exist
        takes as long to refuse as a wrong password.
        """
        try:
            with self._gate:
                return self._hasher.verify(stored or self._decoy, normalised(password))
        except (VerificationError, InvalidHashError):
            return False

    def outdated(self, stored: str) -> bool:
        """Tell whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)


def normalised(password: str) -> str:
    """Return the form of a password that is checked and hashed, whatever keyboard wrote it."""
    return unicodedata.normalize("NFKC", password)


def _folded(text: str) -> str:
    return normalised(text).casefold()


def _random_base64(size: int) -> str:
    return base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=")
