"""Which key verifies a token."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairdatabase.accounts.rules.keys import SigningKeys, key_id

KEYS = SigningKeys("n" * 64, ["o" * 64, "a" * 64])


def test_the_current_and_the_retired_keys_are_found_by_their_names() -> None:
    assert KEYS.current_id == key_id("n" * 64)
    assert [KEYS.get(key_id(letter * 64)) for letter in "noa"] == ["n" * 64, "o" * 64, "a" * 64]
    assert list(KEYS.all()) == ["o" * 64, "a" * 64, "n" * 64]


def test_a_name_does_not_show_the_key() -> None:
    assert key_id("secret") != key_id("secret ")
    assert len(key_id("secret")) == 16


@pytest.mark.parametrize("kid", [None, 0, b"", ["x"], {"a": 1}, key_id("n" * 64).upper()])
def test_what_is_no_name_of_ours_finds_nothing(kid: object) -> None:
    assert KEYS.get(kid) is None


@given(st.text())
def test_no_text_but_the_names_finds_a_key(kid: str) -> None:
    assert KEYS.get(kid) is None
