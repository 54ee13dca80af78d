"""Events as JSON Lines and as CSV."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Final

from fairdatabase.audit.schemas import AuditRecord, ExportFormat

MEDIA_TYPES: Final = {
    ExportFormat.JSON_LINES: "application/jsonl",
    ExportFormat.CSV: "text/csv; charset=utf-8; header=present",
}
_COLUMNS: Final = tuple(AuditRecord.model_fields)
_DOCUMENTS: Final = {"before", "after"}
_FORMULA_SIGNS: Final = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def written(events: Iterable[AuditRecord], wanted: ExportFormat) -> Iterator[bytes]:
    """Yield the lines of an export.

    Args:
        events: Oldest first.
        wanted: Their format; CSV begins with a line of names.
    """
    if wanted is ExportFormat.JSON_LINES:
        for event in events:
            yield f"{event.model_dump_json()}\n".encode()
        return
    yield _line(_COLUMNS)
    for event in events:
        yield _line(_cell(name, value) for name, value in event.model_dump(mode="json").items())


def _cell(name: str, value: object) -> str:
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False) if name in _DOCUMENTS else str(value)
    # A spreadsheet takes such text for a formula, and events hold what people typed.
    return f"'{text}" if text.startswith(_FORMULA_SIGNS) else text


def _line(cells: Iterable[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue().encode()
