"""What the letters say."""

import pytest

from fairdatabase.accounts.formats.letters import Change, Letters
from fairdatabase.mail.schemas import Letter

LETTERS = Letters("Example Data", "https://data.example.org")
TO, NAME = "ada@example.org", "Ada"
LINK = "https://data.example.org/x/token"
EVERY = [
    LETTERS.verification(TO, LINK),
    LETTERS.reset(TO, NAME, LINK),
    LETTERS.address_taken(TO, NAME, LINK),
    *(LETTERS.changed(TO, NAME, change, provider="ORCID") for change in Change),
    LETTERS.sign_ins_failing(TO, NAME, 10),
    LETTERS.change_of_address(TO, NAME, LINK),
    LETTERS.new_address_taken(TO, NAME),
    LETTERS.address_changed(TO, NAME),
    LETTERS.invitation(TO, "Grace", LINK),
    LETTERS.invitation(TO, "", LINK),
]


@pytest.mark.parametrize("letter", EVERY, ids=lambda letter: letter.kind)
def test_a_letter_says_who_writes_and_what_to_do_if_it_is_unasked(letter: Letter) -> None:
    assert letter.to == TO
    assert "Example Data" in letter.subject
    assert letter.text.rstrip().split("\n\n")[-1].startswith("Example Data\n")
    unasked = letter.text.rstrip().split("\n\n")[-2]
    assert unasked.startswith("If ")


@pytest.mark.parametrize("letter", EVERY, ids=lambda letter: letter.kind)
def test_a_link_has_a_line_and_a_time(letter: Letter) -> None:
    assert (f"\n\n{LINK}\n\n" in letter.text) == ("The link works once, for " in letter.text)


def test_a_letter_to_an_address_that_nobody_confirmed_names_nobody() -> None:
    """Else whoever registers could have their words sent to anybody."""
    assert LETTERS.verification(TO, LINK).text.startswith("Hello,\n")
    assert LETTERS.reset(TO, "", LINK).text.startswith("Hello,\n")
    assert "3 days" in LETTERS.verification(TO, LINK).text
    assert "Grace invited you" in LETTERS.invitation(TO, "Grace", LINK).text
