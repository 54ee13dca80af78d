"""A request about personal data is answered from the command line."""

import re
import zipfile
from pathlib import Path

from tests.functional.cli.conftest import Run


def test_a_copy_is_saved_for_its_owner_alone(instance: Run, tmp_path: Path) -> None:
    target = tmp_path / "ada.zip"
    done = instance("user", "export", "ada@example.org", "--output", str(target))
    assert done.exit_code == 0, done.output
    assert target.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(target) as files:
        assert b"ada@example.org" in files.read("profile.json")
    again = instance("user", "export", "ada@example.org", "--output", str(target))
    assert again.exit_code == 1
    assert "exists" in again.output


def test_the_copy_has_a_name_of_its_own(instance: Run) -> None:
    assert instance("user", "export", "ada@example.org").exit_code == 0
    assert list(Path().glob("personal-data-*.zip"))


def test_an_account_is_deleted(instance: Run) -> None:
    kept = instance("user", "delete", "ada@example.org", given="n\n")
    assert kept.exit_code == 1
    done = instance("user", "delete", "ada@example.org", "--yes")
    assert done.exit_code == 0, done.output
    assert "Stays: Published datasets" in done.output
    gone = instance("user", "delete", "ada@example.org", "--yes")
    assert gone.exit_code == 1
    assert "no user with the address" in gone.output
    assert instance("audit", "verify").exit_code == 0
    left = instance("user", "list").output
    assert "Deleted account  (deleted)" in left
    [address] = re.findall(r"\S+@deleted\.invalid", left)
    opened = instance("user", "open", address)
    assert opened.exit_code == 1
    assert "was deleted and cannot be opened again" in opened.output
