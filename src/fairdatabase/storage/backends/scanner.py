"""Has another program look at stored files: a virus scanner that the admin chose."""

import logging
import os
import subprocess
from pathlib import Path

from fairdatabase.kernel.errors import UnavailableError
from fairdatabase.storage.errors import InfectedFileError

_CLEAN, _INFECTED = 0, 1
_OWN_VARIABLES = "FAIRDATABASE_"
_LOGGED_CHARACTERS = 500
logger = logging.getLogger(__name__)


class Scanner:
    """A command that is run with the path of a file as its last argument.

    Args:
        command: The program and its arguments, such as ``clamdscan --fdpass --no-summary``; it
            answers 0 for a clean file and 1 for another, as ClamAV's programs do.
        seconds: How long it may take for one file.
    """

    def __init__(self, command: tuple[str, ...], *, seconds: float) -> None:
        self._command = command
        self._seconds = seconds

    def check(self, path: Path, name: str) -> None:
        """Let a file pass.

        Args:
            path: Absolute, and made of a checksum: no part of it is a user's.
            name: As the user knows it, for messages.

        Raises:
            InfectedFileError: The program found something.
            UnavailableError: It did not come to an answer.
        """
        try:
            # No shell; the command is the admin's and the path is ours.
            done = subprocess.run(  # noqa: S603
                [*self._command, str(path)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=_environment(),
                timeout=self._seconds,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            logger.exception("The virus scanner did not run", extra={"file": path.name})
            raise _not_scanned(name) from error
        if done.returncode == _CLEAN:
            return
        said = done.stdout.decode(errors="replace")[:_LOGGED_CHARACTERS]
        found = {"file": path.name, "exit_code": done.returncode, "said": said}
        if done.returncode != _INFECTED:
            logger.error("The virus scanner failed", extra=found)
            raise _not_scanned(name)
        logger.warning("The virus scanner refused a file", extra=found)
        raise InfectedFileError(
            f"The virus scanner of this platform found something in {name}, so it was not taken."
            " If you think it is wrong, ask an admin."
        )


def _environment() -> dict[str, str]:
    """Return the environment without the secrets of the instance."""
    return {key: text for key, text in os.environ.items() if not key.startswith(_OWN_VARIABLES)}


def _not_scanned(name: str) -> UnavailableError:
    return UnavailableError(
        f"{name} could not be scanned for viruses at the moment, so it was not taken. Please send"
        " it again later, and tell an admin if this stays."
    )
