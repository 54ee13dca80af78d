"""Use cases of storage: keep bytes, hand them out, check that they are still the same."""

import logging
from datetime import timedelta
from pathlib import Path

from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.database import Database
from fairdatabase.storage.backends.base import Backend, Section
from fairdatabase.storage.backends.scanner import Scanner
from fairdatabase.storage.checksums import Readable, copy
from fairdatabase.storage.errors import BlobMissingError
from fairdatabase.storage.repository import BlobRepository
from fairdatabase.storage.schemas import BlobRecord, FixityReport

_UNFINISHED_AFTER_SECONDS = 24 * 3600
_UNUSED_AFTER = timedelta(hours=1)
logger = logging.getLogger(__name__)


class Storage:
    """The blob store: bytes are known by their checksum, never by a name that a user chose.

    Access is not decided here: services ask the catalogue before they hand out bytes.

    Args:
        database: Knows which blobs there are.
        backend: Holds the bytes.
        clock: Source of the present time.
        scanner: Looks for viruses; None: nobody does.
    """

    def __init__(
        self,
        database: Database,
        backend: Backend,
        clock: Clock,
        *,
        scanner: Scanner | None = None,
    ) -> None:
        self._database = database
        self._scanner = scanner
        self._backend = backend
        self._clock = clock
        self._blobs = BlobRepository(database)

    def store(self, stream: Readable, *, limit: int) -> BlobRecord:
        """Keep all bytes of a stream; the same bytes twice are one blob.

        Call it before the transaction that refers to the blob is opened: a slow upload must not
        hold a write lock. Within an open transaction the blob's row is part of it. Bytes whose
        row was rolled back are harmless and are found again when somebody sends them once more.

        Args:
            stream: Read to its end, in chunks.
            limit: Largest number of bytes.

        Raises:
            LimitExceededError: The stream is longer; nothing is kept.
            StorageFullError: No space is left; nothing is kept.
        """
        return self._remember(self._backend.put(stream, limit=limit))

    def store_file(self, path: Path) -> BlobRecord:
        """Move a file that the platform made into the store.

        Args:
            path: Closed and complete; gone afterwards.

        Raises:
            StorageFullError: No space is left.
        """
        return self._remember(self._backend.adopt(path))

    def open(self, sha256: str, *, start: int = 0, end: int | None = None) -> Section:
        """Stream the bytes of a blob from ``start`` up to, not including, ``end``.

        Returns:
            An iterator over chunks. Close it when it is not read to its end.

        Raises:
            BlobMissingError: The store does not have them.
        """
        with self._database.reading():
            size = self._blobs.size_of(sha256)
        if size is None:
            raise BlobMissingError(sha256)
        stop = size if end is None else min(end, size)
        file = self._backend.open(sha256)
        file.seek(start)
        return Section(file, max(stop - start, 0))

    def path(self, sha256: str) -> Path:
        """Return a local file with the bytes, to be read and never to be changed.

        Raises:
            BlobMissingError: The store does not have them.
        """
        return self._backend.path(sha256)

    def scan(self, sha256: str, name: str) -> None:
        """Let stored bytes pass the virus scanner, where the instance has one.

        What is refused is referred to by nothing and erased soon, as all such bytes are.

        Args:
            sha256: Of the bytes.
            name: That the user knows them by, for messages.

        Raises:
            InfectedFileError: It found something.
            UnavailableError: It did not come to an answer.
        """
        if self._scanner is not None:
            self._scanner.check(self._backend.path(sha256), name)

    def verify(self, *, limit: int) -> FixityReport:
        """Read the blobs that were not checked for the longest time and hash them again.

        Args:
            limit: How many blobs to check.
        """
        with self._database.reading():
            checksums = self._blobs.longest_unverified(limit)
        damaged = [sha256 for sha256 in checksums if not self._is_whole(sha256)]
        for sha256 in checksums:
            with self._database.transaction():
                self._blobs.note_check(sha256, self._clock(), damaged=sha256 in damaged)
        for sha256 in damaged:
            logger.error("A stored blob is damaged or missing", extra={"sha256": sha256})
        return FixityReport(checked=len(checksums), damaged=tuple(damaged))

    def sweep(self) -> int:
        """Remove what uploads that never ended left behind a day ago; return the number."""
        return self._backend.sweep(older_than_seconds=_UNFINISHED_AFTER_SECONDS)

    def erase_unused(self, *, older_than: timedelta = _UNUSED_AFTER) -> int:
        """Erase blobs that nothing refers to any more, such as those of discarded drafts.

        Args:
            older_than: Younger blobs may be about to be referred to and are kept.

        Returns:
            How many were erased.
        """
        before = self._clock() - older_than
        with self._database.reading():
            unused = self._blobs.unused(before)
        erased = 0
        for sha256 in unused:
            with self._database.transaction():
                if self._blobs.remove_unused(sha256, before):
                    self._backend.remove(sha256)
                    erased += 1
        return erased

    def check(self) -> str:
        """Return one line on the state of the store.

        Raises:
            UnavailableError: It cannot take bytes now.
        """
        return self._backend.check()

    def _remember(self, blob: BlobRecord) -> BlobRecord:
        with self._database.transaction():
            self._blobs.remember(blob, self._clock())
        # The same bytes may have been erased as unused between their arrival and this row.
        self._backend.path(blob.sha256)
        return blob

    def _is_whole(self, sha256: str) -> bool:
        try:
            with self._backend.open(sha256) as file:
                return copy(file, lambda _: None).sha256 == sha256
        except (BlobMissingError, OSError):
            return False
