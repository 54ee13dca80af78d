"""Letters as files: for development, and where no mail server is set."""

import os
import time
from contextlib import suppress
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from fairdatabase.kernel.errors import NotFoundError, UnavailableError
from fairdatabase.kernel.identifiers import new_uuid
from fairdatabase.mail.rules import KIND_HEADER
from fairdatabase.mail.schemas import KeptLetter

_PRIVATE_FOLDER = 0o700
_PRIVATE_FILE = 0o600
_SUFFIX = ".eml"
_DRAFT = ".part"


class FolderBackend:
    """Writes each message to a file of its own, readable by its owner only.

    Args:
        folder: Made when the first letter comes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message: EmailMessage) -> None:
        """Write the message; see the protocol. Names sort by time."""
        path = self._folder / f"{new_uuid()}{_SUFFIX}"
        draft = path.with_suffix(_DRAFT)
        try:
            self._folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE)
            with os.fdopen(descriptor, "wb") as file:
                file.write(bytes(message))
            draft.replace(path)
        except OSError as error:
            raise UnavailableError(f"The letter cannot be written to {self._folder}.") from error

    def sweep(self, *, older_than_seconds: float) -> None:
        """Remove the letters that have lain there for so long, half-written ones as well."""
        for path in (*self._folder.glob(f"*{_SUFFIX}"), *self._folder.glob(f"*{_DRAFT}")):
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > older_than_seconds:
                    path.unlink()

    def letters(self, *, limit: int) -> list[KeptLetter]:
        """Return the newest letters, newest first."""
        newest = sorted(self._folder.glob(f"*{_SUFFIX}"), reverse=True)[:limit]
        return [_read(path) for path in newest]

    def letter(self, letter_id: str) -> KeptLetter:
        """Return a letter.

        Raises:
            NotFoundError: There is none with this id.
        """
        # The name is looked for, never made into a path: it comes from outside.
        for path in self._folder.glob(f"*{_SUFFIX}"):
            if path.stem == letter_id:
                return _read(path)
        raise NotFoundError("There is no such letter.")


def _read(path: Path) -> KeptLetter:
    message = message_from_bytes(path.read_bytes(), policy=SMTP)
    return KeptLetter(
        id=path.stem,
        to=str(message["To"]),
        subject=str(message["Subject"]),
        text=str(message.get_content()).replace("\r\n", "\n"),
        kind=str(message[KIND_HEADER]),
        written_at=message["Date"].datetime,
    )
