"""What a release keeps of its source, by hand and against the formulas."""

import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairdatabase.privacy.engine.anonymise import apply
from fairdatabase.privacy.engine.utility import measure_utility
from fairdatabase.privacy.errors import AssessmentError
from fairdatabase.privacy.schemas.recipes import Recipe
from fairdatabase.privacy.schemas.utility import ColumnUtility, UtilityReport
from fairdatabase.tables.schemas import ColumnSchema, ColumnType
from tests.factories.privacy import write_parquet

KEY = bytes(16)


def measured(
    folder: Path, table: dict[str, list[Any]], quasi: list[str], *steps: dict[str, Any]
) -> tuple[UtilityReport, dict[str, ColumnUtility]]:
    """Make a release and measure it."""
    types = ["string" if name == "t" else "int64" for name in table]
    source = write_parquet(folder / "source.parquet", table, types)
    recipe = Recipe.model_validate({"steps": steps})
    release = folder / "release.parquet"
    apply(source, release, recipe, quasi_identifiers=quasi, key=KEY)
    report = measure_utility(source, release, recipe, quasi_identifiers=quasi, key=KEY)
    return report, {column.column: column for column in report.columns}


def test_nothing_is_lost_where_nothing_changes(tmp_path: Path) -> None:
    report, columns = measured(tmp_path, {"q": [1, 1, 2], "x": [1, 2, 3]}, ["q"])
    assert report.columns == tuple(columns.values())
    assert (report.granularity_loss, report.entropy_loss) == (0, 0)
    assert (report.rows_in, report.rows_out, report.classes) == (3, 3, 2)
    assert (report.discernibility, report.discernibility_share) == (5, 5 / 9)
    assert report.average_class_size == 1.5
    assert columns["x"] == ColumnUtility(
        column="x",
        quasi_identifier=False,
        kept=True,
        granularity_loss=0,
        entropy_loss=0,
        distance=0,
    )


def test_labels_and_rows_left_out_cost(tmp_path: Path) -> None:
    table: dict[str, list[Any]] = {"q": [1, 2, 3, 11, 12, 30], "t": list("aabbca")}
    report, columns = measured(
        tmp_path,
        table,
        ["q", "t"],
        {"op": "intervals", "column": "q", "width": 10},
        {"op": "drop", "column": "t"},
        {"op": "suppress", "k": 2},
    )
    assert (report.rows_out, report.rows_suppressed, report.classes) == (5, 1, 2)
    assert report.discernibility == 3**2 + 2**2 + 1 * 6
    assert report.average_class_size == 2.5
    assert columns["q"].granularity_loss == pytest.approx((3 * 2 / 5 + 2 * 1 / 5 + 1) / 6)
    left = 3 * math.log2(3) + 2 * math.log2(2) + math.log2(6)
    assert columns["q"].entropy_loss == pytest.approx(left / (6 * math.log2(6)))
    gaps = [1 / 6 - 1 / 5] * 5
    assert columns["q"].distance == pytest.approx(
        sum(abs(sum(gaps[: place + 1])) for place in range(5)) / 5
    )
    assert columns["t"] == ColumnUtility(
        column="t",
        quasi_identifier=True,
        kept=False,
        granularity_loss=1,
        entropy_loss=1,
        distance=None,
    )
    assert report.granularity_loss == (columns["q"].granularity_loss + 1) / 2


def test_values_that_stay_values_are_compared_as_such(tmp_path: Path) -> None:
    table: dict[str, list[Any]] = {"x": [1, 2, 3, 4], "t": list("abba")}
    _, columns = measured(tmp_path, table, [], {"op": "code_extremes", "column": "x", "bottom": 2})
    assert columns["x"].distance == pytest.approx(0.25 / 3)
    _, columns = measured(tmp_path, table, [], {"op": "pseudonymise", "column": "t"})
    assert columns["t"].distance == 0
    _, columns = measured(
        tmp_path, table, ["x", "t"], {"op": "partition", "columns": ["x", "t"], "k": 4}
    )
    assert (columns["x"].granularity_loss, columns["x"].distance) == (1, 0)


def test_missing_values_and_texts_are_compared_as_well(tmp_path: Path) -> None:
    """A missing value is one like any other; the order of texts means nothing."""
    table: dict[str, list[Any]] = {"q": [1, 2, None, None], "t": ["a", "b", "c", None]}
    step = {"op": "suppress_cells", "column": "t", "rarer_than": 2}
    report, columns = measured(tmp_path, table, ["t"], step)
    assert columns["t"].distance == pytest.approx(3 / 4)
    assert columns["t"].granularity_loss == 1
    assert columns["q"] == ColumnUtility(
        column="q",
        quasi_identifier=False,
        kept=True,
        granularity_loss=0,
        entropy_loss=0,
        distance=0,
    )
    assert (report.classes, report.discernibility) == (1, 16)
    steps = (
        {"op": "recode", "column": "t", "mapping": {"a": "x", "b": "x"}, "other": "y"},
        {"op": "suppress", "k": 2},
    )
    report, columns = measured(tmp_path, table, ["t"], *steps)
    assert (report.rows_out, report.rows_suppressed) == (2, 2)
    assert columns["t"].distance == pytest.approx((2 * (1 / 2 - 1 / 4) + 2 * 1 / 4) / 2)
    assert columns["t"].granularity_loss == pytest.approx((2 * 1 / 3 + 2) / 4)
    assert columns["t"].entropy_loss == pytest.approx((2 * 1 + 2 * 2) / 8)


def test_a_release_without_rows_has_nothing_to_compare(tmp_path: Path) -> None:
    report, columns = measured(tmp_path, {"q": [1, 2]}, ["q"], {"op": "suppress", "k": 2})
    assert (report.rows_out, report.average_class_size) == (0, None)
    assert (report.granularity_loss, report.entropy_loss) == (1, 1)
    assert columns["q"].distance is None
    report, _ = measured(tmp_path, {"q": []}, ["q"])
    assert (report.discernibility_share, report.granularity_loss) == (0, 0)


def test_smallest_columns_by_hand(tmp_path: Path) -> None:
    """A label stands for its values equally often, however often the source has them."""
    step = {"op": "intervals", "column": "q", "width": 10}
    _, columns = measured(tmp_path, {"q": [1, 1, 1, 2]}, ["q"], step)
    assert columns["q"].distance == 3 / 4 - 1 / 2
    assert (columns["q"].granularity_loss, columns["q"].entropy_loss) == (1, 1)
    report, columns = measured(tmp_path, {"q": [1]}, ["q"], step)
    assert (report.discernibility, report.discernibility_share) == (1, 1)
    assert (columns["q"].distance, columns["q"].granularity_loss) == (0, 0)


def test_columns_have_the_names_and_types_of_their_schema(tmp_path: Path) -> None:
    """Ranks have no order here, though they are stored as numbers."""
    source = write_parquet(tmp_path / "s.parquet", {"c0": [1, 2, 12], "c1": [1, 2, 3]})
    schema = [
        ColumnSchema(key="c0", name="age", type=ColumnType.INTEGER),
        ColumnSchema(key="c1", name="rank", type=ColumnType.TEXT),
    ]
    recipe = Recipe.model_validate(
        {
            "steps": [
                {"op": "intervals", "column": "age", "width": 10},
                {"op": "suppress", "k": 2},
            ]
        }
    )
    release = tmp_path / "r.parquet"
    apply(source, release, recipe, quasi_identifiers=["age"], columns=schema)
    report = measure_utility(source, release, recipe, quasi_identifiers=["age"], columns=schema)
    assert [column.column for column in report.columns] == ["age", "rank"]
    assert report.columns[0].quasi_identifier
    assert report.columns[0].granularity_loss == pytest.approx((2 * 1 / 2 + 1) / 3)
    assert report.columns[1].distance == pytest.approx(1 / 3)


def test_a_release_of_another_recipe_is_refused(tmp_path: Path) -> None:
    measured(tmp_path, {"q": [1, 2, 12], "t": ["a"] * 3}, ["q"])
    for step, message in (
        ({"op": "intervals", "column": "q", "width": 10}, "3 groups of the release are not those"),
        ({"op": "drop", "column": "t"}, "other columns"),
    ):
        recipe = Recipe.model_validate({"steps": [step]})
        with pytest.raises(AssessmentError, match=message):
            measure_utility(
                tmp_path / "source.parquet",
                tmp_path / "release.parquet",
                recipe,
                quasi_identifiers=["q"],
            )


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(
        st.tuples(st.none() | st.integers(0, 30), st.none() | st.sampled_from("abcd")),
        min_size=1,
        max_size=25,
    ),
    k=st.integers(1, 4),
)
def test_losses_are_those_of_the_formulas(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Any, ...]], k: int
) -> None:
    table: dict[str, list[Any]] = {"q": [row[0] for row in rows], "t": [row[1] for row in rows]}
    mapping = {"a": "x", "b": "x"}
    report, _ = measured(
        tmp_path_factory.mktemp("utility"),
        table,
        ["q", "t"],
        {"op": "intervals", "column": "q", "width": 10},
        {"op": "recode", "column": "t", "mapping": mapping, "other": "y"},
        {"op": "suppress", "k": k},
    )
    labels = [
        (None if q is None else q // 10, None if t is None else mapping.get(t, "y"))
        for q, t in rows
    ]
    sizes = Counter(labels)
    stay = [sizes[label] >= k for label in labels]
    granularity, entropy = [], []
    for place in (0, 1):
        values = [row[place] for row in rows]
        ours = [label[place] for label in labels]
        pairs = set(zip(values, ours, strict=True))
        domain = len(set(values))
        lost = [
            (sum(other == label for _, other in pairs) - 1) / max(domain - 1, 1) if kept else 1
            for label, kept in zip(ours, stay, strict=True)
        ]
        granularity.append(sum(lost) / len(rows))
        total = [-math.log2(values.count(value) / len(rows)) for value in values]
        left = [
            -math.log2(values.count(value) / ours.count(label)) if kept else whole
            for value, label, kept, whole in zip(values, ours, stay, total, strict=True)
        ]
        entropy.append(sum(left) / sum(total) if sum(total) else 0)
    assert report.granularity_loss == pytest.approx(sum(granularity) / 2)
    assert report.entropy_loss == pytest.approx(sum(entropy) / 2)
    assert report.rows_out == sum(stay)
    squares = sum(size**2 for size in sizes.values() if size >= k)
    assert report.discernibility == squares + (len(rows) - sum(stay)) * len(rows)
