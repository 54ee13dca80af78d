"""Tokens can be told from texts that resemble them."""

import re
from binascii import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairdatabase.accounts.rules.tokens import PATTERN, checksum, hash_of, is_token, new_token


def test_a_token_has_the_form_that_scanners_look_for() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    for token in tokens:
        assert PATTERN.fullmatch(token)
        assert is_token(token)
        assert re.fullmatch(r"[0-9a-f]{64}", hash_of(token))


def test_the_checksum_is_crc32_in_base_62() -> None:
    body = "0" * 40
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    number = 0
    for letter in checksum(body):
        number = number * 62 + digits.index(letter)
    assert number == crc32(body.encode())
    assert len(checksum("")) == 6


@given(position=st.integers(4, 49), letter=st.sampled_from("0aZ_"))
def test_one_wrong_character_is_noticed(position: int, letter: str) -> None:
    token = new_token()
    changed = token[:position] + letter + token[position + 1 :]
    assert is_token(changed) is (changed == token)


@pytest.mark.parametrize("text", ["", "fdb_", "fdb_" + "0" * 46, "gdb_" + "0" * 46, "é" * 50])
def test_what_only_looks_like_one_is_none(text: str) -> None:
    assert not is_token(text)
