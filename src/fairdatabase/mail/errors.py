"""What can go wrong with letters."""

from fairdatabase.kernel.errors import ValidationError


class LetterRefusedError(ValidationError):
    """The mail server refuses this letter for good, for example its address."""

    code = "letter-refused"
