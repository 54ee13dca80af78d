"""Health of the parts."""

from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import UnavailableError
from fairdatabase.observability import health
from fairdatabase.observability.health import Health, PartHealth, answering, disk


def broken() -> str:
    raise UnavailableError("The queue of jobs does not answer.")


def unexpected() -> str:
    raise OSError(5, "secret-host.internal refused")


def test_all_parts_are_asked_and_named() -> None:
    report = Health({"one": lambda: "fine", "two": broken, "three": unexpected}).report()
    assert not report.ready
    assert report.parts == (
        PartHealth(name="one", ready=True, detail="fine"),
        PartHealth(name="two", ready=False, detail="The queue of jobs does not answer."),
        PartHealth(name="three", ready=False, detail="The three does not answer."),
    )


def test_ready_is_when_every_part_is() -> None:
    assert Health({"one": lambda: "fine"}).report().ready


def test_a_mistake_in_a_check_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        Health({"one": lambda: str(1 / 0)}).report()


def test_a_database_answers(database: Database) -> None:
    assert answering(database.ping) == "answers"


def test_a_database_that_is_not_there_is_not_ready(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/missing/folder.db")
    with pytest.raises(OperationalError):
        database.ping()
    report = Health({"database": lambda: answering(database.ping)}).report()
    assert report.parts[0].detail == "The database does not answer."


def test_a_disk_tells_what_is_free(tmp_path: Path) -> None:
    assert disk(tmp_path).endswith("MiB free")


def test_a_disk_that_is_nearly_full_is_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "LEAST_FREE_BYTES", 2**62)
    with pytest.raises(UnavailableError, match="are free on the disk"):
        disk(tmp_path)
