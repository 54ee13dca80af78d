"""Groups, page by page."""

import pyarrow as pa
import pytest

from fairdatabase.privacy.engine.groups import list_groups
from fairdatabase.privacy.errors import AssessmentError
from fairdatabase.privacy.schemas import EquivalenceClass
from fairdatabase.tables.schemas import ColumnSchema, ColumnType

PEOPLE = pa.table(
    {
        "c0": ["n", "n", "n", "s", "s", None],
        "c1": pa.array([20, 20, 30, 30, None, 30], "int64"),
    }
)
COLUMNS = [
    ColumnSchema(key="c0", name="region", type=ColumnType.TEXT),
    ColumnSchema(key="c1", name="age", type=ColumnType.INTEGER),
]
NAMES = ["region", "age"]


def group(region: str | None, age: str | None, rows: int, size: int) -> EquivalenceClass:
    return EquivalenceClass(values={"region": region, "age": age}, rows=rows, size=size)


def test_all_groups_smallest_first() -> None:
    page = list_groups(PEOPLE, quasi_identifiers=NAMES, columns=COLUMNS)
    assert (page.total, page.rows) == (5, 6)
    assert page.groups == (
        group("n", "30", 1, 1),
        group("s", "30", 1, 1),
        group("s", None, 1, 1),
        group(None, "30", 1, 1),
        group("n", "20", 2, 2),
    )


def test_a_page_of_small_groups_with_a_value() -> None:
    page = list_groups(
        PEOPLE,
        quasi_identifiers=NAMES,
        columns=COLUMNS,
        smaller_than=2,
        where={"age": "30"},
        offset=1,
        limit=1,
    )
    assert (page.total, page.rows) == (3, 3)
    assert page.groups == (group("s", "30", 1, 1),)


def test_groups_that_lack_a_value() -> None:
    page = list_groups(PEOPLE, quasi_identifiers=NAMES, columns=COLUMNS, where={"age": None})
    assert page.groups == (group("s", None, 1, 1),)
    nothing = list_groups(PEOPLE, quasi_identifiers=NAMES, columns=COLUMNS, where={"age": "99"})
    assert (nothing.total, nothing.rows, nothing.groups) == (0, 0, ())


def test_wildcards_make_groups_larger() -> None:
    page = list_groups(
        PEOPLE, quasi_identifiers=NAMES, columns=COLUMNS, missing="wildcard", smaller_than=3
    )
    # (s, ?) is alike to (s, 30) and to (?, 30): a group of three.
    assert sorted(page.groups, key=lambda one: one.rows) == [
        group("n", "30", 1, 2),
        group("n", "20", 2, 2),
    ]


def test_the_table_s_own_names() -> None:
    page = list_groups(PEOPLE, quasi_identifiers=["c0"], smaller_than=3)
    assert [one.values for one in page.groups] == [{"c0": None}, {"c0": "s"}]


@pytest.mark.parametrize(
    ("names", "where", "said"),
    [(["region", "x"], {}, "and x is none"), (["region"], {"age": "1"}, "and age is none")],
)
def test_what_is_no_quasi_identifier(names: list[str], where: dict[str, str], said: str) -> None:
    with pytest.raises(AssessmentError, match=said) as caught:
        list_groups(PEOPLE, quasi_identifiers=names, columns=COLUMNS, where=where)
    assert caught.value.details == {"columns": [said.split()[1]]}


def test_a_page_has_fifty_groups() -> None:
    many = pa.table({"q": list(range(60)), "r": [1] * 60})
    page = list_groups(many, quasi_identifiers=["q"])
    assert (page.total, len(page.groups)) == (60, 50)
    with pytest.raises(AssessmentError, match="and x, y is none of them"):
        list_groups(many, quasi_identifiers=["y", "x"])
