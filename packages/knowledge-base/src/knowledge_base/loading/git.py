"""Loads the documents in a git repository."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from knowledge_base.documents import Page
from knowledge_base.errors import LocationError, UnavailableError, UnreachableError
from knowledge_base.loading.folder import pages_of_folder

_SECONDS: Final = 300
_SCHEMES: Final = ("https://", "ssh://", "file://", "/")


def checkout(url: str) -> tuple[str, list[Page]]:
    """Return the commit and the documents of a repository's default branch.

    Only its newest state is fetched, and none of its code, hooks or submodules is run.

    Raises:
        LocationError: The address is of another kind, or holds no documents.
        UnreachableError: git could not fetch it.
        UnavailableError: git is not installed.
    """
    if not url.startswith(_SCHEMES):
        raise LocationError(f"git fetches from https, ssh or a folder, not from {url!r}.")
    git = shutil.which("git")
    if git is None:
        raise UnavailableError("git is not installed on this machine.")
    with tempfile.TemporaryDirectory() as folder:
        fetched = [git, "-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never", "clone",
                   "--quiet", "--depth", "1", "--single-branch", "--", url, folder]  # fmt: skip
        done = subprocess.run(  # noqa: S603 - git, with an address that begins as one
            fetched, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        if done.returncode:
            raise UnreachableError(f"git could not fetch {url}: {done.stderr.strip()}")
        asked = [git, "-C", folder, "rev-parse", "--short=12", "HEAD"]
        commit = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
        pages = list(_addressed(Path(folder), url.removesuffix(".git"), commit))
    if not pages:
        raise LocationError(f"{url} holds no documents.")
    return commit, pages


def _addressed(folder: Path, url: str, commit: str) -> Iterator[Page]:
    """Yield the documents with addresses that lead to this very commit."""
    base = f"{url}/blob/{commit}" if url.startswith("https://") else url
    yield from pages_of_folder(folder, base_url=base, keep_suffix=True)
