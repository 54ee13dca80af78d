"""Splits delimited text into records with exact line numbers; slow, careful, and never silent.

Quotes follow RFC 4180: a quote opens a cell only as its first character, is doubled inside, and
has to be followed by a delimiter or the end of the line. Quotes elsewhere in a cell are ordinary
characters. A quote that is never closed costs only the line it stands on, not the rest of the file.
"""

from __future__ import annotations

import codecs
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

CHUNK_BYTES = 1 << 22
MAX_QUOTED_LINES = 1000
_EXCERPT_BYTES = 1000


class Fault(Enum):
    """Why a record cannot be split into cells."""

    UNCLOSED_QUOTE = "a quote opens here and is not closed"
    TEXT_AFTER_QUOTE = "text follows a closing quote"
    TOO_LONG = "the row is too long"
    NUL = "the row contains a NUL character"
    ENCODING = "the row is not valid text in the encoding"


@dataclass(frozen=True, slots=True)
class Line:
    """A physical line: its number from 1, its bytes with the line end, and its full length.

    Of a line over the limit only the beginning is kept, so ``length`` exceeds ``len(content)``.
    """

    number: int
    content: bytes
    length: int


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A record: the line it begins on, its bytes in the file, its text, its cells or its fault."""

    line: int
    length: int
    text: str
    cells: list[str]
    fault: Fault | None = None


def physical_lines(chunks: Iterable[bytes], limit: int) -> Iterator[Line]:
    """Split bytes into lines at LF, CRLF and CR, holding at most ``limit`` bytes of each.

    Args:
        chunks: The file's bytes, in order.
        limit: Most bytes of a line that are kept.
    """
    number, rest, dropped = 1, b"", 0
    for chunk in chunks:
        lines = (rest + chunk).splitlines(keepends=True)
        # The last piece may go on in the next chunk; a CR may be followed by its LF there.
        rest = lines.pop()
        for content in lines:
            yield Line(number, content, len(content) + dropped)
            number, dropped = number + 1, 0
        if len(rest) > limit and not rest.endswith(b"\r"):
            dropped += len(rest) - limit
            rest = rest[:limit]
    if rest:
        yield Line(number, rest, len(rest) + dropped)


class Tokenizer:
    """Splits the text of one record into cells."""

    def __init__(self, delimiter: str, quote: str | None) -> None:
        self.delimiter = delimiter
        self.quote = quote
        if quote is not None:
            mark, end = re.escape(quote), rf"(?={re.escape(delimiter)}|\Z)"
            self._quoted = re.compile(rf"{mark}((?:[^{mark}]|{mark}{mark})*+){mark}")
            self._quoted_cell = re.compile(self._quoted.pattern + end)

    def split(self, text: str) -> list[str] | Fault:
        """Split a record, given without its line end, into cells."""
        quote = self.quote
        if quote is None or quote not in text:
            return text.split(self.delimiter)
        cells: list[str] = []
        position = 0
        while True:
            if text.startswith(quote, position):
                match = self._quoted_cell.match(text, position)
                if match is None:
                    closed = self._quoted.match(text, position)
                    return Fault.TEXT_AFTER_QUOTE if closed else Fault.UNCLOSED_QUOTE
                cells.append(match[1].replace(quote + quote, quote))
                end = match.end()
            else:
                found = text.find(self.delimiter, position)
                end = len(text) if found < 0 else found
                cells.append(text[position:end])
            if end == len(text):
                return cells
            position = end + 1


def read_records(lines: Iterable[Line], tokenizer: Tokenizer, limit: int) -> Iterator[RawRecord]:
    """Assemble records from physical lines; blank lines are passed as records with one empty cell.

    Args:
        lines: Physical lines in order.
        tokenizer: Splits records.
        limit: Most bytes of a record.
    """
    source = iter(lines)
    waiting: deque[Line] = deque()
    while True:
        line = waiting.popleft() if waiting else next(source, None)
        if line is None:
            return
        record = _single_line(line, tokenizer, limit)
        if record.fault is not Fault.UNCLOSED_QUOTE:
            yield record
            continue
        record, unused = _quoted_lines(line, record, _ahead(waiting, source), tokenizer, limit)
        waiting.extendleft(reversed(unused))
        yield record


def _ahead(waiting: deque[Line], source: Iterator[Line]) -> Iterator[Line]:
    while waiting:
        yield waiting.popleft()
    for line in source:  # noqa: UP028  `yield from` would close the source with this generator
        yield line


def _quoted_lines(
    first: Line, record: RawRecord, ahead: Iterator[Line], tokenizer: Tokenizer, limit: int
) -> tuple[RawRecord, list[Line]]:
    """Join lines until the open quote is closed; give the lines back if it never is."""
    taken: list[Line] = []
    mark = (tokenizer.quote or "").encode()
    content = bytearray(first.content)
    for line in ahead:
        taken.append(line)
        content += line.content
        if len(content) > limit or line.length > limit or len(taken) > MAX_QUOTED_LINES:
            break
        if mark not in line.content:
            continue
        joined = Line(first.number, bytes(content), len(content))
        attempt = _single_line(joined, tokenizer, limit)
        if attempt.fault is Fault.TEXT_AFTER_QUOTE:
            break
        if attempt.fault is not Fault.UNCLOSED_QUOTE:
            return attempt, []
    return record, taken


def _single_line(line: Line, tokenizer: Tokenizer, limit: int) -> RawRecord:
    number, length = line.number, line.length
    if length > limit:
        text = line.content[:_EXCERPT_BYTES].decode("utf-8", "replace")
        return RawRecord(number, length, text, [], Fault.TOO_LONG)
    content = _without_line_end(line.content)
    if number == 1:
        content = content.removeprefix(codecs.BOM_UTF8)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = content.decode("utf-8", "replace")
        return RawRecord(number, length, text, [], Fault.ENCODING)
    cells = Fault.NUL if "\0" in text else tokenizer.split(text)
    if isinstance(cells, Fault):
        return RawRecord(number, length, text, [], cells)
    return RawRecord(number, length, text, cells)


def _without_line_end(content: bytes) -> bytes:
    if content.endswith(b"\r\n"):
        return content[:-2]
    return content[:-1] if content.endswith((b"\n", b"\r")) else content
