"""Blobs in the memory of this process, for tests and trials."""

from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from fairdatabase.storage.checksums import Readable, copy
from fairdatabase.storage.errors import BlobMissingError
from fairdatabase.storage.schemas import BlobRecord


class MemoryBackend:
    """Keeps blobs until the process ends.

    Args:
        folder: Where :meth:`path` writes a blob out for readers that need a file.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._blobs: dict[str, bytes] = {}

    def put(self, source: Readable, *, limit: int | None = None) -> BlobRecord:
        """Keep all bytes of ``source``; see the protocol."""
        buffer = BytesIO()
        record = copy(source, buffer.write, limit=limit)
        self._blobs[record.sha256] = buffer.getvalue()
        return record

    def adopt(self, path: Path) -> BlobRecord:
        """Keep the bytes of a finished file and remove it."""
        with path.open("rb") as file:
            record = self.put(file)
        path.unlink()
        return record

    def open(self, sha256: str) -> BinaryIO:
        """Return the bytes, seekable; see the protocol."""
        if sha256 not in self._blobs:
            raise BlobMissingError(sha256)
        return BytesIO(self._blobs[sha256])

    def path(self, sha256: str) -> Path:
        """Write the bytes to a file and return it; see the protocol."""
        path = self._folder / sha256
        if not path.exists():
            with self.open(sha256) as blob:
                path.write_bytes(blob.read())
        return path

    def remove(self, sha256: str) -> None:
        """Forget the bytes; see the protocol."""
        self._blobs.pop(sha256, None)
        (self._folder / sha256).unlink(missing_ok=True)

    def sweep(self, *, older_than_seconds: float) -> int:  # noqa: ARG002 - nothing is left behind
        """Return 0: unfinished bytes are forgotten at once."""
        return 0

    def check(self) -> str:
        """Return how much is kept."""
        return f"{len(self._blobs)} blobs in memory"
