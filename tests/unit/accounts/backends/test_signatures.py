"""Published keys: kept, renewed, and never asked for too often."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from fairdatabase.accounts.backends.signatures import PublishedKeys
from fairdatabase.kernel.errors import AuthenticationError, UnavailableError
from tests.factories.kernel import ManualClock
from tests.factories.providers import second_key


class Issuer:
    """Publishes keys, as long as it can be reached."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.key = ECKey.generate_key("P-256", auto_kid=True)
        self.documents: list[Any] = [self.key.as_dict(private=False)]
        self.is_away = False
        self.asked = 0
        self.keys = PublishedKeys(self.fetch, self.clock)

    def fetch(self) -> dict[str, Any]:
        self.asked += 1
        if self.is_away:
            raise UnavailableError("away")
        return {"keys": self.documents}

    def token(self, key: RSAKey | ECKey | None = None, **header: object) -> str:
        key = key or self.key
        alg = "RS256" if isinstance(key, RSAKey) else "ES256"
        head = {"alg": alg, "kid": key.kid} | header
        return jwt.encode({k: v for k, v in head.items() if v is not None}, {"a": 1}, key)

    def accepts(self, token: str) -> bool:
        try:
            return self.keys.verified(token).claims == {"a": 1}
        except AuthenticationError:
            return False


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


def test_keys_are_fetched_once_an_hour(issuer: Issuer) -> None:
    assert all(issuer.accepts(issuer.token()) for _ in range(3))
    issuer.clock.advance(minutes=59)
    assert issuer.accepts(issuer.token())
    assert issuer.asked == 1
    issuer.clock.advance(minutes=1)
    assert issuer.accepts(issuer.token())
    assert issuer.asked == 2


def test_a_new_key_is_noticed_at_most_once_a_minute(issuer: Issuer) -> None:
    assert issuer.accepts(issuer.token())
    new = second_key()
    issuer.documents.append(new.as_dict(private=False))
    assert not issuer.accepts(issuer.token(new))
    issuer.clock.advance(minutes=1)
    assert issuer.accepts(issuer.token(new))
    for name in range(20):
        assert not issuer.accepts(issuer.token(kid=f"invented {name}"))
    assert issuer.asked == 2


def test_known_keys_go_on_working_while_the_issuer_is_away(issuer: Issuer) -> None:
    assert issuer.accepts(issuer.token())
    issuer.is_away = True
    issuer.clock.advance(hours=5)
    assert all(issuer.accepts(issuer.token()) for _ in range(3))
    assert issuer.asked == 2
    issuer.documents.clear()
    issuer.is_away = False
    issuer.clock.advance(minutes=1)
    assert issuer.accepts(issuer.token())
    assert issuer.asked == 3


def test_without_any_key_nobody_is_told_that_the_token_is_wrong(issuer: Issuer) -> None:
    issuer.is_away = True
    for _ in range(3):
        with pytest.raises(UnavailableError):
            issuer.keys.verified(issuer.token())
    assert issuer.asked == 1


def test_a_token_needs_no_name_where_there_is_one_key(issuer: Issuer) -> None:
    assert issuer.accepts(issuer.token(kid=None))
    issuer.documents.append(second_key().as_dict(private=False))
    issuer.clock.advance(hours=1)
    assert not issuer.accepts(issuer.token(kid=None))


def test_a_key_without_a_name_gets_one(issuer: Issuer) -> None:
    issuer.documents[:] = [{k: v for k, v in issuer.documents[0].items() if k != "kid"}]
    assert issuer.accepts(issuer.token(kid=None))


@pytest.mark.parametrize(
    "data",
    [
        "no key",
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "AKP"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "EC", "crv": "P-999", "x": "AA", "y": "AA"},
        {"kty": "RSA", "n": "AQAB" * 40, "e": "AQAB"},
        {"kty": "RSA", "n": 5, "e": "AQAB"},
        {"kty": "RSA", "n": "!" * 400, "e": "AQAB"},
        {"kty": "EC", "use": "enc", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "EC", "kid": 7, "crv": "P-256", "x": "AA", "y": "AA"},
    ],
    ids=str,
)
def test_what_is_no_key_for_signatures_is_passed_over(issuer: Issuer, data: object) -> None:
    issuer.documents.insert(0, data)
    assert issuer.accepts(issuer.token())


@pytest.mark.parametrize("document", [{}, {"keys": None}, {"keys": {"a": 1}}], ids=str)
def test_a_set_without_keys_counts_as_none(issuer: Issuer, document: dict[str, Any]) -> None:
    keys = PublishedKeys(lambda: document, issuer.clock)
    with pytest.raises(UnavailableError):
        keys.verified(issuer.token())


def test_who_comes_while_keys_are_fetched_waits_for_them(issuer: Issuer) -> None:
    token, fetching, go_on = issuer.token(), Event(), Event()

    def slow() -> dict[str, Any]:
        fetching.set()
        assert go_on.wait(60)
        return issuer.fetch()

    keys = PublishedKeys(slow, issuer.clock)
    with ThreadPoolExecutor() as threads:
        first = threads.submit(keys.verified, token)
        assert fetching.wait(60)
        second = threads.submit(keys.verified, token)
        go_on.set()
        assert first.result(60).claims == second.result(60).claims == {"a": 1}
    assert issuer.asked == 1


def test_keys_that_came_meanwhile_are_not_fetched_again(issuer: Issuer) -> None:
    """The second look, under the lock, without leaving to chance who comes first."""
    keys = issuer.keys

    class Lock:
        def __enter__(self) -> None:
            keys._renew()

        def __exit__(self, *_: object) -> None:
            pass

    keys._lock = Lock()  # type: ignore[assignment]
    assert keys.verified(issuer.token()).claims == {"a": 1}
    assert issuer.asked == 1
