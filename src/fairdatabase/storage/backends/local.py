"""Blobs as read-only files in a folder of this machine.

A blob lies in ``<root>/ab/cd/abcd...``. It is written to a temporary file on the same file
system, flushed to the disk, and then renamed, so that it is there as a whole or not at all,
even when the power fails. A blob that is stored again replaces its file by the same bytes,
which also heals a damaged one.
"""

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from fairdatabase.kernel.errors import StorageFullError, UnavailableError
from fairdatabase.storage.checksums import Readable, copy
from fairdatabase.storage.errors import BlobMissingError
from fairdatabase.storage.schemas import BlobRecord

_READ_ONLY = 0o440
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class LocalBackend:
    """Keeps blobs below ``root``.

    Args:
        root: Folder of the blobs; made when it does not exist.
        work: Folder of unfinished files, on the same file system.
    """

    def __init__(self, root: Path, work: Path) -> None:
        self._root = root.resolve()
        self._work = work.resolve()

    def put(self, source: Readable, *, limit: int | None = None) -> BlobRecord:
        """Keep all bytes of ``source``; see the protocol."""
        self._work.mkdir(parents=True, exist_ok=True)
        with (
            _telling_when_full(),
            tempfile.NamedTemporaryFile(dir=self._work, delete=False) as file,
        ):
            temporary = Path(file.name)
            try:
                record = copy(source, file.write, limit=limit)
                file.flush()
                self._keep(temporary, file.fileno(), record.sha256)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
        return record

    def adopt(self, path: Path) -> BlobRecord:
        """Move a finished file into the store; it is copied from another file system."""
        with path.open("rb") as file:
            if not self._is_near(path):
                record = self.put(file)
                path.unlink()
                return record
            record = copy(file, lambda _: None)
            with _telling_when_full():
                self._keep(path, file.fileno(), record.sha256)
        return record

    def open(self, sha256: str) -> BinaryIO:
        """Return the bytes, seekable; see the protocol."""
        try:
            return self._place(sha256).open("rb")
        except FileNotFoundError:
            raise BlobMissingError(sha256) from None

    def path(self, sha256: str) -> Path:
        """Return the file itself; see the protocol."""
        place = self._place(sha256)
        if not place.is_file():
            raise BlobMissingError(sha256)
        return place

    def remove(self, sha256: str) -> None:
        """Erase the bytes; see the protocol."""
        self._place(sha256).unlink(missing_ok=True)

    def sweep(self, *, older_than_seconds: float) -> int:
        """Remove what lies in the work folder untouched for so long; see the protocol."""
        removed = 0
        for path in self._work.glob("*"):
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > older_than_seconds:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                    removed += 1
        return removed

    def check(self) -> str:
        """Tell whether the folder can be written to; see the protocol."""
        self._root.mkdir(parents=True, exist_ok=True)
        if not os.access(self._root, os.W_OK):
            raise UnavailableError("The storage folder cannot be written to.")
        return "writable"

    def _place(self, sha256: str) -> Path:
        return self._root / sha256[:2] / sha256[2:4] / sha256

    def _is_near(self, path: Path) -> bool:
        self._root.mkdir(parents=True, exist_ok=True)
        return path.stat().st_dev == self._root.stat().st_dev

    def _keep(self, path: Path, descriptor: int, sha256: str) -> None:
        os.fchmod(descriptor, _READ_ONLY)
        os.fsync(descriptor)
        place = self._place(sha256)
        self._make_folder(place.parent)
        path.replace(place)
        _sync_folder(place.parent)

    def _make_folder(self, folder: Path) -> None:
        """Make a folder such that it outlives a power failure together with its parents."""
        if folder.is_dir():
            return
        self._make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _telling_when_full() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise StorageFullError(
                "No space is left to store this file, and nothing of it was kept. Please tell the"
                " admin and send it again later."
            ) from error
        raise
