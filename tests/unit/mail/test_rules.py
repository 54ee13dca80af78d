"""How letters are worded, composed and sealed."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fairdatabase.kernel.errors import ConfigurationError
from fairdatabase.mail.rules import compose, duration, seal, unseal, with_links, wording
from fairdatabase.mail.schemas import Letter
from tests.factories.mail import letter

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINK = "https://data.example.org/reset/abc_DEF-123"


def composed(sent: Letter, site: str = "Example Data") -> EmailMessage:
    message = compose(
        sent, sender="noreply@data.example.org", site=site, number="5k9", written_at=MOMENT
    )
    return message_from_bytes(bytes(message), policy=SMTP)


def test_a_letter_says_what_it_is_about_and_what_to_do() -> None:
    text = wording(
        site="Example Data",
        name="Ada",
        paragraphs=("You want a new password.", "Open this:"),
        link=LINK,
        good_for=timedelta(hours=1),
        unasked="If you did not ask, do nothing.",
    )
    assert text.startswith("Hello Ada,\n\nYou want a new password.\n\nOpen this:\n\n")
    assert f"\n{LINK}\n" in text
    assert "works once, for 1 hour." in text
    assert text.index("do nothing") < text.index("Example Data")


def test_a_letter_may_have_neither_name_nor_link() -> None:
    text = wording(site="Example Data", name="", paragraphs=("Well.",), unasked="Fine.")
    assert text.startswith("Hello,\n\nWell.\n\nFine.\n\nExample Data\n")


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(hours=1), "1 hour"),
        (timedelta(days=7), "7 days"),
        (timedelta(hours=36), "36 hours"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(seconds=90), "90 seconds"),
    ],
)
def test_a_length_of_time_is_said_in_words(length: timedelta, words: str) -> None:
    assert duration(length) == words


def test_a_message_has_what_mail_programs_need() -> None:
    message = composed(letter())
    assert message["From"] == "Example Data <noreply@data.example.org>"
    assert message["To"] == "ada@example.org"
    assert message["Message-ID"] == "<5k9@data.example.org>"
    assert message["Date"].datetime == MOMENT
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "text/plain"
    assert message.get_content().replace("\r\n", "\n") == letter().text


@given(st.text(max_size=200), st.text(min_size=1, max_size=500))
def test_no_text_makes_a_header(subject: str, text: str) -> None:
    try:
        sent = letter(subject=subject, text=text)
    except ValidationError:
        return
    message = composed(sent)
    assert sorted(message.keys()) == sorted(composed(letter()).keys())
    assert message["To"] == "ada@example.org"


@pytest.mark.parametrize("site", ["Data, and more", 'The "Data"', "Daten\u00fcbersicht", "a@b <c>"])
def test_a_site_may_have_any_name(site: str) -> None:
    (address,) = composed(letter(), site)["From"].addresses
    assert (address.display_name, address.addr_spec) == (site, "noreply@data.example.org")


def test_a_long_link_survives() -> None:
    text = f"{'Käse ' * 30}\n\nhttps://data.example.org/reset/{'x' * 300}\n"
    assert composed(letter(text=text)).get_content().replace("\r\n", "\n") == text


def test_a_sealed_letter_is_read_with_its_secret_only() -> None:
    sealed = seal(letter(text=LINK), "a secret of the instance")
    assert "reset" not in sealed
    assert sealed != seal(letter(text=LINK), "a secret of the instance")
    assert unseal(sealed, "a secret of the instance") == letter(text=LINK)
    with pytest.raises(ConfigurationError, match="secret_key was changed"):
        unseal(sealed, "another secret")


def test_addresses_in_a_text_become_links() -> None:
    parts = list(with_links(f"Open {LINK}, or (http://127.0.0.1:8000/a?b=c). javascript:alert(1)"))
    assert [part.text for part in parts if part.is_link] == [LINK, "http://127.0.0.1:8000/a?b=c"]
    assert "".join(part.text for part in parts).endswith("javascript:alert(1)")
    assert list(with_links("nothing")) == [("nothing", False)]
