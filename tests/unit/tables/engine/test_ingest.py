"""Ingestion as a whole: formats by content, refusals, names, types, missing codes, atomicity."""

import errno
import io
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
import zipfile
from datetime import date, datetime
from datetime import time as time_of_day
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fairdatabase.kernel.errors import StorageFullError
from fairdatabase.tables.engine import store
from fairdatabase.tables.engine.limits import IngestLimits
from fairdatabase.tables.errors import (
    CorruptFileError,
    EmptyFileError,
    EncryptedFileError,
    ExpansionLimitError,
    HeaderError,
    NestedDataError,
    TableError,
    TooManyRejectedRowsError,
    UnknownColumnError,
    UnsupportedFormatError,
)
from fairdatabase.tables.schemas import ColumnType, TableFormat
from tests.unit.tables.engine.table_files import ingest_file, ingested, refused

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600


def workbook(*rows: list[Any], **sheets: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    for name, extra in sheets.items():
        other = book.create_sheet(name)
        for row in extra:
            other.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return bytes(sink.getvalue().to_pybytes())


@pytest.mark.parametrize("content", [b"", b"\n\n  \n", b"\xef\xbb\xbf", b"\0\0\0"])
def test_an_empty_file_is_refused(content: bytes) -> None:
    refused(EmptyFileError, "has no content", content)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\x89PNG\r\n\x1a\n....", "a PNG image"),
        (b"%PDF-1.7 ...", "a PDF document"),
        (b"\x1f\x8b\x08....", "gzip.*Decompress"),
        (b"\x89HDF\r\n\x1a\n....", "HDF5.*biom convert"),
        (b"SQLite format 3\0....", "SQLite"),
        (bytes(range(256)) * 20, "binary data of an unknown kind"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b'[{"a": 1}]', "one JSON document.*JSON Lines"),
        (b'{\n "a": 1\n}', "one JSON document"),
        (OLE, r"old Office format \(.xls\)"),
    ],
)
def test_other_formats_are_refused_by_their_content(content: bytes, what: str) -> None:
    refused(UnsupportedFormatError, what, content)


def test_archives_that_are_no_workbook_are_refused() -> None:
    for member, what in (("a.csv", "ZIP archive"), ("xl/workbook.bin", "another format")):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr(member, "a,b")
        refused(UnsupportedFormatError, what, out.getvalue())
    refused(CorruptFileError, "damaged", b"PK\x03\x04 and then nothing")


def test_protected_workbooks_are_refused() -> None:
    content = OLE + "EncryptedPackage".encode("utf-16-le")
    refused(EncryptedFileError, "Remove the password", content)
    flagged = bytearray(workbook(["a"], [1]))
    position = flagged.find(b"PK\x01\x02")
    flagged[position + 8] |= 1
    refused(EncryptedFileError, "Remove the password", bytes(flagged))


def test_a_damaged_workbook_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/workbook.xml", "<nonsense")
    refused(CorruptFileError, "cannot be read as a workbook", out.getvalue())


def test_a_zip_bomb_is_refused_before_it_is_opened() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (40 << 20))
    started = time.process_time()
    refused(ExpansionLimitError, "would expand from .* to 41,943,051 bytes", out.getvalue())
    assert time.process_time() - started < 30
    small = workbook(["a"], [1])
    refused(ExpansionLimitError, "expand", small, limits=IngestLimits(expanded_bytes=100))


def test_an_excel_sheet_keeps_its_types() -> None:
    moment = datetime(2026, 1, 31, 12, 30)  # noqa: DTZ001  Excel knows no zones
    header = ["id", "n", "x", "flag", "day", "moment", "clock", "code", "mix"]
    rows: list[list[Any]] = [
        ["007", 1, 1.5, True, date(2026, 1, 31), moment, time_of_day(1, 2, 3), "a", 1],
        ["008", None, 2, False, None, moment, None, "NA", "x"],
    ]
    with ingested(workbook(header, *rows)) as table:
        assert table.report.format is TableFormat.EXCEL
        assert table.names == header
        assert table.column("id") == ["007", "008"]
        assert table.column("n") == [1, None]
        assert table.column("x") == [1.5, 2.0]
        assert table.column("flag") == [True, False]
        assert table.column("day") == [date(2026, 1, 31), None]
        assert table.column("moment") == [moment, moment]
        assert table.column("clock") == [time_of_day(1, 2, 3), None]
        assert table.column("code") == ["a", None]
        assert table.column("mix") == ["1", "x"]


def test_a_worksheet_is_chosen_by_name() -> None:
    content = workbook(["a"], [1], other=[["b"], ["x"]])
    with ingested(content) as table:
        assert table.names == ["a"]
        assert "other_sheets" in table.findings
    with ingested(content, sheet="other") as table:
        assert table.rows == [("x",)]
        assert table.report.dialect.sheet == "other"
    with ingested(content, sheet="other", header=False) as table:
        assert table.rows == [("b",), ("x",)]
    refused(
        HeaderError,
        "no worksheet 'third'; its worksheets are 'Sheet', 'other'",
        content,
        sheet="third",
    )
    refused(EmptyFileError, "worksheet 'Sheet' .* is empty", workbook())
    refused(HeaderError, "more columns", content, limits=IngestLimits(columns=0))


def test_json_lines_keep_their_types_and_digits() -> None:
    lines = [
        '{"id": "007", "n": 1, "x": 0.10, "big": 12345678901234567890, "ok": true}',
        '{"id": null, "n": 2, "x": 1e3, "big": 1, "ok": false, "day": "2026-01-31"}',
        "",
    ]
    with ingested("\n".join(lines)) as table:
        assert table.report.format is TableFormat.JSON_LINES
        assert table.names == ["id", "n", "x", "big", "ok", "day"]
        assert table.rows == [
            ("007", 1, 0.1, "12345678901234567890", True, None),
            (None, 2, 1000.0, "1", False, date(2026, 1, 31)),
        ]
        assert "absent_keys" not in table.findings
    with ingested('{"a": 1, "b": ""}\n{"a": 2}\n') as table:
        assert table.rows == [(1, ""), (2, None)]
        assert "absent_keys" in table.findings
    with ingested('{"a": "x"}\n{"a": "NA"}\n', missing_codes=("NA",)) as table:
        assert table.rows == [("x",), (None,)]


def test_json_lines_that_do_not_fit_are_rejected() -> None:
    lines = ['{"a": 1}'] * 9
    bad = [
        '{"a": 1',
        "[1]",
        '{"a": NaN}',
        '{"a": 1, "a": 2}',
        '{"a": "\udcff"}',
        '{"a": "' + "x" * 999,
    ]
    content = "\n".join([*lines, *bad]).encode("utf-8", "surrogateescape")
    with ingested(content, limits=IngestLimits(row_bytes=500)) as table:
        assert table.rows == [(1,)] * 9
        assert [row.line for row in table.report.rejected] == [10, 11, 12, 13, 14, 15]
        reasons = " ".join(row.reason for row in table.report.rejected)
        for part in ("not valid JSON", "no JSON object", "NaN", "twice", "UTF-8", "1,006 bytes"):
            assert part in reasons


def test_json_lines_are_refused_when_most_do_not_fit() -> None:
    content = '{"a": 1}\n' + "{nonsense\n" * 3
    refused(TooManyRejectedRowsError, "more than half .* line 2", content)
    limits = IngestLimits(rejected_rows=1)
    refused(TooManyRejectedRowsError, "more than 1 of its lines", content, limits=limits)
    refused(HeaderError, "no keys", "{}\n{}\n")
    refused(HeaderError, "more keys", '{"a": 1, "b": 2}\n', limits=IngestLimits(columns=1))
    deep = '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}\n"
    refused((TooManyRejectedRowsError), "nested too deeply", deep)


@pytest.mark.parametrize("value", ["[1]", '{"b": 1}'])
def test_nested_json_is_refused_with_its_line(value: str) -> None:
    content = '{"a": 1}\n{"a": ' + value + "}\n"
    refused(NestedDataError, "Line 2 .* under 'a'.*flatten", content)


def test_parquet_keeps_its_types() -> None:
    source = pa.table(
        {
            "a": pa.array([1, None], pa.int8()),
            "A": pa.array([2**64 - 1, None], pa.uint64()),
            "x": pa.array([0.5, float("nan")], pa.float32()),
            "d": pa.array(["x", "NA"]).dictionary_encode(),
            "t": pa.array([0, 1], pa.timestamp("ns")),
            "c": pa.array([0, 1], pa.time32("s")),
            "n": pa.nulls(2),
        }
    )
    with ingested(parquet(source)) as table:
        assert table.report.format is TableFormat.PARQUET
        assert table.names == list("aAxdtcn")
        assert table.types == [
            ColumnType.INTEGER,
            ColumnType.INTEGER,
            ColumnType.NUMBER,
            ColumnType.TEXT,
            ColumnType.DATETIME,
            ColumnType.TIME,
            ColumnType.TEXT,
        ]
        assert table.column("A") == [2**64 - 1, None]
        assert table.column("x") == [0.5, None]
        assert table.column("d") == ["x", "NA"]
        assert {"nan_missing", "case_only_header"} <= table.findings
        assert table.column_report("n").missing == 2
    with ingested(parquet(source), missing_codes=("NA",), types={"a": "text"}) as table:
        assert table.column("d") == ["x", None]
        assert table.column_report("d").missing_codes == {"NA": 1}
        assert "types_kept" in table.findings


def test_parquet_that_does_not_fit_is_refused() -> None:
    refused(NestedDataError, "column 'a' .* list<", parquet(pa.table({"a": [[1]]})))
    refused(TableError, "type duration", parquet(pa.table({"a": pa.array([1], pa.duration("s"))})))
    refused(HeaderError, "0 columns", parquet(pa.table({})))
    refused(CorruptFileError, "damaged", b"PAR1 nothing more")
    content = bytearray(parquet(pa.table({"a": [str(n) for n in range(100_000)]})))
    content[1000:5000] = b"\xff" * 4000
    refused(CorruptFileError, "damaged", bytes(content))


def test_a_parquet_file_without_rows_keeps_its_types() -> None:
    with ingested(parquet(pa.table({"a": pa.array([], pa.int32())}))) as table:
        assert (table.rows, table.types) == ([], [ColumnType.INTEGER])
        assert "no_rows" in table.findings


def test_names_are_kept_or_changed_with_a_finding() -> None:
    long = "x" * 300
    with ingested(f'a,A,a, b ,,"c\nd",{long},a_2\n1,2,3,4,5,6,7,8\n') as table:
        assert table.names == ["a", "A", "a_3", "b", "column_5", "c d", long, "a_2"]
        originals = [column.original_name for column in table.columns]
        assert originals == [None, None, "a", " b ", "", "c\nd", None, None]
        assert [column.key for column in table.columns] == [f"c{n}" for n in range(8)]
        expected = {"duplicate_header", "empty_header", "cleaned_header", "case_only_header"}
        assert expected | {"long_header"} <= table.findings


def test_missing_codes_are_declared_and_counted() -> None:
    content = "a,b,c\n1,-9,x\nNA,2, NA \n,3,?\nn/a,,y\n"
    with ingested(content) as table:
        assert table.column("a") == ["1", None, None, "n/a"]
        assert table.column("b") == [-9, 2, 3, None]
        assert table.column("c") == ["x", None, "?", "y"]
        assert table.column_report("a").missing_codes == {"NA": 1, "": 1}
        assert table.columns[0].missing_codes == ("", "NA")
        assert "possible_missing_code" in table.findings
    with ingested(content, missing_codes=("", "-9", "?", "n/a", "NA")) as table:
        assert table.column("a") == [1, None, None, None]
        assert table.column("b") == [None, 2, 3, None]
        assert table.column("c") == ["x", None, None, "y"]
    with ingested("a\n1\nNA\n", missing_codes=()) as table:
        assert table.column("a") == ["1", "NA"]


def test_advice_names_what_keeps_a_column_text() -> None:
    late = "".join(f"{n}.5,x\n" for n in range(2000)) + "Not applicable,x\n"
    columns = {
        "1,234\n5": "thousands_separator",
        "1,5\n2": "decimal_comma",
        "007\n8": "leading_zeros",
        "12345678901234567890\n1": "integer_too_large",
        "0.12345678901234567\n1": "number_not_exact",
        "31/01/2026\n01/02/2026": "date_format",
        "2026-01-31T10:00:00+02:00": "datetime_offset",
        "5 %\n6 %": "percent",
        "1\n2\n3\n<0.5": "censored_values",
        "1\n2\n3\nmany": "mixed_types",
        "unknown\nyes": "possible_missing_code",
    }
    for values, code in columns.items():
        with ingested(f"a\n{values}\n", delimiter="\t", header=True) as table:
            assert table.types == [ColumnType.TEXT], values
            assert table.findings & set(columns.values()) == {code}, values
    with ingested("a,b\n" + late) as table:
        assert table.findings & set(columns.values()) == {"possible_missing_code"}


def test_padding_is_kept_in_text_unless_trimmed() -> None:
    content = "n,t\n 1, x\n 2, NA\n 3,y \n"
    with ingested(content) as table:
        assert table.rows == [(1, " x"), (2, None), (3, "y ")]
        assert "padded_values" in table.findings
    with ingested(content, trim=True) as table:
        assert table.column("t") == ["x", None, "y"]


def test_types_can_be_wished_and_have_to_be_proven() -> None:
    with ingested("a,b\n1,x\n2,3\n", types={"a": "text", "b": "integer"}) as table:
        assert table.rows == [("1", "x"), ("2", "3")]
        assert "type_not_proven" in table.findings
        assert "asked" in table.column_report("a").reason
    refused(UnknownColumnError, "'c'", "a,b\n1,2\n", types={"c": "text"})


def test_a_type_that_fails_late_is_corrected_for_all_rows() -> None:
    count, filler = 9_000, "x" * 1000
    rows = [f"{n},{n},{2**53 + n},,{n},{filler}" for n in range(count)]
    rows[-1] = "0.5,x,0.5,7,NA,y"
    with ingested("a,b,c,d,e,f\n" + "\n".join(rows)) as table:
        wanted = [ColumnType.NUMBER, ColumnType.TEXT, ColumnType.TEXT, ColumnType.INTEGER]
        assert table.types[:4] == wanted
        for n, row in enumerate(table.rows[:-1]):
            assert row == (n, str(n), str(2**53 + n), None, n, filler)
        assert table.rows[-1] == (0.5, "x", "0.5", 7, None, "y")
        assert table.column_report("d").missing == count - 1
        assert "Row 9,000 holds 'x'" in table.column_report("b").reason


def test_a_full_disk_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    source = tmp_path / "t.csv"
    source.write_text("a,b\n1,2\n")
    monkeypatch.setattr(store.ParquetFileWriter, "write", full)
    with pytest.raises(StorageFullError, match="nothing of it was kept"):
        ingest_file(source)
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


def test_killed_ingestion_leaves_no_table_and_can_be_repeated(tmp_path: Path) -> None:
    source = tmp_path / "t.csv"
    source.write_text("a,b\n" + "".join(f"{n},x{n}\n" for n in range(50_000)))
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from fairdatabase.tables.engine.ingest import ingest
        from fairdatabase.tables.schemas import IngestOptions
        source = Path(sys.argv[1])
        def progress(share, activity):
            if activity.startswith("Reading"):
                print("half way", flush=True)
                sys.stdin.read()
        ingest(source, "t", source.with_name("stored.parquet"), options=IngestOptions(),
               progress=progress)
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(source)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"half way\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (tmp_path / "stored.parquet").exists()
    for leftover in tmp_path.glob(".ingest-*"):
        for path in leftover.iterdir():
            path.unlink()
        leftover.rmdir()
    assert len(ingest_file(source).rows) == 50_000


def test_the_report_is_json() -> None:
    with ingested("a,b\n1,x\n2\n3,y\n4,z\n") as table:
        text = table.report.model_dump_json()
        assert json.loads(text)["rejected"][0]["line"] == 3
