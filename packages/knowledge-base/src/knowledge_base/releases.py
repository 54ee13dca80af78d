"""Finds releases on the package index and fetches them by their hashes; none is installed."""

import hashlib
import io
import re
import subprocess
from dataclasses import dataclass, replace
from typing import Final

import httpx2
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename
from uv import find_uv_bin

from knowledge_base.errors import LimitError, LocationError, UnreachableError

LARGEST_ARCHIVE: Final = 200 * 2**20
_JSON: Final = "application/vnd.pypi.simple.v1+json"
_SECONDS: Final = 120.0
_INDEX = re.compile(r"^--index-url (\S+)", re.MULTILINE)
_PINNED = re.compile(r"^([\w.-]+)==([^\s\\;]+)", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Release:
    """One version of a package, as the index offers it."""

    name: str
    version: str
    url: str
    sha256: str


def find_release(requirement: str, *, wheel: bool = False) -> Release:
    """Return the source distribution that meets a requirement, with the hash to check it by.

    The resolver of uv is asked, so whatever index and mirrors this machine is set up with are
    used, and the hash does not come from the server that the file comes from.

    Args:
        requirement: Such as ``flask==3.1.3``, or ``flask`` for the newest version.
        wheel: Whether the wheel for every platform is wanted instead.

    Raises:
        LocationError: There is no such release.
        UnreachableError: The index did not answer.
    """
    try:
        wanted = Requirement(requirement)
    except InvalidRequirement as error:
        raise LocationError(
            f"{requirement!r} names no package: write flask or flask==3.1.3."
        ) from error
    asked = [find_uv_bin(), "pip", "compile", "-", "--no-deps", "--no-header", "--no-annotate",
             "--generate-hashes", "--emit-index-url", "--quiet"]  # fmt: skip
    # What is asked comes by standard input, so it cannot be an option of uv.
    done = subprocess.run(  # noqa: S603
        asked, input=f"{wanted.name}{wanted.specifier}", capture_output=True, text=True,
        timeout=_SECONDS, check=False,
    )  # fmt: skip
    pinned, index = _PINNED.search(done.stdout), _INDEX.search(done.stdout)
    if done.returncode or not pinned or not index:
        raise LocationError(f"No release meets {requirement!r}: {done.stderr.strip()}")
    hashes = frozenset(_HASH.findall(done.stdout))
    found = Release(canonicalize_name(pinned[1]), pinned[2], url="", sha256="")
    for url, file_name, sha256 in _files_of(index[1], found.name):
        if sha256 in hashes and _is_of(file_name, found, wheel=wheel):
            return replace(found, url=url, sha256=sha256)
    lacking = "wheel" if wheel else "source distribution to take documents from"
    raise LocationError(f"{found.name} {found.version} has no {lacking}.")


def _files_of(index: str, name: str) -> list[tuple[str, str, str]]:
    """Return address, name and hash of each file of a package."""
    page = f"{index.rstrip('/')}/{name}/"
    try:
        answer = httpx2.get(
            page, headers={"Accept": _JSON}, follow_redirects=True, timeout=_SECONDS
        ).raise_for_status()
        files = answer.json()["files"]
    except (httpx2.HTTPError, ValueError, KeyError) as error:
        raise UnreachableError(
            f"The package index did not list the files of {name}: {error}"
        ) from error
    return [
        (
            str(httpx2.URL(page).join(file["url"])),
            file["filename"],
            file.get("hashes", {}).get("sha256", ""),
        )
        for file in files
    ]


def _is_of(file_name: str, release: Release, *, wheel: bool) -> bool:
    if wheel:
        return file_name.endswith("-py3-none-any.whl") and (
            str(parse_wheel_filename(file_name)[1]) == release.version
        )
    return file_name.endswith(".tar.gz") and (
        str(parse_sdist_filename(file_name)[1]) == release.version
    )


def fetch(release: Release) -> bytes:
    """Return the file of a release.

    Raises:
        UnreachableError: It could not be fetched, or is not the one that was promised.
        LimitError: It is too large.
    """
    digest, body = hashlib.sha256(), io.BytesIO()
    try:
        with httpx2.stream("GET", release.url, follow_redirects=True, timeout=_SECONDS) as answer:
            for piece in answer.raise_for_status().iter_bytes():
                digest.update(piece)
                body.write(piece)
                if body.tell() > LARGEST_ARCHIVE:
                    raise LimitError(f"The archive of {release.name} is larger than 200 MiB.")
    except httpx2.HTTPError as error:
        raise UnreachableError(
            f"The archive of {release.name} could not be fetched: {error}"
        ) from error
    if digest.hexdigest() != release.sha256:
        raise UnreachableError(
            f"The archive of {release.name} is not the one that the index promised."
        )
    return body.getvalue()
