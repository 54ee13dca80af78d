"""The risk engine against an implementation straight from the definitions."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairdatabase.privacy.engine import arrays, measures
from fairdatabase.privacy.engine.risk import assess
from fairdatabase.privacy.schemas import RiskReport, SensitiveRisk, Thresholds
from tests.factories.privacy import write_parquet

Row = tuple[Any, ...]
Alike = Callable[[Row, Row], bool]


def equal(a: Row, b: Row) -> bool:
    return a == b


def compatible(a: Row, b: Row) -> bool:
    return all(x is None or y is None or x == y for x, y in zip(a, b, strict=True))


def naive_groups(rows: Sequence[Row], q: int, alike: Alike) -> dict[Row, list[Row]]:
    """Rows alike to each distinct combination of the first q cells."""
    return {key: [row for row in rows if alike(key, row[:q])] for key in {row[:q] for row in rows}}


def naive_entropy(values: Sequence[Any]) -> float:
    shares = [count / len(values) for count in Counter(values).values()]
    return -sum(share * math.log(share) for share in shares)


def naive_t(group: Sequence[Any], table: Sequence[Any], *, ordered: bool) -> Fraction:
    values = sorted(set(table), key=lambda value: (value is None, value or 0))
    m = len(values)
    if m <= 1:
        return Fraction(0)
    p = [Fraction(list(group).count(value), len(group)) for value in values]
    d = [Fraction(list(table).count(value), len(table)) for value in values]
    difference = [a - b for a, b in zip(p, d, strict=True)]
    if ordered:
        return sum((abs(sum(difference[: i + 1], Fraction(0))) for i in range(m)), Fraction(0)) / (
            m - 1
        )
    return sum((abs(x) for x in difference), Fraction(0)) / 2


def naive_c(group: Sequence[Any], l: int) -> float | None:  # noqa: E741
    counts = sorted(Counter(group).values(), reverse=True)
    return counts[0] / sum(counts[l - 1 :]) if len(counts) >= l else None


def close(value: float) -> object:
    return pytest.approx(value, abs=1e-9)


def check_sensitive(
    risk: SensitiveRisk,
    groups: Sequence[Sequence[Any]],
    table: Sequence[Any],
    l: int,  # noqa: E741
) -> None:
    m = len(set(table))
    entropies = [naive_entropy(group) for group in groups]
    normalised = [entropy / math.log(m) if m > 1 else 0.0 for entropy in entropies]
    distances = [naive_t(group, table, ordered=risk.ordered) for group in groups]
    bounds = [naive_c(group, l) for group in groups]
    assert risk.distinct_values == m
    assert risk.constant == (m == 1)
    assert risk.missing == list(table).count(None)
    assert risk.distinct_l == min(len(set(group)) for group in groups)
    assert risk.entropy == close(min(entropies))
    assert risk.entropy_l == close(math.exp(min(entropies)))
    assert risk.normalised_entropy == close(min(normalised))
    assert risk.mean_normalised_entropy == close(math.fsum(normalised) / len(groups))
    assert risk.t == close(float(max(distances)))
    assert risk.mean_t == close(float(sum(distances)) / len(groups))
    assert risk.homogeneous_classes == sum(len(set(group)) == 1 for group in groups)
    if None in bounds:
        assert risk.recursive_c_bound is None
    else:
        assert risk.recursive_c_bound == close(max(bound for bound in bounds if bound))


def check_p29(report: RiskReport) -> None:
    risks = report.sensitive
    if report.k <= 1 or any(r.normalised_entropy <= 1e-9 or r.t > 0.5 + 1e-9 for r in risks):
        assert report.p29.value == 0
        assert report.p29.broken
        return
    diversity = sum(risk.mean_normalised_entropy for risk in risks) / len(risks)
    distance = sum(risk.mean_t for risk in risks) / len(risks)
    expected = 0.5 * (1 - 1 / report.k) + 0.25 * diversity + 0.25 * (1 - distance)
    assert report.p29.value == close(expected)


texts = st.sampled_from([None, "a", "b", "c", "\u00e9", "e\u0301", "01", "1"])
few = st.sampled_from([None, "x", "y"])
numbers = st.sampled_from([None, 1, 2, 3, 10])
tables = st.lists(st.tuples(few, texts, numbers, texts, numbers), min_size=1, max_size=40)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=tables,
    q=st.integers(0, 3),
    wildcard=st.booleans(),
    recursive_l=st.integers(2, 4),
    chunk=st.sampled_from([1, 3, 1000]),
    in_memory=st.booleans(),
    few_places=st.sampled_from([1, 1 << 16]),
)
def test_report_equals_the_definitions(
    tmp_path_factory: pytest.TempPathFactory,
    *,
    rows: list[Row],
    q: int,
    wildcard: bool,
    recursive_l: int,
    chunk: int,
    in_memory: bool,
    few_places: int,
) -> None:
    path = tmp_path_factory.mktemp("risk") / "table.parquet"
    types = ("string", "string", "int64", "string", "int64")
    write_parquet(path, {f"c{i}": [row[i] for row in rows] for i in range(5)}, types)
    sensitive = [f"c{i}" for i in range(3, 5)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measures, "CHUNK", chunk)
        patch.setattr(arrays, "ROWS_IN_MEMORY", 1000 if in_memory else 0)
        patch.setattr(arrays, "FEW_PLACES", few_places)
        patch.setattr(arrays, "ROOM", min(few_places, 8))
        report = assess(
            path,
            quasi_identifiers=[f"c{i}" for i in range(q)],
            sensitive=sensitive,
            thresholds=Thresholds(k=3, recursive_l=recursive_l),
            missing="wildcard" if wildcard else "category",
        )
    alike = compatible if wildcard else equal
    groups = naive_groups(rows, q, alike)
    sizes = [len(groups[row[:q]]) for row in rows]
    assert report.rows == len(rows)
    assert report.classes == len(groups)
    assert report.k == min(sizes)
    assert report.rows_at_risk == sum(size < 3 for size in sizes)
    assert report.classes_at_risk == sum(len(group) < 3 for group in groups.values())
    assert report.unique_rows == sizes.count(1)
    assert report.prosecutor_average == close(sum(1 / size for size in sizes) / len(rows))
    for place, risk in enumerate(report.sensitive, start=3):
        assert risk.ordered == (place == 4)
        found = [[row[place] for row in group] for group in groups.values()]
        check_sensitive(risk, found, [row[place] for row in rows], recursive_l)
    check_p29(report)
    check_costs(report, rows, q, alike)


def check_costs(report: RiskReport, rows: Sequence[Row], q: int, alike: Alike) -> None:
    for index, cost in enumerate(report.by_quasi_identifier):
        reduced = [row[:index] + row[index + 1 : q] for row in rows]
        left = [sum(alike(a, b) for b in reduced) for a in reduced]
        assert cost.k_without == min(left)
        assert cost.unique_rows_without == left.count(1)
        assert cost.rows_at_risk_without == sum(size < 3 for size in left)
        values = [row[index] for row in rows]
        assert cost.missing == values.count(None)
        assert cost.distinct == len(set(values) - {None})


@settings(max_examples=10, deadline=None)
@given(rows=tables, data=st.data())
def test_order_of_rows_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row], data: st.DataObject
) -> None:
    folder: Path = tmp_path_factory.mktemp("order")
    reports = []
    for number, version in enumerate((rows, data.draw(st.permutations(rows)))):
        path = folder / f"{number}.parquet"
        types = ("string", "string", "int64", "string", "int64")
        write_parquet(path, {f"c{i}": [row[i] for row in version] for i in range(5)}, types)
        reports.append(assess(path, quasi_identifiers=["c0", "c1"], sensitive=["c3", "c4"]))
    assert reports[0] == reports[1]
