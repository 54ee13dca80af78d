"""How soon a password is guessed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairdatabase.accounts.rules.strength import estimate

EVERY_SIGN = "4@8({[<3691!|0$5+7%2"


@pytest.mark.parametrize(
    ("weaker", "stronger"),
    [
        ("password", "two helices"),
        ("correct horse", "correct horse battery"),
        ("aaaaaaaaaaaa", "kT9$mQ2!vX7z"),
        ("new password here", "an entirely new phrase"),
    ],
)
def test_what_is_guessed_later_is_stronger(weaker: str, stronger: str) -> None:
    assert estimate(weaker)[0] < estimate(stronger)[0]


def test_blanks_between_words_add_nothing() -> None:
    assert estimate("p a s s w o r d")[0] <= estimate("password")[0]


def test_the_pattern_that_covers_most_is_named() -> None:
    assert "common password" in estimate("qwertyuiop1z")[1]
    assert "alphabet" in estimate("abcdefghijklmn1")[1]
    assert "too easy" in estimate("vqk")[1]


def test_a_text_of_many_readings_is_read_in_one_way() -> None:
    """All combinations for these signs would be tried one after another, for seconds."""
    strength, _ = estimate(EVERY_SIGN * 50)
    assert strength > 9
    assert estimate("p4$$w0rd")[0] < 4


@settings(max_examples=50, deadline=None)
@given(st.text(min_size=1, max_size=100))
def test_every_text_has_a_strength_and_a_sentence(password: str) -> None:
    strength, weakness = estimate(password)
    assert strength >= 0
    assert weakness.endswith(".")
