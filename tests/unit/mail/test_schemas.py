"""What a letter may be."""

import pytest
from pydantic import ValidationError

from tests.factories.mail import letter


@pytest.mark.parametrize(
    "change",
    [
        {"to": "ada@example.org\r\nBcc: eve@example.org"},
        {"to": "ada@example.org, eve@example.org"},
        {"to": "ada@example.org\0"},
        {"to": "<script>@example.org"},
        {"to": "nobody"},
        {"subject": "Hello\r\nBcc: eve@example.org"},
        {"subject": "Hello\nthere"},
        {"subject": "Hello\u2028there"},
        {"subject": "Hello\x85there"},
        {"subject": ""},
        {"text": ""},
        {"text": "a\0b"},
        {"kind": "two words"},
        {"from": "boss@example.org"},
    ],
    ids=str,
)
def test_nothing_but_a_letter_to_one_person_is_a_letter(change: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        letter(**change)
