"""Hierarchies that are built, checked and written out."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairdatabase.privacy.engine.hierarchies import (
    build_hierarchy,
    check_hierarchy,
    nested_widths,
    tabulate,
    uncovered,
)
from fairdatabase.privacy.errors import HierarchyError
from fairdatabase.privacy.schemas.hierarchies import Hierarchy
from fairdatabase.privacy.schemas.recipes import (
    DropColumn,
    Intervals,
    Prefix,
    Recode,
    TruncateDate,
)
from fairdatabase.tables.schemas import ColumnSchema, ColumnType
from tests.factories.privacy import write_parquet

DROP = DropColumn(column="q")


def column(kind: ColumnType) -> ColumnSchema:
    return ColumnSchema(key="q", name="q", type=kind)


def built(tmp_path: Path, values: list[Any], kind: ColumnType, **options: Any) -> Any:  # noqa: ANN401
    """Return the levels that are proposed before the last one."""
    path = write_parquet(tmp_path / "t.parquet", {"q": values})
    hierarchy = build_hierarchy(path, column(kind), **options)
    check_hierarchy(path, column(kind), hierarchy)
    *levels, last = hierarchy.levels
    assert last == DROP
    return levels


def test_numbers_get_nested_round_intervals(tmp_path: Path) -> None:
    ages = [*range(17, 91), None]
    assert built(tmp_path, ages, ColumnType.INTEGER) == [
        Intervals(column="q", width=width) for width in (5, 10, 20)
    ]
    assert built(tmp_path, [1.5, float("inf"), None], ColumnType.NUMBER) == []
    assert built(tmp_path, [None, float("nan")], ColumnType.NUMBER) == []


@pytest.mark.parametrize(
    ("extent", "distinct", "widths"),
    [
        (60, 60, [5, 10, 20]),
        (0.4, 10, [0.1, 0.2]),
        (0, 1, []),
        (40_000, 40_000, [5, 10, 50, 100, 500, 1000, 5000, 10_000, 20_000]),
        (1e17, 1000, [5e14, 1e15]),
        (1e-12, 10, []),
        (60, 90, [1, 5, 10, 20]),
        (10, 20, [1, 2, 4]),
    ],
)
def test_widths_are_multiples_of_each_other(
    extent: float, distinct: int, widths: list[float]
) -> None:
    assert nested_widths(extent, distinct) == widths


def test_dates_become_months_quarters_years_and_decades(tmp_path: Path) -> None:
    days = [
        dt.date(year, month, day)
        for year in (1999, 2001, 2002)
        for month in (1, 2, 5)
        for day in (1, 2)
    ]
    levels = [TruncateDate(column="q", to=to) for to in ("month", "quarter", "year", "decade")]
    assert built(tmp_path, days, ColumnType.DATE) == levels
    times = [dt.datetime(2001, 1, 1, hour) for hour in (1, 2)]  # noqa: DTZ001 - as stored
    assert built(tmp_path, times, ColumnType.DATETIME) == [TruncateDate(column="q", to="day")]
    table = tabulate(
        tmp_path / "t.parquet",
        column(ColumnType.DATETIME),
        Hierarchy(column="q", levels=(TruncateDate(column="q", to="day"), *levels)),
        limit=1,
    )
    assert table.rows[0].labels == ("2001-01-01", "2001-01", "2001-Q1", "2001", "2000s")


def test_codes_lose_their_last_characters(tmp_path: Path) -> None:
    codes = ["1011AB", "1011CD", "1012AB", "2011", None]
    assert built(tmp_path, codes, ColumnType.TEXT) == [
        Prefix(column="q", length=length) for length in (4, 3)
    ]


@pytest.mark.parametrize(
    ("codes", "lengths"),
    [
        (["1011", "1012", "1021", "1111", "2011"], (3, 2, 1)),
        (["J10.1", "J10.2", "K 1-1"], (4,)),
        ([*(f"A{number}" for number in range(9)), "B"], (1,)),
        (["10", "north", "nord"], ()),
    ],
)
def test_nearly_all_texts_are_codes_or_none_is_cut(
    tmp_path: Path, codes: list[str], lengths: tuple[int, ...]
) -> None:
    """Nine in ten are enough."""
    expected = [Prefix(column="q", length=length) for length in lengths]
    assert built(tmp_path, codes, ColumnType.TEXT) == expected


def test_rare_categories_go_together(tmp_path: Path) -> None:
    values = ["north"] * 150 + ["south"] * 12 + ["isle"] * 6 + ["rock", "reef", None]
    north, south, isle = ({each: each} for each in ("north", "south", "isle"))
    assert built(tmp_path, values, ColumnType.TEXT) == [
        Recode(column="q", mapping=mapping, other="other")
        for mapping in (north | south | isle, north | south, north)
    ]
    just_frequent = ["north"] * 15 + ["south"] * 2 + ["isle", "rock", "reef"]
    assert built(tmp_path, just_frequent, ColumnType.TEXT) == [
        Recode(column="q", mapping=north | south, other="other")
    ]
    assert built(tmp_path, ["ann", "bob"] * 60, ColumnType.TEXT) == []
    assert built(tmp_path, [f"{'a' * n}" for n in range(1, 150)], ColumnType.TEXT) == []


def test_truth_values_are_kept_or_left_out(tmp_path: Path) -> None:
    assert built(tmp_path, [True, False, None], ColumnType.BOOLEAN) == []


def test_terms_become_their_ancestors(tmp_path: Path) -> None:
    parents = {"flu": "virus", "cold": "virus", "virus": "infection", "angina": "bacteria"}
    parents |= {"bacteria": "infection"}
    values = ["flu", "cold", "angina", "infection", "fracture", None]
    assert built(tmp_path, values, ColumnType.TEXT, parents=parents) == [
        Recode(
            column="q",
            mapping={
                "flu": "virus",
                "cold": "virus",
                "angina": "bacteria",
                "infection": "infection",
                "fracture": "fracture",
            },
        ),
        Recode(
            column="q",
            mapping=dict.fromkeys(("flu", "cold", "angina", "infection"), "infection")
            | {"fracture": "fracture"},
        ),
    ]


def test_every_term_may_have_a_broader_one_and_none_may_be_there(tmp_path: Path) -> None:
    parents = {"flu": "virus", "virus": "infection"}
    assert built(tmp_path, ["flu", "virus"], ColumnType.TEXT, parents=parents) == [
        Recode(column="q", mapping={"flu": "virus", "virus": "virus"})
    ]
    assert built(tmp_path, [None], ColumnType.TEXT, parents=parents) == []


def test_measured_numbers_have_no_broader_terms(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "t.parquet", {"q": [1.5, 2.5]})
    parents = {"1.5": "low", "2.5": "low"}
    with pytest.raises(HierarchyError, match=r"Level 1 does not fit: .*use intervals for"):
        build_hierarchy(path, column(ColumnType.NUMBER), parents=parents)


def test_a_term_is_not_its_own_ancestor(tmp_path: Path) -> None:
    with pytest.raises(HierarchyError, match="its own ancestor"):
        built(tmp_path, ["a"], ColumnType.TEXT, parents={"a": "b", "b": "a"})


def test_a_hierarchy_is_written_out(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "t.parquet", {"q": ["b", "a", "a", None]})
    hierarchy = Hierarchy(column="q", levels=(Recode(column="q", mapping={"a": "x"}, other="y"),))
    table = tabulate(path, column(ColumnType.TEXT), hierarchy)
    assert table.distinct == (3, 3)
    assert [(row.value, row.rows, row.labels) for row in table.rows] == [
        ("a", 2, ("x",)),
        ("b", 1, ("y",)),
        (None, 1, (None,)),
    ]


MISFITS: list[tuple[list[Any], str]] = [
    ([Recode(column="other", mapping={"a": "x"})], "Level 1 is for column 'other'"),
    ([DROP, Recode(column="q", mapping={"a": "x"})], "Level 1 leaves the column out"),
    ([Intervals(column="q", width=5)], "Level 1 does not fit: .* needs integer or number"),
    (
        [Recode(column="q", mapping={"a": "x"})],
        r"Level 1 of 'q' has no label for 2 values \(3 rows\)",
    ),
    (
        [
            Recode(column="q", mapping={"a": "x", "b": "x"}, other="y"),
            Recode(column="q", mapping={"a": "v", "b": "w"}, other="w"),
            DROP,
        ],
        r"Level 2 of 'q' separates what level 1 joins, for 1 .*'x' becomes both 'v' and 'w'",
    ),
    (
        [
            Prefix(column="q", length=1),
            Recode(column="q", mapping={"b": "v"}, other="w"),
        ],
        "Level 2 of 'q' separates what level 1 joins, for 1 of its labels. Let",
    ),
]


@pytest.mark.parametrize(("levels", "message"), MISFITS)
def test_what_does_not_fit_is_named_with_what_to_do(
    tmp_path: Path, levels: list[Any], message: str
) -> None:
    path = write_parquet(tmp_path / "t.parquet", {"q": ["a", "b", "b", "bb"]})
    with pytest.raises(HierarchyError, match=message) as caught:
        check_hierarchy(path, column(ColumnType.TEXT), Hierarchy(column="q", levels=tuple(levels)))
    assert "bb" not in caught.value.message


def test_values_without_a_label_are_listed(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "t.parquet", {"q": ["c", "a", "b", None]})
    levels = (Recode(column="q", mapping={"a": "x"}), Recode(column="q", mapping={"b": "x"}))
    text = column(ColumnType.TEXT)
    assert uncovered(path, text, Hierarchy(column="q", levels=levels)) == ("a", "b", "c")
    assert uncovered(path, text, Hierarchy(column="q", levels=levels), limit=1) == ("a",)
    assert uncovered(path, text, Hierarchy(column="q")) == ()
    many = write_parquet(tmp_path / "many.parquet", {"q": [str(n) for n in range(101)]})
    assert len(uncovered(many, text, Hierarchy(column="q", levels=levels))) == 100


COLUMNS = st.one_of(
    st.tuples(
        st.just((ColumnType.NUMBER, "float64")),
        st.lists(st.none() | st.floats(-1e12, 1e12) | st.floats(), max_size=20),
    ),
    st.tuples(
        st.just((ColumnType.INTEGER, "int64")),
        st.lists(st.none() | st.integers(-(2**50), 2**50), max_size=20),
    ),
    st.tuples(st.just((ColumnType.DATE, "date32")), st.lists(st.none() | st.dates(), max_size=20)),
    st.tuples(
        st.just((ColumnType.TEXT, "string")),
        st.lists(st.none() | st.text(max_size=5) | st.sampled_from(["1011AB", "1012"]), max_size=9),
    ),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(drawn=COLUMNS)
def test_what_is_proposed_always_fits(
    tmp_path_factory: pytest.TempPathFactory, drawn: tuple[tuple[ColumnType, str], list[Any]]
) -> None:
    (kind, physical), values = drawn
    path = write_parquet(tmp_path_factory.mktemp("h") / "t.parquet", {"q": values}, [physical])
    hierarchy = build_hierarchy(path, column(kind))
    check_hierarchy(path, column(kind), hierarchy)
    distinct = tabulate(path, column(kind), hierarchy).distinct
    assert sorted(distinct, reverse=True) == list(distinct)
