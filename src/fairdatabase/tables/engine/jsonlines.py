"""Reads JSON Lines: one object per line, its keys are the columns.

The file is read twice: the first time to know all columns, the kinds of their values and the lines
that do not fit, the second time to store. Numbers keep the digits they have in the file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from fairdatabase.tables.engine.limits import IngestLimits
from fairdatabase.tables.engine.records import Line, physical_lines
from fairdatabase.tables.engine.scan import chunks
from fairdatabase.tables.engine.values import NumberText, as_text, candidates, text_arrays
from fairdatabase.tables.errors import HeaderError, NestedDataError, TooManyRejectedRowsError
from fairdatabase.tables.rules import shorten
from fairdatabase.tables.schemas import ColumnType, Finding, RejectedRow, Severity

_BATCH_CELLS = 1_000_000
_BATCH_ROWS = 65_536


class _BadLineError(ValueError):
    """A line that cannot be stored; says why."""


def _no_constant(constant: str) -> Any:  # noqa: ANN401  json's own signature
    raise _BadLineError(f"{constant} is not a JSON value; write null for a missing number.")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _BadLineError("The same key stands twice in the object.")
    return found


_DECODER = json.JSONDecoder(
    parse_int=NumberText,
    parse_float=NumberText,
    parse_constant=_no_constant,
    object_pairs_hook=_unique_keys,
)


@dataclass(slots=True)
class JsonLinesTable:
    """JSON Lines, ready to be stored; a ``TextTable``."""

    path: Path
    limits: IngestLimits
    kinds: dict[str, set[str]] = field(default_factory=dict)
    rejected: dict[int, RejectedRow] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    rows: int = 0

    @property
    def names(self) -> list[str]:
        """Keys in the order in which they first occur."""
        return list(self.kinds)

    def candidates(self, position: int) -> Sequence[ColumnType]:
        """Types by the kinds of the column's values."""
        return candidates(self.kinds[self.names[position]])

    def batches(self) -> Iterator[Sequence[pa.Array]]:
        """The accepted lines, as columns of text."""
        names = self.names
        size = max(1, min(_BATCH_ROWS, _BATCH_CELLS // max(1, len(names))))
        rows: list[dict[str, Any]] = []
        for line in _lines(self.path, self.limits):
            if line.number in self.rejected or not line.content.strip():
                continue
            rows.append(_decode(line.content))
            if len(rows) == size:
                yield _arrays(rows, names)
                rows = []
        if rows:
            yield _arrays(rows, names)


def open_json_lines(
    path: Path, name: str, limits: IngestLimits, progress: Callable[[float, str], None]
) -> JsonLinesTable:
    """Find the columns and the lines that do not fit.

    Args:
        path: The file, in UTF-8.
        name: Its name, for messages.
        limits: Limits of the ingestion.
        progress: Told the share done and what is being done.

    Raises:
        NestedDataError: Values are lists or objects.
        TooManyRejectedRowsError: Most lines do not fit.
        HeaderError: There are no keys, or more than allowed.
    """
    table = JsonLinesTable(path, limits)
    size, done, absent = max(path.stat().st_size, 1), 0, 0
    for line in _lines(path, limits):
        done += line.length
        if not line.content.strip():
            continue
        try:
            found = _record(line, limits)
        except _BadLineError as error:
            _reject(table, name, line, str(error))
            continue
        absent += _note_kinds(table, found, line, name)
        if len(table.kinds) > limits.columns:
            message = f"{name} has more keys than the {limits.columns:,} columns allowed."
            raise HeaderError(message)
        table.rows += 1
        progress(done / size, "Finding the columns")
    if len(table.rejected) > table.rows:
        raise _too_many(table, name, "more than half of its lines are no JSON objects")
    if not table.kinds:
        raise HeaderError(f"The objects in {name} have no keys, so there are no columns.")
    if absent:
        table.findings.append(_ABSENT.model_copy(update={"count": absent}))
    return table


_ABSENT = Finding(
    code="absent_keys",
    severity=Severity.INFO,
    message="Objects lacked keys that others before them have; these values are missing.",
    advice="Write null for a missing value.",
)


def _lines(path: Path, limits: IngestLimits) -> Iterator[Line]:
    return physical_lines(chunks(path), limits.row_bytes)


def _decode(content: bytes) -> dict[str, Any]:
    text = content.decode().removeprefix("\ufeff").strip()
    found: dict[str, Any] = _DECODER.decode(text)
    return found


def _record(line: Line, limits: IngestLimits) -> dict[str, Any]:
    if line.length > limits.row_bytes:
        message = f"The line has {line.length:,} bytes, more than {limits.row_bytes:,} allowed."
        raise _BadLineError(message)
    try:
        found = _decode(line.content)
    except UnicodeDecodeError as error:
        raise _BadLineError("The line is not valid UTF-8.") from error
    except json.JSONDecodeError as error:
        message = f"The line is not valid JSON: {error.msg} at character {error.pos + 1}."
        raise _BadLineError(message) from error
    except RecursionError as error:
        raise _BadLineError("The line is nested too deeply.") from error
    if not isinstance(found, dict):
        raise _BadLineError("The line is no JSON object.")
    return found


def _note_kinds(table: JsonLinesTable, found: dict[str, Any], line: Line, name: str) -> int:
    """Note the kinds of an object's values; return how many known keys it lacks."""
    absent = len(table.kinds.keys() - found.keys()) if table.rows else 0
    for key, value in found.items():
        if isinstance(value, list | dict):
            message = (
                f"Line {line.number} of {name} holds {_nested(value)} under {shorten(key)!r}. "
                "Cells hold single values: flatten it, for example one key per part, or join the "
                "parts to a text."
            )
            raise NestedDataError(message)
        kinds = table.kinds.setdefault(key, set())
        if (kind := as_text(value)[1]) and kind not in kinds:
            kinds.add(kind)
    return absent


def _nested(value: object) -> str:
    return "a list" if isinstance(value, list) else "an object"


def _arrays(rows: list[dict[str, Any]], names: Sequence[str]) -> list[pa.Array]:
    return text_arrays([[as_text(row.get(name))[0] for row in rows] for name in names])


def _reject(table: JsonLinesTable, name: str, line: Line, reason: str) -> None:
    table.rejected[line.number] = RejectedRow(
        line=line.number,
        value=shorten(line.content[:800].decode("utf-8", "replace").strip(), 200),
        reason=reason,
        advice="Write one complete JSON object on the line.",
    )
    if len(table.rejected) > table.limits.rejected_rows:
        what = f"more than {table.limits.rejected_rows:,} of its lines are no JSON objects"
        raise _too_many(table, name, what)


def _too_many(table: JsonLinesTable, name: str, what: str) -> TooManyRejectedRowsError:
    first = next(iter(table.rejected.values()))
    message = (
        f"{name} was not stored: {what}. The first is line {first.line}: {first.reason} "
        "Write one complete JSON object per line."
    )
    details = [row.model_dump(mode="json") for row in list(table.rejected.values())[:20]]
    return TooManyRejectedRowsError(message, details=details)
