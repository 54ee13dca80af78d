"""Delimited text: dialects, encodings, and rows that do not fit."""

import codecs

import pytest

from fairdatabase.tables.engine.limits import IngestLimits
from fairdatabase.tables.errors import EncodingError, HeaderError, TooManyRejectedRowsError
from fairdatabase.tables.schemas import ColumnType
from tests.unit.tables.engine.table_files import ingested, refused

ROWS = [(1, "x"), (2, "y,z"), (3, None)]


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        ('a,b\n1,x\n2,"y,z"\n3,\n', ","),
        ("a\tb\n1\tx\n2\ty,z\n3\t\n", "\t"),
        ("a;b\n1;x\n2;y,z\n3;\n", ";"),
        ("a|b\n1|x\n2|y,z\n3|\n", "|"),
        ('a,b\r\n1,x\r\n2,"y,z"\r\n3,\r\n', ","),
        ('a,b\r1,x\r2,"y,z"\r3,\r', ","),
        ('a,b\n1,x\r\n2,"y,z"\r3,', ","),
        ('\ufeffa,b\n1,x\n2,"y,z"\n3,', ","),
        ('\n\n# made by a program\na,b\n1,x\n\n2,"y,z"\n3,\n\n', ","),
    ],
)
def test_dialects_give_the_same_table(content: str, delimiter: str) -> None:
    with ingested(content) as table:
        assert table.names == ["a", "b"]
        assert table.rows == ROWS
        assert table.types == [ColumnType.INTEGER, ColumnType.TEXT]
        assert table.report.dialect.delimiter == delimiter
        assert table.report.rows_read == 3


@pytest.mark.parametrize(
    ("content", "delimiter", "first"),
    [
        ("a;b\n1,5;2\n2,5;3\n", ";", ("1,5", 2)),
        ("a\tb\n1,5\t2\n2,5\t3\n", "\t", ("1,5", 2)),
        ("Höhe, cm;Masse, kg\n1.000,5;2,5\n1,5;-2,5e3\n", ";", ("1.000,5", "2,5")),
        ("1,5;2\n2,5;3\n", ";", ("1,5", 2)),
        ("id,pair\n1,2;3\n2,4;5\n", ",", (1, "2;3")),
        ("id,pair;both\n1,a;b\n2,c;d\n", ",", (1, "a;b")),
    ],
)
def test_decimal_commas_split_nothing(
    content: str, delimiter: str, first: tuple[str | int, ...]
) -> None:
    with ingested(content) as table:
        assert table.report.dialect.delimiter == delimiter
        assert first in table.rows


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings_that_show_themselves_are_detected(encoding: str) -> None:
    with ingested("naïve,b\nü€,1\n".encode(encoding)) as table:
        assert table.names == ["naïve", "b"]
        assert table.rows == [("ü€", 1)]


def test_a_stated_encoding_is_used() -> None:
    with ingested("naïve,b\nü€,1\n".encode("cp1252"), encoding="cp1252") as table:
        assert table.rows == [("ü€", 1)]
        assert table.report.dialect.encoding == "cp1252"


def test_utf_16_may_be_stated() -> None:
    with ingested("a,b\nü,1\n".encode("utf-16"), encoding="utf-16") as table:
        assert table.rows == [("ü", 1)]


def test_a_wrong_encoding_is_refused_with_offset_and_suggestion() -> None:
    text = "name,town\n" + "Zoë,Besançon\n" * 20
    content = text.encode("cp1252")
    error = refused(EncodingError, "is not UTF-8: the byte 0xEB at offset 12", content)
    assert isinstance(error, EncodingError)
    assert isinstance(error.details, dict)
    assert codecs.lookup(error.details["suggestion"])


@pytest.mark.parametrize(
    ("text", "encoding", "stated"),
    [
        ("a,b\né,1\n", "cp1252", None),
        ("name;größe\nMüller;1\n", "latin-1", None),
        ("name\nRenée\nCréée\n", "cp1252", None),
        ("m²,µg/L,°C\n1,2,3\n", "cp1252", None),
        ("名前,都市\nテスト,東京\n", "shift_jis", None),
        ("a,b\né,1\n", "utf-8", "ascii"),
    ],
)
def test_the_likely_encoding_is_suggested(text: str, encoding: str, stated: str | None) -> None:
    error = refused(EncodingError, "Read as", text.encode(encoding), encoding=stated)
    assert isinstance(error, EncodingError)
    assert isinstance(error.details, dict)
    assert text.encode(encoding).decode(error.details["suggestion"]) == text


def test_a_wrong_stated_encoding_is_refused_with_its_offset() -> None:
    refused(EncodingError, "not ascii: the byte 0xC3 at offset 4", "a,b\né,1\n", encoding="ascii")


def test_an_unknown_encoding_is_refused() -> None:
    refused(EncodingError, "'klingon' is not known", "a,b\n1,2\n", encoding="klingon")


def test_a_stated_utf8_rejects_only_the_rows_that_are_not() -> None:
    with ingested(b"a,b\n1,x\n2,\xff\n3,z\n", encoding="utf-8") as table:
        assert table.rows == [(1, "x"), (3, "z")]
        [rejected] = table.report.rejected
        assert rejected.line == 3
        assert "encoding" in rejected.reason


def test_ragged_rows_are_rejected_with_line_and_counts() -> None:
    content = 'a,b\n1,x\n2\n3,"y\ny"\n4,z,extra\n5,w\n6,v,\n'
    with ingested(content) as table:
        assert table.rows == [(1, "x"), (3, "y\ny"), (5, "w"), (6, "v")]
        few, many = table.report.rejected
        assert (few.line, few.column, few.value) == (3, "b", "2")
        assert few.reason == "The row has 1 cells where the header has 2."
        assert (many.line, many.column, many.value) == (6, None, "4,z,extra")
        assert "extra_empty_cells" in table.findings


def test_mostly_ragged_rows_are_refused_with_advice() -> None:
    content = "a,b\n" + "1,2,3\n" * 6 + "1,2\n" * 3
    refused(TooManyRejectedRowsError, "line 2.*State another delimiter", content)


def test_the_number_of_rejected_rows_is_limited() -> None:
    content = "a,b\n" + "1,2\n" * 20 + "1\n" * 6
    refused(
        TooManyRejectedRowsError, "more than 5 rows", content, limits=IngestLimits(rejected_rows=5)
    )


def test_an_unclosed_quote_costs_one_line_only() -> None:
    with ingested('a,b\n1,x\n2,"y\n3,z\n4,w\n') as table:
        assert table.rows == [(1, "x"), (3, "z"), (4, "w")]
        [rejected] = table.report.rejected
        assert (rejected.line, rejected.value) == (3, '2,"y')
        assert "not closed" in rejected.reason


def test_text_after_a_quote_is_rejected_not_changed() -> None:
    with ingested('a,b\n1,"x"y\n2,z\n3,w\n') as table:
        assert table.rows == [(2, "z"), (3, "w")]
        assert "Double the quotes" in table.report.rejected[0].advice


def test_quotes_inside_cells_are_ordinary_characters() -> None:
    with ingested('a,b\n1,5" pipe\n2,a "b" c\n3,"q ""r"" s"\n') as table:
        assert table.column("b") == ['5" pipe', 'a "b" c', 'q "r" s']


def test_quotes_in_tab_separated_cells_lose_no_row() -> None:
    content = 'id\tnote\n1\t"half open\n2\tplain\n3\t"quoted"\n4\t6" wide\n5\t"again\n'
    with ingested(content, name="t.tsv") as table:
        assert table.report.dialect.quote is None
        assert table.column("id") == [1, 2, 3, 4, 5]
        assert table.column("note") == ['"half open', "plain", '"quoted"', '6" wide', '"again']


def test_quoted_tab_separated_cells_are_unquoted() -> None:
    with ingested('id\tnote\n"1"\t"a\tb"\n"2"\t"c"\n') as table:
        assert table.rows == [(1, "a\tb"), (2, "c")]


def test_the_quote_can_be_stated() -> None:
    with ingested("a,b\n1,'x,y'\n", quote="'") as table:
        assert table.rows == [(1, "x,y")]
    with ingested('a,b\n1,"x"\n', quote="") as table:
        assert table.rows == [(1, '"x"')]


def test_a_delimiter_outside_ascii_can_be_stated() -> None:
    with ingested("a§b\n1§x\n", delimiter="§") as table:
        assert table.rows == [(1, "x")]


def test_a_row_over_the_limit_is_rejected_with_its_line() -> None:
    long = "x" * (9 << 20)
    limits = IngestLimits(row_bytes=1 << 20)
    with ingested(f"a,b\n1,x\n2,{long}\n3,z\n", limits=limits) as table:
        assert table.rows == [(1, "x"), (3, "z")]
        [rejected] = table.report.rejected
        assert rejected.line == 3
        assert f"{len(long) + 3:,} bytes" in rejected.reason
        assert len(rejected.value) <= 200


def test_a_long_row_below_the_limit_is_stored() -> None:
    long = "x" * (6 << 20)
    with ingested(f"a,b\n1,x\n2,{long}\n") as table:
        assert table.rows[1] == (2, long)


def test_a_nul_character_costs_its_row() -> None:
    with ingested("a,b\n1,x\n2,y\0y\n3,z\n") as table:
        assert table.column("a") == [1, 3]
        assert "NUL" in table.report.rejected[0].reason


def test_blank_lines_are_skipped_and_reported() -> None:
    with ingested("a,b\n1,x\n\n2,y\n\n") as table:
        assert table.rows == [(1, "x"), (2, "y")]
        assert "blank_lines" in table.findings


def test_a_blank_line_of_a_one_column_table_is_a_missing_value() -> None:
    with ingested("a\n1\n\n2\n") as table:
        assert table.rows == [(1,), (None,), (2,)]
        assert "one_column" in table.findings


def test_a_header_may_span_lines() -> None:
    with ingested('"a\nb",c\n1,x\n') as table:
        assert table.names == ["a b", "c"]
        assert table.rows == [(1, "x")]


def test_a_header_of_numbers_is_data() -> None:
    with ingested("1,2\n3,4\n") as table:
        assert table.names == ["column_1", "column_2"]
        assert table.rows == [(1, 2), (3, 4)]
        assert "no_header" in table.findings
    with ingested("1,2\n3,4\n", header=True) as table:
        assert table.names == ["1", "2"]


def test_row_names_without_a_header_get_a_column() -> None:
    with ingested("x,y\nr1,1,2\nr2,3,4\n") as table:
        assert table.names == ["column_1", "x", "y"]
        assert table.rows == [("r1", 1, 2), ("r2", 3, 4)]
        assert "row_names" in table.findings


def test_a_header_without_rows_is_stored_with_a_warning() -> None:
    with ingested("a,b\n") as table:
        assert table.rows == []
        assert table.names == ["a", "b"]
        assert "no_rows" in table.findings


def test_too_many_columns_are_refused() -> None:
    refused(
        HeaderError,
        "3 columns, more than the 2 allowed",
        "a,b,c\n1,2,3\n",
        limits=IngestLimits(columns=2),
    )


def test_a_broken_header_is_refused() -> None:
    refused(HeaderError, "header", '"a,b\n1,2\n')


def test_ten_thousand_columns_and_long_headers() -> None:
    names = [f"{n:05d}" + "x" * 295 for n in range(10_000)]
    lines = [",".join(names), *(",".join(str(n + row) for n in range(10_000)) for row in range(3))]
    with ingested("\n".join(lines)) as table:
        assert table.names == names
        assert table.rows[2] == tuple(n + 2 for n in range(10_000))
        assert "long_header" in table.findings


def test_lines_of_values_are_told_where_they_are_known() -> None:
    filler = "x" * 1000
    rows = [str(n) for n in range(9_000)]
    rows[8_000] = "oops"
    with ingested("number,b\n" + "".join(f"{row},{filler}\n" for row in rows)) as table:
        [finding] = [item for item in table.report.findings if item.code == "mixed_types"]
        assert (finding.line, finding.value) == (8_002, "oops")
        assert table.column("number") == rows
