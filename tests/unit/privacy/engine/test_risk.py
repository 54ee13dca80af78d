"""Worked examples and boundary cases of the risk engine."""

import datetime as dt
import json
import math
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from fairdatabase.privacy.engine.outlook import Models
from fairdatabase.privacy.engine.risk import assess, size_bands
from fairdatabase.privacy.errors import AssessmentError
from fairdatabase.privacy.schemas import MissingChoice, P29Thresholds, Thresholds
from fairdatabase.tables.schemas import ColumnSchema, ColumnType
from tests.factories.privacy import write_parquet

AGE = ["20-29"] * 4 + ["30-39"] * 4
ILLNESS = ["flu", "flu", "cold", "asthma", "flu", "flu", "flu", "flu"]
INCOME = [1, 2, 3, 4, 1, 1, 2, 2]


@pytest.fixture
def clinic(tmp_path: Path) -> Path:
    return write_parquet(
        tmp_path / "clinic.parquet", {"age": AGE, "illness": ILLNESS, "income": INCOME}
    )


def test_categories_by_hand(clinic: Path) -> None:
    report = assess(
        clinic,
        quasi_identifiers=["age"],
        sensitive=["illness"],
        thresholds=Thresholds(k=5, l=3, t=0.2),
    )
    risk = report.sensitive[0]
    assert (report.k, report.classes, report.rows_at_risk) == (4, 2, 8)
    assert (report.prosecutor_max, report.prosecutor_average, report.marketer) == (0.25,) * 3
    assert [(band.low, band.classes) for band in report.sizes if band.classes] == [(4, 2)]
    # In the table flu 6/8, cold 1/8, asthma 1/8; in the twenties 2/4, 1/4, 1/4; then only flu.
    assert risk.t == pytest.approx(0.25)
    assert risk.mean_t == pytest.approx(0.25)
    assert (risk.distinct_l, risk.entropy, risk.entropy_l) == (1, 0.0, 1.0)
    first = 1.5 * math.log(2) / math.log(3)
    assert risk.mean_normalised_entropy == pytest.approx(first / 2)
    assert risk.recursive_c_bound is None
    assert not risk.satisfies_recursive(1000)
    assert (risk.homogeneous_classes, risk.homogeneous_rows) == (1, 4)
    assert (risk.rows_below_l, risk.rows_above_t) == (4, 8)
    assert [found.values for found in risk.least_diverse] == [{"age": "30-39"}]
    assert [found.t for found in risk.most_distant] == pytest.approx([0.25, 0.25])
    at_the_limits = assess(
        clinic,
        quasi_identifiers=["age"],
        sensitive=["illness"],
        thresholds=Thresholds(k=4, l=4, t=0.25),
    )
    assert at_the_limits.rows_at_risk == at_the_limits.sensitive[0].rows_above_t == 0
    diverse = at_the_limits.sensitive[0].least_diverse
    assert [found.values for found in diverse] == [{"age": "30-39"}, {"age": "20-29"}]


def test_the_most_distant_classes_come_first_and_capped() -> None:
    table = pa.table({"q": ["a"] * 4 + ["b"] * 2 + ["c"] * 2, "s": list("xxxxxyyy")})
    report = assess(
        table,
        quasi_identifiers=["q"],
        sensitive=["s"],
        thresholds=Thresholds(t=0.1),
        max_listed=2,
    )
    distant = report.sensitive[0].most_distant
    assert [(found.values["q"], found.t) for found in distant] == [("c", 0.625), ("a", 0.375)]
    singles = pa.table({"q": ["a", "b", "c"]})
    models = Models(uniques_up_to=1)
    uniques = assess(singles, quasi_identifiers=["q"], max_listed=2, models=models).uniques
    assert uniques is not None
    assert len(uniques.riskiest) == 2


def test_numbers_by_hand(clinic: Path) -> None:
    report = assess(clinic, quasi_identifiers=["age"], sensitive=["income"])
    risk = report.sensitive[0]
    # Cumulated table 3/8, 6/8, 7/8, 1; twenties 1/4, 2/4, 3/4, 1; thirties 1/2, 1, 1, 1.
    assert risk.ordered
    assert risk.t == pytest.approx((1 / 8 + 2 / 8 + 1 / 8) / 3)
    assert risk.recursive_c_bound == pytest.approx(1.0)
    assert risk.satisfies_recursive(1.01)
    assert not risk.satisfies_recursive(1.0)
    assert (risk.rows_below_l, risk.rows_above_t) == (0, 0)
    assert report.p29.value == pytest.approx(
        0.5 * 0.75 + 0.25 * risk.mean_normalised_entropy + 0.25 * (1 - risk.mean_t)
    )
    assert report.p29.mean_diversity == risk.mean_normalised_entropy
    assert report.p29.mean_t == risk.mean_t


def test_numbers_can_be_codes_and_texts_can_be_ordered(clinic: Path) -> None:
    codes = assess(clinic, quasi_identifiers=["age"], sensitive=["income"], nominal=["income"])
    assert not codes.sensitive[0].ordered
    assert codes.sensitive[0].t == pytest.approx(0.25)
    texts = assess(clinic, quasi_identifiers=["age"], sensitive=["illness"], ordered=["illness"])
    assert texts.sensitive[0].ordered


def test_every_sensitive_attribute_counts_for_p29(clinic: Path) -> None:
    both = assess(clinic, quasi_identifiers=["age"], sensitive=["income", "illness"])
    assert both.p29.value == 0
    assert both.p29.broken == ("the normalised entropy of illness is 0 in a class, at most 0",)
    strict = Thresholds(p29=P29Thresholds(k=4, t=0.1))
    report = assess(clinic, quasi_identifiers=["age"], sensitive=["income"], thresholds=strict)
    assert report.p29.broken == ("k is 4, at most 4", "t of income is 0.1667, more than 0.1")
    even = Thresholds(p29=P29Thresholds(t=1 / 6))
    report = assess(clinic, quasi_identifiers=["age"], sensitive=["income"], thresholds=even)
    assert report.p29.broken == ()


def test_without_sensitive_attribute_p29_is_not_defined(clinic: Path) -> None:
    report = assess(clinic, quasi_identifiers=["age"], sensitive=[])
    assert report.p29.value is None
    assert report.k == 4


def test_without_quasi_identifier_the_table_is_one_class(clinic: Path) -> None:
    for missing in ("category", "wildcard"):
        report = assess(clinic, quasi_identifiers=[], sensitive=["illness"], missing=missing)
        assert (report.k, report.classes) == (8, 1)
        assert report.sensitive[0].t == 0


@pytest.mark.parametrize("quasi_identifiers", [[], ["age"]])
def test_an_empty_table_has_the_worst_values(tmp_path: Path, quasi_identifiers: list[str]) -> None:
    path = write_parquet(
        tmp_path / "empty.parquet", {"age": [], "illness": []}, ["string", "string"]
    )
    report = assess(path, quasi_identifiers=quasi_identifiers, sensitive=["illness"])
    assert (report.rows, report.k, report.classes) == (0, 0, 0)
    assert (report.uniqueness, report.prosecutor_max, report.prosecutor_average) == (1, 1, 1)
    assert report.p29.value == 0
    worst = {name: 0 for name, value in report.sensitive[0] if isinstance(value, int | float)}
    worst |= {"ordered": False, "constant": True, "entropy_l": 1, "t": 1, "mean_t": 1}
    assert report.sensitive[0].model_dump(include=set(worst)) == worst


def test_a_constant_is_reported_and_makes_p29_zero(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "t.parquet", {"q": ["a", "a"], "s": ["x", "x"]})
    report = assess(path, quasi_identifiers=["q"], sensitive=["s"])
    risk = report.sensitive[0]
    assert risk.constant
    assert (risk.normalised_entropy, risk.t, risk.recursive_c_bound) == (0, 0, None)
    assert report.p29.value == 0


def test_uniform_entropy_is_not_truncated(tmp_path: Path) -> None:
    for l in (2, 4, 6):  # noqa: E741
        path = write_parquet(
            tmp_path / f"{l}.parquet", {"q": ["a"] * l, "s": [str(i) for i in range(l)]}
        )
        risk = assess(path, quasi_identifiers=["q"], sensitive=["s"]).sensitive[0]
        assert risk.entropy_l == pytest.approx(l, abs=1e-9)
        assert risk.normalised_entropy == pytest.approx(1, abs=1e-9)


def test_nothing_is_coerced(tmp_path: Path) -> None:
    texts = ["01234", "1234", "\u00e9", "e\u0301", "NaN", None]
    numbers = [math.nan, None, 0.0, -0.0, math.inf, 1.0]
    path = write_parquet(tmp_path / "t.parquet", {"text": texts, "number": numbers})
    report = assess(path, quasi_identifiers=["text"], sensitive=["number"])
    assert (report.classes, report.unique_rows) == (6, 6)
    assert report.sensitive[0].distinct_values == 5
    assert {found.values["text"] for found in report.small_classes} == set(texts)
    numeric = assess(path, quasi_identifiers=["number"], sensitive=[])
    assert (numeric.classes, numeric.unique_rows, numeric.uniqueness) == (5, 4, 4 / 6)
    assert json.loads(numeric.model_dump_json())["classes"] == 5


def test_wildcards_match_every_value(tmp_path: Path) -> None:
    path = write_parquet(
        tmp_path / "t.parquet", {"age": [20, 20, None, 30], "sex": ["f", "m", "f", None]}
    )
    columns = ["age", "sex"]
    apart = assess(path, quasi_identifiers=columns, sensitive=[])
    assert (apart.k, apart.unique_rows) == (1, 4)
    assert [cost.unique_rows_without for cost in apart.by_quasi_identifier] == [2, 2]
    alike = assess(path, quasi_identifiers=columns, sensitive=[], missing="wildcard")
    # (20, f) ~ (?, f); (20, m) stands alone; (?, f) ~ (20, f), (30, ?); (30, ?) ~ (?, f).
    sizes = {tuple(c.values.values()): c.size for c in alike.small_classes}
    assert sizes == {("20", "f"): 2, ("20", "m"): 1, (None, "f"): 3, ("30", None): 2}
    assert (alike.k, alike.unique_rows) == (1, 1)


def test_small_classes_come_smallest_first_and_capped(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "t.parquet", {"q": ["c"] * 3 + ["b"] + ["a"] * 2})
    report = assess(path, quasi_identifiers=["q"], sensitive=[], max_listed=2)
    assert [(c.values["q"], c.size) for c in report.small_classes] == [("b", 1), ("a", 2)]
    assert report.classes_at_risk == 3


@pytest.mark.parametrize("missing", ["category", "wildcard"])
def test_a_class_of_k_is_safe_and_equally_small_ones_keep_their_order(
    missing: MissingChoice,
) -> None:
    values = [*range(100, 160), *range(100, 160, 2), *[7] * 3]
    report = assess(
        pa.table({"q": values}),
        quasi_identifiers=["q"],
        thresholds=Thresholds(k=3),
        missing=missing,
    )
    assert (report.classes_at_risk, report.rows_at_risk) == (60, 90)
    listed = [small.values["q"] for small in report.small_classes]
    expected = [str(value) for start in (101, 100) for value in range(start, 160, 2)]
    assert listed == expected[:50]


def test_columns_are_known_by_the_names_people_see(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "t.parquet", {"c0": [1, 1], "c1": ["x", "y"]})
    columns = [
        ColumnSchema(key="c0", name='Age "years"', type=ColumnType.INTEGER),
        ColumnSchema(key="c1", name="age", type=ColumnType.TEXT),
    ]
    report = assess(path, quasi_identifiers=['Age "years"'], sensitive=["age"], columns=columns)
    assert (report.k, report.sensitive[0].distinct_l) == (2, 2)
    assert report.by_quasi_identifier[0].kind == "number"


def test_types_of_a_bare_file(tmp_path: Path) -> None:
    moment = dt.datetime(2020, 1, 1, 12, tzinfo=dt.UTC)
    path = write_parquet(
        tmp_path / 'odd "[name]*.parquet',
        {
            'quoted "name"': ["a", "b"],
            "day": [moment.date()] * 2,
            "moment": [moment] * 2,
            "time": [dt.time(12)] * 2,
            "flag": [True, False],
            "list": [[1], [2]],
            "real": [0.5, 0.25],
        },
    )
    names = ["day", "moment", "time", "flag", "list", "real"]
    report = assess(path, quasi_identifiers=['quoted "name"'], sensitive=names)
    assert [risk.ordered for risk in report.sensitive] == [True, True, True, False, False, True]
    kinds = assess(path, quasi_identifiers=names, sensitive=[]).by_quasi_identifier
    assert [found.kind for found in kinds] == ["date", "date", "text", "text", "text", "number"]


@pytest.mark.parametrize(
    ("quasi_identifiers", "sensitive", "ordered", "message"),
    [
        (["Age"], [], [], "has no column 'Age'"),
        (["age"], ["height"], [], "has no column 'height'"),
        (["age"], [], ["height"], "has no column 'height'"),
        (["age"], ["age"], [], "'age' is named twice"),
        (["age", "age"], [], [], "'age' is named twice"),
        (["x", "Age"], [], [], "has no column 'Age', 'x'"),
        (["age", "income"], ["income", "age"], [], "^'age', 'income' is named twice"),
    ],
)
def test_columns_that_do_not_fit(
    clinic: Path,
    quasi_identifiers: list[str],
    sensitive: list[str],
    ordered: list[str],
    message: str,
) -> None:
    with pytest.raises(AssessmentError, match=message) as caught:
        assess(clinic, quasi_identifiers=quasi_identifiers, sensitive=sensitive, ordered=ordered)
    assert caught.value.message.endswith((" exactly.", " or sensitive, and is named once."))
    assert caught.value.details == {"columns": re.findall("'(.+?)'", message)}


@pytest.mark.parametrize(
    ("sizes", "k", "bands"),
    [
        ([1, 1, 3], 2, [(1, 1, 2), (2, 2, 0), (3, 3, 1)]),
        ([12, 14, 15, 60], 15, [(10, 14, 2), (15, 19, 1), (20, 49, 0), (50, 99, 1)]),
        ([5000], 5, [(1000, None, 1)]),
        ([], 5, []),
    ],
)
def test_classes_are_counted_by_size(
    sizes: list[int], k: int, bands: list[tuple[int, int | None, int]]
) -> None:
    found = [
        (band.low, band.high, band.classes)
        for band in size_bands(np.array(sizes, dtype=np.int64), k)
    ]
    assert found[-len(bands) or len(found) :] == bands
    assert sum(classes for _, _, classes in found) == len(sizes)
    assert not any(low < k <= (high or low) for low, high, _ in found)
