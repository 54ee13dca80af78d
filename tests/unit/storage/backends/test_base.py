"""What every backend does, and ranges of open files."""

from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairdatabase.kernel.errors import LimitExceededError
from fairdatabase.storage.backends.base import Backend, Section
from fairdatabase.storage.errors import BlobMissingError

UNKNOWN = "0" * 64


def test_what_is_put_can_be_opened(backend: Backend) -> None:
    record = backend.put(BytesIO(b"some bytes"))
    with backend.open(record.sha256) as file:
        file.seek(5)
        assert file.read() == b"bytes"
    assert backend.path(record.sha256).read_bytes() == b"some bytes"


def test_the_same_bytes_are_one_blob(backend: Backend) -> None:
    assert backend.put(BytesIO(b"same")) == backend.put(BytesIO(b"same"))


def test_a_finished_file_is_moved_in(backend: Backend, tmp_path: Path) -> None:
    made = tmp_path / "made.parquet"
    made.write_bytes(b"PAR1")
    record = backend.adopt(made)
    assert not made.exists()
    with backend.open(record.sha256) as file:
        assert file.read() == b"PAR1"


def test_too_many_bytes_are_not_kept(backend: Backend) -> None:
    with pytest.raises(LimitExceededError):
        backend.put(BytesIO(b"abc"), limit=2)
    kept = backend.put(BytesIO(b"ab"), limit=2)
    assert kept.size == 2


def test_missing_bytes_are_reported(backend: Backend) -> None:
    with pytest.raises(BlobMissingError):
        backend.open(UNKNOWN)
    with pytest.raises(BlobMissingError) as caught:
        backend.path(UNKNOWN)
    assert caught.value.details == {"sha256": UNKNOWN}


def test_what_is_removed_is_gone(backend: Backend) -> None:
    blob = backend.put(BytesIO(b"abc"))
    backend.path(blob.sha256)
    backend.remove(blob.sha256)
    backend.remove(blob.sha256)
    with pytest.raises(BlobMissingError):
        backend.path(blob.sha256)


def test_a_backend_tells_its_state(backend: Backend) -> None:
    assert backend.check()
    assert backend.sweep(older_than_seconds=0) == 0


@given(st.binary(max_size=50), st.integers(0, 60))
def test_a_section_ends_after_its_size_and_closes_the_file(content: bytes, size: int) -> None:
    file = BytesIO(content)
    assert b"".join(Section(file, size)) == content[:size]
    assert file.closed


def test_a_section_that_is_left_early_closes_the_file() -> None:
    file = BytesIO(b"abc")
    with Section(file, 3) as section:
        file.tell()
    assert file.closed
    assert list(section) == []
