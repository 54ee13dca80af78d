"""Imports go the way the architecture says."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from grimp import ImportGraph, build_graph

from tests.architecture.tree import ROOT, SOURCE, shown

PRIVATE_MODULES = ("models", "repository")
PACKAGES = sorted(path for path in SOURCE.glob("*/__init__.py") if path.parent.name != "migrations")


@pytest.fixture(scope="module")
def imports() -> ImportGraph:
    return build_graph("fairdatabase", exclude_type_checking_imports=True, cache_dir=None)


def test_the_contracts_hold() -> None:
    """In a process of its own, because import-linter silences the loggers of the one it runs in."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("private", PRIVATE_MODULES)
def test_models_and_repository_are_private_to_their_feature(
    imports: ImportGraph, private: str
) -> None:
    found = [
        (each["importer"], each["imported"])
        for pattern in (f"fairdatabase.*.{private}", f"fairdatabase.*.{private}.**")
        for each in imports.find_matching_direct_imports(import_expression=f"** -> {pattern}")
    ]
    strangers = [
        f"{importer} imports {imported}"
        for importer, imported in found
        if importer.split(".")[1] not in {imported.split(".")[1], "migrations"}
    ]
    assert not strangers, f"ask the feature's service instead: {strangers}"


@pytest.mark.parametrize("path", PACKAGES, ids=shown)
def test_a_feature_package_reexports_nothing(path: Path) -> None:
    """One name has one address, and importing a feature's errors does not load its models."""
    code = ast.parse(path.read_text(encoding="utf-8")).body
    assert len(code) == 1
    assert isinstance(code[0], ast.Expr)
