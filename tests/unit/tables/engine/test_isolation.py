"""Files that ask for more memory or time than there is cost themselves and nobody else."""

import os
import time
from collections.abc import Callable

import pytest

from fairdatabase.tables.engine.isolation import isolated
from fairdatabase.tables.engine.limits import IngestLimits
from fairdatabase.tables.errors import CorruptFileError, ExpansionLimitError, HeaderError
from tests.factories.bombs import (
    cell,
    handmade_workbook,
    long_text_parquet,
    lying_workbook,
    many_laughs,
    one_text_many_times,
    two_corners,
)
from tests.unit.tables.engine.table_files import ingested, refused

SMALL = IngestLimits(memory_mib=256)
Tell = Callable[[float, str], None]


def _add(left: int, right: int, tell: Tell) -> tuple[int, int]:
    tell(0.5, "Adding")
    return left + right, os.getpid()


def _fail(_tell: Tell) -> None:
    raise HeaderError("There is no header.", details=[{"line": 1}])


def _take(mebibytes: int, _tell: Tell) -> int:
    return len(bytearray(mebibytes << 20))


def _spin(_tell: Tell) -> None:
    while True:
        pass


def _abort(_tell: Tell) -> None:
    os.abort()


def _wait(tell: Tell) -> None:
    while True:
        tell(0.1, "Waiting")
        time.sleep(0.01)


def call(work: Callable[..., object], *arguments: object, progress: Tell | None = None) -> object:
    """Call a function in a process with 100 MiB and a second."""

    def ignore(_share: float, _activity: str) -> None:
        """Forget it."""

    return isolated(
        work, *arguments, name="a.xlsx", progress=progress or ignore, memory_mib=100, seconds=1
    )


def test_the_result_and_the_progress_come_back() -> None:
    told: list[tuple[float, str]] = []
    result = call(_add, 1, 2, progress=lambda *each: told.append(each))
    assert isinstance(result, tuple)
    assert result[0] == 3
    assert result[1] != os.getpid()
    assert told == [(0.5, "Adding")]


def test_an_error_comes_back_as_it_is() -> None:
    with pytest.raises(HeaderError, match="no header") as raised:
        call(_fail)
    assert raised.value.details == [{"line": 1}]


def test_memory_and_time_have_an_end() -> None:
    assert call(_take, 10) == 10 << 20
    with pytest.raises(ExpansionLimitError, match=r"a\.xlsx takes more than 100 MiB of memory"):
        call(_take, 500)
    with pytest.raises(ExpansionLimitError, match="takes more than 1 seconds"):
        call(_spin)


def test_a_crash_is_an_error() -> None:
    with pytest.raises(ExpansionLimitError, match="Save the table as CSV"):
        call(_abort)


def test_what_the_progress_raises_ends_the_work() -> None:
    class Stopped(Exception):  # noqa: N818 - no error
        pass

    def stop(_share: float, _activity: str) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        call(_wait, progress=stop)


def test_a_sheet_from_corner_to_corner_is_refused() -> None:
    """1.5 kB that ask for half a terabyte, and abort the process that does not get it."""
    assert len(two_corners()) < 2048
    refused(ExpansionLimitError, "takes more than 256 MiB", two_corners(), limits=SMALL)
    with ingested(handmade_workbook(cell("A1", "a") + cell("A2", "b"))) as table:
        assert table.rows == [("b",)]


def test_one_text_in_many_cells_is_refused() -> None:
    """50 kB that become 650 MB; with the memory of a usual instance it takes somewhat more."""
    content = one_text_many_times(20_000)
    assert len(content) < 120_000
    refused(ExpansionLimitError, "takes more than 256 MiB", content, limits=SMALL)
    with ingested(one_text_many_times(20)) as table:
        assert len(table.rows) == 19


def test_a_directory_that_lies_about_sizes_is_found_out() -> None:
    refused(CorruptFileError, "declared uncompressed size", lying_workbook(64 << 20), limits=SMALL)


def test_entities_are_not_expanded() -> None:
    refused(CorruptFileError, "cannot be read as a workbook", many_laughs(), limits=SMALL)


def test_a_long_text_that_is_stored_once_is_refused() -> None:
    refused(
        ExpansionLimitError,
        "A text in the column 'a' of .* takes 2,000,000 bytes; 1,048,576 are possible",
        long_text_parquet(50, 2_000_000),
    )
    book = handmade_workbook(cell("A1", "a") + cell("A2", "x" * 2_000_000))
    refused(ExpansionLimitError, "takes 2,000,000 bytes", book, limits=IngestLimits())
    with ingested(long_text_parquet(5, 1 << 20), name="table.parquet") as table:
        assert {len(text) for text in table.column("a")} == {1 << 20}


def test_long_texts_in_many_rows_take_no_memory_of_ours() -> None:
    content = long_text_parquet(60_000, 1_000_000)
    assert len(content) < 10_000
    refused(ExpansionLimitError, "takes more than 256 MiB", content, limits=SMALL)


def test_a_parquet_file_has_so_many_cells_and_no_more() -> None:
    refused(
        ExpansionLimitError,
        "has 50 rows of 1 columns, more than the 49 cells",
        long_text_parquet(50, 1),
        limits=IngestLimits(cells=49),
    )
