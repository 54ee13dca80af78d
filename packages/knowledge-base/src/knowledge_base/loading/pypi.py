"""Loads the documentation in a package's source distribution, without running any of its code."""

import io
import re
import tarfile
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.metadata import Metadata

from knowledge_base.documents import Page
from knowledge_base.errors import LimitError, LocationError
from knowledge_base.loading.folder import pages_of_folder
from knowledge_base.releases import fetch, find_release

LARGEST_DOCUMENTS: Final = 500 * 2**20
_DOCUMENTS = re.compile(
    r"^(?:docs?|documentation)/(?!.*(?:/_build/|/_themes/|/locale/))|^(?:readme|changes|changelog|history)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Documentation:
    """What a source distribution says about the package."""

    name: str
    version: str
    licence: str
    summary: str
    home: str
    pages: tuple[Page, ...]


def documentation_of(requirement: str) -> Documentation:
    """Fetch a source distribution and return its documents.

    Args:
        requirement: Such as ``flask==3.1.3``, or ``flask`` for the newest version.

    Raises:
        LocationError: No such requirement, version, or no documents in the distribution.
        UnreachableError: The index did not answer.
        LimitError: The archive is too large.
    """
    release = find_release(requirement)
    archive = fetch(release)
    with tempfile.TemporaryDirectory() as folder:
        try:
            metadata = _unpack(archive, Path(folder))
        except (tarfile.TarError, EOFError, zlib.error) as error:
            raise LocationError(
                f"The source distribution of {release.name} cannot be unpacked: {error}"
            ) from error
        home = _home(metadata)
        pages = tuple(pages_of_folder(Path(folder), base_url=home or f"pypi:{release.name}"))
    if not pages:
        raise LocationError(
            f"The source distribution of {release.name} {release.version} holds no documents. Take"
            f" its docstrings with installed:{release.name}, or its website."
        )
    return Documentation(
        name=release.name,
        version=release.version,
        licence=metadata.license_expression or metadata.license or "",
        summary=metadata.summary or "",
        home=home,
        pages=pages,
    )


def _unpack(archive: bytes, folder: Path) -> Metadata:
    """Write the documents of an archive to a folder; nothing else of it is written anywhere."""
    metadata: Metadata | None = None
    size = 0
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as opened:
        for member in opened:
            path = member.name.partition("/")[2]
            if not member.isfile():
                continue
            if path == "PKG-INFO" and (stream := opened.extractfile(member)):
                metadata = Metadata.from_email(stream.read(), validate=False)
            elif _DOCUMENTS.match(path):
                size += member.size
                if size > LARGEST_DOCUMENTS:
                    raise LimitError("The documents in the archive are larger than 500 MiB.")
                opened.extract(member.replace(name=path), folder, filter="data")
    if metadata is None:
        raise LocationError("The archive is no source distribution: it has no PKG-INFO.")
    return metadata


def _home(metadata: Metadata) -> str:
    """Return the address of the documentation on the web, as the package states it."""
    urls = {name.lower(): url for name, url in (metadata.project_urls or {}).items()}
    for name in ("documentation", "docs", "homepage"):
        if name in urls:
            return urls[name]
    return metadata.home_page or ""
