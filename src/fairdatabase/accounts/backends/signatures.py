"""Tokens that others signed: verified by the keys that they publish.

Keys are kept for an hour and fetched again when a token names one that is not among them, at most
once a minute, so that neither a new key of the provider nor somebody who invents names is noticed
by anybody else. When the provider does not answer, the keys that are there go on being used.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key
from joserfc.jws import JWSRegistry
from joserfc.jwt import Token, decode
from joserfc.registry import Header

from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.errors import AuthenticationError, UnavailableError

ALGORITHMS: Final = tuple(
    f"{family}{size}" for family in ("RS", "PS", "ES") for size in (256, 384, 512)
)
"""Asymmetric ones alone: with a symmetric one the published key could sign."""
_KEPT = timedelta(hours=1)
_PAUSE = timedelta(minutes=1)
_MOST_KEYS = 50
_LEAST_RSA_BITS = 2048
_BASE64_BITS = 6
_KEY_TYPES = {"RSA", "EC"}
_KEY_MEMBERS = ("kty", "kid", "alg", "n", "e", "crv", "x", "y")
logger = logging.getLogger(__name__)
_REGISTRY: Final = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)


class PublishedKeys:
    """The keys of a provider, as it publishes them.

    Args:
        fetch: Returns the JSON Web Key Set (RFC 7517).
        clock: Source of the present time.
    """

    def __init__(self, fetch: Callable[[], dict[str, Any]], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, Key] = {}
        self._fetched_at: datetime | None = None
        self._asked_at: datetime | None = None
        self._lock = Lock()

    def verified(self, text: str) -> Token:
        """Return a token whose signature is right; its claims have yet to be judged.

        Raises:
            AuthenticationError: It is no token, or not signed by one of these keys.
            UnavailableError: There are no keys, because the provider does not answer.
        """
        try:
            return decode(text, self._find, algorithms=ALGORITHMS, registry=_REGISTRY)
        except (JoseError, ValueError, TypeError, AttributeError, RecursionError):
            raise not_believed() from None

    def _find(self, token: Any) -> Key:  # noqa: ANN401 - a protocol of joserfc
        header: Header = token.headers()
        kid = header.get("kid")
        keys = self._known(kid)
        if kid is None and len(keys) == 1:
            return next(iter(keys.values()))
        key = keys.get(kid) if isinstance(kid, str) else None
        if key is None:
            raise not_believed()
        return key

    def _known(self, kid: object) -> dict[str, Key]:
        if self._is_due(kid):
            with self._lock:
                if self._is_due(kid):
                    self._renew()
        if not self._keys:
            raise UnavailableError("The keys of the other site cannot be had. Please try later.")
        return self._keys

    def _is_due(self, kid: object) -> bool:
        now = self._clock()
        if self._asked_at is not None and now < self._asked_at + _PAUSE:
            return False
        is_old = self._fetched_at is None or now >= self._fetched_at + _KEPT
        return is_old or (kid is not None and kid not in self._keys)

    def _renew(self) -> None:
        now = self._clock()
        try:
            found = _usable(self._fetch())
            if found:
                self._keys, self._fetched_at = found, now
        except UnavailableError:
            logger.warning("The keys of another site cannot be had")
        finally:
            # Last, so that whoever comes meanwhile waits for the keys instead of going without.
            self._asked_at = now


def not_believed() -> AuthenticationError:
    """Return the one answer to every token that does not hold, whatever is wrong with it."""
    return AuthenticationError("This token is not valid. Please sign in again.")


def _usable(document: dict[str, Any]) -> dict[str, Key]:
    """Return the keys of a set that can verify signatures, by their names.

    A key without a name is kept under its thumbprint (RFC 7638), which no token needs to name.
    """
    listed = document.get("keys")
    found: dict[str, Key] = {}
    for data in listed[:_MOST_KEYS] if isinstance(listed, list) else ():
        key = _imported(data)
        if key is not None:
            key.ensure_kid()
            found[str(key.kid)] = key
    return found


def _imported(data: object) -> Key | None:
    if not isinstance(data, dict) or data.get("kty") not in _KEY_TYPES:
        return None
    if data.get("use", "sig") != "sig" or not isinstance(data.get("kid", ""), str):
        return None
    if data["kty"] == "RSA" and len(str(data.get("n"))) * _BASE64_BITS < _LEAST_RSA_BITS:
        return None
    try:
        return import_key({name: data[name] for name in _KEY_MEMBERS if name in data})
    except (JoseError, ValueError, TypeError, KeyError):
        return None
