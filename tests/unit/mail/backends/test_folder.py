"""Letters as files."""

import os
import stat
from pathlib import Path

import pytest

from fairdatabase.kernel.errors import NotFoundError, UnavailableError
from fairdatabase.mail.backends.folder import FolderBackend
from fairdatabase.mail.rules import compose
from fairdatabase.mail.service import KEPT
from tests.factories.mail import letter
from tests.unit.mail.test_rules import MOMENT


def write(backend: FolderBackend, **changes: str) -> None:
    message = compose(
        letter(**changes), sender="noreply@localhost", site="Data", number="1", written_at=MOMENT
    )
    backend.send(message)


def test_letters_are_files_for_their_owners_eyes(tmp_path: Path) -> None:
    folder = tmp_path / "instance" / "mail"
    write(FolderBackend(folder))
    (file,) = folder.iterdir()
    assert file.suffix == ".eml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert b"Subject: A sign of life" in file.read_bytes()


def test_letters_are_read_back_newest_first(tmp_path: Path) -> None:
    backend = FolderBackend(tmp_path)
    assert backend.letters(limit=9) == []
    write(backend, subject="First", to="jörg@example.org", text="Grüße\n")
    write(backend, subject="Zweiter Gruß")
    write(backend, subject="Third")
    third, second = backend.letters(limit=2)
    assert (third.subject, second.subject) == ("Third", "Zweiter Gruß")
    assert (second.kind, second.written_at) == ("greeting", MOMENT)
    first = backend.letters(limit=9)[-1]
    assert backend.letter(first.id) == first
    assert (first.to, first.text) == ("jörg@example.org", "Grüße\n")


def test_letters_do_not_stay_for_ever(tmp_path: Path) -> None:
    backend = FolderBackend(tmp_path)
    backend.sweep(older_than_seconds=0)
    write(backend, subject="Old")
    [old] = tmp_path.iterdir()
    torn = tmp_path / "torn.part"
    torn.touch()
    for path in (old, torn):
        os.utime(path, (0, 0))
    (tmp_path / "notes").mkdir()
    write(backend, subject="New")
    backend.sweep(older_than_seconds=KEPT.total_seconds())
    assert [each.subject for each in backend.letters(limit=9)] == ["New"]
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("letter_id", ["", "1", "../secrets", "*", "/etc/passwd"])
def test_an_id_is_no_path(tmp_path: Path, letter_id: str) -> None:
    (tmp_path / "secrets.eml").write_bytes(b"Subject: secret\n\n")
    backend = FolderBackend(tmp_path / "mail")
    write(backend)
    with pytest.raises(NotFoundError):
        backend.letter(letter_id)


def test_a_folder_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("in the way")
    with pytest.raises(UnavailableError, match="cannot be written"):
        write(FolderBackend(tmp_path / "mail"))
