"""What is published names no machine, no registry, and one version."""

import re
import tomllib
from pathlib import Path

import pytest

from fairdatabase import __version__
from tests.architecture.tree import ROOT, project_files, shown

# Which registry packages come from is the reader's setting, not the project's.
REGISTRY = re.compile(
    r"(?:pypi|pythonhosted|npmjs|yarnpkg|crates|deb\.debian|conda|anaconda)\.(?:org|com|io)"
)
FOLDER_OF_SOMEONE = re.compile(r"(?<![\w.~}-])/(?:root|home|Users|work)/\w+|\.\./shared\b")
SECRET = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\b(?:AKIA|ghp_|xox[bp]-)[A-Za-z0-9]{16}")
VERSION_IN_CITATION = re.compile(r"^version: \"?([\d.]+)\"?$", re.MULTILINE)
VERSION_IN_CHANGELOG = re.compile(r"^## \[(\d[\d.]*)\]", re.MULTILINE)


def text_of(path: Path) -> str:
    """Return a file's text; nothing for a binary file."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


@pytest.mark.parametrize(
    "pattern", [REGISTRY, FOLDER_OF_SOMEONE, SECRET], ids=["registry", "folder", "secret"]
)
def test_no_file_names(pattern: re.Pattern[str]) -> None:
    found = {
        shown(path): match.group()
        for path in project_files()
        if "vendor" not in path.parts and (match := pattern.search(text_of(path)))
    }
    assert not found


def test_the_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = VERSION_IN_CITATION.findall((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changelog = VERSION_IN_CHANGELOG.findall((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    assert [project["version"]] == citation
    assert project["version"] == __version__
    assert not changelog or project["version"] == changelog[0]
