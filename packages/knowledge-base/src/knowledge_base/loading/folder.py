"""Loads the documents in a folder."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from knowledge_base.documents import Format, Page
from knowledge_base.parsing.html import title_of_html

LARGEST_FILE: Final = 20 * 2**20
_FORMATS: Final = {
    ".md": Format.MARKDOWN,
    ".markdown": Format.MARKDOWN,
    ".rst": Format.REST,
    ".rest": Format.REST,
    ".html": Format.HTML,
    ".htm": Format.HTML,
    ".txt": Format.TEXT,
}
_SHORTEST_HEADING: Final = 3
_SKIPPED: Final = frozenset(
    {
        "node_modules",
        "__pycache__",
        "_build",
        "_static",
        "_templates",
        "locale",
        "_modules",
        "_sources",
    }
)
_INDEXES: Final = frozenset({"genindex.html", "py-modindex.html", "search.html"})
_NO_SUFFIX: Final = frozenset({"README", "CHANGES", "CHANGELOG", "HISTORY"})


def pages_of_folder(
    folder: Path, *, base_url: str = "", keep_suffix: bool = False
) -> Iterator[Page]:
    """Yield the documents below a folder, by their path.

    Hidden folders, builds, links to elsewhere and files of more than 20 MiB are left out. Where a
    distribution ships what Sphinx built beside what it was built from, the built pages are read:
    they hold the docstrings and real addresses as well.

    Args:
        folder: To look in.
        base_url: What stands before a document's path to make its address; ``file:`` by default.
        keep_suffix: Whether addresses end as the files do, rather than as built pages.
    """
    root = folder.resolve()
    built = _built_by_sphinx(root)
    for path in sorted(root.rglob("*")):
        inside = path.relative_to(root)
        hidden = any(part.startswith(".") or part in _SKIPPED for part in inside.parts)
        if hidden or path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST_FILE:
            continue
        if built is None or not inside.is_relative_to(Path(*built.parts[:1])):
            url = _url(base_url, root, inside, keep_suffix=keep_suffix)
        elif _is_built_page(inside, built):
            within = inside.relative_to(built) if base_url else inside
            url = _url(base_url, root, within, keep_suffix=True)
        else:
            continue
        if page := page_of_file(path, url):
            yield page


def _built_by_sphinx(root: Path) -> Path | None:
    """Return the folder, relative to the root, that Sphinx built HTML into, if there is one."""
    found = sorted(path.parent for path in root.rglob("searchindex.js"))
    outer = (path.relative_to(root) for path in found if (path / "genindex.html").is_file())
    return next((path for path in outer if not _SKIPPED.intersection(path.parts)), None)


def _is_built_page(inside: Path, built: Path) -> bool:
    """Tell whether a file is a page that Sphinx built, rather than its source or an index."""
    return inside.suffix == ".html" and inside.is_relative_to(built) and inside.name not in _INDEXES


def page_of_file(path: Path, url: str) -> Page | None:
    """Return a document, or ``None`` for a file that is not one."""
    suffix = path.suffix.lower()
    if reader := _READERS.get(suffix):
        text = reader(path)
        return Page(url, text, Format.MARKDOWN, title=path.stem) if text.strip() else None
    written = _FORMATS.get(suffix) or (Format.REST if path.name in _NO_SUFFIX else None)
    if written is None:
        return None
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    if written is Format.TEXT and _looks_like_rest(text):
        written = Format.REST
    title = title_of_html(text) if written is Format.HTML else ""
    return Page(url, text, written, title=title) if text.strip() else None


def _url(base_url: str, root: Path, inside: Path, *, keep_suffix: bool) -> str:
    if not base_url:
        return (root / inside).as_uri()
    shown = inside if keep_suffix else inside.with_suffix("")
    return f"{base_url.rstrip('/')}/{shown.as_posix()}"


def _looks_like_rest(text: str) -> bool:
    """Tell whether a ``.txt`` file is reStructuredText, as those of Django and many others are."""
    lines = text.splitlines()
    underlined = sum(
        len(below) >= len(line) >= _SHORTEST_HEADING
        and len(set(below)) == 1
        and below[0] in "=-~^*#"
        for line, below in pairwise(lines)
    )
    return underlined > 0 and "::" in text


def _pdf(path: Path) -> str:
    """Return the text of a PDF: a heading for each page, so that an answer names the page."""
    try:
        pages = PdfReader(path).pages
        texts = [(number, page.extract_text()) for number, page in enumerate(pages, 1)]
    except PyPdfError:
        return ""
    return "\n\n".join(f"## Page {number}\n\n{text}" for number, text in texts if text.strip())


def _notebook(path: Path) -> str:
    """Return a notebook's text and code as Markdown; its outputs are left out."""
    import nbformat  # noqa: PLC0415 - it brings half a second of imports, and few have notebooks

    try:
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    except (nbformat.reader.NotJSONError, nbformat.ValidationError):
        return ""
    language = notebook.metadata.get("language_info", {}).get("name", "python")
    parts = (
        cell.source if cell.cell_type == "markdown" else f"```{language}\n{cell.source}\n```"
        for cell in notebook.cells
        if cell.cell_type in {"markdown", "code"} and cell.source.strip()
    )
    return "\n\n".join(parts)


_READERS: Final[dict[str, Callable[[Path], str]]] = {".pdf": _pdf, ".ipynb": _notebook}
