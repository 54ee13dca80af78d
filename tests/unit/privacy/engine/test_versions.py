"""Two versions compared, against counting by hand."""

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairdatabase.privacy.engine.versions import compare_versions
from fairdatabase.privacy.errors import AssessmentError
from fairdatabase.tables.schemas import ColumnSchema, ColumnType

Rows = list[tuple[str | None, str | None]]
cells = st.sampled_from([None, "a", "b"])
versions = st.lists(st.tuples(cells, cells), max_size=20)


def table(rows: Sequence[tuple[str | None, str | None]]) -> pa.Table:
    return pa.table(
        {
            "q": pa.array([q for q, _ in rows], "string"),
            "s": pa.array([s for _, s in rows], "string"),
        }
    )


@settings(max_examples=40, deadline=None)
@given(earlier=versions, later=versions, k=st.integers(1, 4))
def test_differences_of_few_rows(earlier: Rows, later: Rows, k: int) -> None:
    found = compare_versions(
        table(earlier), table(later), quasi_identifiers=["q"], sensitive=["s"], k=k
    )
    old, new = Counter(earlier), Counter(later)
    came: Counter[str | None] = Counter(q for q, _ in (new - old).elements())
    went: Counter[str | None] = Counter(q for q, _ in (old - new).elements())
    telling = {q: came[q] + went[q] for q in came | went if 0 < came[q] < k or 0 < went[q] < k}
    assert found.groups == len({q for q, _ in [*earlier, *later]})
    assert found.telling_groups == len(telling)
    assert found.telling_rows == sum(telling.values())
    assert {one.values["q"]: one.rows for one in found.listed} == telling
    sizes = Counter(q for q, _ in later)
    assert {one.values["q"]: one.size for one in found.listed} == {q: sizes[q] for q in telling}


def test_the_smallest_differences_come_first_and_capped() -> None:
    later = table([("a", "x")] * 3 + [("b", "x")] + [("c", "x")] * 2)
    found = compare_versions(table([]), later, quasi_identifiers=["q"], sensitive=[], max_listed=2)
    assert [(one.values["q"], one.rows) for one in found.listed] == [("b", 1), ("c", 2)]
    assert (found.telling_groups, found.telling_rows) == (3, 6)


def test_somebody_who_replaces_somebody_is_seen() -> None:
    found = compare_versions(
        table([("a", "x")] * 6),
        table([("a", "x")] * 5 + [("a", "y")]),
        quasi_identifiers=["q"],
        sensitive=["s"],
    )
    assert (found.telling_groups, found.telling_rows) == (1, 2)


def test_many_newcomers_do_not_hide_the_one_who_left() -> None:
    found = compare_versions(
        table([("a", "x")] * 6),
        table([("a", "x")] * 5 + [("a", "y")] * 6),
        quasi_identifiers=["q"],
        sensitive=["s"],
    )
    assert (found.telling_groups, found.telling_rows) == (1, 7)


def test_columns_are_found_by_the_names_that_people_see() -> None:
    """Each version has its own physical names, and a recipe may have made texts of numbers."""
    earlier = pa.table({"c0": ["x"] * 4, "c1": pa.array([1, 1, 2, 2], "int64")})
    later = pa.table({"c0": ["1", "1", "2"], "c1": ["x"] * 3, "c2": [0] * 3})
    found = compare_versions(
        earlier,
        later,
        quasi_identifiers=["age"],
        sensitive=["illness"],
        earlier_columns=[
            ColumnSchema(key="c0", name="illness", type=ColumnType.TEXT),
            ColumnSchema(key="c1", name="age", type=ColumnType.INTEGER),
        ],
        later_columns=[
            ColumnSchema(key="c0", name="age", type=ColumnType.TEXT),
            ColumnSchema(key="c1", name="illness", type=ColumnType.TEXT),
        ],
    )
    assert [(one.values["age"], one.rows, one.size) for one in found.listed] == [("2", 1, 1)]


def test_both_need_the_columns() -> None:
    with pytest.raises(AssessmentError, match="'z'"):
        compare_versions(table([]), table([]), quasi_identifiers=["z"], sensitive=["s"])


def test_differences_about_five_people_tell_nothing_by_default() -> None:
    later = table([("a", "x")] * 5 + [("b", "x")] * 4)
    found = compare_versions(table([]), later, quasi_identifiers=["q"], sensitive=["s"])
    assert [(one.values, one.rows, one.size) for one in found.listed] == [({"q": "b"}, 4, 4)]
    assert (found.groups, found.telling_groups, found.telling_rows) == (2, 1, 4)
    gone = compare_versions(later, table([]), quasi_identifiers=["q"], sensitive=["s"])
    assert [(one.values, one.rows, one.size) for one in gone.listed] == [({"q": "b"}, 4, 0)]


def test_fifty_groups_are_listed_by_default_in_the_order_of_their_values() -> None:
    names = [f"{number:02}" for number in range(51)]
    later = table([(name, "x") for name in reversed(names)])
    found = compare_versions(table([]), later, quasi_identifiers=["q"], sensitive=[])
    assert [one.values["q"] for one in found.listed] == names[:50]
    assert found.telling_groups == 51


def test_groups_have_several_columns_and_numbers_are_equal_in_any_type() -> None:
    earlier = pa.table({"q": [1, 2], "r": ["x", "y"], "s": [1.0, 2.0]})
    later = pa.table({"q": [1.0, 2.0], "r": ["x", "y"], "s": [1, 3]})
    found = compare_versions(earlier, later, quasi_identifiers=["q", "r"], sensitive=["s"])
    assert found.groups == 2
    (one,) = found.listed
    assert (float(one.values["q"] or 0), one.values["r"], one.rows, one.size) == (2, "y", 2, 1)


def test_every_missing_column_is_named() -> None:
    other = pa.table({"q": ["a"], "only": ["b"]})
    with pytest.raises(AssessmentError, match="need the column 'only', 's' to be") as caught:
        compare_versions(table([]), other, quasi_identifiers=["q", "only"], sensitive=["s"])
    assert caught.value.details == {"columns": ["only", "s"]}


def test_truth_values_are_no_numbers() -> None:
    earlier, later = pa.table({"q": [True] * 3}), pa.table({"q": [1] * 3})
    found = compare_versions(earlier, later, quasi_identifiers=["q"], sensitive=[])
    assert {(one.values["q"], one.rows, one.size) for one in found.listed} == {
        ("true", 3, 0),
        ("1", 3, 3),
    }
