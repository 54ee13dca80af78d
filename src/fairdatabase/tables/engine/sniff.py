"""Recognises what a file is by its content; its name is never trusted."""

from __future__ import annotations

import codecs
import mmap
import re
import zipfile
from contextlib import suppress
from pathlib import Path

import charset_normalizer

from fairdatabase.tables.errors import (
    CorruptFileError,
    EmptyFileError,
    EncryptedFileError,
    TableError,
    UnsupportedFormatError,
)
from fairdatabase.tables.schemas import TableFormat

HEAD_BYTES = 1 << 20

_EXPORT_TEXT = "Export the table as CSV, TSV, Excel (.xlsx), JSON Lines or Parquet."
_DECOMPRESS = "Decompress it and send the table inside."
_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file (such as BIOM 2)", "Convert BIOM with `biom convert`."),
    (b"\x1f\x8b", "a gzip archive", _DECOMPRESS),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", _DECOMPRESS),
    (b"BZh", "a bzip2 archive", _DECOMPRESS),
    (b"\xfd7zXZ\x00", "an xz archive", _DECOMPRESS),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _DECOMPRESS),
    (b"Rar!\x1a\x07", "a RAR archive", _DECOMPRESS),
    (b"%PDF-", "a PDF document", _EXPORT_TEXT),
    (b"\x89PNG\r\n\x1a\n", "a PNG image", _EXPORT_TEXT),
    (b"\xff\xd8\xff", "a JPEG image", _EXPORT_TEXT),
    (b"GIF8", "a GIF image", _EXPORT_TEXT),
    (b"\x7fELF", "a program (ELF)", _EXPORT_TEXT),
    (b"MZ\x90\x00", "a Windows program", _EXPORT_TEXT),
    (b"SQLite format 3\x00", "an SQLite database", _EXPORT_TEXT),
    (b"ARROW1\x00\x00", "an Arrow (Feather) file", "Save it as Parquet."),
    (b"ORC", "an ORC file", "Save it as Parquet."),
    (b"Obj\x01", "an Avro file", "Save it as Parquet."),
    (b"RDX3\n", "an R data file", "Save the table with write.csv()."),
    (b"RDX2\n", "an R data file", "Save the table with write.csv()."),
    (b"$FL2", "an SPSS file", _EXPORT_TEXT),
    (b"<stata_dta>", "a Stata file", _EXPORT_TEXT),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
_TEXT_CONTROLS = frozenset(b"\t\n\r\x0b\x0c\x1a\x1b\x01\x1e\x1f")
_MAX_CONTROL_SHARE = 0.02
_STRAY_CONTROLS = 4
_UTF16_SHARE = 0.3
_BOMS = (
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_WESTERN = "cp1252"
_ACCENTED = rb"\x8A\x8C\x8E\x9A\x9C\x9E\x9F\xC0-\xD6\xD8-\xF6\xF8-\xFF"
_NO_WESTERN_TEXT = re.compile(
    # Three accented letters on end are another alphabet, read the wrong way.
    rb"[%(accented)b]{3}"
    # Bytes that are nothing, or signs that tables hardly have.
    rb"|[\x81-\x83\x86-\x88\x8B\x8D\x8F\x90\x98\x9B\x9D\xA4-\xA6\xA8\xAA\xAC\xAD\xAF\xB8]"
    # A sign within a word, other than an apostrophe, a middle dot and a times sign.
    rb"|[A-Za-z%(accented)b][\x80-\x89\x91\x93-\x99\xA0-\xB6\xB9-\xBF\xF7][A-Za-z%(accented)b]"
    % {b"accented": _ACCENTED}
)
_JSON_LINE = re.compile(r'\{\s*("|\}\s*$)')
_JSON_ARRAY = re.compile(r"\s*\[\s*[\[{]")
_MARKUP = re.compile(r"\s*<(!doctype|html|\?xml|table|svg)\b", re.IGNORECASE)


_MEDIA_TYPES = {
    TableFormat.DELIMITED: "text/csv",
    TableFormat.EXCEL: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    TableFormat.JSON_LINES: "application/jsonl",
    TableFormat.PARQUET: "application/vnd.apache.parquet",
}
_TABBED_SUFFIXES = (".tsv", ".tab")


def media_type(path: Path, name: str) -> str:
    """Return the media type of a file by its content.

    The name only tells tabs from commas. What is no table is unknown bytes, so that nothing
    that a browser would show or run is ever declared as that.

    Args:
        path: The file.
        name: Its name.
    """
    try:
        kind = table_format(path, name)
    except TableError:
        return "application/octet-stream"
    if kind is TableFormat.DELIMITED and name.lower().endswith(_TABBED_SUFFIXES):
        return "text/tab-separated-values"
    return _MEDIA_TYPES[kind]


def table_format(path: Path, name: str) -> TableFormat:
    """Recognise the format of a table.

    Args:
        path: The file.
        name: Its name, for messages only.

    Raises:
        EmptyFileError: The file has no content.
        EncryptedFileError: It is protected by a password.
        UnsupportedFormatError: It is something else; the message says what.
        CorruptFileError: It looks like a workbook and cannot be opened.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head.strip(b" \t\r\n\x00\xef\xbb\xbf"):
        raise EmptyFileError(f"{name} has no content; send the file that holds the table.")
    if head.startswith(b"PAR1"):
        return TableFormat.PARQUET
    if head.startswith(b"PK\x03\x04"):
        return _zip_format(path, name)
    if head.startswith(_OLE):
        _refuse_ole(path, name)
    for magic, what, advice in _MAGIC:
        if head.startswith(magic):
            raise UnsupportedFormatError(f"{name} is {what}, not a table. {advice}")
    return _text_format(head, name)


def _zip_format(path: Path, name: str) -> TableFormat:
    try:
        with zipfile.ZipFile(path) as archive:
            members = set(archive.namelist())
    except zipfile.BadZipFile as error:
        message = f"{name} begins like a workbook or ZIP archive and is damaged; send it again."
        raise CorruptFileError(message) from error
    if "xl/workbook.xml" in members:
        return TableFormat.EXCEL
    if "xl/workbook.bin" in members or "mimetype" in members:
        what = "a workbook in another format than .xlsx"
        raise UnsupportedFormatError(f"{name} is {what}. Save it as Excel workbook (.xlsx) or CSV.")
    raise UnsupportedFormatError(f"{name} is a ZIP archive, not a table. {_DECOMPRESS}")


def _refuse_ole(path: Path, name: str) -> None:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        encrypted = content.find(_ENCRYPTED_STREAM) >= 0
    if encrypted:
        message = f"{name} is protected by a password. Remove the password and send it again."
        raise EncryptedFileError(message)
    message = f"{name} is in an old Office format (.xls). Save it as .xlsx or CSV."
    raise UnsupportedFormatError(message)


def detect_encoding(head: bytes) -> str:
    """Encoding by its byte order mark or the pattern of UTF-16; otherwise UTF-8 is assumed.

    Encodings of one byte per character cannot be told apart with certainty, so they are never
    guessed: text that is no UTF-8 is refused with a suggestion.
    """
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    if head[1::2].count(0) > _UTF16_SHARE * len(head) > head[::2].count(0):
        return "utf-16-le"
    if head[::2].count(0) > _UTF16_SHARE * len(head) > head[1::2].count(0):
        return "utf-16-be"
    return "utf-8"


def suggested_encoding(sample: bytes) -> str | None:
    """Encoding that somebody may want to state for text that is not what it was taken for.

    A detector of all encodings needs more text than most tables have, and sees rare ones in a few
    accented letters, so Western European text is looked for first.

    Args:
        sample: Bytes around the first that does not fit.

    Returns:
        Its name in Python, or None where nothing is likely.
    """
    with suppress(UnicodeDecodeError):
        codecs.getincrementaldecoder("utf-8")().decode(sample)  # may be cut at its end
        return "utf-8"
    if not _NO_WESTERN_TEXT.search(sample):
        return _WESTERN
    best = charset_normalizer.from_bytes(sample).best()
    return best.encoding if best else None


def _text_format(head: bytes, name: str) -> TableFormat:
    encoding = detect_encoding(head)
    if encoding.startswith("utf-8"):
        controls = sum(head.count(byte) for byte in range(32) if byte not in _TEXT_CONTROLS)
        if controls > max(_STRAY_CONTROLS, _MAX_CONTROL_SHARE * len(head)):
            message = f"{name} holds binary data of an unknown kind, not a table. {_EXPORT_TEXT}"
            raise UnsupportedFormatError(message)
    text = head.decode(encoding, errors="replace").lstrip("\ufeff")
    if _MARKUP.match(text):
        message = f"{name} is a web page or XML document, not a table. {_EXPORT_TEXT}"
        raise UnsupportedFormatError(message)
    first = text.lstrip().partition("\n")[0].strip()
    if _JSON_LINE.match(first):
        return TableFormat.JSON_LINES
    if first == "{" or _JSON_ARRAY.match(text):
        message = (
            f"{name} is one JSON document. Write one object per line (JSON Lines), "
            "for example with `jq -c '.[]'`."
        )
        raise UnsupportedFormatError(message)
    return TableFormat.DELIMITED
