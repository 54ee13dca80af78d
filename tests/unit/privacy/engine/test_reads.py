"""Reads that look human."""

import gzip
import io
import random

import pytest

from fairdatabase.privacy.engine.reads import HostReads, SequenceFile, examine, host_reads, is_human

ALU = "GGCCGGGCGCGGTGGCTCACGCCTGTAATCCCAGCACTTTGGGAGGCCGAGG"
OPPOSITE = ALU.translate(str.maketrans("ACGT", "TGCA"))[::-1]


def noise(seed: int, length: int = 60) -> str:
    return "".join(random.Random(seed).choices("ACGT", k=length))


def test_reads_with_alu_are_human_on_both_strands() -> None:
    assert is_human(noise(1) + ALU + noise(2))
    assert is_human(noise(1) + OPPOSITE.lower() + noise(2))
    assert is_human(ALU.replace("T", "U"))


def test_one_piece_is_not_enough() -> None:
    assert not is_human(ALU[:16])
    assert is_human(ALU[:17])
    assert not is_human("ACGT")
    assert not is_human("")


def test_random_reads_are_not() -> None:
    found = host_reads([noise(seed, 150) for seed in range(500)] + [ALU] * 3)
    assert (found.reads, found.human) == (503, 3)


def fastq(*reads: str) -> bytes:
    return "".join(
        f"@r{n}\n{read}\n+\n{'I' * len(read)}\n" for n, read in enumerate(reads)
    ).encode()


READS = fastq(noise(1), noise(2) + ALU, noise(3))
ALL_HUMAN = fastq(*[noise(1) + ALU] * 3)
CONTIG = noise(4, 9_990) + "\n" + noise(5, 9_990) + "\n" + ALU + "\n"


@pytest.mark.parametrize(
    ("content", "kind", "found"),
    [
        (READS, "FASTQ", (3, 1)),
        (gzip.compress(READS), "FASTQ", (3, 1)),
        (READS.replace(b"\n", b"\r\n"), "FASTQ", (3, 1)),
        (ALL_HUMAN, "FASTQ", (3, 3)),
        (READS.replace(noise(3).encode(), b"\xff"), "FASTQ", (3, 1)),
        (f">a\n{ALU}\n".encode(), "FASTA", (1, 1)),
        (f">a\n{noise(4, 25_000)}\n".encode(), "FASTA", (3, 0)),
        (f">a\n{noise(1)}\n>b\n".encode() + b"\xff\n", "FASTA", (2, 0)),
        (f">a\n{noise(1)}\n>b\n{ALU[:30]}\n{ALU[30:]}\n".encode(), "FASTA", (2, 1)),
        (f">a\n{CONTIG}".encode(), "FASTA", (2, 1)),
        (b">p protein\nMKVLAA*\n>q\n", "FASTA", (1, 0)),
    ],
)
def test_files_of_sequences_are_recognised(
    content: bytes, kind: str, found: tuple[int, int]
) -> None:
    assert examine(io.BytesIO(content)) == SequenceFile(kind, HostReads(*found))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"age,sex\n30,f\n",
        b">age,sex\n30,f\n",
        b">a\n",
        b"@a\nACGT\n+\nIII\n",
        b"@a\n12\n+\nII\n",
        b"@a\nACGT\n?\nIIII\n",
        gzip.compress(READS)[:40],
        gzip.compress(READS)[:12] + b"\xff" * 40,
        b"\x1f\x8bnothing",
        gzip.compress(b"age,sex\n"),
    ],
)
def test_other_files_are_none(content: bytes) -> None:
    assert examine(io.BytesIO(content)) is None


def test_a_large_file_is_examined_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairdatabase.privacy.engine.reads.MAX_LETTERS", 1000)
    found = examine(io.BytesIO(gzip.compress(fastq(*[noise(6)] * 500))))
    assert found is not None
    assert 1 < found.found.reads < 20


def test_lines_are_read_until_there_were_enough_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sequence of the third read begins behind its name."""
    begin = ALL_HUMAN.index(b"@r2\n") + len(b"@r2\n")
    for limit, reads in ((begin, 2), (begin + 1, 3)):
        monkeypatch.setattr("fairdatabase.privacy.engine.reads.MAX_LETTERS", limit)
        found = examine(io.BytesIO(ALL_HUMAN))
        assert found is not None
        assert found.found.reads == reads
