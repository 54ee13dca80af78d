"""Loads documents from wherever they are: ``load("pypi:flask")``, ``load("docs/")``, ``load("https://…")``."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from knowledge_base.documents import Page, Source
from knowledge_base.errors import LocationError
from knowledge_base.loading.folder import page_of_file, pages_of_folder
from knowledge_base.loading.git import checkout
from knowledge_base.loading.installed import docstrings_of
from knowledge_base.loading.pypi import documentation_of
from knowledge_base.loading.tools import TOOLS
from knowledge_base.loading.web import Fetcher, pages_of_site

_SCHEME = re.compile(r"^(pypi|installed|tool|git|https?):(.+)$", re.DOTALL)
_NOT_IN_IDS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A source and its pages, which are read as they are asked for."""

    source: Source
    pages: Iterable[Page]


def load(location: str, *, source_id: str = "", fetcher: Fetcher | None = None) -> Loaded:
    """Find a source.

    Args:
        location: ``pypi:flask==3.1.3`` for the documents in a source distribution,
            ``installed:flask`` for the docstrings of an installed package, ``tool:ruff`` for a
            program that documents itself, ``git:URL`` for the documents in a repository, the
            address of a website, its sitemap or its ``llms.txt``, or the path of a folder or file.
        source_id: Short name of the source; made of the location by default.
        fetcher: What gets web pages.

    Raises:
        LocationError: Nothing of this kind is there.
        UnreachableError: The network does not lead there.
        LimitError: There is too much.
    """
    match = _SCHEME.match(location.strip())
    if match is None:
        return _local(Path(location).expanduser(), source_id)
    scheme, rest = match[1], match[2]
    if scheme in {"http", "https"}:
        site = pages_of_site(location, fetcher or Fetcher())
        return Loaded(Source(source_id or _id_of(rest), location, rest.strip("/")), site)
    return _LOADERS[scheme](rest.strip(), source_id)


def _pypi(requirement: str, source_id: str) -> Loaded:
    found = documentation_of(requirement)
    source = Source(
        source_id or _id_of(found.name), f"pypi:{requirement}", found.name, found.version,
        found.licence,
    )  # fmt: skip
    return Loaded(source, found.pages)


def _installed(package: str, source_id: str) -> Loaded:
    found = docstrings_of(package)
    source = Source(
        source_id or _id_of(f"{found.name}-api"), f"installed:{package}", f"{found.name} (API)",
        found.version, found.licence,
    )  # fmt: skip
    return Loaded(source, found.pages)


def _tool(name: str, source_id: str) -> Loaded:
    if name not in TOOLS:
        raise LocationError(f"No tool {name!r} is known to document itself: {', '.join(TOOLS)}.")
    version, pages = TOOLS[name]()
    return Loaded(Source(source_id or _id_of(name), f"tool:{name}", name, version), pages)


def _git(url: str, source_id: str) -> Loaded:
    name = url.rstrip("/").removesuffix(".git").rpartition("/")[2]
    commit, pages = checkout(url)
    return Loaded(Source(source_id or _id_of(name), f"git:{url}", name, commit), pages)


def _local(path: Path, source_id: str) -> Loaded:
    if not path.exists():
        raise LocationError(
            f"There is no file or folder {path}. Other sources begin with pypi:, installed:, tool:,"
            " git: or https:."
        )
    source = Source(source_id or _id_of(path.resolve().name), str(path.resolve()), path.name)
    if path.is_dir():
        return Loaded(source, pages_of_folder(path))
    page = page_of_file(path, path.resolve().as_uri())
    if page is None:
        raise LocationError(
            f"{path} is no document: Markdown, reStructuredText, HTML, text, PDF or a notebook."
        )
    return Loaded(source, [page])


def _id_of(name: str) -> str:
    made = _NOT_IN_IDS.sub("-", name.lower()).strip("-")
    return made or "source"


_LOADERS: Final[dict[str, Callable[[str, str], Loaded]]] = {
    "pypi": _pypi,
    "installed": _installed,
    "tool": _tool,
    "git": _git,
}
