"""The virus scanner is any program; only a clean answer lets a file pass."""

import os
import stat
import sys
from pathlib import Path

import pytest

from fairdatabase.kernel.errors import UnavailableError
from fairdatabase.storage.backends.scanner import Scanner
from fairdatabase.storage.errors import InfectedFileError

PROGRAM = """#!{python}
import os, pathlib, sys, time
options, path = sys.argv[1:-1], pathlib.Path(sys.argv[-1])
pathlib.Path({seen!r}).write_text(repr((options, sys.argv[-1], sorted(os.environ))))
content = path.read_bytes()
if b"SLOW" in content:
    time.sleep(60)
if b"BROKEN" in content:
    sys.exit(2)
if b"VIRUS" in content:
    print(f"{{path}}: Test-Signature FOUND")
    sys.exit(1)
"""


@pytest.fixture
def seen(tmp_path: Path) -> Path:
    return tmp_path / "seen"


@pytest.fixture
def scanner(tmp_path: Path, seen: Path) -> Scanner:
    program = tmp_path / "scan"
    program.write_text(PROGRAM.format(python=sys.executable, seen=str(seen)))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return Scanner((str(program), "--option", "$(touch {} ; *)"), seconds=10)


def stored(tmp_path: Path, content: bytes) -> Path:
    """Return a file named as the store names them."""
    path = tmp_path / ("ab" * 32)
    path.write_bytes(content)
    return path


def test_a_clean_file_passes_and_no_shell_is_between(
    scanner: Scanner, tmp_path: Path, seen: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIRDATABASE_SECRET_KEY", "s" * 32)
    path = stored(tmp_path, b"a,b\n1,2\n")
    scanner.check(path, "table.csv")
    options, last, variables = eval(seen.read_text(), {})  # noqa: S307 - written above
    assert options == ["--option", "$(touch {} ; *)"]
    assert last == str(path)
    assert not [name for name in variables if name.startswith("FAIRDATABASE_")]
    assert set(variables) >= {"PATH"} & set(os.environ)


def test_what_is_found_is_refused_by_the_name_that_the_user_knows(
    scanner: Scanner, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(InfectedFileError, match=r"found something in table\.csv") as raised:
        scanner.check(stored(tmp_path, b"VIRUS"), "table.csv")
    assert str(tmp_path) not in raised.value.message
    assert "Test-Signature" in str(caplog.records[-1].__dict__["said"])


@pytest.mark.parametrize("content", [b"BROKEN", b"SLOW"])
def test_no_answer_is_no_clean_answer(scanner: Scanner, tmp_path: Path, content: bytes) -> None:
    scanner = Scanner(scanner._command, seconds=1)
    with pytest.raises(UnavailableError, match=r"table\.csv could not be scanned"):
        scanner.check(stored(tmp_path, content), "table.csv")


def test_a_missing_program_lets_nothing_pass(tmp_path: Path) -> None:
    absent = Scanner((str(tmp_path / "nothing"),), seconds=1)
    with pytest.raises(UnavailableError):
        absent.check(stored(tmp_path, b"a"), "table.csv")
