"""Counts the records of delimited text, independently of the reader that stores them.

One pass over the bytes with NumPy tells how many records there are, whether quoting follows
RFC 4180, and whether anything is in the file that a fast reader would silently get wrong. Only a
regular file is given to the fast reader; all others take the careful way.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairdatabase.tables.engine.records import CHUNK_BYTES

_LF, _CR, _NUL = b"\n\r\0"
_BOM = codecs.BOM_UTF8


@dataclass(slots=True)
class Facts:
    """What one pass over a file found.

    Attributes:
        records: Number of records, blank lines included.
        blank: Number of blank lines.
        longest: Length of the longest record in bytes.
        newline: ``lf``, ``crlf``, ``cr`` or ``mixed``.
        regular_quotes: Whether every quote follows RFC 4180.
        multiline: Whether a quoted cell spans lines.
        stray_cr: Whether single CRs stand among other line ends.
        nul: Whether there is a NUL byte.
        bad_byte: Offset of the first byte that is no UTF-8.
    """

    records: int = 0
    blank: int = 0
    longest: int = 0
    newline: str = "lf"
    regular_quotes: bool = True
    multiline: bool = False
    stray_cr: bool = False
    nul: bool = False
    bad_byte: int | None = None

    @property
    def regular(self) -> bool:
        """Whether the fast reader may be trusted with the file."""
        return self.regular_quotes and not self.nul and self.bad_byte is None and not self.stray_cr


def scan(path: Path, delimiter: str, quote: str | None, progress: Callable[[float], None]) -> Facts:
    """Scan a UTF-8 file.

    Args:
        path: The file.
        delimiter: Character between cells.
        quote: Quotation character, or None where quotes are ordinary characters.
        progress: Told the share done, 0 to 1.
    """
    scanner = _Scanner(path, delimiter, quote)
    size = max(path.stat().st_size, 1)
    done = 0
    for chunk in chunks(path):
        scanner.feed(chunk)
        done += len(chunk)
        progress(done / size)
    return scanner.finish()


def chunks(path: Path) -> Iterator[bytes]:
    """The bytes of a file in order."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


class _Scanner:
    def __init__(self, path: Path, delimiter: str, quote: str | None) -> None:
        with path.open("rb") as file:
            head = file.read(CHUNK_BYTES)
        self.facts = Facts()
        self.newline = _CR if _LF not in head and _CR in head else _LF
        # A delimiter or quote outside ASCII cannot be told apart byte by byte.
        self.ascii = delimiter.isascii() and (quote or "").isascii()
        self.neighbours = np.zeros(256, dtype=bool)
        self.neighbours[[_LF, _CR]] = True
        if self.ascii:
            self.neighbours[ord(delimiter)] = True
        self.quote = ord(quote) if quote and self.ascii else None
        if self.quote is not None:  # doubled
            self.neighbours[self.quote] = True
        self.decoder = codecs.getincrementaldecoder("utf-8")()
        self.offset = 0
        self.position = 0
        self.record_start = len(_BOM) if head.startswith(_BOM) else 0
        self.before = _LF
        self.inside = False
        self.held = b""
        self.crlf = self.lone_cr = self.lone_lf = 0

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes; the last one is held back because its successor matters."""
        self._decode(chunk, final=False)
        self.facts.nul = self.facts.nul or _NUL in chunk
        if self.position == 0 and self.before == _LF and chunk.startswith(_BOM):
            chunk, self.position = chunk[len(_BOM) :], len(_BOM)
        data = self.held + chunk
        self._structure(data[:-1], data[-1] if data else _LF)
        self.held = data[-1:]

    def finish(self) -> Facts:
        """Conclude at the end of the file."""
        facts = self.facts
        self._decode(b"", final=True)
        self._structure(self.held, _LF)
        if self.inside or not self.ascii:
            facts.regular_quotes = False
        if self.record_start < self.position:
            facts.records += 1
            facts.longest = max(facts.longest, self.position - self.record_start)
        kinds = {"crlf": self.crlf, "lf": self.lone_lf, "cr": self.lone_cr}
        present = [kind for kind, count in kinds.items() if count]
        facts.stray_cr = bool(self.lone_cr) and len(present) > 1
        facts.newline = present[0] if len(present) == 1 else "mixed" if present else "lf"
        return facts

    def _decode(self, chunk: bytes, *, final: bool) -> None:
        facts = self.facts
        pending = self.decoder.getstate()[0]
        if facts.bad_byte is None and not (chunk.isascii() and not pending and not final):
            try:
                self.decoder.decode(chunk, final)
            except UnicodeDecodeError as error:
                facts.bad_byte = self.offset - len(pending) + error.start
        self.offset += len(chunk)

    def _structure(self, data: bytes, after: int) -> None:
        if not data:
            return
        array = np.frombuffer(data, dtype=np.uint8)
        ends = np.flatnonzero(array == self.newline)
        self._count_newlines(data, after, len(ends))
        if self.quote is not None and (self.inside or self.quote in data):
            ends = self._outside_quotes(array, ends, after)
        if len(ends):
            starts = np.concatenate(([self.record_start - self.position], ends[:-1] + 1))
            lengths = ends - starts
            cr_before = (lengths == 1) & (array[np.maximum(ends - 1, 0)] == _CR)
            cr_before |= (ends == 0) & (lengths == 1) & (self.before == _CR)
            facts = self.facts
            facts.records += len(ends)
            facts.blank += int(np.count_nonzero((lengths == 0) | cr_before))
            facts.longest = max(facts.longest, int(lengths.max()))
            self.record_start = self.position + int(ends[-1]) + 1
        self.position += len(data)
        self.before = data[-1]

    def _count_newlines(self, data: bytes, after: int, ends: int) -> None:
        if self.newline == _CR:
            self.lone_cr += ends
            self.lone_lf += data.count(b"\n")
            return
        self.lone_lf += ends
        if _CR in data:
            straddling = data[-1] == _CR and after == _LF
            crlf = data.count(b"\r\n") + straddling
            self.crlf += crlf
            self.lone_cr += data.count(b"\r") - crlf
            self.lone_lf -= crlf - straddling
        if self.before == _CR and data[0] == _LF:
            self.lone_lf -= 1  # counted as CRLF with the data before

    def _outside_quotes(
        self, array: NDArray[np.uint8], ends: NDArray[np.int64], after: int
    ) -> NDArray[np.int64]:
        """Keep the line ends outside quotes, and check where quotes stand."""
        marks = np.flatnonzero(array == self.quote)
        padded = np.concatenate(([self.before], array, [after])).astype(np.uint8)
        first = int(self.inside)  # index of the first opening mark
        opening, closing = marks[first::2], marks[1 - first :: 2]
        if not (
            self.neighbours[padded[opening]].all() and self.neighbours[padded[closing + 2]].all()
        ):
            self.facts.regular_quotes = False
        depth = np.searchsorted(marks, ends) + first
        outside: NDArray[np.int64] = ends[depth % 2 == 0]
        if len(outside) < len(ends):
            self.facts.multiline = True
        self.inside = bool((first + len(marks)) % 2)
        return outside
