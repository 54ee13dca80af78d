"""The reference of authorisation says what the matrix says."""

from docs.reference.authorisation import DOCUMENT, document


def test_the_page_is_what_the_matrix_says() -> None:
    """Otherwise: ``make authorisation``."""
    assert DOCUMENT.read_text(encoding="utf-8") == document()
