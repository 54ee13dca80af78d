"""Finds out how delimited text is written: delimiter, quotes, header and lines before it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from itertools import islice, pairwise

from fairdatabase.tables.engine.records import RawRecord, Tokenizer, physical_lines, read_records
from fairdatabase.tables.schemas import Finding, IngestOptions, Severity

DELIMITERS = (",", "\t", ";", "|", "\x1f")
_SAMPLE_RECORDS = 200
_WELL_QUOTED_SHARE = 0.5
_NUMBER = re.compile(r"\s*[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?\s*")
_DECIMAL_COMMA = re.compile(r"\s*[-+]?[\d.\s]*,\d+([eE][-+]?\d+)?\s*")


@dataclass(frozen=True, slots=True)
class TextDialect:
    """How a text is written.

    Attributes:
        delimiter: Character between cells.
        quote: Quotation character, or None where quotes are ordinary characters.
        header: Whether the first record after the preamble holds names.
        names: Cells of the header, or empty texts where there is none; nothing at all when the
            first record cannot be read.
        preamble: Number of physical lines before the header.
        preamble_blank: Number of blank lines among them.
        header_line: Line on which the header, or without one the first row, begins.
        findings: What was decided that somebody may want to know.
    """

    delimiter: str
    quote: str | None
    header: bool = True
    names: tuple[str, ...] = ()
    preamble: int = 0
    preamble_blank: int = 0
    header_line: int = 1
    findings: tuple[Finding, ...] = ()


def detect_dialect(head: bytes, options: IngestOptions, *, complete: bool) -> TextDialect:
    """Find out the dialect from the beginning of a UTF-8 text.

    Args:
        head: The first bytes of the text.
        options: What the user stated; stated properties are not detected.
        complete: Whether the head is the whole text.
    """
    quote = '"' if options.quote is None else options.quote or None
    delimiter = options.delimiter or _delimiter(head, quote, complete=complete)
    if options.quote is None and not _is_well_quoted(head, delimiter, complete=complete):
        quote = None
    records = _sample(head, delimiter, quote, complete=complete)
    preamble, blank = _preamble(records)
    rows = [record for record in records[preamble:] if record.text or len(records) == 1]
    if not rows:
        rows = records[-1:]
    line = rows[0].line
    dialect = TextDialect(
        delimiter=delimiter,
        quote=quote,
        preamble=line - 1,
        preamble_blank=blank,
        header_line=line,
    )
    if rows[0].fault:
        return dialect
    return _with_header(dialect, [record.cells for record in rows if not record.fault], options)


def _sample(head: bytes, delimiter: str, quote: str | None, *, complete: bool) -> list[RawRecord]:
    lines = physical_lines([head], len(head))
    tokenizer = Tokenizer(delimiter, quote)
    records = list(islice(read_records(lines, tokenizer, len(head)), _SAMPLE_RECORDS + 1))
    # The last record of a part of the text may be cut anywhere.
    cut = len(records) <= _SAMPLE_RECORDS and not complete and len(records) > 1
    return records[:-1] if cut else records[:_SAMPLE_RECORDS]


@dataclass(frozen=True, slots=True)
class _Split:
    """What a delimiter makes of a sample.

    Attributes:
        delimiter: The delimiter.
        share: Share of the rows that have the usual number of cells.
        usual: That number.
        header: Number of cells of the first row.
        rows: Cells of the rows, without the first where there are others.
    """

    delimiter: str
    share: float
    usual: int
    header: int
    rows: list[list[str]]

    @property
    def score(self) -> tuple[float, int]:
        """How good it is; a header may lack one cell, that of the row names."""
        fits = self.header in (self.usual, self.usual - 1)
        return self.share if fits else self.share / 2, self.usual

    @property
    def explains_commas(self) -> bool:
        """Whether it splits the header as well, and all commas can be decimal ones."""
        cells = (cell for row in self.rows for cell in row if "," in cell)
        return self.header == self.usual and all(map(_DECIMAL_COMMA.fullmatch, cells))


def _delimiter(head: bytes, quote: str | None, *, complete: bool) -> str:
    splits = []
    for delimiter in DELIMITERS:
        records = _sample(head, delimiter, quote, complete=complete)
        rows = records[_preamble(records)[0] :]
        cells = [row.cells for row in rows if row.text and not row.fault]
        if not cells:
            continue
        below = cells[1:] or cells
        usual, times = Counter(map(len, below)).most_common(1)[0]
        if usual > 1:
            splits.append(_Split(delimiter, times / len(below), usual, len(cells[0]), below))
    if not splits:
        return next((item for item in DELIMITERS if item.encode() not in head), DELIMITERS[-1])
    best = max(splits, key=lambda split: split.score)
    if best.delimiter == ",":
        others = [
            split
            for split in splits
            if split is not best and split.share >= best.share and split.explains_commas
        ]
        best = max(others, key=lambda split: split.score, default=best)
    return best.delimiter


def _is_well_quoted(head: bytes, delimiter: str, *, complete: bool) -> bool:
    """Whether quotes at the beginning of cells are closed again at their end, mostly.

    Only tab-separated text is doubted: quotes are ordinary characters in much of it, and its cells
    hold no tabs that would have to be quoted.
    """
    if delimiter != "\t" or b'"' not in head:
        return True
    records = _sample(head, delimiter, None, complete=complete)
    opened = [cell for record in records for cell in record.cells if cell.startswith('"')]
    closed = [cell for cell in opened if len(cell) > 1 and cell.endswith('"')]
    return not opened or len(closed) > _WELL_QUOTED_SHARE * len(opened)


def _preamble(records: list[RawRecord]) -> tuple[int, int]:
    """Number of records before the header that are comments or blank, and of the blank ones."""
    count = 0
    for record, following in pairwise(records):
        single = len(record.cells) <= 1
        comment = record.text.startswith("#") and len(following.cells) > 1
        if not (single and (comment or record.text == "")):
            break
        count += 1
    blank = sum(record.text == "" for record in records[:count])
    return count, blank


def _with_header(
    dialect: TextDialect, rows: list[list[str]], options: IngestOptions
) -> TextDialect:
    first = rows[0]
    findings = []
    if dialect.preamble > dialect.preamble_blank:
        findings.append(
            Finding(
                code="comment_lines",
                severity=Severity.INFO,
                message="Comment lines before the header were skipped.",
                count=dialect.preamble - dialect.preamble_blank,
            )
        )
    header = options.header
    if header is None:
        header = not (all(_NUMBER.fullmatch(cell) for cell in first) and len(rows) > 1)
        if not header:
            findings.append(
                Finding(
                    code="no_header",
                    severity=Severity.WARNING,
                    message="The first row holds numbers only, so it was read as data.",
                    advice="If it is a header, set the option `header` to true.",
                    line=dialect.header_line,
                )
            )
    names = first if header else [""] * len(first)
    counts = Counter(len(row) for row in rows[1:])
    if header and counts and set(counts) == {len(names) + 1}:
        names = ["", *names]
        findings.append(
            Finding(
                code="row_names",
                severity=Severity.WARNING,
                message="Rows have one cell more than the header: the first one has no name.",
                advice="Name the column of row names in the header.",
                line=dialect.header_line,
            )
        )
    return replace(dialect, header=header, names=tuple(names), findings=tuple(findings))
