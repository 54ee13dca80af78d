"""Use cases of letters: have one sent, send it, read those that were kept.

A letter is sent by a job and never by the request that caused it: a mail server that is slow or
down delays nobody, and how long an answer takes does not tell whether a letter was written, that
is, whether an account exists.

Letters hold links that open an account, of which the database otherwise keeps hashes alone. So a
letter waits in the table of jobs sealed with a key derived from ``secret_key``, which is not in
the database, and is erased from there as soon as the job has ended: neither a copy of the
database nor a backup of last week opens an account.
"""

import logging
from datetime import timedelta

from fairdatabase.jobs.service import JobContext, Jobs
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.errors import NotFoundError
from fairdatabase.mail.backends.base import MailBackend
from fairdatabase.mail.backends.folder import FolderBackend
from fairdatabase.mail.rules import compose, seal, unseal
from fairdatabase.mail.schemas import KeptLetter, Letter

LETTER_JOB = "mail.send"
_ATTEMPTS = 20
"""With the pauses between them a good hour, in which a mail server comes back."""
_SHOWN = 100
KEPT = timedelta(days=30)
"""How long a letter stays in the folder; links in letters work for two weeks at most."""
logger = logging.getLogger(__name__)


class Mail:
    """Letters to people.

    Args:
        jobs: Carry the letters.
        backend: Takes them away.
        settings: The sender, the name of the instance, and the secret that seals letters.
    """

    def __init__(self, jobs: Jobs, backend: MailBackend, settings: Settings) -> None:
        self._jobs = jobs
        self._backend = backend
        self._sender = settings.mail_sender
        self._site = settings.site_name
        self._secret = settings.secret_key
        self._retired = [key.secret for key in settings.retired_secret_keys]

    def send(self, letter: Letter) -> None:
        """Have a letter sent after the present transaction has committed, and only then."""
        sealed = seal(letter, self._secret.get_secret_value())
        self._jobs.enqueue(LETTER_JOB, {"sealed": sealed}, max_attempts=_ATTEMPTS)

    def deliver(self, context: JobContext, sealed: str) -> None:
        """Send a letter now; called by the job.

        Raises:
            UnavailableError: It cannot be taken now; the job is tried again.
            LetterRefusedError: It will never be taken.
            ConfigurationError: It cannot be read any more.
        """
        known = (self._secret, *self._retired)
        letter = unseal(sealed, *(secret.get_secret_value() for secret in known))
        job = context.job
        self._backend.send(
            compose(
                letter,
                sender=self._sender,
                site=self._site,
                number=job.public_id,
                written_at=job.created_at,
            )
        )
        logger.info("A letter was sent", extra={"letter": letter.kind})

    def sweep(self) -> None:
        """Remove the letters that were kept instead of sent, once no link in them can work."""
        if isinstance(self._backend, FolderBackend):
            self._backend.sweep(older_than_seconds=KEPT.total_seconds())

    def kept(self) -> list[KeptLetter]:
        """Return the newest letters that were kept instead of sent, for development."""
        if not isinstance(self._backend, FolderBackend):
            return []
        return self._backend.letters(limit=_SHOWN)

    def kept_letter(self, letter_id: str) -> KeptLetter:
        """Return a letter that was kept instead of sent, for development.

        Raises:
            NotFoundError: There is none with this id.
        """
        if not isinstance(self._backend, FolderBackend):
            raise NotFoundError("Letters are sent here, not kept.")
        return self._backend.letter(letter_id)
