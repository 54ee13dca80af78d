"""Files of a few kilobytes that claim to hold more than any machine has."""

import io
import struct
import zipfile
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.parquet as pq

_XML = '<?xml version="1.0" encoding="UTF-8"?>'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_SHEET = "xl/worksheets/sheet1.xml"
_SIZE_IN_DIRECTORY, _SIZE_IN_HEADER = 24, 22


def _relations(*targets: tuple[str, str]) -> str:
    links = "".join(
        f'<Relationship Id="r{number}" Type="{_DOCUMENT}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets)
    )
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>'


def handmade_workbook(rows: str, *, texts: Iterable[str] = (), before: str = "") -> bytes:
    """Return a workbook of one sheet.

    Args:
        rows: XML of the sheet's rows.
        texts: Texts that cells may refer to by their number.
        before: What stands before the sheet's XML, such as a document type.
    """
    shared = "".join(f"<si><t>{text}</t></si>" for text in texts)
    members = {
        "[Content_Types].xml": f'{_XML}<Types xmlns="{_PACKAGE}/content-types"/>',
        "_rels/.rels": _relations(("officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_DOCUMENT}"><sheets>'
        '<sheet name="Sheet" sheetId="1" r:id="r0"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _relations(
            ("worksheet", "worksheets/sheet1.xml"), ("sharedStrings", "sharedStrings.xml")
        ),
        "xl/sharedStrings.xml": f'{_XML}<sst xmlns="{_MAIN}">{shared}</sst>',
        _SHEET: f'{_XML}{before}<worksheet xmlns="{_MAIN}">'
        f"<sheetData>{rows}</sheetData></worksheet>",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def cell(place: str, value: str) -> str:
    """Return the XML of a row with one cell."""
    return f'<row><c r="{place}" t="inlineStr"><is><t>{value}</t></is></c></row>'


def two_corners() -> bytes:
    """Return a workbook with a cell in the first and in the last corner of its sheet."""
    return handmade_workbook(cell("A1", "a") + cell("XFD1048576", "b"))


def one_text_many_times(rows: int) -> bytes:
    """Return a workbook in which every row refers to one long text."""
    cells = "".join(f'<row><c r="A{row}" t="s"><v>0</v></c></row>' for row in range(1, rows + 1))
    return handmade_workbook(cells, texts=["x" * 32_000])


def lying_workbook(size: int) -> bytes:
    """Return a workbook whose directory says that its sheet is small."""
    content = bytearray(handmade_workbook(" " * size))
    name = _SHEET.encode()
    in_header, in_directory = content.find(name), content.rfind(name)
    header = content.rfind(b"PK\x03\x04", 0, in_header)
    entry = content.rfind(b"PK\x01\x02", 0, in_directory)
    struct.pack_into("<I", content, header + _SIZE_IN_HEADER, 1000)
    struct.pack_into("<I", content, entry + _SIZE_IN_DIRECTORY, 1000)
    return bytes(content)


def many_laughs() -> bytes:
    """Return a workbook whose sheet defines a text by ten times another one, ten levels deep."""
    entities = '<!ENTITY l0 "ha">' + "".join(
        f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 11)
    )
    return handmade_workbook(
        cell("A1", "a") + cell("A2", "&l10;"), before=f"<!DOCTYPE worksheet [{entities}]>"
    )


def long_text_parquet(rows: int, length: int) -> bytes:
    """Return a Parquet file in which every row refers to one text of some length."""
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), ["x" * length])
    out = io.BytesIO()
    pq.write_table(
        pa.table({"a": texts}), out, compression="zstd", dictionary_pagesize_limit=1 << 30
    )
    return out.getvalue()
