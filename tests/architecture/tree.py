"""The files of the repository, as the tests of this folder look at them."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "fairdatabase"
EDGES = {"api", "authentication", "commands", "live", "oaipmh", "pages", "tasks", "tools"}
CODE_FOLDERS = ("src", "packages", "tests", "benchmarks", "docs", "requirements")


@cache
def project_files() -> tuple[Path, ...]:
    """Return every file of the project: tracked, or new and not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    paths = (ROOT / name for name in listed.split("\0") if name)
    return tuple(sorted(path for path in paths if path.is_file()))


def python_files(*folders: str) -> list[Path]:
    """Return the Python files below top-level folders; all code without an argument."""
    return [
        path
        for path in project_files()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in (folders or CODE_FOLDERS)
    ]


def markdown_files() -> list[Path]:
    """Return the project's Markdown documents."""
    return [path for path in project_files() if path.suffix == ".md"]


def shown(path: Path) -> str:
    """Return a path as it stands in messages."""
    return path.relative_to(ROOT).as_posix()
