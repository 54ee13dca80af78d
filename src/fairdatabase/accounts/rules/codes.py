"""One-time codes of authenticator apps (RFC 6238), and the codes on paper beside them."""

import hmac
import secrets
from datetime import datetime
from typing import Final
from uuid import UUID

import pyotp
import segno
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fairdatabase.kernel.errors import ConfigurationError
from fairdatabase.kernel.identifiers import ALPHABET

STEP_SECONDS: Final = 30
RECOVERY_CODES: Final = 10
_WINDOW: Final = (0, -1, 1)
"""Steps that are tried: clocks differ, and people type slowly."""
_CODE_DIGITS: Final = 6
_RECOVERY_PART: Final = 5
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class Vault:
    """Keeps authenticator secrets unreadable to who has the database alone.

    Args:
        secret_key: Of the instance; the keys are derived from it.
    """

    def __init__(self, secret_key: str) -> None:
        self._cipher = AESGCM(_derived(secret_key, b"fairdatabase: authenticator secrets"))
        self._key = _derived(secret_key, b"fairdatabase: recovery codes")

    def seal(self, user_id: UUID, secret: str) -> bytes:
        """Encrypt a secret so that it opens in the row of this user only."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret.encode(), user_id.bytes)

    def open(self, user_id: UUID, sealed: bytes) -> str:
        """Decrypt a secret.

        Raises:
            ConfigurationError: It was changed, or sealed with another ``data_key``.
        """
        nonce, text = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, text, user_id.bytes).decode()
        except InvalidTag:
            raise ConfigurationError(
                "The secret of an authenticator app cannot be read: it was sealed with another"
                " data_key. Restore that key, or remove the app with"
                " `fairdatabase user unprotect`."
            ) from None

    def recovery_hash(self, user_id: UUID, code: str) -> str:
        """Return what is kept of a recovery code.

        Keyed, because 48 random bits could be guessed by who has the database.
        """
        text = user_id.bytes + plain(code).encode()
        return hmac.new(self._key, text, "sha256").hexdigest()


def new_secret() -> str:
    """Return the secret of a new authenticator: 160 random bits in base 32."""
    return pyotp.random_base32()


def step_of(moment: datetime) -> int:
    """Return the number of the time step that a moment lies in."""
    return int(moment.timestamp()) // STEP_SECONDS


def matching_step(secret: str, code: str, now: datetime, *, after: int | None) -> int | None:
    """Return the time step that a code is of, or None.

    Args:
        secret: Of the authenticator.
        code: As it was typed.
        now: The present time.
        after: The last step whose code was taken; a code of it or before counts no more.
    """
    typed = plain(code)
    if len(typed) != _CODE_DIGITS or not (typed.isascii() and typed.isdecimal()):
        return None
    one_time = pyotp.HOTP(secret)
    steps = (step_of(now) + distance for distance in _WINDOW)
    fresh = (step for step in steps if after is None or step > after)
    return next((step for step in fresh if hmac.compare_digest(one_time.at(step), typed)), None)


def setup_address(secret: str, *, account: str, site: str) -> str:
    """Return the address that sets up an authenticator app."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=site)


def setup_image(address: str) -> str:
    """Return the QR code of an address as a picture in a ``data:`` address (SVG).

    Black on white with its margin, whatever the theme: not every app reads another.
    """
    image: str = segno.make(address, error="m").svg_data_uri(light="#fff", omitsize=True)
    return image


def new_recovery_codes() -> list[str]:
    """Return new recovery codes, such as ``b3x9k-40fzt``."""
    return [f"{_part()}-{_part()}" for _ in range(RECOVERY_CODES)]


def plain(code: str) -> str:
    """Return a code without the blanks and hyphens that people type or leave out."""
    return "".join(code.split()).replace("-", "").lower()


def _part() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(_RECOVERY_PART))


def _derived(secret_key: str, purpose: bytes) -> bytes:
    return HKDF(SHA256(), _KEY_BYTES, salt=None, info=purpose).derive(secret_key.encode())
