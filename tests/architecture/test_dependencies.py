"""Every dependency is declared, locked and justified; nothing is left over."""

import re
import tomllib
from collections.abc import Iterable

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.tree import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUNTIME: list[str] = PROJECT["project"]["dependencies"]
DEMO: list[str] = PROJECT["project"]["optional-dependencies"]["demo"]
GROUPS: dict[str, list[str]] = PROJECT["dependency-groups"]
MEMBERS = [
    tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    for path in sorted(ROOT.glob("packages/*/pyproject.toml"))
]
PACKAGES: list[str] = [
    requirement
    for member in MEMBERS
    for listed in (member["dependencies"], *member.get("optional-dependencies", {}).values())
    for requirement in listed
]
OWN = {canonicalize_name(member["name"]) for member in MEMBERS}
"""Installed from this repository, so that no lock names them."""
LOCKS = {
    "base": RUNTIME,
    "demo": RUNTIME + DEMO + GROUPS["build"],
    "dev": RUNTIME + DEMO + GROUPS["build"] + GROUPS["dev"] + PACKAGES,
    "bootstrap": GROUPS["build"],
}
LOCKED = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^\s;]+)", re.MULTILINE)
ENTRY = re.compile(r"^[\w.-]+==.*(?:\n .*)*", re.MULTILINE)
REFERENCE_ROW = re.compile(r"^\| `(?P<name>[\w.-]+)`", re.MULTILINE)


def names(requirements: Iterable[str]) -> set[str]:
    """Return the canonical package names of requirements."""
    return {canonicalize_name(Requirement(each).name) for each in requirements}


def entries(lock: str) -> list[str]:
    """Return the packages of a lock file with their hashes and origins, as text."""
    text = (ROOT / "requirements" / f"{lock}.lock").read_text(encoding="utf-8")
    return [match.group() for match in ENTRY.finditer(text)]


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_are_in_step_with_the_project(lock: str) -> None:
    locked = {
        match["name"]: match["version"] for match in map(LOCKED.match, entries(lock)) if match
    }
    for requirement in map(Requirement, LOCKS[lock]):
        if canonicalize_name(requirement.name) in OWN:
            continue
        version = locked.get(canonicalize_name(requirement.name))
        assert version, f"run `make lock`: {requirement.name} is not in {lock}.lock"
        assert requirement.specifier.contains(version), f"run `make lock`: {requirement}"


@pytest.mark.parametrize("lock", LOCKS)
def test_nothing_is_locked_that_the_project_no_longer_names(lock: str) -> None:
    direct = {entry.partition("==")[0] for entry in entries(lock) if "pyproject.toml" in entry}
    assert direct == names(LOCKS[lock]) - OWN


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_carries_its_hashes(lock: str) -> None:
    assert entries(lock)
    assert all("--hash=sha256:" in entry for entry in entries(lock))


def test_the_reference_justifies_each_dependency_once() -> None:
    text = (ROOT / "docs" / "reference" / "dependencies.md").read_text(encoding="utf-8")
    rows = [canonicalize_name(name) for name in REFERENCE_ROW.findall(text)]
    groups = (each for group in GROUPS.values() for each in group)
    build = PROJECT["build-system"]["requires"]
    assert sorted(rows) == sorted(names([*RUNTIME, *DEMO, *PACKAGES, *groups, *build]))
