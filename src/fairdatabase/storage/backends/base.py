"""What every place for blobs can do."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self

from fairdatabase.storage.checksums import CHUNK, Readable
from fairdatabase.storage.schemas import BlobRecord


class Backend(Protocol):
    """Keeps bytes under their SHA-256 checksum, whole or not at all."""

    def put(self, source: Readable, *, limit: int | None = None) -> BlobRecord:
        """Keep all bytes of ``source``.

        Raises:
            LimitExceededError: There are more than ``limit``; none is kept.
            StorageFullError: No space is left; none is kept.
        """
        ...

    def adopt(self, path: Path) -> BlobRecord:
        """Keep the bytes of a finished file; the file is gone afterwards."""
        ...

    def open(self, sha256: str) -> BinaryIO:
        """Return the bytes, seekable.

        Raises:
            BlobMissingError: They are not here.
        """
        ...

    def path(self, sha256: str) -> Path:
        """Return a file with the bytes, to be read only.

        Raises:
            BlobMissingError: They are not here.
        """
        ...

    def remove(self, sha256: str) -> None:
        """Erase the bytes; nothing happens where they are not here."""
        ...

    def sweep(self, *, older_than_seconds: float) -> int:
        """Remove what unfinished writes left behind and return the number of files."""
        ...

    def check(self) -> str:
        """Return one line on the state of the place.

        Raises:
            UnavailableError: It cannot take bytes now; says why.
        """
        ...


class Section(Iterator[bytes], AbstractContextManager["Section"]):
    """A range of an open file in chunks; closes the file at its end or when told.

    Args:
        file: Positioned at the first byte.
        size: Number of bytes.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._left = size

    def __next__(self) -> bytes:
        chunk = self._file.read(min(CHUNK, self._left)) if self._left else b""
        if not chunk:
            self.close()
            raise StopIteration
        self._left -= len(chunk)
        return chunk

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._left = 0
        self._file.close()
