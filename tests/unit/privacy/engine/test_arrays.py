"""Classes in memory give the same report as the engine for tables of any size."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairdatabase.privacy.engine import arrays
from fairdatabase.privacy.engine.arrays import code, dense, fits, k_anonymity, tally
from fairdatabase.privacy.engine.outlook import Models
from fairdatabase.privacy.engine.risk import assess
from fairdatabase.privacy.schemas import RiskReport

NAN = float("nan")
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "string": st.sampled_from(["", "a", "é", "é", "01", "1", "Z", "😀"]),
    "int64": st.sampled_from([-5, 0, 3, 2**60]),
    "uint8": st.sampled_from([0, 7, 255]),
    "bool": st.booleans(),
    "float64": st.sampled_from([NAN, 0.0, 1.5, 1e300, float("inf"), float("-inf")]),
    "float32": st.sampled_from([0.1, 0.0]),
    "date32": st.sampled_from([dt.date(1999, 12, 31), dt.date(2024, 2, 29)]),
    "timestamp[ms]": st.sampled_from(
        [dt.datetime(1960, 1, 1, tzinfo=dt.UTC), dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)]
    ),
    "time64[us]": st.sampled_from([dt.time(0), dt.time(23, 59)]),
}


def both(source: Path | pa.Table, **options: Any) -> tuple[RiskReport, RiskReport]:  # noqa: ANN401
    """Measure in memory and by the engine for tables of any size."""
    assert fits(source, [*options["quasi_identifiers"], *options["sensitive"]])
    with pytest.MonkeyPatch.context() as patch:
        here = assess(source, **options)
        patch.setattr(arrays, "ROWS_IN_MEMORY", -1)
        return here, assess(source, **options)


@settings(max_examples=60, deadline=None)
@given(
    kinds=st.tuples(*[st.sampled_from(sorted(KINDS))] * 3), rows=st.integers(0, 20), data=st.data()
)
def test_both_engines_agree_on_every_type(
    kinds: tuple[str, str, str], rows: int, data: st.DataObject
) -> None:
    columns = {
        f"c{place}": pa.array(
            data.draw(st.lists(st.none() | KINDS[kind], min_size=rows, max_size=rows)),
            pa.type_for_alias(kind),
        )
        for place, kind in enumerate(kinds)
    }
    one, other = both(
        pa.table(columns),
        quasi_identifiers=["c0", "c1"],
        sensitive=["c2"],
        models=Models(uniques_up_to=2),
    )
    assert one == other
    assert k_anonymity(pa.table(columns), ["c0", "c1"]) == one.k


def test_files_with_several_row_groups_and_dictionaries(tmp_path: Path) -> None:
    table = pa.table(
        {
            "q": pa.chunked_array([["b", "a"], ["c", "a"]]).dictionary_encode(),
            "s": pa.array([Decimal("1.50"), Decimal("1.5"), None, Decimal(2)]),
        }
    )
    pq.write_table(table, tmp_path / "key=value.parquet", row_group_size=2)
    for source in (table, tmp_path / "key=value.parquet"):
        one, other = both(source, quasi_identifiers=["q"], sensitive=["s"])
        assert one == other
        assert [small.values["q"] for small in one.small_classes] == ["b", "c", "a"]
        assert k_anonymity(source, ["q"]) == 1


def test_more_combinations_than_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "FEW_PLACES", 4)
    values = [str(place) for place in range(40)]
    table = pa.table(dict.fromkeys("abcdefghij", values))
    one, other = both(table, quasi_identifiers=list("abcdefghij"), sensitive=[])
    assert one == other
    assert one.classes == 40


def test_zeros_of_both_signs_are_the_same_number() -> None:
    table = pa.table({"q": [0.0, -0.0, 1.0, 1.0], "s": [-0.0, 0.0, 0.0, 5.0]})
    one, other = both(table, quasi_identifiers=["q"], sensitive=["s"])
    assert one == other
    assert (one.k, one.sensitive[0].distinct_values) == (2, 2)


def test_codes_stand_for_values_of_the_column_s_own_type() -> None:
    narrow = code(pa.chunked_array([pa.array([0.5, None, 0.1], "float32")]))
    assert narrow.codes.tolist() == [1, 2, 0]
    assert narrow.values.type == pa.float32()
    for kind in (pa.string(), pa.dictionary(pa.int32(), pa.string())):
        nothing = code(pa.chunked_array([], kind))
        assert (nothing.codes.size, nothing.places) == (0, 1)
        assert nothing.values.type == pa.string()


@pytest.mark.parametrize("few_places", [1, 100])
def test_numbers_and_counts_are_the_same_either_way(
    monkeypatch: pytest.MonkeyPatch, few_places: int
) -> None:
    monkeypatch.setattr(arrays, "FEW_PLACES", few_places)
    monkeypatch.setattr(arrays, "ROOM", 1)
    key = np.array([5, 2, 5, 9])
    assert [part.tolist() for part in dense(key, 10)] == [[1, 0, 1, 2], [2, 5, 9]]
    assert [part.tolist() for part in tally(key, 10)] == [[2, 5, 9], [1, 2, 1]]


def test_without_quasi_identifiers() -> None:
    table = pa.table({"s": ["x", "y"]})
    one, other = both(table, quasi_identifiers=[], sensitive=["s"])
    assert one == other
    assert k_anonymity(table, []) == 2


def test_what_does_not_fit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    table = pa.table({"q": ["a", "b"], "list": [[1], [2]], "bytes": [b"1", b"2"]})
    pq.write_table(table, tmp_path / "t.parquet")
    for source in (table, tmp_path / "t.parquet"):
        assert fits(source, ["q"])
        assert not fits(source, ["q", "list"])
        assert not fits(source, ["bytes"])
        monkeypatch.setattr(arrays, "ROWS_IN_MEMORY", 1)
        assert not fits(source, ["q"])
        monkeypatch.setattr(arrays, "ROWS_IN_MEMORY", 2)
        assert fits(source, ["q"])
        monkeypatch.setattr(arrays, "BYTES_IN_MEMORY", 1)
        assert not fits(source, ["q"])
        monkeypatch.undo()
    report = assess(table, quasi_identifiers=["list"], sensitive=["bytes"])
    assert (report.k, report.classes) == (1, 2)
