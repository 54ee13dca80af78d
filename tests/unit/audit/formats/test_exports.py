"""Exports say all there is, and no cell of them is a formula."""

import csv
import io
import json
from datetime import UTC, datetime

import pytest

from fairdatabase.audit.formats.exports import written
from fairdatabase.audit.schemas import AuditRecord, ExportFormat

EVENT = AuditRecord(
    sequence=1,
    at=datetime(2026, 3, 1, tzinfo=UTC),
    actor="",
    token=None,
    action="dataset.withdrawn",
    subject_type="dataset",
    subject="7h3k9z2m4xq",
    request_id=None,
    before=None,
    after={"reason": "a, “quoted”\nreason"},
    previous_hash="0" * 64,
    hash="1" * 64,
)


def test_json_lines_hold_everything() -> None:
    (line,) = b"".join(written([EVENT], ExportFormat.JSON_LINES)).splitlines()
    assert AuditRecord.model_validate_json(line) == EVENT


def test_csv_holds_everything() -> None:
    text = b"".join(written([EVENT], ExportFormat.CSV)).decode()
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["sequence"] == "1"
    assert row["request_id"] == row["before"] == ""
    assert json.loads(row["after"]) == EVENT.after


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    event = EVENT.model_copy(update={"actor": text, "request_id": text})
    exported = b"".join(written([event], ExportFormat.CSV)).decode()
    (row,) = csv.DictReader(io.StringIO(exported, newline=""))
    assert row["actor"] == row["request_id"] == f"'{text}"
