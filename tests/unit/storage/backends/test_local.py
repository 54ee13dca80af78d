"""Blobs in a folder: whole or not at all."""

import os
import resource
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest

from fairdatabase.kernel.errors import LimitExceededError, StorageFullError, UnavailableError
from fairdatabase.storage.backends.local import LocalBackend

LIMIT = 2 * 2**20
ELSEWHERE = (Path("/dev", "shm"), Path("/var", "tmp"))


class Broken(BytesIO):
    """A client that goes away in the middle of sending."""

    def read(self, size: int | None = -1, /) -> bytes:
        chunk = super().read(min(size or 1, 4))
        if not chunk:
            raise ConnectionResetError("the client has gone")
        return chunk


@contextmanager
def full_disk() -> Iterator[None]:
    """Let the system refuse to make files larger than ``LIMIT``, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def files_below(*folders: Path) -> list[Path]:
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


def test_a_blob_is_found_by_its_checksum_and_cannot_be_written(
    local: LocalBackend, root: Path, work: Path
) -> None:
    record = local.put(BytesIO(b"content"))
    place = local.path(record.sha256)
    assert place == root / record.sha256[:2] / record.sha256[2:4] / record.sha256
    assert stat.S_IMODE(place.stat().st_mode) == 0o440
    assert files_below(root, work) == [place]


def test_an_adopted_file_cannot_be_written(local: LocalBackend, tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.write_bytes(b"made")
    place = local.path(local.adopt(made).sha256)
    assert stat.S_IMODE(place.stat().st_mode) == 0o440


def test_a_file_of_another_file_system_is_copied(local: LocalBackend, root: Path) -> None:
    here = root.parent.stat().st_dev
    others = [each for each in ELSEWHERE if each.is_dir() and each.stat().st_dev != here]
    if not others:
        pytest.skip("this machine has one file system only")
    elsewhere = others[0] / f"fairdatabase-{os.getpid()}"
    elsewhere.write_bytes(b"from afar")
    record = local.adopt(elsewhere)
    assert not elsewhere.exists()
    assert local.path(record.sha256).read_bytes() == b"from afar"


def test_storing_again_heals_a_damaged_blob(local: LocalBackend) -> None:
    record = local.put(BytesIO(b"right"))
    place = local.path(record.sha256)
    place.chmod(0o640)
    place.write_bytes(b"wrong")
    local.put(BytesIO(b"right"))
    assert place.read_bytes() == b"right"


def test_a_reader_keeps_its_bytes_while_they_are_stored_again(local: LocalBackend) -> None:
    record = local.put(BytesIO(b"abcdef"))
    with local.open(record.sha256) as file:
        assert file.read(3) == b"abc"
        local.put(BytesIO(b"abcdef"))
        assert file.read() == b"def"


def test_nothing_is_left_when_the_client_goes_away(
    local: LocalBackend, root: Path, work: Path
) -> None:
    with pytest.raises(ConnectionResetError):
        local.put(Broken(b"12345678"))
    assert files_below(root, work) == []


def test_nothing_is_left_of_too_large_a_file(local: LocalBackend, root: Path, work: Path) -> None:
    with pytest.raises(LimitExceededError):
        local.put(BytesIO(b"12345678"), limit=7)
    assert files_below(root, work) == []


def test_nothing_is_left_when_the_disk_is_full(local: LocalBackend, root: Path, work: Path) -> None:
    with full_disk(), pytest.raises(StorageFullError, match="nothing of it was kept"):
        local.put(BytesIO(b"x" * (LIMIT + 1)))
    assert files_below(root, work) == []


def test_other_errors_of_the_system_are_not_called_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "storage").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="storage"):
        LocalBackend(tmp_path / "storage", tmp_path / "work").put(BytesIO(b"x"))
    assert list((tmp_path / "work").iterdir()) == []


def test_only_old_unfinished_files_are_swept(local: LocalBackend, root: Path, work: Path) -> None:
    record = local.put(BytesIO(b"finished"))
    old, new, folder = work / "old", work / "new", work / "folder"
    for path in (old, new):
        path.write_bytes(b"")
    folder.mkdir()
    (folder / "table.parquet").write_bytes(b"")
    day_ago = time.time() - 86_400
    for path in (old, folder):
        os.utime(path, (day_ago, day_ago))
    assert local.sweep(older_than_seconds=3600) == 2
    assert set(files_below(root, work)) == {local.path(record.sha256), new}


def test_a_read_only_place_is_reported() -> None:
    read_only = Path("/proc/sys")
    if os.access(read_only, os.W_OK) or not read_only.is_dir():
        pytest.skip("this machine has no folder that nobody can write to")
    with pytest.raises(UnavailableError, match="cannot be written"):
        LocalBackend(read_only, read_only).check()
