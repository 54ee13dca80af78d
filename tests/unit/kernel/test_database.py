"""Transactions: who commits, what is rolled back, what runs afterwards."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, IntegrityError

from fairdatabase.catalog.models import Dataset
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.identifiers import new_uuid
from fairdatabase.storage.models import Blob

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def blob(digit: str = "a", stored_at: datetime = NOON) -> Blob:
    return Blob(sha256=digit * 64, size=1, stored_at=stored_at)


def stored(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(Blob.sha256).order_by(Blob.sha256)))


def test_the_outermost_transaction_commits(database: Database) -> None:
    with database.transaction() as outer:
        with database.transaction() as inner:
            assert inner is outer
            database.session.add(blob("a"))
        database.session.add(blob("b"))
    assert stored(database) == ["a" * 64, "b" * 64]


def test_an_error_anywhere_rolls_everything_back(database: Database) -> None:
    def fail() -> None:
        with database.transaction():
            database.session.add(blob("a"))
            with database.transaction():
                database.session.add(blob("b"))
                raise KeyError("x")

    with pytest.raises(KeyError):
        fail()
    assert stored(database) == []


def test_hooks_run_once_after_the_commit_and_see_it(database: Database) -> None:
    seen: list[list[str]] = []
    with database.transaction() as session:
        session.add(blob("a"))
        with database.transaction():
            database.after_commit(lambda: seen.append(stored(database)))
        assert seen == []
    assert seen == [["a" * 64]]


def test_hooks_do_not_run_after_a_rollback(database: Database) -> None:
    seen: list[int] = []

    def fail() -> None:
        with database.transaction():
            database.after_commit(lambda: seen.append(1))
            raise KeyError("x")

    with pytest.raises(KeyError):
        fail()
    assert seen == []


def test_a_failing_hook_is_logged_and_the_next_one_runs(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[int] = []
    with database.transaction():
        database.after_commit(lambda: 1 / 0)
        database.after_commit(lambda: seen.append(1))
    assert seen == [1]
    assert "effect after the commit failed" in caplog.text


def test_without_a_transaction_there_is_no_session(database: Database) -> None:
    with pytest.raises(RuntimeError, match="no transaction is open"):
        _ = database.session
    with pytest.raises(RuntimeError, match="open transaction"):
        database.after_commit(lambda: None)


def test_reading_refuses_to_write(database: Database) -> None:
    with pytest.raises(DBAPIError), database.reading() as session:
        session.add(blob())
        session.flush()
    with database.transaction() as session:
        session.add(blob())


def test_a_transaction_inside_reading_is_a_mistake(database: Database) -> None:
    with (
        database.reading(),
        pytest.raises(RuntimeError, match="read-only"),
        database.transaction(),
    ):
        pass


def test_reading_inside_a_transaction_joins_it(database: Database) -> None:
    with database.transaction() as session:
        session.add(blob("a"))
        session.flush()
        assert stored(database) == ["a" * 64]


async def test_async_callers_run_the_same_code(database: Database) -> None:
    hooks: list[str] = []

    def work() -> str:
        with database.transaction():
            database.session.add(blob("c"))
            database.after_commit(lambda: hooks.append("ran"))
        return "done"

    assert await database.run_sync(work) == "done"
    assert hooks == ["ran"]
    assert await database.run_sync(lambda: stored(database), writable=False) == ["c" * 64]
    await database.async_engine.dispose()


async def test_async_errors_roll_back(database: Database) -> None:
    def work() -> None:
        database.session.add(blob("c"))
        raise KeyError("x")

    with pytest.raises(KeyError):
        await database.run_sync(work)
    await database.async_engine.dispose()
    assert stored(database) == []


def test_many_writers_wait_for_each_other(database: Database) -> None:
    with database.transaction() as session:
        session.add(blob("a"))
    errors: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - reported to the main thread
            errors.append(error)

    def increment() -> None:
        for _ in range(5):
            with database.transaction() as session:
                row = session.get_one(Blob, "a" * 64, with_for_update=True)
                row.size += 1

    threads = [threading.Thread(target=guarded, args=(increment,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with database.reading() as session:
        assert session.get_one(Blob, "a" * 64).size == 21


def test_foreign_keys_hold(database: Database) -> None:
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.add(Dataset(owner_id=new_uuid(), created_at=NOON))


def test_datetimes_come_back_aware_in_utc(database: Database) -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5)))
    with database.transaction() as session:
        session.add(blob("a", stored_at=elsewhere))
    with database.reading() as session:
        row = session.get_one(Blob, "a" * 64)
    assert row.stored_at == NOON
    assert row.stored_at.utcoffset() == timedelta(0)
    assert row.verified_at is None


def test_naive_datetimes_are_refused(database: Database) -> None:
    with pytest.raises(Exception, match="naive datetime"), database.transaction() as session:
        session.add(blob("a", stored_at=NOON.replace(tzinfo=None)))
        session.flush()


def test_other_databases_are_refused() -> None:
    with pytest.raises(ValueError, match="sqlite or postgresql, not mysql"):
        Database("mysql://localhost/x")


def test_ping_asks_the_database(database: Database) -> None:
    database.ping()
