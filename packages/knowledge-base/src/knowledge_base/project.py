"""Reads what a project is built with."""

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from knowledge_base.errors import LocationError

_PINNED = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", re.MULTILINE)
_LOCATED = re.compile(r"^(?:pypi|installed|tool):([A-Za-z0-9][\w.-]*)")
_MOST_FILES: Final = 2000
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


def names_used_by(project: Path) -> frozenset[str]:
    """Return the names of what a project is made with: locked, required, imported or set up.

    Tools are those with a table in ``pyproject.toml``. What is imported is read of its Python
    files, none of which is run.
    """
    said = _pyproject(project)
    groups = (*said.get("dependency-groups", {}).values(),
              *said.get("project", {}).get("optional-dependencies", {}).values())  # fmt: skip
    listed = (each for group in groups for each in group if isinstance(each, str))
    named = (
        *_required(project), *_names_in(listed), *(name for name, _ in _locked(project)),
        *said.get("tool", {}), *_imported(project),
    )  # fmt: skip
    return frozenset(map(canonicalize_name, named))


def sources_of(packages: Iterable[str], locations: Mapping[str, str]) -> frozenset[str]:
    """Return the sources that document some packages.

    Args:
        packages: Their names.
        locations: Where each source is from, by its id.
    """
    wanted = set(map(canonicalize_name, packages))
    return frozenset(
        source
        for source, location in locations.items()
        if canonicalize_name(found[1] if (found := _LOCATED.match(location)) else source) in wanted
    )


def _imported(project: Path) -> Iterator[str]:
    """Yield the top-level modules that the Python files of a project import."""
    paths = (
        path
        for path in sorted(project.rglob("*.py"))
        if not any(_is_foreign(part) for part in path.relative_to(project).parts)
    )
    for path in islice(paths, _MOST_FILES):
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from (each.name.partition(".")[0] for each in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


def _is_foreign(part: str) -> bool:
    return part.startswith(".") or part in {"node_modules", "venv", "site-packages"}


def _pyproject(project: Path) -> dict[str, Any]:
    path = project / "pyproject.toml"
    return tomllib.loads(path.read_text("utf-8")) if path.exists() else {}


def _required(project: Path) -> Iterator[str]:
    return _names_in(_pyproject(project).get("project", {}).get("dependencies", []))


def _names_in(requirements: Iterable[str]) -> Iterator[str]:
    for requirement in requirements:
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
