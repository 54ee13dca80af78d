"""Identifiers: sortable inside, checkable outside."""

from hypothesis import given
from hypothesis import strategies as st

from fairdatabase.kernel.identifiers import (
    ALPHABET,
    PUBLIC_ID_LENGTH,
    check_character,
    is_public_id,
    new_public_id,
    new_uuid,
)

bodies = st.text(ALPHABET, min_size=PUBLIC_ID_LENGTH - 1, max_size=PUBLIC_ID_LENGTH - 1)


def test_the_example_of_the_noid_specification() -> None:
    assert check_character("13030/xf93gt2") == "q"


def test_new_public_ids_are_valid_and_differ() -> None:
    made = {new_public_id() for _ in range(1000)}
    assert len(made) == 1000
    assert all(is_public_id(identifier) for identifier in made)


@given(bodies, st.integers(0, PUBLIC_ID_LENGTH - 1), st.sampled_from(ALPHABET))
def test_every_single_wrong_character_is_found(body: str, position: int, wrong: str) -> None:
    right = body + check_character(body)
    changed = right[:position] + wrong + right[position + 1 :]
    assert is_public_id(changed) == (changed == right)


@given(bodies, st.integers(0, PUBLIC_ID_LENGTH - 3))
def test_every_swap_of_neighbours_is_found(body: str, position: int) -> None:
    right = body + check_character(body)
    swapped = right[:position] + right[position + 1] + right[position] + right[position + 2 :]
    assert is_public_id(swapped) == (swapped == right)


def test_other_texts_are_no_public_ids() -> None:
    assert not is_public_id("")
    assert not is_public_id("a" * PUBLIC_ID_LENGTH)
    assert not is_public_id(new_public_id() + "0")


def test_uuids_are_version_7_and_sort_by_time() -> None:
    made = [new_uuid() for _ in range(50)]
    assert {identifier.version for identifier in made} == {7}
    assert {identifier.variant for identifier in made} == {"specified in RFC 4122"}
    milliseconds = [identifier.int >> 80 for identifier in made]
    assert milliseconds == sorted(milliseconds)
