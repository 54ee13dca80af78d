"""Population tables, sampling and special uniques in the report."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairdatabase.privacy.engine.outlook import (
    Models,
    individual_risk,
    population_risk,
    unproven_likeness,
)
from fairdatabase.privacy.engine.population import expected_risk
from fairdatabase.privacy.engine.risk import assess
from fairdatabase.privacy.errors import AssessmentError
from fairdatabase.privacy.schemas import MissingChoice, Thresholds
from fairdatabase.tables.schemas import ColumnSchema, ColumnType
from tests.factories.privacy import write_parquet

Row = tuple[Any, ...]


def equal(a: Row, b: Row) -> bool:
    return a == b


def compatible(a: Row, b: Row) -> bool:
    return all(x is None or y is None or x == y for x, y in zip(a, b, strict=True))


ALIKE: dict[MissingChoice, Callable[[Row, Row], bool]] = {
    "category": equal,
    "wildcard": compatible,
}


def table(rows: list[Row], **more: Any) -> pa.Table:  # noqa: ANN401 - any values
    columns = {f"q{i}": pa.array([row[i] for row in rows], "int64") for i in range(2)}
    return pa.table({**columns, **more})


cells = st.sampled_from([None, 1, 2])
people = st.lists(st.tuples(cells, cells), min_size=1, max_size=25)


@settings(max_examples=40, deadline=None)
@given(data=st.data(), population=people, missing=st.sampled_from(["category", "wildcard"]))
def test_a_population_table(
    data: st.DataObject, population: list[Row], missing: MissingChoice
) -> None:
    sample = data.draw(st.lists(st.sampled_from(population), min_size=1, max_size=15))
    found = assess(
        table(sample),
        quasi_identifiers=["q0", "q1"],
        missing=missing,
        thresholds=Thresholds(k=3),
        models=Models(population=table(population)),
    ).population
    assert found is not None
    sizes = [sum(ALIKE[missing](row, person) for person in population) for row in sample]
    rows = [sum(row == other for other in sample) for row in sample]
    uncovered = [f < n for f, n in zip(sizes, rows, strict=True)]
    assert found.people == len(population)
    assert found.k_map == min(sizes)
    assert found.journalist_max == pytest.approx(1 / min(sizes))
    assert found.marketer == pytest.approx(sum(1 / f for f in sizes) / len(sample))
    assert found.rows_at_risk == sum(f < 3 for f in sizes)
    assert found.uncovered_rows == sum(uncovered)
    assert bool(found.notes) == any(uncovered)


def test_a_population_by_hand(tmp_path: Path) -> None:
    """Two groups of 2 and 1 among populations of 10 and 4: marketer (2/10 + 1/4) / 3."""
    sample = write_parquet(tmp_path / "s.parquet", {"c0": ["a", "a", "b"]})
    population = write_parquet(tmp_path / "p.parquet", {"region": ["a"] * 10 + ["b"] * 4})
    columns = [ColumnSchema(key="c0", name="region", type=ColumnType.TEXT)]
    report = assess(
        sample, quasi_identifiers=["region"], columns=columns, models=Models(population=population)
    )
    found = report.population
    assert found is not None
    assert (found.k_map, found.journalist_max) == (4, 0.25)
    assert found.marketer == pytest.approx(0.15)
    assert (found.rows_at_risk, found.uncovered_classes) == (1, 0)
    stored = write_parquet(tmp_path / "stored.parquet", {"c7": ["a"] * 10 + ["b"] * 4})
    named = [ColumnSchema(key="c7", name="region", type=ColumnType.TEXT)]
    models = Models(population=stored, population_columns=named)
    again = assess(sample, quasi_identifiers=["region"], columns=columns, models=models)
    assert again.population == found


def test_people_whom_the_population_lacks_count_as_found(tmp_path: Path) -> None:
    found = assess(
        pa.table({"q": ["a", "a", "b"]}),
        quasi_identifiers=["q"],
        models=Models(population=pa.table({"q": ["a", "a", "a"]})),
    ).population
    assert found is not None
    assert (found.k_map, found.journalist_max) == (0, 1.0)
    assert found.marketer == pytest.approx((2 / 3 + 1) / 3)
    assert (found.uncovered_classes, found.uncovered_rows) == (1, 1)
    assert "1 groups" in found.notes[0] or "lacks people" in found.notes[0]


@pytest.mark.parametrize(
    ("columns", "said"),
    [({"other": [1]}, "it has none"), ({"q": ["1"]}, "it has text"), ({"q": [1.0]}, "has number")],
)
def test_a_population_table_that_does_not_fit(columns: dict[str, Any], said: str) -> None:
    with pytest.raises(AssessmentError, match=said) as caught:
        models = Models(population=pa.table(columns))
        assess(pa.table({"q": [1]}), quasi_identifiers=["q"], models=models)
    assert caught.value.details == {"columns": ["q"]}


def test_without_rows_nothing_is_safe() -> None:
    empty = pa.table({"q": pa.array([], "string"), "s": pa.array([], "string")})
    report = assess(
        empty,
        quasi_identifiers=["q"],
        sensitive=["s"],
        models=Models(population=pa.table({"q": ["a"]}), sampling=0.5, uniques_up_to=2),
    )
    assert report.population is not None
    assert (report.population.k_map, report.population.journalist_max) == (0, 1.0)
    assert report.individual is not None
    assert (report.individual.highest, report.individual.mean) == (1.0, 1.0)
    likeness = report.sensitive[0].likeness
    assert likeness is not None
    assert (likeness.alpha, likeness.beta, likeness.delta) == (1.0, None, None)
    assert not likeness.satisfies_delta(1e9)
    assert report.uniques is not None
    assert (report.uniques.rows, report.uniques.highest) == (0, 0.0)


def test_a_sampled_share_of_the_population() -> None:
    report = assess(
        pa.table({"q": ["a", "a", "a", "b"]}),
        quasi_identifiers=["q"],
        models=Models(sampling=0.1),
        thresholds=Thresholds(k=20),
    )
    found = report.individual
    assert found is not None
    three, one = expected_risk(np.array([3, 1]), np.array([0.1, 0.1]))
    assert found.highest == pytest.approx(one)
    assert found.expected == pytest.approx(3 * three + one)
    assert found.mean == pytest.approx((3 * three + one) / 4)
    assert found.population == pytest.approx(40)
    assert found.rows_at_risk == 1
    whole = assess(pa.table({"q": ["a"]}), quasi_identifiers=["q"], models=Models(sampling=1.0))
    assert whole.individual is not None
    assert (whole.individual.population, whole.individual.highest) == (1, 1)


@settings(max_examples=30, deadline=None)
@given(rows=people, data=st.data(), missing=st.sampled_from(["category", "wildcard"]))
def test_sampling_weights(rows: list[Row], data: st.DataObject, missing: MissingChoice) -> None:
    weights = data.draw(
        st.lists(st.sampled_from([1.0, 2.5, 40.0]), min_size=len(rows), max_size=len(rows))
    )
    found = assess(
        table(rows, weight=weights),
        quasi_identifiers=["q0", "q1"],
        missing=missing,
        models=Models(sampling="weight"),
    ).individual
    assert found is not None
    alike = [[ALIKE[missing](row, other) for other in rows] for row in rows]
    sizes = np.array([sum(hits) for hits in alike])
    sums = np.array([sum(w for w, hit in zip(weights, hits, strict=True) if hit) for hits in alike])
    risks = expected_risk(sizes, sizes / sums)
    assert found.highest == pytest.approx(float(risks.max()))
    assert found.mean == pytest.approx(float(risks.mean()))
    assert found.expected == pytest.approx(float(risks.sum()))


def test_a_column_of_weights_by_its_name_and_key() -> None:
    columns = [
        ColumnSchema(key="c0", name="q", type=ColumnType.TEXT),
        ColumnSchema(key="c1", name="how many", type=ColumnType.NUMBER),
    ]
    found = assess(
        pa.table({"c0": ["a", "b"], "c1": [3.0, 1.0]}),
        quasi_identifiers=["q"],
        columns=columns,
        models=Models(sampling="how many"),
    ).individual
    assert found is not None
    assert (found.highest, found.population) == (1.0, 4.0)


@pytest.mark.parametrize(
    ("sampling", "said"),
    [
        (0.0, "^The sampled share of the population lies above 0 and is at most 1.$"),
        (1.1, "^The sampled share of the population lies above 0 and is at most 1.$"),
        ("w", "^Every row needs a sampling weight of at least 1.$"),
        ("x", "'x'"),
    ],
)
def test_sampling_that_makes_no_sense(sampling: float | str, said: str) -> None:
    for bad in (None, 0.5, float("nan"), float("inf")):
        given_table = pa.table({"q": ["a", "b"], "w": pa.array([bad, 2.0], "float64")})
        with pytest.raises(AssessmentError, match=said):
            assess(given_table, quasi_identifiers=["q"], models=Models(sampling=sampling))


@pytest.mark.parametrize("missing", ["category", "wildcard"])
def test_special_uniques_by_hand(missing: MissingChoice) -> None:
    """The third row is alone in its region; the first two need region and age together."""
    report = assess(
        pa.table(
            {
                "region": ["n", "n", "s", "n", "n"],
                "age": [20, 30, 30, 40, 40],
                "sex": ["f", "f", "f", "f", "f"],
            }
        ),
        quasi_identifiers=["sex", "region", "age"],
        missing=missing,
        models=Models(uniques_up_to=2),
    )
    found = report.uniques
    assert found is not None
    assert (found.max_size, found.rows, found.by_size, found.highest) == (2, 3, (2, 1), 2.0)
    listed = {one.values["age"]: one for one in found.riskiest if one.values["region"] == "n"}
    assert listed["20"].combinations == (("age",),)
    assert listed["30"].combinations == (("region", "age"),)
    assert [one.score for one in found.riskiest] == [2.0, 2.0, 1.0]
    shares = [(column.name, column.rows, column.share) for column in found.by_column]
    assert shares == [("region", 2, 0.6), ("age", 2, 0.6), ("sex", 0, 0.0)]


def test_uniques_and_likeness_without_any() -> None:
    report = assess(
        pa.table({"q": ["a", "a"], "s": ["x", "y"]}),
        quasi_identifiers=["q"],
        sensitive=["s"],
        models=Models(uniques_up_to=3),
        max_listed=1,
    )
    assert report.uniques is not None
    assert (report.uniques.rows, report.uniques.riskiest) == (0, ())
    assert report.uniques.by_column[0].share == 0
    likeness = report.sensitive[0].likeness
    assert likeness is not None
    assert (likeness.alpha, likeness.beta, likeness.delta) == (0.5, 0.0, 0.0)
    assert likeness.satisfies_delta(0.1)
    assert not likeness.satisfies_delta(0.0)
    assert likeness.satisfies_enhanced(0.0)
    assert likeness.notes == ()


def test_infinite_likeness_is_explained() -> None:
    report = assess(
        pa.table({"q": ["a", "a", "b", "b"], "s": ["x", "x", "y", "y"]}),
        quasi_identifiers=["q"],
        sensitive=["s"],
    )
    likeness = report.sensitive[0].likeness
    assert likeness is not None
    assert (likeness.beta, likeness.enhanced_beta, likeness.delta) == (1.0, None, None)
    assert not likeness.satisfies_enhanced(100)
    assert [note.split(" holds")[0] for note in likeness.notes] == [
        "Enhanced beta-likeness",
        "Delta-disclosure privacy",
    ]


def test_tables_without_rows_are_told_as_such() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    note = ("The table has no rows; nothing about it was shown to be safe.",)
    found = population_risk(nothing, nothing, 7, 5)
    assert (found.people, found.k_map, found.journalist_max, found.marketer) == (7, 0, 1, 1)
    assert (found.rows_at_risk, found.uncovered_classes, found.uncovered_rows) == (0, 0, 0)
    estimated = individual_risk(nothing, nothing, np.zeros(0), 5)
    assert (estimated.highest, estimated.mean, estimated.rows_at_risk) == (1, 1, 0)
    assert (estimated.expected, estimated.population) == (0, 0)
    assert found.notes == estimated.notes == unproven_likeness().notes == note


def test_a_risk_of_just_one_in_k_is_no_risk() -> None:
    sizes = np.array([1, 2, 3])
    found = individual_risk(sizes, sizes, sizes.astype(np.float64), 2)
    assert (found.rows_at_risk, found.highest, found.mean) == (1, 1, 0.5)
