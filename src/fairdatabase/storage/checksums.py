"""SHA-256 of bytes on their way through."""

import hashlib
from collections.abc import Callable
from typing import Protocol

from fairdatabase.kernel.errors import LimitExceededError
from fairdatabase.storage.schemas import BlobRecord

CHUNK = 1 << 20
_MIB = 1 << 20


class Readable(Protocol):
    """What bytes can be read from: a file, the body of a request."""

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes; none at the end."""
        ...


def copy(
    source: Readable, write: Callable[[bytes], object], *, limit: int | None = None
) -> BlobRecord:
    """Hand all bytes of ``source`` to ``write`` in chunks and hash them on the way.

    Args:
        source: Read to its end.
        write: Called with each chunk.
        limit: Largest number of bytes that is accepted.

    Raises:
        LimitExceededError: There are more bytes than ``limit``.
    """
    digest = hashlib.sha256()
    size = 0
    while chunk := source.read(CHUNK):
        size += len(chunk)
        if limit is not None and size > limit:
            raise LimitExceededError(
                f"The file is larger than the {_shown(limit)} that this instance accepts."
                " Please split it, or ask the admin to raise max_upload_bytes.",
                details={"limit_bytes": limit},
            )
        digest.update(chunk)
        write(chunk)
    return BlobRecord(sha256=digest.hexdigest(), size=size)


def _shown(size: int) -> str:
    return f"{size / _MIB:,.0f} MiB" if size >= _MIB else f"{size:,} bytes"
