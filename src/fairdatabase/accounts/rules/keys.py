"""The keys that sign our own tokens: which one signs, and which others still verify."""

import hashlib
from collections.abc import Iterable, Mapping
from types import MappingProxyType

_ID_LENGTH = 16


def key_id(secret: str) -> str:
    """Return the public name of a key, the ``kid`` of a token's header.

    It follows from the key alone, so that nothing has to be stored beside it, and does not
    lead back to it.
    """
    return hashlib.sha256(b"fairdatabase key id " + secret.encode()).hexdigest()[:_ID_LENGTH]


class SigningKeys:
    """One key that signs and those that were in its place before.

    Args:
        current: Signs every new token.
        retired: Verify what they signed until it expires.
    """

    def __init__(self, current: str, retired: Iterable[str] = ()) -> None:
        self.current = current
        self.current_id = key_id(current)
        known = {key_id(secret): secret for secret in (*retired, current)}
        self._by_id: Mapping[str, str] = MappingProxyType(known)

    def get(self, kid: object) -> str | None:
        """Return the key of this name; a name that nobody gave out is none's."""
        return self._by_id.get(kid) if isinstance(kid, str) else None

    def all(self) -> Iterable[str]:
        """Return every key that still verifies."""
        return self._by_id.values()
