"""The gate: what keeps a deposit from being published."""

import pytest

from fairdatabase.deposits.errors import DocumentationError
from fairdatabase.deposits.rules import MAX_DOCUMENTATION_BYTES, documentation_type

SENTENCES = ("Samples were taken, stored, and sequenced.", "Nobody was hurt.", "Then, we waited.")
PROSE = ("# Protocol\n\n" + "\n\n".join(SENTENCES * 20)).encode()


def test_pdf_and_markdown_are_documentation() -> None:
    assert documentation_type("anything.bin", b"%PDF-1.7 ...") == "application/pdf"
    assert documentation_type("README.md", PROSE) == "text/markdown"
    notes = "Proefpersonen én monsters".encode()
    assert documentation_type("Protocol.MARKDOWN", notes) == "text/markdown"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("readme.txt", PROSE, "neither PDF nor Markdown"),
        ("page.html", b"<script>alert(1)</script>", "neither PDF nor Markdown"),
        ("readme.md", b"\xff\xfe\x00", "neither PDF nor Markdown"),
        ("readme.md", b"a\0b", "neither PDF nor Markdown"),
        ("readme.md", b"x" * (MAX_DOCUMENTATION_BYTES + 1), "20 MB are possible"),
    ],
)
def test_other_files_are_refused(name: str, content: bytes, message: str) -> None:
    with pytest.raises(DocumentationError, match=message):
        documentation_type(name, content)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_in_disguise_is_refused(delimiter: str) -> None:
    rows = "\n".join(delimiter.join(["jan", str(age), "groningen"]) for age in range(40))
    with pytest.raises(DocumentationError, match="looks like a table"):
        documentation_type("notes.md", rows.encode())


def test_a_few_lines_with_commas_are_no_table() -> None:
    assert documentation_type("notes.md", b"a, b\nc, d\n") == "text/markdown"
