"""Searches for recipes: the files that the recipes make, choices, time and cancellation."""

import datetime as dt
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairdatabase.privacy.engine import arrays, candidates, lattice, search
from fairdatabase.privacy.engine.anonymise import apply
from fairdatabase.privacy.engine.hierarchy_files import read_csv
from fairdatabase.privacy.engine.risk import assess
from fairdatabase.privacy.engine.search import find_recipe, suggest_recipe
from fairdatabase.privacy.errors import AssessmentError, HierarchyError
from fairdatabase.privacy.schemas.goals import Goal, SensitiveGoal
from fairdatabase.privacy.schemas.hierarchies import Hierarchy
from fairdatabase.privacy.schemas.recipes import (
    DropColumn,
    Intervals,
    Partition,
    Prefix,
    Pseudonymise,
    Recode,
    SuppressSmallGroups,
    TruncateDate,
)
from fairdatabase.privacy.schemas.searches import SearchProgress, SearchRequest
from fairdatabase.tables.schemas import ColumnRole, ColumnSchema, ColumnType
from tests.factories.privacy import write_parquet

QUASI, SENSITIVE = ColumnRole.QUASI_IDENTIFIER, ColumnRole.SENSITIVE


def column(name: str, kind: ColumnType, role: ColumnRole = QUASI) -> ColumnSchema:
    return ColumnSchema(key=name, name=name, type=kind, role=role)


def suggested(tmp_path: Path, values: list[Any], kind: ColumnType, k: int) -> tuple[Any, ...]:
    """Return the steps for one quasi-identifier, without the suppression at their end."""
    path = write_parquet(tmp_path / "table.parquet", {"q": values})
    *steps, last = suggest_recipe(path, [column("q", kind)], Goal(k=k)).steps
    assert last == SuppressSmallGroups(k=k)
    return tuple(steps)


def test_identifiers_are_dropped_or_kept_as_links(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "t.parquet", {"SampleID": ["a"], "email": ["b"], "x": [1]})
    direct = ColumnRole.DIRECT_IDENTIFIER
    columns = [
        column("SampleID", ColumnType.TEXT, direct),
        column("email", ColumnType.TEXT, direct),
        column("x", ColumnType.INTEGER, ColumnRole.INSENSITIVE),
    ]
    steps = (Pseudonymise(column="SampleID"), DropColumn(column="email"))
    assert suggest_recipe(path, columns, Goal(k=1)).steps == steps
    assert suggest_recipe(path, columns, Goal(k=5)).steps == steps


def test_what_is_safe_stays_as_it_is(tmp_path: Path) -> None:
    assert suggested(tmp_path, [1] * 5 + [2] * 5, ColumnType.INTEGER, 5) == ()


def test_numbers_go_into_the_narrowest_intervals_that_do(tmp_path: Path) -> None:
    steps = suggested(tmp_path, list(range(100)), ColumnType.INTEGER, 10)
    assert steps == (Intervals(column="q", width=10),)


def test_dates_are_shortened(tmp_path: Path) -> None:
    days = [dt.date(year, month, 1 + day) for year in (1, 2) for month in (1, 2) for day in (0, 1)]
    for k, to in ((2, "month"), (4, "quarter"), (8, "decade")):
        steps = (TruncateDate.model_validate({"column": "q", "to": to}),)
        assert suggested(tmp_path, days, ColumnType.DATE, k) == steps


def test_codes_are_cut_and_rare_values_go_together(tmp_path: Path) -> None:
    codes = ["1011AB", "1011CD", "1012AB", "2011AB", "2012AB", "2013AB"]
    assert suggested(tmp_path, codes, ColumnType.TEXT, 3) == (Prefix(column="q", length=3),)
    values = ["north"] * 40 + ["south"] * 40 + [f"isle {'a' * number}" for number in range(20)]
    assert suggested(tmp_path, values, ColumnType.TEXT, 5) == (
        Recode(column="q", mapping={"north": "north", "south": "south"}, other="other"),
    )


@pytest.mark.parametrize("values", [["a", "bb"], [None, "x"]])
def test_too_few_rows_end_in_everything_dropped(tmp_path: Path, values: list[Any]) -> None:
    assert suggested(tmp_path, values, ColumnType.TEXT, 5) == (DropColumn(column="q"),)


def test_an_empty_table_has_no_best_recipe(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "t.parquet", {"q": [], "s": []}, ["string", "string"])
    columns = [column("q", ColumnType.TEXT), column("s", ColumnType.TEXT, SENSITIVE)]
    goal = Goal(sensitive=(SensitiveGoal(column="s", t=0.1),))
    for method in ("auto", "greedy", "mondrian"):
        request = SearchRequest.model_validate({"goal": goal, "method": method})
        found = find_recipe(path, columns, request)
        assert (found.best, found.proven, found.frontier) == (None, method == "auto", ())


def test_a_table_without_quasi_identifiers_is_one_class(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "t.parquet", {"x": [1, 2]})
    columns = [column("x", ColumnType.INTEGER, ColumnRole.INSENSITIVE)]
    found = find_recipe(path, columns, SearchRequest(goal=Goal(k=2)))
    assert found.best is not None
    assert (found.best.k, found.best.recipe.steps, found.best.loss) == (2, (), 0)
    assert find_recipe(path, columns, SearchRequest(method="mondrian")).best is None


PEOPLE: dict[str, list[Any]] = {
    "age": [21, 22, 23, 24, 31, 32, 33, 34, 51, 52, 53, 54, 77],
    "area": ["1011"] * 4 + ["1012"] * 4 + ["2011"] * 3 + ["2012"] * 2,
    "ill": ["flu", "cold", "flu", "cold", "flu", "flu", "flu", "cold"]
    + ["cold", "flu"] * 2
    + ["x"],
}
KINDS = (ColumnType.INTEGER, ColumnType.TEXT)


def people(tmp_path: Path) -> tuple[Path, list[ColumnSchema]]:
    path = write_parquet(tmp_path / "people.parquet", PEOPLE)
    columns = [column(name, kind) for name, kind in zip(("age", "area"), KINDS, strict=True)]
    return path, [*columns, column("ill", ColumnType.TEXT, SENSITIVE)]


def test_the_best_recipe_says_what_it_costs(tmp_path: Path) -> None:
    path, columns = people(tmp_path)
    goal = Goal(k=4, sensitive=(SensitiveGoal(column="ill", distinct_l=2),))
    found = find_recipe(path, columns, SearchRequest(goal=goal, max_suppression=0.1))
    best = found.best
    assert best is not None
    assert found.proven
    assert found.method == "optimal"
    assert (best.k, best.classes, best.rows_suppressed) == (4, 3, 1)
    assert best.average_class_size == best.k
    assert best.prosecutor_max == best.prosecutor_average == 0.25
    assert best.sensitive[0].distinct_l == 2
    assert best.recipe.steps[-1] == SuppressSmallGroups(k=4, sensitive=goal.sensitive)


def test_the_figures_of_a_recipe_are_those_of_the_rows_that_stay(tmp_path: Path) -> None:
    table = {"q": list("aaaabbc"), "ill": ["flu", "flu", "flu", "cold", "flu", "cold", "x"]}
    path = write_parquet(tmp_path / "t.parquet", table)
    columns = [column("q", ColumnType.TEXT), column("ill", ColumnType.TEXT, SENSITIVE)]
    goal = Goal(k=2, sensitive=(SensitiveGoal(column="ill"),))
    found = find_recipe(path, columns, SearchRequest(goal=goal, max_suppression=0.2))
    best = found.best
    assert best is not None
    assert (best.levels, best.k, best.classes) == ({"q": 0}, 2, 2)
    assert best.loss == pytest.approx(1 / 7)
    assert (best.rows_suppressed, best.average_class_size) == (1, 3)
    assert best.prosecutor_max == 1 / 2
    assert best.prosecutor_average == pytest.approx(2 / 6)
    (told,) = best.sensitive
    assert (told.column, told.distinct_l) == ("ill", 2)
    assert told.entropy_l == pytest.approx(4 / 3**0.75)
    assert told.t == pytest.approx(4 / 6 - 1 / 2)
    assert (found.nodes, found.checked) == (2, 2)


def test_a_local_recoding_says_how_it_is_made_and_what_it_costs(tmp_path: Path) -> None:
    table: dict[str, list[Any]] = {
        "name": list("abcdef"),
        "age": [1, 2, 3, 11, 12, 13],
        "ill": list("xyxyxy"),
        "land": ["NL", "BE", "NL"] * 2,
    }
    path = write_parquet(tmp_path / "t.parquet", table)
    columns = [
        column("name", ColumnType.TEXT, ColumnRole.DIRECT_IDENTIFIER),
        column("age", ColumnType.INTEGER),
        column("land", ColumnType.TEXT),
        column("ill", ColumnType.TEXT, SENSITIVE),
    ]
    given = [read_csv("NL;Benelux\nBE;Benelux\n", "land"), read_csv("x;z\ny;z\n", "ill")]
    goals = (SensitiveGoal(column="ill", distinct_l=2), SensitiveGoal(column="age"))
    goal = Goal(k=3, sensitive=goals)
    request = SearchRequest(goal=goal, method="mondrian", frontier=(6, 7, 3))
    told: list[SearchProgress] = []
    found = find_recipe(path, columns, request, hierarchies=given, progress=told.append)
    assert (found.proven, found.method, found.nodes, found.checked) == (False, "mondrian", 0, 3)
    best, all_together = found.frontier
    assert best == found.best
    asked = goals[:1]
    groups = (Recode(column="land", mapping={"NL": "Benelux", "BE": "Benelux"}),)
    assert best.recipe.steps == (
        DropColumn(column="name"),
        Partition(columns=("age", "land"), k=3, sensitive=asked, groups=groups),
        SuppressSmallGroups(k=3, sensitive=asked),
    )
    assert (best.levels, best.k, best.classes, best.rows_suppressed) == ({}, 3, 2, 0)
    assert best.loss == pytest.approx((2 / 5 + 1) / 2)
    assert (all_together.k, all_together.loss) == (6, 1)
    assert [(each.fraction, each.checked) for each in told] == [(0, 0), (1 / 3, 1), (2 / 3, 2)]


def test_the_share_of_rows_that_may_be_left_out_is_exact(tmp_path: Path) -> None:
    """29 % of 100 rows are 29 rows, although 0.29 * 100 is a little less in floating point."""
    names = [f"name {'a' * number}" for number in range(30)]
    path = write_parquet(tmp_path / "t.parquet", {"q": names + names[:1] * 70})
    columns = [column("q", ColumnType.TEXT)]
    dropped = Hierarchy(column="q", levels=(DropColumn(column="q"),))
    for share, suppressed in ((0.29, 29), (0.3, 29), (0.28, 0)):
        request = SearchRequest(goal=Goal(k=2), max_suppression=share)
        best = find_recipe(path, columns, request, hierarchies=[dropped]).best
        assert best is not None
        assert best.rows_suppressed == suppressed


def test_of_too_many_choices_the_ends_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, columns = people(tmp_path)
    request = SearchRequest(goal=Goal(k=2), max_suppression=0.1, frontier=(2, 3, 4, 8, 13))
    everything = find_recipe(path, columns, request).frontier
    assert len(everything) > 2
    monkeypatch.setattr(candidates, "MAX_CHOICES", 2)
    chosen = find_recipe(path, columns, request).frontier
    assert chosen == (everything[0], everything[-1])


def test_many_columns_are_searched_greedily(tmp_path: Path) -> None:
    names = [f"q{number}" for number in range(33)]
    path = write_parquet(tmp_path / "t.parquet", {name: [True, True] for name in names})
    columns = [column(name, ColumnType.BOOLEAN) for name in names]
    for count_, method in ((32, "optimal"), (33, "greedy")):
        request = SearchRequest(goal=Goal(k=2))
        assert find_recipe(path, columns[:count_], request).method == method


def test_choices_are_ordered_by_risk_and_loss(tmp_path: Path) -> None:
    path, columns = people(tmp_path)
    request = SearchRequest(goal=Goal(k=2), max_suppression=0.1, frontier=(2, 3, 4, 8, 13))
    found = find_recipe(path, columns, request)
    sizes = [each.k for each in found.frontier]
    losses = [each.loss for each in found.frontier]
    assert sizes == sorted(set(sizes))
    assert losses == sorted(set(losses))
    assert found.frontier[0] == found.best
    assert sizes[-1] == 13
    for k in (3, 4, 8):
        alone = find_recipe(path, columns, SearchRequest(goal=Goal(k=k), max_suppression=0.1))
        assert alone.best is not None
        assert min(each.loss for each in found.frontier if each.k >= k) == pytest.approx(
            alone.best.loss
        )


def test_each_further_k_is_searched_to_the_end(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "t.parquet", {"q": [*"aaaaabbbccd"]})
    columns = [column("q", ColumnType.TEXT)]
    dropped = Hierarchy(column="q", levels=(DropColumn(column="q"),))
    told: list[SearchProgress] = []
    request = SearchRequest(goal=Goal(k=1), max_suppression=0.6, frontier=(5, 2, 3, 1))
    found = find_recipe(path, columns, request, hierarchies=[dropped], progress=told.append)
    assert [each.fraction for each in told].count(1) == 4
    assert [(each.k, round(11 * each.loss, 9)) for each in found.frontier] == [
        (1, 0),
        (2, 1),
        (3, 3),
        (5, 6),
        (11, 11),
    ]


def test_a_sensitive_column_may_be_told_of_without_a_demand(tmp_path: Path) -> None:
    path, columns = people(tmp_path)
    goal = Goal(k=2, sensitive=(SensitiveGoal(column="ill"),))
    for method in ("optimal", "mondrian"):
        request = SearchRequest.model_validate({"goal": goal, "method": method})
        best = find_recipe(path, columns, request).best
        assert best is not None
        assert best.sensitive[0].column == "ill"
        assert best.recipe.steps[-1] == SuppressSmallGroups(k=2)


def test_numbers_have_an_order_unless_somebody_says_otherwise(tmp_path: Path) -> None:
    table: dict[str, list[Any]] = {"q": ["a"] * 4 + ["b"] * 4, "n": [0, 0, 2, 2, 0, 1, 1, 2]}
    path = write_parquet(tmp_path / "t.parquet", table)
    columns = [column("q", ColumnType.TEXT), column("n", ColumnType.INTEGER, SENSITIVE)]
    for ordered, t in ((None, 1 / 8), (True, 1 / 8), (False, 1 / 4)):
        goal = Goal(k=4, sensitive=(SensitiveGoal(column="n", ordered=ordered),))
        for method in ("optimal", "mondrian"):
            request = SearchRequest.model_validate({"goal": goal, "method": method})
            best = find_recipe(path, columns, request).best
            assert best is not None
            assert best.sensitive[0].t == pytest.approx(t)


def test_a_goal_for_an_unknown_column_is_refused(tmp_path: Path) -> None:
    path, columns = people(tmp_path)
    goals = tuple(SensitiveGoal(column=name, t=0.5) for name in ("gone", "away"))
    request = SearchRequest(goal=Goal(sensitive=goals))
    with pytest.raises(AssessmentError, match="no column 'away', 'gone'; correct the goal"):
        find_recipe(path, columns, request)


def test_given_hierarchies_are_used_and_checked(tmp_path: Path) -> None:
    path, columns = people(tmp_path)
    given = read_csv("1011;town;*\n1012;town;*\n2011;land;*\n2012;land;*\n9999;land;*\n", "area")
    request = SearchRequest(goal=Goal(k=5), max_suppression=0)
    best = find_recipe(path, columns, request, hierarchies=[given]).best
    assert best is not None
    assert given.levels[0] in best.recipe.steps
    assert best.levels == {"age": 3, "area": 1}
    # land stands for three of the five values of the hierarchy, town for two of them
    assert best.loss == pytest.approx((1 + (8 * 1 / 4 + 5 * 2 / 4) / 13) / 2)
    with pytest.raises(HierarchyError, match="no label for 2 values"):
        find_recipe(path, columns, request, hierarchies=[read_csv("1011;x\n1012;x\n", "area")])


def coded(**mapping: str) -> Recode:
    return Recode(column="q", mapping=mapping)


@pytest.mark.parametrize(
    ("levels", "k", "level", "loss"),
    [
        ((), 4, 1, 1.0),
        ((coded(a="g", b="h", x="g"),), 2, 0, 0.0),
        ((coded(a="g", b="h", x="g"),), 4, 2, 1.0),
        ((coded(a="g", b="h", x="g"), coded(a="k", b="k")), 4, 2, 1 / 3),
    ],
)
def test_values_that_only_a_hierarchy_has_share_labels_too(
    tmp_path: Path, levels: tuple[Recode, ...], k: int, level: int, loss: float
) -> None:
    """Missing values are a class of their own on every level, which loses nothing."""
    hierarchy = Hierarchy(column="q", levels=(*levels, DropColumn(column="q")))
    missing = [None] * 4 if len(levels) > 1 else []
    path = write_parquet(tmp_path / "t.parquet", {"q": [*"aabb", *missing]})
    request = SearchRequest(goal=Goal(k=k), max_suppression=0)
    best = find_recipe(path, [column("q", ColumnType.TEXT)], request, hierarchies=[hierarchy]).best
    assert best is not None
    assert best.levels == {"q": level}
    assert best.loss == pytest.approx(loss / (2 if missing else 1))


def test_large_lattices_are_searched_greedily(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, columns = people(tmp_path)
    monkeypatch.setattr(search, "MAX_NODES", 1)
    found = find_recipe(path, columns, SearchRequest(goal=Goal(k=2)))
    assert (found.method, found.proven) == ("greedy", False)
    assert found.best is not None
    assert find_recipe(path, columns, SearchRequest(method="optimal")).method == "optimal"


def ticking(step: float) -> Callable[[], float]:
    ticks = count()
    return lambda: next(ticks) * step


@pytest.mark.parametrize("seconds", [0.5, 1.5, 2.5, 4.5, 6.5])
@pytest.mark.parametrize("method", ["optimal", "greedy"])
def test_time_that_runs_out_ends_in_the_best_so_far(
    tmp_path: Path, method: str, seconds: float
) -> None:
    path, columns = people(tmp_path)
    request = SearchRequest.model_validate(
        {"goal": Goal(k=3), "method": method, "seconds": seconds}
    )
    found = find_recipe(path, columns, request, clock=ticking(1))
    assert found.best is not None
    assert not found.proven
    if (method, seconds) == ("optimal", 0.5):
        assert found.checked == 1


def test_time_that_does_not_run_out_proves_the_best(tmp_path: Path) -> None:
    path, columns = people(tmp_path)
    request = SearchRequest(goal=Goal(k=3), method="optimal", seconds=1000)
    assert find_recipe(path, columns, request, clock=ticking(1)).proven


def test_a_suggestion_leaves_out_as_many_rows_as_it_may(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "t.parquet", {"q": ["north"] * 9 + ["south"]})
    columns = [column("q", ColumnType.TEXT)]
    dropped = (DropColumn(column="q"), SuppressSmallGroups(k=2))
    assert suggest_recipe(path, columns, Goal(k=2)).steps == dropped
    kept = suggest_recipe(path, columns, Goal(k=2), max_suppression=0.1, seconds=60)
    assert kept.steps == dropped[1:]


def test_time_that_runs_out_before_anything_is_found(tmp_path: Path) -> None:
    """The finest node reaches the goal: climbing begins there and ends at once."""
    path = write_parquet(tmp_path / "t.parquet", {"q": ["a"] * 3 + [None] * 3})
    given = read_csv("a;b\n", "q")
    request = SearchRequest(goal=Goal(k=4), max_suppression=0, seconds=0.5)
    columns = [column("q", ColumnType.TEXT)]
    found = find_recipe(path, columns, request, hierarchies=[given], clock=ticking(1))
    assert (found.best, found.proven) == (None, False)


def test_progress_grows_and_whatever_it_raises_cancels(tmp_path: Path) -> None:
    path, columns = people(tmp_path)
    told: list[SearchProgress] = []
    find_recipe(path, columns, SearchRequest(goal=Goal(k=3)), progress=told.append)
    assert told[-1].fraction == 1
    assert told[-1].loss is not None
    assert [each.fraction for each in told] == sorted(each.fraction for each in told)

    class CancelledError(Exception):
        """Raised by whoever listens."""

    def stop(_: SearchProgress) -> None:
        raise CancelledError

    for method in ("optimal", "greedy", "mondrian"):
        request = SearchRequest.model_validate({"goal": Goal(k=3), "method": method})
        with pytest.raises(CancelledError):
            find_recipe(path, columns, request, progress=stop)


def test_tables_beyond_memory_and_spans_beyond_64_bits_give_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, columns = people(tmp_path)
    goal = Goal(k=3, sensitive=(SensitiveGoal(column="ill", t=0.6),))
    request = SearchRequest(goal=goal, max_suppression=0.2)
    expected = find_recipe(path, columns, request)
    monkeypatch.setattr(arrays, "ROWS_IN_MEMORY", 1)
    monkeypatch.setattr(lattice, "_MAX_KEY", 20)
    monkeypatch.setattr(lattice, "FIRST_ROOM", 1)
    assert find_recipe(path, columns, request) == expected
    monkeypatch.setattr(lattice, "MAX_KEPT", 40)
    assert find_recipe(path, columns, request) == expected


REQUESTS = st.builds(
    lambda k, distinct_l, t, **options: SearchRequest(
        goal=Goal(k=k, sensitive=(SensitiveGoal(column="ill", distinct_l=distinct_l, t=t),)),
        **options,
    ),
    k=st.integers(1, 6),
    distinct_l=st.none() | st.integers(1, 3),
    t=st.none() | st.sampled_from([0.2, 0.5]),
    method=st.sampled_from(["optimal", "greedy", "mondrian"]),
    max_suppression=st.sampled_from([0.0, 0.1, 1.0]),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(
        st.tuples(
            st.integers(0, 90) | st.none(),
            st.sampled_from([None, "1011", "1012", "2011", "north", "\u00e9"]),
            st.dates(dt.date(1950, 1, 1), dt.date(1952, 1, 1)) | st.none(),
            st.sampled_from([None, "flu", "cold", "cough"]),
        ),
        max_size=60,
    ),
    wanted=REQUESTS,
)
def test_the_release_is_as_found_when_it_is_measured_on_the_file(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Any, ...]], wanted: SearchRequest
) -> None:
    folder = tmp_path_factory.mktemp("release")
    names = ("age", "area", "born", "ill")
    table = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    path = write_parquet(folder / "t.parquet", table, ("int64", "string", "date32", "string"))
    kinds = (ColumnType.INTEGER, ColumnType.TEXT, ColumnType.DATE)
    columns = [column(name, kind) for name, kind in zip(names, kinds, strict=False)]
    columns.append(column("ill", ColumnType.TEXT, SENSITIVE))
    best = find_recipe(path, columns, wanted).best
    if best is None:
        return
    target = folder / "release.parquet"
    result = apply(path, target, best.recipe, quasi_identifiers=names[:3], columns=columns)
    left = [found.name for found in result.columns if found.role is QUASI]
    report = assess(target, quasi_identifiers=left, sensitive=["ill"], columns=result.columns)
    (asked,), (told,), (found,) = wanted.goal.sensitive, best.sensitive, report.sensitive
    assert (report.k, report.classes) == (best.k, best.classes)
    assert result.rows_suppressed == best.rows_suppressed <= wanted.max_suppression * len(rows)
    assert report.k >= wanted.goal.k
    assert found.distinct_l == told.distinct_l >= (asked.distinct_l or 1)
    assert found.t == pytest.approx(told.t)
    assert found.t <= (1 if asked.t is None else asked.t) + 1e-9
