"""What takes letters away."""

from email.message import EmailMessage
from typing import Protocol


class MailBackend(Protocol):
    """Takes messages away, one at a time."""

    def send(self, message: EmailMessage) -> None:
        """Take a message.

        Raises:
            UnavailableError: It cannot be taken now; try again later.
            LetterRefusedError: It will never be taken.
        """
        ...
