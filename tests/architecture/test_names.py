"""Files have the few names of the closed vocabulary, so that one can guess them."""

from pathlib import Path

import pytest

from tests.architecture.tree import EDGES, ROOT, SOURCE, python_files, shown

TOP_LEVEL = {"app", "cli", "demo", "doctor", "services", "worker", "wsgi"}
PACKAGES = {
    "accounts",
    "analysis",
    "api",
    "audit",
    "authorization",
    "catalog",
    "deposits",
    "interop",
    "jobs",
    "kernel",
    "knowledge",
    "mail",
    "mcp",
    "migrations",
    "observability",
    "privacy",
    "serving",
    "storage",
    "tables",
    "web",
}
INSIDE = {"backends", "models", "repository", "schemas", "service"}
PURE = {"checksums", "engine", "errors", "formats", "rules"}
VOCABULARY = EDGES | INSIDE | PURE
OWN_WORDS = {
    "api": {"openapi", "problems"},
    "authorization": {"matrix", "routes"},
    "kernel": {
        "cache",
        "clock",
        "config",
        "current",
        "database",
        "errors",
        "events",
        "extensions",
        "forms",
        "http",
        "identifiers",
        "providers",
        "records",
    },
    "mcp": {"prompts", "server", "transport"},
    "migrations": {"env", "versions"},
    "observability": {"health", "logging", "metrics", "tracing"},
    "serving": {"asgi", "bridge", "processes", "transfer"},
    "web": {"error_pages", "filters", "headers", "templating"},
}
CLOSED = {"kernel", "migrations"}
TEST_FOLDERS = {"architecture", "conformance", "factories", "functional", "security", "unit"}
SURFACES = {"api", "browser", "cli", "mcp", "web"}
NAMES_THAT_SAY_NOTHING = {"common", "helper", "helpers", "misc", "shared", "util", "utils"}

SOURCE_FILES = python_files("src")
UNIT_TESTS = [
    path
    for path in python_files("tests")
    if path.is_relative_to(ROOT / "tests" / "unit") and path.name.startswith("test_")
]


def allowed_words(package: str) -> set[str]:
    """Return the module names a package may contain."""
    words = OWN_WORDS.get(package, set())
    return words if package in CLOSED else words | VOCABULARY


@pytest.mark.parametrize("path", SOURCE_FILES, ids=shown)
def test_a_source_file_has_a_name_of_the_vocabulary(path: Path) -> None:
    package, *rest = path.relative_to(SOURCE).with_suffix("").parts
    if not rest:
        assert package in TOP_LEVEL | {"__init__"}
    else:
        assert package in PACKAGES
        assert rest[0] in allowed_words(package) | {"__init__"}


@pytest.mark.parametrize("path", python_files(), ids=shown)
def test_no_name_says_nothing(path: Path) -> None:
    assert not NAMES_THAT_SAY_NOTHING & set(path.relative_to(ROOT).with_suffix("").parts)


@pytest.mark.parametrize("path", python_files("tests"), ids=shown)
def test_tests_lie_in_their_folder(path: Path) -> None:
    folder, *rest = path.relative_to(ROOT / "tests").parts
    if not rest:
        assert folder in {"__init__.py", "conftest.py"}
        return
    assert folder in TEST_FOLDERS
    if folder == "functional" and len(rest) > 1:
        assert rest[0] in SURFACES


@pytest.mark.parametrize("path", UNIT_TESTS, ids=shown)
def test_a_unit_test_is_named_after_its_module(path: Path) -> None:
    """``test_<module>.py``, or ``test_<module>_<topic>.py`` where one file would be too long."""
    folder = SOURCE / path.relative_to(ROOT / "tests" / "unit").parent
    modules = {below.stem for below in folder.rglob("*.py")} | {
        below.name for below in folder.rglob("*") if below.is_dir()
    }
    subject = path.stem.removeprefix("test_")
    assert any(subject == module or subject.startswith(f"{module}_") for module in modules)
