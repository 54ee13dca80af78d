"""Acts are told in words."""

import pytest

from fairdatabase.audit.formats.words import in_words


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("dataset.published", "Published a version"),
        ("token.made-anew", "Token: made anew"),
        ("odd", "odd"),
    ],
)
def test_acts_in_words(action: str, words: str) -> None:
    assert in_words(action) == words
