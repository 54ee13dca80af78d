"""Letters in memory, for tests."""

from email.message import EmailMessage

from fairdatabase.kernel.errors import FAIRDatabaseError


class MemoryBackend:
    """Keeps messages in a list, or refuses them as it is told to."""

    def __init__(self) -> None:
        self.sent: list[EmailMessage] = []
        self.refusal: FAIRDatabaseError | None = None

    def send(self, message: EmailMessage) -> None:
        """Keep the message; see the protocol."""
        if self.refusal:
            raise self.refusal
        self.sent.append(message)
