"""The blob store on both databases."""

import shutil
import threading
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import select

from fairdatabase.authorization.schemas import Actor
from fairdatabase.catalog.schemas import Metadata
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import LimitExceededError
from fairdatabase.services import Services
from fairdatabase.storage.backends.local import LocalBackend
from fairdatabase.storage.errors import BlobMissingError
from fairdatabase.storage.models import Blob
from fairdatabase.storage.schemas import BlobRecord
from fairdatabase.storage.service import Storage
from tests.unit.storage.conftest import SteppingClock

CONTENT = b"0123456789"


def rows(database: Database) -> dict[str, Blob]:
    with database.reading() as session:
        return {blob.sha256: blob for blob in session.scalars(select(Blob))}


def damage(storage: Storage, blob: BlobRecord) -> None:
    place = storage.path(blob.sha256)
    place.chmod(0o640)
    place.write_bytes(b"x")


def test_stored_bytes_come_back(storage: Storage, database: Database) -> None:
    blob = storage.store(BytesIO(CONTENT), limit=100)
    assert b"".join(storage.open(blob.sha256)) == CONTENT
    assert storage.path(blob.sha256).read_bytes() == CONTENT
    assert rows(database)[blob.sha256].size == len(CONTENT)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(0, 4, b"0123"), (4, None, b"456789"), (3, 3, b""), (8, 99, b"89"), (99, None, b"")],
)
def test_a_range_of_the_bytes_comes_back(
    storage: Storage, start: int, end: int | None, expected: bytes
) -> None:
    blob = storage.store(BytesIO(CONTENT), limit=100)
    assert b"".join(storage.open(blob.sha256, start=start, end=end)) == expected


def test_a_made_file_becomes_a_blob(storage: Storage, tmp_path: Path, database: Database) -> None:
    made = tmp_path / "made.parquet"
    made.write_bytes(CONTENT)
    blob = storage.store_file(made)
    assert not made.exists()
    assert list(rows(database)) == [blob.sha256]


def test_the_same_bytes_are_one_row(storage: Storage, database: Database) -> None:
    first = storage.store(BytesIO(CONTENT), limit=100)
    assert storage.store(BytesIO(CONTENT), limit=100) == first
    assert list(rows(database)) == [first.sha256]


def test_the_same_bytes_from_two_people_at_once_are_one_row(
    storage: Storage, database: Database
) -> None:
    failures: list[Exception] = []

    def store() -> None:
        try:
            for _ in range(5):
                storage.store(BytesIO(CONTENT), limit=100)
        except Exception as error:  # noqa: BLE001 - reported below
            failures.append(error)

    threads = [threading.Thread(target=store) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(rows(database)) == 1


def test_too_large_a_stream_leaves_no_row(storage: Storage, database: Database) -> None:
    with pytest.raises(LimitExceededError):
        storage.store(BytesIO(CONTENT), limit=9)
    assert rows(database) == {}


def test_the_row_belongs_to_the_transaction_of_the_caller(
    storage: Storage, database: Database
) -> None:
    with pytest.raises(RuntimeError, match="later"), database.transaction():
        storage.store(BytesIO(CONTENT), limit=100)
        raise RuntimeError("later")
    assert rows(database) == {}


def test_bytes_without_a_row_are_not_handed_out(storage: Storage, local: LocalBackend) -> None:
    record = local.put(BytesIO(CONTENT))
    with pytest.raises(BlobMissingError):
        storage.open(record.sha256)


def test_a_check_finds_what_was_changed_or_lost(storage: Storage, database: Database) -> None:
    good, changed, lost = (storage.store(BytesIO(text), limit=9) for text in (b"a", b"b", b"c"))
    damage(storage, changed)
    storage.path(lost.sha256).unlink()
    report = storage.verify(limit=10)
    assert report.checked == 3
    assert set(report.damaged) == {changed.sha256, lost.sha256}
    found = rows(database)
    assert all(blob.verified_at for blob in found.values())
    assert found[good.sha256].damaged_at is None
    assert found[changed.sha256].damaged_at
    assert found[lost.sha256].damaged_at


def test_a_check_of_something_unreadable_reports_it(storage: Storage) -> None:
    blob = storage.store(BytesIO(CONTENT), limit=100)
    place = storage.path(blob.sha256)
    place.unlink()
    place.mkdir()
    assert storage.verify(limit=1).damaged == (blob.sha256,)


def test_a_later_check_keeps_when_damage_was_first_seen(
    storage: Storage, database: Database
) -> None:
    blob = storage.store(BytesIO(CONTENT), limit=100)
    damage(storage, blob)
    storage.verify(limit=1)
    first = rows(database)[blob.sha256]
    storage.verify(limit=1)
    second = rows(database)[blob.sha256]
    assert second.damaged_at == first.damaged_at
    assert first.verified_at
    assert second.verified_at
    assert second.verified_at > first.verified_at


def test_checks_take_turns(storage: Storage, database: Database) -> None:
    blobs = {storage.store(BytesIO(bytes([n])), limit=9).sha256 for n in range(4)}
    storage.verify(limit=3)
    storage.verify(limit=1)
    assert {name for name, blob in rows(database).items() if blob.verified_at} == blobs


def test_storing_again_or_a_good_check_ends_the_damage(
    storage: Storage, database: Database
) -> None:
    blob = storage.store(BytesIO(CONTENT), limit=100)
    backup = shutil.copy(storage.path(blob.sha256), storage.path(blob.sha256).with_suffix(".bak"))
    damage(storage, blob)
    storage.verify(limit=1)
    storage.store(BytesIO(CONTENT), limit=100)
    assert rows(database)[blob.sha256].damaged_at is None
    damage(storage, blob)
    storage.verify(limit=1)
    assert rows(database)[blob.sha256].damaged_at
    shutil.copy(backup, storage.path(blob.sha256))
    assert storage.verify(limit=1).damaged == ()
    assert rows(database)[blob.sha256].damaged_at is None


def test_the_store_tells_its_state(storage: Storage) -> None:
    assert storage.check() == "writable"
    assert storage.sweep() == 0


def test_what_nothing_refers_to_is_erased_after_a_while(
    services: Services, member: Actor, database: Database
) -> None:
    storage = services.storage
    draft = services.catalog.create_draft(member, Metadata())
    used, unused = (storage.store(BytesIO(content), limit=9) for content in (b"used", b"unused"))
    services.catalog.add_file(member, draft.public_id, "a.csv", used, media_type="text/csv")

    assert storage.erase_unused() == 0, "young blobs may be about to be used"
    assert storage.erase_unused(older_than=timedelta(0)) == 1
    assert set(rows(database)) == {used.sha256}
    assert storage.path(used.sha256).read_bytes() == b"used"
    with pytest.raises(BlobMissingError):
        storage.path(unused.sha256)

    services.catalog.discard_draft(member, draft.public_id)
    assert storage.erase_unused(older_than=timedelta(0)) == 1
    assert rows(database) == {}


def test_bytes_sent_again_are_young_again(
    storage: Storage, clock: SteppingClock, database: Database
) -> None:
    blob = storage.store(BytesIO(CONTENT), limit=100)
    clock.now += timedelta(days=1)
    storage.store(BytesIO(CONTENT), limit=100)
    assert storage.erase_unused() == 0
    assert list(rows(database)) == [blob.sha256]
