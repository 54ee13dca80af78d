"""Rules about columns: which names they get from a header, and what an edit makes of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from fairdatabase.tables.errors import TableError, UnknownColumnError
from fairdatabase.tables.schemas import (
    ColumnEdit,
    ColumnSchema,
    Finding,
    Severity,
    TableKind,
    TableRecord,
)
from fairdatabase.tables.schemas.tools import SchemaPage, SchemaQuestion

MAX_NAME_LENGTH = 1000
SQL_NAME_LENGTH = 63
EXAMPLE_LENGTH = 80

_LOGGED_COLUMNS = 50

_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


FORMULA_STARTS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
"""What begins a formula in a spreadsheet; the last four are the first in full width."""
_GUARD = "'"


def disarm(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula; :func:`rearm` takes it back."""
    bare = text.lstrip(_GUARD)
    armed = bare.startswith(tuple(FORMULA_STARTS)) and not _is_number(text)
    return _GUARD + text if armed else text


def rearm(text: str) -> str:
    """Return the cell that :func:`disarm` was given."""
    bare = text.lstrip(_GUARD)
    armed = text.startswith(_GUARD) and bare.startswith(tuple(FORMULA_STARTS))
    return text.removeprefix(_GUARD) if armed else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def shorten(value: str, length: int = EXAMPLE_LENGTH) -> str:
    """Cut an example value so that a message stays readable."""
    return value if len(value) <= length else value[: length - 1] + "…"


class HeaderNames:
    """Turns the cells of a header into unique names, and tells what had to be changed.

    A header is kept exactly wherever that is possible: long names, names with any character and
    names that differ in case only all stay. Changed are padding, control characters, empty names,
    exact duplicates and names over ``MAX_NAME_LENGTH`` characters.
    """

    def __init__(self, headers: Sequence[str]) -> None:
        self.headers = headers
        self.names: list[str] = []
        self._examples: dict[str, list[str]] = {}
        taken = {self._clean(header) for header in headers}
        used: set[str] = set()
        for position, header in enumerate(headers, start=1):
            name = self._unique(self._name(header, position), used, taken)
            used.add(name)
            self.names.append(name)

    def original(self, position: int) -> str | None:
        """The header at a position (from 0) as it stood in the file, if its name differs."""
        header = self.headers[position]
        return header if header != self.names[position] else None

    def findings(self) -> list[Finding]:
        """One finding per kind of change or oddity, with an example and a count."""
        self._note_kept()
        return [
            Finding(
                code=code,
                severity=severity,
                message=message,
                advice=advice,
                value=shorten(self._examples[code][0]),
                count=len(self._examples[code]),
            )
            for code, (severity, message, advice) in _HEADER_FINDINGS.items()
            if code in self._examples
        ]

    def _note(self, code: str, header: str) -> None:
        self._examples.setdefault(code, []).append(header)

    @staticmethod
    def _clean(header: str) -> str:
        return _CONTROL.sub(" ", header).strip()

    def _name(self, header: str, position: int) -> str:
        name = self._clean(header)
        if not name:
            self._note("empty_header", f"column {position}")
            return f"column_{position}"
        if len(name) > MAX_NAME_LENGTH:
            self._note("truncated_header", header)
            return name[:MAX_NAME_LENGTH]
        if name != header:
            self._note("cleaned_header", header)
        return name

    def _unique(self, name: str, used: set[str], taken: set[str]) -> str:
        if name not in used:
            return name
        self._note("duplicate_header", name)
        number = 2
        while (unique := f"{name}_{number}") in used or unique in taken:
            number += 1
        return unique

    def _note_kept(self) -> None:
        folded = Counter(name.casefold() for name in self.names)
        for name in self.names:
            if folded[name.casefold()] > 1:
                self._note("case_only_header", name)
            if len(name) > SQL_NAME_LENGTH:
                self._note("long_header", name)


_HEADER_FINDINGS: dict[str, tuple[Severity, str, str]] = {
    "empty_header": (
        Severity.WARNING,
        "Columns without a name were named after their position.",
        "Give every column a name, in the file or by editing the column.",
    ),
    "duplicate_header": (
        Severity.WARNING,
        "Names that occur more than once got a number at their end.",
        "Check which of these columns is which, and rename them.",
    ),
    "cleaned_header": (
        Severity.INFO,
        "Spaces around names, and control characters in them, were removed.",
        "Nothing has to be done; the name as it stood in the file is kept beside.",
    ),
    "truncated_header": (
        Severity.WARNING,
        f"Names over {MAX_NAME_LENGTH} characters were cut; the full text is kept beside.",
        "Move the explanation to the column's description.",
    ),
    "case_only_header": (
        Severity.WARNING,
        "Names that differ in upper and lower case only were kept.",
        "Rename them: many programs take them for the same column.",
    ),
    "long_header": (
        Severity.INFO,
        f"Names over {SQL_NAME_LENGTH} characters were kept; many databases would cut them.",
        "Consider a short name and a description.",
    ),
}


def edited(
    columns: Sequence[ColumnSchema], edits: Mapping[str, ColumnEdit]
) -> tuple[ColumnSchema, ...]:
    """Apply edits by column name; what an edit does not mention stays as it is.

    Args:
        columns: The table's columns.
        edits: Changes by present column name.

    Returns:
        All columns in their order, the edited ones changed.

    Raises:
        UnknownColumnError: An edit names a column that is not there.
        TableError: Two columns would get the same name, or a name or role would be removed.
    """
    unknown = edits.keys() - {column.name for column in columns}
    if unknown:
        raise UnknownColumnError(f"The table has no column {shorten(min(unknown))!r}.")
    after = tuple(
        _changed(column, edits[column.name]) if column.name in edits else column
        for column in columns
    )
    counts = Counter(column.name for column in after)
    name, count = max(counts.items(), key=lambda item: item[1], default=("", 0))
    if count > 1:
        raise TableError(f"Two columns would be named {shorten(name)!r}; choose another name.")
    return after


def _changed(column: ColumnSchema, edit: ColumnEdit) -> ColumnSchema:
    changes = edit.model_dump(exclude_unset=True)
    for field in ("name", "role"):
        if field in changes and changes[field] is None:
            raise TableError(f"Column {shorten(column.name)!r} has to keep a {field}.")
    name = changes.get("name", column.name)
    if name != name.strip() or _CONTROL.search(name):
        raise TableError(
            f"The name {shorten(name)!r} has spaces around it or control characters; remove them."
        )
    if name != column.name and column.original_name is None:
        changes["original_name"] = column.name
    return column.model_copy(update=changes)


def outgoing(tables: Mapping[TableKind, TableRecord]) -> TableRecord | None:
    """Return the table of a file that leaves the house: its release, where one was made."""
    return tables.get(TableKind.RELEASE) or tables.get(TableKind.SOURCE)


def columns_asked(table: TableRecord, asked: SchemaQuestion) -> SchemaPage:
    """Return the page of a table's columns that somebody asks for."""
    sought = (asked.containing or "").casefold()
    found = [
        column
        for column in table.columns
        if sought in column.name.casefold() or sought in (column.description or "").casefold()
    ]
    return SchemaPage(
        kind=table.kind,
        row_count=table.row_count,
        column_count=len(table.columns),
        matching=len(found),
        columns=tuple(found[asked.offset : asked.offset + asked.per_page]),
    )


def column_changes(
    before: Sequence[ColumnSchema], after: Sequence[ColumnSchema]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what differs between columns, as it was and as it is, short enough for a log.

    Args:
        before: The columns of a table.
        after: The same columns after an edit, in the same order.
    """
    was: dict[str, Any] = {}
    now: dict[str, Any] = {}
    for old, new in zip(before, after, strict=True):
        if len(now) < _LOGGED_COLUMNS and old != new:
            one, other = old.model_dump(mode="json"), new.model_dump(mode="json")
            names = [name for name in other if one[name] != other[name]]
            was[old.name] = {name: one[name] for name in names}
            now[old.name] = {name: other[name] for name in names}
    changed = sum(old != new for old, new in zip(before, after, strict=True))
    return {"columns": was}, {"columns": now, "changed": changed}
