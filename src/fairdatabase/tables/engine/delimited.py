"""Reads delimited text: a fast way for regular files, a careful one for all others.

A scan of the bytes counts the records first and decides which way is taken. The fast way gives the
file to Arrow as it is. The careful way reads record by record, reports each row that does not fit,
and writes the others to a regular copy, which then goes the fast way. Either way the number of
rows stored plus the number rejected has to equal the number of records counted.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from fairdatabase.tables.engine.columns import ALL_TYPES
from fairdatabase.tables.engine.dialect import TextDialect, detect_dialect
from fairdatabase.tables.engine.limits import IngestLimits
from fairdatabase.tables.engine.records import (
    Fault,
    RawRecord,
    Tokenizer,
    physical_lines,
    read_records,
)
from fairdatabase.tables.engine.scan import Facts, chunks, scan
from fairdatabase.tables.engine.sniff import HEAD_BYTES, detect_encoding, suggested_encoding
from fairdatabase.tables.engine.store import Progress
from fairdatabase.tables.errors import (
    EncodingError,
    HeaderError,
    TooManyRejectedRowsError,
)
from fairdatabase.tables.rules import shorten
from fairdatabase.tables.schemas import (
    ColumnType,
    Dialect,
    Finding,
    IngestOptions,
    RejectedRow,
    Severity,
)

_BLOCK_BYTES = 4 << 20  # small enough for its columns to stay in the processor's caches
_WIDE_BLOCK_BYTES = 128 << 20
_BYTES_PER_COLUMN = 4 << 10  # so many per block that the cost of a column's call does not matter
_SUGGESTION_BYTES = 1 << 16
_UTF8_NAMES = ("utf-8", "utf-8-sig")

_FAULT_ADVICE = {
    Fault.UNCLOSED_QUOTE: "Close the quote, or double it if it belongs to the value.",
    Fault.TEXT_AFTER_QUOTE: "Double the quotes that belong to the value.",
    Fault.TOO_LONG: "Shorten the row, or have the limit raised; a quote may be missing.",
    Fault.NUL: "Remove the NUL character; the file may have been damaged.",
    Fault.ENCODING: "Save the file in one encoding, best UTF-8.",
}


class IrregularRowsError(Exception):
    """The fast reader met a row that does not fit; the file has to go the careful way."""


@dataclass(slots=True)
class DelimitedTable:
    """Delimited text, ready to be stored; a ``TextTable``.

    Attributes:
        path: The UTF-8 file that is read.
        text: Its dialect.
        facts: What the scan found.
        rows: Number of rows that are to be stored, by the count of the scan.
        encoding: Encoding of the original.
        rejected: Rows left out by the careful way.
        repaired: Whether ``path`` is the regular copy.
        findings: What is worth knowing about the file as a whole.
    """

    path: Path
    text: TextDialect
    facts: Facts
    rows: int
    encoding: str
    rejected: list[RejectedRow] = field(default_factory=list)
    repaired: bool = False
    findings: list[Finding] = field(default_factory=list)

    @property
    def names(self) -> Sequence[str]:
        """Cells of the header."""
        return self.text.names

    def candidates(self, position: int) -> Sequence[ColumnType]:  # noqa: ARG002
        """Any type may be in a text file."""
        return ALL_TYPES

    def line_of(self, row: int) -> int | None:
        """Line of a row (from 0), where every record is one line; otherwise None."""
        if self.repaired or self.facts.multiline or self.facts.blank:
            return None
        return self.text.header_line + self.text.header + row

    @property
    def dialect(self) -> Dialect:
        """The dialect of the original file, for the report."""
        return Dialect(
            encoding=self.encoding,
            delimiter=self.text.delimiter,
            quote=self.text.quote,
            header=self.text.header,
            newline=self.facts.newline,
        )

    def _block_size(self) -> int:
        wide = min(len(self.names) * _BYTES_PER_COLUMN, _WIDE_BLOCK_BYTES)
        return max(_BLOCK_BYTES, wide, 2 * self.facts.longest + 2)

    def batches(self) -> Iterator[Sequence[pa.Array]]:
        """Read the regular file.

        Raises:
            IrregularRowsError: A row has too many or too few cells.
        """
        names = [str(position) for position in range(len(self.names))]
        delimiter, quote = (",", '"') if self.repaired else (self.text.delimiter, self.text.quote)
        header = 0 if self.repaired else int(self.text.header)
        reader = None
        try:
            reader = pa.csv.open_csv(
                self.path,
                read_options=pa.csv.ReadOptions(
                    block_size=self._block_size(),
                    column_names=names,
                    skip_rows=0 if self.repaired else self.text.preamble,
                    skip_rows_after_names=header,
                ),
                parse_options=pa.csv.ParseOptions(
                    delimiter=delimiter,
                    quote_char=quote or False,
                    newlines_in_values=self.facts.multiline,
                    ignore_empty_lines=len(names) > 1,
                ),
                convert_options=pa.csv.ConvertOptions(
                    check_utf8=False,  # the scan did
                    column_types=dict.fromkeys(names, pa.string()),
                    strings_can_be_null=False,
                ),
            )
            for batch in reader:
                if batch.num_rows:
                    yield batch.columns
        except pa.ArrowInvalid as error:
            raise IrregularRowsError(str(error)) from error
        finally:
            if reader is not None:
                reader.close()


def open_delimited(
    path: Path,
    name: str,
    *,
    options: IngestOptions,
    limits: IngestLimits,
    workspace: Path,
    progress: Progress,
) -> DelimitedTable:
    """Detect encoding and dialect, count the records, and repair what is irregular.

    Args:
        path: The file, which is only read.
        name: Its name, for messages.
        options: What the user stated about the file.
        limits: Limits of the ingestion.
        workspace: A folder for temporary copies.
        progress: Told the share done and what is being done.

    Raises:
        EncodingError: Bytes are no text in the encoding.
        HeaderError: There are more columns than allowed.
        TooManyRejectedRowsError: Most rows do not fit.
    """
    encoding = _encoding(options, _first_bytes(path))
    if encoding not in _UTF8_NAMES:
        path = _transcoded(path, name, encoding, workspace / "utf8.csv")
    head = _with_whole_header(path, _first_bytes(path), limits)
    text = detect_dialect(head, options, complete=len(head) >= path.stat().st_size)

    def scanned(share: float) -> None:
        progress(share, "Counting rows")

    facts = scan(path, text.delimiter, text.quote, scanned)
    if facts.bad_byte is not None and options.encoding is None:
        raise _encoding_error(path, name, "UTF-8", facts.bad_byte)
    _check_header(name, text, limits)
    blank = facts.blank - text.preamble_blank if len(text.names) > 1 else 0
    rows = facts.records - text.preamble - text.header - blank
    table = DelimitedTable(path, text, facts, rows, encoding, findings=list(text.findings))
    if len(text.names) == 1 and options.delimiter is None:
        table.findings.append(_ONE_COLUMN)
    if not facts.regular or facts.longest > limits.row_bytes:
        return repair(table, name, limits, workspace, progress)
    _note_blank(table, blank)
    return table


_ONE_COLUMN = Finding(
    code="one_column",
    severity=Severity.WARNING,
    message="The table has one column.",
    advice="If there should be more, state the delimiter.",
)


def _note_blank(table: DelimitedTable, count: int) -> None:
    if count > 0:
        table.findings.append(
            Finding(
                code="blank_lines",
                severity=Severity.INFO,
                message="Blank lines were skipped.",
                count=count,
            )
        )


def _with_whole_header(path: Path, head: bytes, limits: IngestLimits) -> bytes:
    """Read on until the head holds at least two lines, or as much as a row may have."""
    with path.open("rb") as file:
        while head.count(b"\n") + head.count(b"\r") < 2 and len(head) < 2 * limits.row_bytes:  # noqa: PLR2004
            file.seek(len(head))
            more = file.read(len(head))
            if not more:
                break
            head += more
    return head


def _check_header(name: str, text: TextDialect, limits: IngestLimits) -> None:
    if not text.names:
        message = (
            f"The header of {name} on line {text.header_line} cannot be read: a quote in it is not "
            "closed, or it is too long. Repair it, or state delimiter and quote."
        )
        raise HeaderError(message)
    if len(text.names) > limits.columns:
        message = (
            f"{name} has {len(text.names):,} columns, more than the {limits.columns:,} allowed. "
            "Send it with rows and columns exchanged, or in parts."
        )
        raise HeaderError(message)


def _encoding(options: IngestOptions, head: bytes) -> str:
    if options.encoding is None:
        return detect_encoding(head)
    try:
        encoding = codecs.lookup(options.encoding).name
        "".encode(encoding)
    except LookupError as error:
        message = f"The encoding {options.encoding!r} is not known; use a name such as 'cp1252'."
        raise EncodingError(message) from error
    if encoding == "utf-16":  # keeps its byte order between chunks only with a mark
        return detect_encoding(head)
    return encoding


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _transcoded(path: Path, name: str, encoding: str, target: Path) -> Path:
    decoder = codecs.getincrementaldecoder(encoding)()
    offset = 0
    with target.open("w", encoding="utf-8", newline="") as out:
        for chunk in (*chunks(path), b""):
            pending = decoder.getstate()[0]
            try:
                text = decoder.decode(chunk, not chunk)
            except UnicodeDecodeError as error:
                bad_byte = offset - len(pending) + error.start
                raise _encoding_error(path, name, encoding, bad_byte) from error
            out.write(text.removeprefix("\ufeff") if offset == 0 else text)
            offset += len(chunk)
    return target


def _encoding_error(path: Path, name: str, encoding: str, offset: int) -> EncodingError:
    with path.open("rb") as file:
        file.seek(max(0, offset - _SUGGESTION_BYTES // 2))
        around = file.read(_SUGGESTION_BYTES)
    position = min(offset, _SUGGESTION_BYTES // 2)
    suggestion = suggested_encoding(around)
    message = (
        f"{name} is not {encoding}: the byte 0x{around[position]:02X} at offset {offset:,} does "
        "not fit. State the encoding it was saved in, or save it as UTF-8."
    )
    if suggestion is not None:
        sample = around[max(0, position - 20) : position + 20].decode(suggestion, "replace")
        message += f" Read as {suggestion}, the text there is {sample!r}."
    details = {"offset": offset, "suggestion": suggestion}
    return EncodingError(message, details=details)


def repair(
    table: DelimitedTable,
    name: str,
    limits: IngestLimits,
    workspace: Path,
    progress: Progress,
) -> DelimitedTable:
    """Read record by record; write those that fit to a regular copy, and report the others.

    Raises:
        TooManyRejectedRowsError: More than half of the rows, or more than the limit, do not fit.
    """
    copy = workspace / "regular.csv"
    careful = _Repair(table, name, limits)
    with copy.open("w", encoding="utf-8", newline="") as out:
        # All cells, because the writer would leave a single CR without quotes.
        writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
        for cells in careful.fitting(lambda share: progress(share, "Checking row by row")):
            writer.writerow(cells)
    facts = scan(copy, ",", '"', lambda share: progress(share, "Counting rows"))
    repaired = replace(
        table,
        path=copy,
        facts=replace(facts, newline=table.facts.newline),
        rows=facts.records,
        rejected=careful.rejected,
        repaired=True,
        findings=list(table.findings),
    )
    _note_blank(repaired, careful.blank)
    if careful.padded_rows:
        repaired.findings.append(
            Finding(
                code="extra_empty_cells",
                severity=Severity.INFO,
                message="Rows had more cells than the header; the additional ones were empty.",
                count=careful.padded_rows,
            )
        )
    return repaired


class _Repair:
    def __init__(self, table: DelimitedTable, name: str, limits: IngestLimits) -> None:
        self.table = table
        self.name = name
        self.limits = limits
        self.width = len(table.names)
        self.rejected: list[RejectedRow] = []
        self.blank = 0
        self.padded_rows = 0
        self.kept = 0

    def fitting(self, progress: Callable[[float], None]) -> Iterator[list[str]]:
        table, limit = self.table, self.limits.row_bytes
        tokenizer = Tokenizer(table.text.delimiter, table.text.quote)
        lines = physical_lines(self._chunks(progress), limit)
        header = table.text.header
        consumed = 0
        for record in read_records(lines, tokenizer, limit):
            consumed += record.length
            if record.line <= table.text.preamble:
                continue
            if header:
                header = False
                continue
            if not record.text and self.width > 1:
                self.blank += 1
                continue
            cells = self._fit(record)
            if cells is not None:
                self.kept += 1
                yield cells
        if consumed != table.path.stat().st_size:
            raise RuntimeError(f"Only {consumed:,} bytes of {self.name} became records.")
        if len(self.rejected) > self.kept:
            raise self._too_many("more than half of its rows do not fit")

    def _chunks(self, progress: Callable[[float], None]) -> Iterator[bytes]:
        size, done = max(self.table.path.stat().st_size, 1), 0
        for chunk in chunks(self.table.path):
            yield chunk
            done += len(chunk)
            progress(done / size)

    def _fit(self, record: RawRecord) -> list[str] | None:
        if record.fault is not None:
            reason = f"{record.fault.value[0].upper()}{record.fault.value[1:]}."
            if record.fault is Fault.TOO_LONG:
                reason = (
                    f"The row has {record.length:,} bytes, more than the "
                    f"{self.limits.row_bytes:,} allowed."
                )
            self._reject(record, reason, _FAULT_ADVICE[record.fault])
            return None
        count = len(record.cells)
        if count > self.width and not any(record.cells[self.width :]):
            self.padded_rows += 1
            return record.cells[: self.width]
        if count == self.width:
            return record.cells
        column = self.table.names[count] if count < self.width else None
        reason = f"The row has {count:,} cells where the header has {self.width:,}."
        advice = "Add the missing cells, or quote values that contain the delimiter."
        self._reject(record, reason, advice, column)
        return None

    def _reject(
        self, record: RawRecord, reason: str, advice: str, column: str | None = None
    ) -> None:
        value = shorten(record.text, 200)
        self.rejected.append(
            RejectedRow(
                line=record.line, column=column or None, value=value, reason=reason, advice=advice
            )
        )
        if len(self.rejected) > self.limits.rejected_rows:
            raise self._too_many(f"more than {self.limits.rejected_rows:,} rows do not fit")

    def _too_many(self, what: str) -> TooManyRejectedRowsError:
        first = self.rejected[0]
        delimiter = {"\t": "tab"}.get(self.table.text.delimiter, self.table.text.delimiter)
        message = (
            f"{self.name} was not stored: {what} the header of {self.width:,} columns on line "
            f"{self.table.text.header_line}, read with the delimiter {delimiter!r}. The first is "
            f"line {first.line}: {first.reason} State another delimiter or quote character, or "
            "repair the rows."
        )
        details = [row.model_dump(mode="json") for row in self.rejected[:20]]
        return TooManyRejectedRowsError(message, details=details)
