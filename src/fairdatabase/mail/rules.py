"""How letters are worded, put into a message, and sealed while they wait."""

import base64
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from typing import NamedTuple

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fairdatabase.kernel.errors import ConfigurationError
from fairdatabase.mail.schemas import Letter

KIND_HEADER = "X-FAIRDatabase-Letter"
_KEY_BYTES = 32
_PURPOSE = b"fairdatabase: letters that wait to be sent"
_LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]")
_UNITS = (
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
)


class Part(NamedTuple):
    """A piece of a text."""

    text: str
    is_link: bool


def wording(
    *,
    site: str,
    name: str,
    paragraphs: tuple[str, ...],
    link: str = "",
    good_for: timedelta | None = None,
    unasked: str,
) -> str:
    """Return the text of a letter: greeting, what it is about, its link, what if it is unasked.

    Args:
        site: Name of the instance.
        name: Of the person; empty where it is not known.
        paragraphs: What the letter says.
        link: Address to open, on a line of its own.
        good_for: How long the link works.
        unasked: What to do for somebody who did not ask for this letter.
    """
    parts = [f"Hello {name}," if name else "Hello,", *paragraphs]
    if link:
        parts.append(link)
    if good_for:
        parts.append(f"The link works once, for {duration(good_for)}.")
    parts.append(unasked)
    parts.append(f"{site}\nThis letter was written by a program; nobody reads the answers to it.")
    return "\n\n".join(parts) + "\n"


def duration(length: timedelta) -> str:
    """Return a length of time in words, in the largest unit that it is a multiple of."""
    for unit, size in _UNITS:
        count, rest = divmod(length, size)
        if count and not rest:
            return f"{count} {unit}{'s' * (count > 1)}"
    return f"{int(length.total_seconds())} seconds"


def compose(
    letter: Letter, *, sender: str, site: str, number: str, written_at: datetime
) -> EmailMessage:
    """Return a letter as the message that is sent.

    The number makes its Message-ID, so that a letter that is sent twice, after a crash, is
    shown once by most programs. ``Auto-Submitted`` keeps absence notes from answering (RFC 3834).

    Args:
        letter: What to send.
        sender: Address it comes from.
        site: Name shown beside that address.
        number: Unique to the letter.
        written_at: When it was written.
    """
    local, _, domain = letter.to.rpartition("@")
    message = EmailMessage(policy=SMTP if local.isascii() else SMTPUTF8)
    message["From"] = Address(display_name=site, addr_spec=sender)
    message["To"] = Address(username=local, domain=domain.encode("idna").decode())
    message["Subject"] = letter.subject
    message["Date"] = written_at
    message["Message-ID"] = f"<{number}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message[KIND_HEADER] = letter.kind
    message.set_content(letter.text)
    return message


def seal(letter: Letter, secret: str) -> str:
    """Return a letter in a form that nobody reads without the instance's secret."""
    return _box(secret).encrypt(letter.model_dump_json().encode()).decode()


def unseal(sealed: str, *secrets: str) -> Letter:
    """Return a letter that was sealed with one of these secrets.

    Raises:
        ConfigurationError: It was sealed with another one.
    """
    try:
        box = MultiFernet([_box(secret) for secret in secrets])
        return Letter.model_validate_json(box.decrypt(sealed.encode()))
    except InvalidToken:
        raise ConfigurationError(
            "A waiting letter cannot be read, because secret_key was changed since it was written."
            " Whoever waits for it has to ask again."
        ) from None


def with_links(text: str) -> Iterator[Part]:
    """Yield a text in pieces, those that are addresses marked."""
    end = 0
    for match in _LINK.finditer(text):
        yield Part(text[end : match.start()], is_link=False)
        yield Part(match.group(), is_link=True)
        end = match.end()
    yield Part(text[end:], is_link=False)


def _box(secret: str) -> Fernet:
    derived = HKDF(SHA256(), _KEY_BYTES, salt=None, info=_PURPOSE).derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
