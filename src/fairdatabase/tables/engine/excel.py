"""Reads one worksheet of an Excel workbook (.xlsx).

A workbook is a ZIP archive: what it would expand to is checked by the sizes in its directory
before anything of it is opened.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import python_calamine

from fairdatabase.tables.engine.limits import IngestLimits, cell_too_long
from fairdatabase.tables.engine.values import Value, as_text, candidates, text_arrays
from fairdatabase.tables.errors import (
    CorruptFileError,
    EmptyFileError,
    EncryptedFileError,
    ExpansionLimitError,
    HeaderError,
)
from fairdatabase.tables.rules import shorten
from fairdatabase.tables.schemas import ColumnType, Finding, IngestOptions, Severity

_RATIO_FREE_BYTES = 10 << 20
_ENCRYPTED_FLAG = 0x1


@dataclass(slots=True)
class ExcelTable:
    """A worksheet, ready to be stored; a ``TextTable``.

    Attributes:
        sheet: Name of the worksheet.
        names: Cells of the header.
        columns: Texts of each column.
        kinds: Kinds of the values of each column.
        first_line: Row of the worksheet, counted from 1, of the first row of data.
        header: Whether the worksheet has a header.
        findings: What is worth knowing about the workbook.
    """

    sheet: str
    names: list[str]
    columns: list[list[str | None]]
    kinds: list[set[str]]
    first_line: int
    header: bool
    findings: list[Finding]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.columns[0])

    def candidates(self, position: int) -> Sequence[ColumnType]:
        """Types by the kinds of the column's cells."""
        return candidates(self.kinds[position])

    def line_of(self, row: int) -> int:
        """Row of the worksheet, counted from 1."""
        return self.first_line + row

    def batches(self) -> Iterator[Sequence[pa.Array]]:
        """All rows at once: a worksheet has at most 1,048,576."""
        if self.rows:
            yield text_arrays(self.columns)


def check_expansion(path: Path, name: str, limits: IngestLimits) -> None:
    """Refuse a workbook that would expand too far, without expanding it.

    Raises:
        ExpansionLimitError: The sizes in its directory are over the limits.
        EncryptedFileError: Parts of it are encrypted.
    """
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    if any(member.flag_bits & _ENCRYPTED_FLAG for member in members):
        message = f"{name} is protected by a password. Remove the password and send it again."
        raise EncryptedFileError(message)
    expanded = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    too_dense = expanded > _RATIO_FREE_BYTES and expanded > limits.expansion_ratio * packed
    # Some compressed data may be listed by several members: the file itself is the true size.
    overlapping = packed > path.stat().st_size
    if expanded > limits.expanded_bytes or too_dense or overlapping:
        message = (
            f"{name} would expand from {packed:,} to {expanded:,} bytes, more than is allowed "
            f"({limits.expanded_bytes:,} bytes and {limits.expansion_ratio} times its size). "
            "Save the worksheet as CSV and send that."
        )
        raise ExpansionLimitError(message)


def open_excel(path: Path, name: str, options: IngestOptions, limits: IngestLimits) -> ExcelTable:
    """Read a worksheet.

    Args:
        path: The workbook.
        name: Its name, for messages.
        options: ``sheet`` chooses the worksheet, ``header`` says whether it has names.
        limits: Limits of the ingestion.

    Raises:
        ExpansionLimitError: The workbook would expand too far, or a text is longer than allowed.
        EncryptedFileError: It is protected by a password.
        CorruptFileError: It cannot be read.
        HeaderError: There is no such worksheet, or too many columns.
        EmptyFileError: The worksheet is empty.
    """
    check_expansion(path, name, limits)
    try:
        workbook = python_calamine.CalamineWorkbook.from_path(str(path))
        sheets = workbook.sheet_names
        sheet = _choose(sheets, options.sheet, name)
        worksheet = workbook.get_sheet_by_name(sheet)
        rows = worksheet.to_python(skip_empty_area=True)
        first = (worksheet.start or (0, 0))[0]
    except python_calamine.PasswordError as error:
        message = f"{name} is protected by a password. Remove the password and send it again."
        raise EncryptedFileError(message) from error
    except python_calamine.CalamineError as error:
        message = f"{name} cannot be read as a workbook ({error}). Save it again or as CSV."
        raise CorruptFileError(message) from error
    if not rows or not rows[0]:
        message = f"The worksheet {sheet!r} of {name} is empty. Its worksheets are {_list(sheets)}."
        raise EmptyFileError(message)
    if len(rows[0]) > limits.columns:
        message = f"{name} has more columns than the {limits.columns:,} allowed."
        raise HeaderError(message)
    header = options.header is not False
    names = [as_text(_cell(cell))[0] or "" for cell in rows[0]] if header else [""] * len(rows[0])
    columns, kinds = _columns(rows[header:], len(names))
    for column, texts in zip(names, columns, strict=True):
        _check_length(texts, name, column, limits.cell_bytes)
    findings = _sheet_findings(sheet, sheets)
    return ExcelTable(sheet, names, columns, kinds, first + 1 + header, header, findings)


def _choose(sheets: list[str], wish: str | None, name: str) -> str:
    if wish is None and sheets:
        return sheets[0]
    if wish not in sheets:
        message = f"{name} has no worksheet {wish!r}; its worksheets are {_list(sheets)}."
        raise HeaderError(message)
    return wish


def _list(sheets: list[str]) -> str:
    return ", ".join(repr(sheet) for sheet in sheets)


def _cell(value: object) -> Value:
    return None if value == "" else value  # type: ignore[return-value]


def _columns(
    rows: Sequence[Sequence[object]], width: int
) -> tuple[list[list[str | None]], list[set[str]]]:
    columns: list[list[str | None]] = []
    kinds: list[set[str]] = []
    for position in range(width):
        converted = [as_text(_cell(row[position])) for row in rows]
        columns.append([text for text, _ in converted])
        kinds.append({kind for _, kind in converted if kind})
    return columns, kinds


def _check_length(texts: Sequence[str | None], name: str, column: str, limit: int) -> None:
    # In UTF-8 a character takes up to four bytes, so only few have to be encoded to know.
    long = (text for text in texts if text and 4 * len(text) > limit)
    longest = max((len(text.encode()) for text in long), default=0)
    if longest > limit:
        raise cell_too_long(name, column, longest, limit)


def _sheet_findings(sheet: str, sheets: list[str]) -> list[Finding]:
    others = [other for other in sheets if other != sheet]
    if not others:
        return []
    return [
        Finding(
            code="other_sheets",
            severity=Severity.WARNING,
            message=f"Only the worksheet {sheet!r} was read; there are {len(others)} more.",
            advice="Choose another one by the option `sheet`, or send each as its own file.",
            value=shorten(_list(others)),
            count=len(others),
        )
    ]
