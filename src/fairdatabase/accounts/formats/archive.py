"""A copy of what is kept about a person: JSON files in a ZIP archive."""

import json
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from typing import IO

from pydantic import BaseModel

_IN_MEMORY = 4 * 2**20
_CHUNK = 2**16
Documents = Iterable[BaseModel]


class Archive:
    """A ZIP archive on its way out; its bytes are read once, and it is closed afterwards.

    Args:
        documents: Of each file, by its name without a suffix.
        readme: What the person is told about it.
    """

    def __init__(self, documents: Mapping[str, Documents], readme: str) -> None:
        # It is closed by whoever sends it, long after this.
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
        with zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("README.txt", readme)
            for name, found in documents.items():
                with archive.open(f"{name}.json", "w", force_zip64=True) as entry:
                    _write(entry, found)
        self._file.seek(0)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the bytes, and close it after the last of them."""
        with self._file:
            while chunk := self._file.read(_CHUNK):
                yield chunk

    def close(self) -> None:
        """Let go of the memory or the file."""
        self._file.close()


def readme(*, site: str, account: str, day: str, names: Iterable[str]) -> str:
    """Return what a person is told about a copy of their data."""
    listed = "\n".join(f"  {name}.json" for name in names)
    return (
        f"Everything that {site} keeps about the account {account}, as of {day} (UTC).\n\n"
        f"{listed}\n\n"
        "Each file is a JSON array. Passwords, tokens and keys are not in here: the platform has"
        " nothing but their hashes. The files of your datasets are not in here either; they can be"
        " downloaded from the pages of the datasets. Times are in UTC.\n"
    )


def _write(entry: IO[bytes], found: Documents) -> None:
    entry.write(b"[")
    for position, document in enumerate(found):
        text = json.dumps(document.model_dump(mode="json"), ensure_ascii=False, indent=1)
        entry.write((",\n" if position else "\n").encode() + text.encode())
    entry.write(b"\n]\n")
