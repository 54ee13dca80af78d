"""Hashing on the way through."""

import hashlib
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairdatabase.kernel.errors import LimitExceededError
from fairdatabase.storage.checksums import CHUNK, copy


class Trickle(BytesIO):
    """A stream that returns less than it is asked for, as sockets do."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 1, 7))


@given(st.binary(max_size=200))
def test_the_copy_is_the_original_and_its_checksum(content: bytes) -> None:
    target = BytesIO()
    record = copy(Trickle(content), target.write)
    assert target.getvalue() == content
    assert record.sha256 == hashlib.sha256(content).hexdigest()
    assert record.size == len(content)


def test_more_than_one_chunk_is_copied() -> None:
    content = b"x" * (CHUNK + 1)
    assert copy(BytesIO(content), lambda _: None).size == CHUNK + 1


def test_the_limit_itself_is_allowed() -> None:
    assert copy(BytesIO(b"12345"), lambda _: None, limit=5).size == 5


@pytest.mark.parametrize(("limit", "shown"), [(4, "4 bytes"), (3 * 2**20, "3 MiB")])
def test_more_than_the_limit_is_refused_and_not_written(limit: int, shown: str) -> None:
    target = BytesIO()
    with pytest.raises(LimitExceededError, match=shown) as caught:
        copy(BytesIO(b"x" * (limit + 1)), target.write, limit=limit)
    assert len(target.getvalue()) <= limit
    assert caught.value.details == {"limit_bytes": limit}
