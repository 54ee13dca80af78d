"""Reads what a project is built with."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from knowledge_base.errors import LocationError

_PINNED = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", re.MULTILINE)
_LOCKS: Final = (
    "requirements*.txt",
    "requirements/*.txt",
    "requirements/*.lock",
    "requirements*.lock",
)


def packages_of(project: Path) -> list[str]:
    """Return the packages that a project asks for itself, in the versions that it locks.

    ``pyproject.toml`` says which; ``uv.lock``, ``poetry.lock``, ``pdm.lock`` or pinned
    requirements say in which version. Where nothing says which, all that is pinned is taken.

    Raises:
        LocationError: The project has neither.
    """
    versions: dict[str, str] = dict(_locked(project))
    wanted: list[str] = list(dict.fromkeys(map(canonicalize_name, _required(project)))) or [
        *sorted(versions)
    ]
    if not wanted:
        raise LocationError(f"{project} has no pyproject.toml with dependencies and no lock file.")
    return [f"{name}=={versions[name]}" if name in versions else name for name in wanted]


def _required(project: Path) -> Iterator[str]:
    path = project / "pyproject.toml"
    if not path.exists():
        return
    said: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    listed: Iterable[Any] = said.get("project", {}).get("dependencies", [])
    for requirement in listed:
        try:
            yield Requirement(requirement).name
        except InvalidRequirement:
            continue


def _locked(project: Path) -> Iterator[tuple[str, str]]:
    for pattern in _LOCKS:
        for path in sorted(project.glob(pattern)):
            for name, version in _PINNED.findall(path.read_text("utf-8")):
                yield canonicalize_name(name), version
    for lock in ("uv.lock", "poetry.lock", "pdm.lock"):
        path = project / lock
        if path.exists():
            for package in tomllib.loads(path.read_text("utf-8")).get("package", []):
                if "version" in package:
                    yield canonicalize_name(package["name"]), str(package["version"])
