"""Sequence reads: do some come from the host, a human being, instead of the microbes?

``host_reads`` looks at sequences, ``examine`` at a file that may be FASTA or FASTQ, also gzipped.

About a tenth of human DNA are copies of one sequence, Alu, which no microbe has. Among some hundred
reads of human DNA many therefore contain pieces of it, and among reads of microbes none do. That
finds human reads in general; a handful of them, or amplicons of chosen genes, it can miss.
"""

import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, Literal

PIECE = 16
"""Letters of a piece: by chance a read of 150 has one of Alu's with a probability of 2 in 10^5."""

PIECES = 2
"""Different pieces that a read needs to be called human."""

MAX_LETTERS = 2 * 2**20
"""Letters of a file that are examined: some ten thousand reads, in less than a second."""

_LONGEST = 10_000
_GZIP = b"\x1f\x8b"
_LETTERS = re.compile(rb"[A-Za-z*.-]+")

# The consensus of the family AluY (Batzer and Deininger 2002), without its tail of A.
_ALU = (
    "GGCCGGGCGCGGTGGCTCACGCCTGTAATCCCAGCACTTTGGGAGGCCGAGGCGGGCGGATCACGAGGTCAGGAGATCGAGACCATCC"
    "CGGCTAAAACGGTGAAACCCCGTCTCTACTAAAAATACAAAAAATTAGCCGGGCGTGGTGGCGGGCGCCTGTAGTCCCAGCTACTCGG"
    "GAGGCTGAGGCAGGAGAATGGCGTGAACCCGGGAGGCGGAGCTTGCAGTGAGCCGAGATCGCGCCACTGCACTCCAGCCTGGGCGACA"
    "GAGCGAGACTCCGTCTC"
)
_COMPLEMENT = str.maketrans("ACGTU", "TGCAA")


@dataclass(frozen=True)
class HostReads:
    """How many of some reads look human."""

    reads: int
    human: int


@dataclass(frozen=True)
class SequenceFile:
    """A file of sequences.

    Attributes:
        kind: Its format.
        found: How many of the examined sequences look human; long ones are examined in parts, and
            each part counts.
    """

    kind: Literal["FASTA", "FASTQ"]
    found: HostReads


def _pieces(sequence: str) -> set[str]:
    return {sequence[start : start + PIECE] for start in range(len(sequence) - PIECE + 1)}


_HUMAN = _pieces(_ALU) | _pieces(_ALU.translate(_COMPLEMENT)[::-1])


def is_human(sequence: str) -> bool:
    """Return whether a read contains pieces of a sequence that only primates have."""
    return len(_pieces(sequence.upper().replace("U", "T")) & _HUMAN) >= PIECES


def host_reads(sequences: Iterable[str]) -> HostReads:
    """Count the reads, and those that look human."""
    flags = [is_human(sequence) for sequence in sequences]
    return HostReads(reads=len(flags), human=sum(flags))


def examine(file: BinaryIO) -> SequenceFile | None:
    """Return what a file of sequences holds; None for any other file.

    Args:
        file: Opened at its beginning; gzipped or not.
    """
    gzipped = file.read(len(_GZIP)) == _GZIP
    file.seek(0)
    try:
        lines = _lines(gzip.GzipFile(fileobj=file) if gzipped else file)
        first = list(islice(lines, 4))
        if _is_fastq(first):
            return SequenceFile("FASTQ", host_reads(_of_fastq(first, lines)))
        if _is_fasta(first):
            return SequenceFile("FASTA", host_reads(_of_fasta(first, lines)))
    except (OSError, EOFError, zlib.error):
        return None
    return None


def _lines(stream: BinaryIO | gzip.GzipFile) -> Iterator[bytes]:
    """Yield the lines of as much of a stream as is examined, very long ones in parts."""
    read = 0
    while read < MAX_LETTERS and (line := stream.readline(_LONGEST)):
        read += len(line)
        yield line.strip()


def _is_fastq(first: list[bytes]) -> bool:
    return (
        len(first) == 4  # noqa: PLR2004 - the lines of a read
        and first[0].startswith(b"@")
        and _LETTERS.fullmatch(first[1]) is not None
        and first[2].startswith(b"+")
        and len(first[3]) == len(first[1])
    )


def _is_fasta(first: list[bytes]) -> bool:
    return len(first) > 1 and first[0].startswith(b">") and _LETTERS.fullmatch(first[1]) is not None


def _of_fastq(first: list[bytes], lines: Iterator[bytes]) -> Iterator[str]:
    yield first[1].decode("ascii")
    for place, line in enumerate(lines):
        if place % 4 == 1:
            yield line.decode("ascii", "replace")


def _of_fasta(first: list[bytes], lines: Iterator[bytes]) -> Iterator[str]:
    part = ""
    for line in (*first[1:], *lines):
        name = line.startswith(b">")
        if part and (name or len(part) >= _LONGEST):
            yield part
            part = ""
        if not name:
            part += line.decode("ascii", "replace")
    if part:
        yield part
