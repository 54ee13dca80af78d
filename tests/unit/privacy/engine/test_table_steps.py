"""Steps that look at other rows, against naive implementations written from their definitions."""

import hmac
import math
import random
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairdatabase.privacy.engine.anonymise import apply
from fairdatabase.privacy.errors import RecipeError
from fairdatabase.privacy.schemas.recipes import Recipe
from tests.factories.privacy import read_parquet, write_parquet

KEY = bytes(range(32))
QUASI = ["a", "b"]
Cells = list[dict[str, Any]]

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "a": st.sampled_from(["x", "y", None]),
            "b": st.sampled_from([1, 2, None]),
            "v": st.one_of(st.none(), st.integers(-50, 50)),
        }
    ),
    max_size=30,
)
TYPES = ["string", "int64", "int64"]


def release(
    folder: Path, rows: Cells, *steps: dict[str, Any], key: bytes | None = KEY
) -> dict[str, list[Any]]:
    """Apply steps to rows and return the columns of the release."""
    names = ["a", "b", "v"]
    columns = {name: [row[name] for row in rows] for name in names}
    source = write_parquet(folder / "source.parquet", columns, TYPES)
    recipe = Recipe.model_validate({"steps": steps})
    apply(source, folder / "target.parquet", recipe, quasi_identifiers=QUASI, key=key)
    return read_parquet(folder / "target.parquet")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("steps")


@given(ROWS, st.integers(1, 6))
@settings(max_examples=25, deadline=None)
def test_rare_values_are_emptied(folder: Path, rows: Cells, least: int) -> None:
    found = release(folder, rows, {"op": "suppress_cells", "column": "v", "rarer_than": least})
    counts = Counter(row["v"] for row in rows)
    assert found["v"] == [row["v"] if counts[row["v"]] >= least else None for row in rows]
    assert found["a"] == [row["a"] for row in rows]


@given(ROWS, st.integers(1, 6), st.sampled_from(["a", "v"]))
@settings(max_examples=25, deadline=None)
def test_cells_in_small_groups_are_emptied(
    folder: Path, rows: Cells, least: int, column: str
) -> None:
    step = {"op": "suppress_cells", "column": column, "groups_below": least}
    found = release(folder, rows, step)
    group = by_others(column)
    counts = Counter(map(group, rows))
    assert found[column] == [row[column] if counts[group(row)] >= least else None for row in rows]


@given(ROWS, st.sampled_from(["mean", "median", "mode"]), st.sampled_from(["class", "table"]))
@settings(max_examples=50, deadline=None)
def test_gaps_are_filled(folder: Path, rows: Cells, by: str, within: str) -> None:
    found = release(folder, rows, {"op": "impute", "column": "v", "by": by, "within": within})
    present = [row for row in rows if row["v"] is not None]
    classes: dict[Any, list[int]] = defaultdict(list)
    for row in present:
        classes[(row["a"], row["b"])].append(row["v"])
    everywhere = [row["v"] for row in present]
    for row, value in zip(rows, found["v"], strict=True):
        own = classes.get((row["a"], row["b"]), []) if within == "class" else []
        values = own or everywhere
        if row["v"] is not None or not values:
            assert value == row["v"]
        else:
            assert value == CENTRES[by](values)


@given(ROWS)
@settings(max_examples=25, deadline=None)
def test_texts_are_imputed_by_the_mode(folder: Path, rows: Cells) -> None:
    step = {"op": "impute", "column": "a", "by": "mode", "within": "class"}
    found = release(folder, rows, step)
    classes: dict[Any, list[str]] = defaultdict(list)
    for row in rows:
        if row["a"] is not None:
            classes[row["b"]].append(row["a"])
    everywhere = [row["a"] for row in rows if row["a"] is not None]
    for row, value in zip(rows, found["a"], strict=True):
        values = classes[row["b"]] or everywhere
        assert value == (row["a"] if row["a"] is not None or not values else most(values))


@given(ROWS, st.sampled_from(["class", "table"]))
@settings(max_examples=25, deadline=None)
def test_a_shuffle_deals_out_the_same_values(folder: Path, rows: Cells, within: str) -> None:
    found = release(folder, rows, {"op": "shuffle", "column": "v", "within": within})
    kept = [{"a": a, "b": b, "v": v} for a, b, v in zip(*found.values(), strict=True)]
    key = by_others("v") if within == "class" else (lambda _: None)
    before: dict[Any, Counter[Any]] = defaultdict(Counter)
    after: dict[Any, Counter[Any]] = defaultdict(Counter)
    for old, new in zip(rows, kept, strict=True):
        before[key(old)][old["v"]] += 1
        after[key(old)][new["v"]] += 1
        assert (old["a"], old["b"]) == (new["a"], new["b"])
    assert before == after


def test_classes_bound_a_step_only_where_they_are_asked_to(tmp_path: Path) -> None:
    rows: Cells = [{"a": "x", "b": 1, "v": value} for value in (1, None)]
    rows += [{"a": "y", "b": 1, "v": 9}] * 2
    impute = {"op": "impute", "column": "v", "by": "mean"}
    for within, value in (("class", 1), ("table", 6)):
        assert release(tmp_path, rows, impute | {"within": within})["v"] == [1, value, 9, 9]
    apart: Cells = [{"a": side, "b": 1, "v": ord(side)} for side in "xy" * 20]
    before = [row["v"] for row in apart]
    shuffle = {"op": "shuffle", "column": "v"}
    assert release(tmp_path, apart, shuffle | {"within": "class"})["v"] == before
    assert release(tmp_path, apart, shuffle | {"within": "table"})["v"] != before


def test_a_shuffle_moves_values_and_depends_on_the_key_alone(tmp_path: Path) -> None:
    rows: Cells = [{"a": "x", "b": 1, "v": number} for number in range(500)]
    step = {"op": "shuffle", "column": "v"}
    first, again = release(tmp_path, rows, step), release(tmp_path, rows, step)
    other = release(tmp_path, rows, step, key=b"another key of 32 bytes, as said")
    assert first == again
    assert first != other
    stayed = sum(row["v"] == value for row, value in zip(rows, first["v"], strict=True))
    assert stayed < 10


def test_what_is_drawn_does_not_depend_on_other_steps(tmp_path: Path) -> None:
    rows: Cells = [{"a": "x", "b": number % 3, "v": number} for number in range(50)]
    noise = {"op": "noise", "column": "v", "scale": 1000}
    alone = release(tmp_path, rows, noise)["v"]
    behind = release(tmp_path, rows, {"op": "drop", "column": "a"}, noise)["v"]
    assert alone == behind
    twice = release(tmp_path, rows, noise, noise)["v"]
    drawn = [value - row["v"] for row, value in zip(rows, alone, strict=True)]
    again = [value - once for once, value in zip(alone, twice, strict=True)]
    assert drawn != again


def test_what_is_drawn_depends_on_the_step_alone_and_on_how_often_it_was_done(
    tmp_path: Path,
) -> None:
    rows: Cells = [{"a": "x", "b": number % 3, "v": number} for number in range(50)]
    noise = {"op": "noise", "column": "v", "scale": 1000}
    shuffle = {"op": "shuffle", "column": "v"}
    shuffled = release(tmp_path, rows, shuffle)["v"]
    drawn = [
        new - row["v"] for row, new in zip(rows, release(tmp_path, rows, noise)["v"], strict=True)
    ]
    both = release(tmp_path, rows, {**noise, "column": "b"}, shuffle, noise)["v"]
    assert [new - old for new, old in zip(both, shuffled, strict=True)] == drawn
    assert release(tmp_path, rows, shuffle, shuffle)["v"] != release(tmp_path, rows, shuffle)["v"]
    numbers = release(tmp_path, rows, noise, {**noise, "column": "b"})
    assert [b - row["b"] for b, row in zip(numbers["b"], rows, strict=True)] != drawn


@pytest.mark.parametrize(
    ("distribution", "deviation"),
    [("uniform", 1 / math.sqrt(3)), ("laplace", math.sqrt(2)), ("normal", 1.0)],
)
def test_noise_has_its_distribution(tmp_path: Path, distribution: str, deviation: float) -> None:
    rows = 20_000
    source = write_parquet(tmp_path / "s.parquet", {"v": [7.0] * rows + [None, math.nan]})
    step = {"op": "noise", "column": "v", "scale": 10, "distribution": distribution}
    recipe = Recipe.model_validate({"steps": [step]})
    result = apply(source, tmp_path / "t.parquet", recipe, quasi_identifiers=[], key=KEY)
    *noisy, missing, not_a_number = read_parquet(tmp_path / "t.parquet")["v"]
    assert missing is None
    assert math.isnan(not_a_number)
    assert abs(statistics.fmean(noisy) - 7) < 0.5
    assert abs(statistics.stdev(noisy) / (10 * deviation) - 1) < 0.05
    assert len(set(noisy)) == rows
    if distribution == "uniform":
        assert all(-3 <= value <= 17 for value in noisy)
    assert result.effects[0].rows_changed == rows


def test_noise_is_what_the_key_draws_for_each_row(tmp_path: Path) -> None:
    """Nothing else enters, so that a release can be made again with another program."""
    source = write_parquet(tmp_path / "s.parquet", {"v": [0.0] * 9})
    seed = hmac.digest(KEY, b"fairdatabase/draw/noise/0/v", "sha256")
    drawn: dict[str, list[float]] = {"uniform": [], "laplace": [], "normal": []}
    for place in range(9):
        digits = hmac.digest(seed, str(place).encode(), "sha256").hex()
        u, v = ((int(part, 16) + 0.5) / 16**12 for part in (digits[:12], digits[12:24]))
        drawn["uniform"].append(2 * u - 1)
        drawn["laplace"].append(math.copysign(math.log(1 - 2 * abs(u - 0.5)), u - 0.5))
        drawn["normal"].append(math.sqrt(-2 * math.log(u)) * math.cos(2 * math.pi * v))
    for name, expected in drawn.items():
        step = {"op": "noise", "column": "v", "scale": 1, "distribution": name}
        recipe = Recipe.model_validate({"steps": [step]})
        apply(source, tmp_path / "t.parquet", recipe, quasi_identifiers=[], key=KEY)
        found = read_parquet(tmp_path / "t.parquet")["v"]
        assert found == pytest.approx(expected)


def test_noise_keeps_whole_numbers_whole_and_in_their_type(tmp_path: Path) -> None:
    rows: Cells = [{"a": "x", "b": 1, "v": value} for value in (3, None, 2**62, -(2**62))]
    found = release(tmp_path, rows, {"op": "noise", "column": "v", "scale": 1e15})["v"]
    assert isinstance(found[0], int)
    assert found[1] is None
    assert all(abs(value) <= 2**62 for value in found if value is not None)


def test_means_skip_what_is_not_finite(tmp_path: Path) -> None:
    values = [1.0, 2.0, None, math.nan, math.inf]
    source = write_parquet(tmp_path / "s.parquet", {"v": values})
    for by, expected in (("mean", 1.5), ("median", 1.5)):
        recipe = Recipe.model_validate({"steps": [{"op": "impute", "column": "v", "by": by}]})
        apply(source, tmp_path / "t.parquet", recipe, quasi_identifiers=[])
        assert read_parquet(tmp_path / "t.parquet")["v"][2] == expected


def test_a_mean_does_not_depend_on_how_the_work_is_divided(tmp_path: Path) -> None:
    chance = random.Random(4)
    values = [chance.uniform(-1e12, 1e12) if chance.random() < 0.9 else None for _ in range(5000)]
    recipe = Recipe.model_validate({"steps": [{"op": "impute", "column": "v", "by": "mean"}]})
    found = []
    for group_rows in (50, 5000):
        source = write_parquet(tmp_path / "s.parquet", {"v": values}, group_rows=group_rows)
        apply(source, tmp_path / "t.parquet", recipe, quasi_identifiers=[])
        found.append(read_parquet(tmp_path / "t.parquet"))
    assert found[0] == found[1]


def test_steps_before_and_after_are_applied_in_order(tmp_path: Path) -> None:
    rows: Cells = [{"a": "x", "b": 1, "v": value} for value in (3, 7, None, 96, 12)]
    steps = (
        {"op": "code_extremes", "column": "v", "top": 90},
        {"op": "impute", "column": "v", "by": "median"},
        {"op": "recode", "column": "a", "mapping": {"x": "X"}},
        {"op": "suppress_cells", "column": "b", "rarer_than": 9},
        {"op": "intervals", "column": "v", "width": 10},
        {"op": "suppress", "k": 2},
    )
    found = release(tmp_path, rows, *steps)
    intervals = ["[0, 10)", "[0, 10)", "[10, 20)", "[90, 100)", "[10, 20)"]
    assert found == {"a": ["X"] * 5, "b": [None] * 5, "v": intervals}


def test_the_effects_say_what_was_done(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "s.parquet", {"v": [1, 1, 1, 2, None]})
    steps = [
        {"op": "suppress_cells", "column": "v", "rarer_than": 2},
        {"op": "impute", "column": "v", "by": "mode"},
    ]
    recipe = Recipe.model_validate({"steps": steps})
    result = apply(source, tmp_path / "t.parquet", recipe, quasi_identifiers=[])
    told = [(e.op, e.rows_changed, e.distinct_before, e.distinct_after) for e in result.effects]
    assert told == [("suppress_cells", 1, 2, 1), ("impute", 2, 1, 1)]
    assert read_parquet(tmp_path / "t.parquet") == {"v": [1] * 5}


@pytest.mark.parametrize(
    ("values", "bounds", "coded"),
    [
        ([1, 5, 99, None], {"bottom": 3, "top": 90}, [3, 5, 90, None]),
        ([1, 5, 99], {"top": 50}, [1, 5, 50]),
        ([1.5, 0.2, -3.0], {"bottom": 0.25}, [1.5, 0.25, 0.25]),
        ([1.0, math.inf, -math.inf], {"bottom": 0, "top": 2}, [1.0, 2.0, 0.0]),
    ],
)
def test_extremes_are_coded(
    tmp_path: Path, values: list[Any], bounds: dict[str, float], coded: list[Any]
) -> None:
    source = write_parquet(tmp_path / "s.parquet", {"v": values})
    recipe = Recipe.model_validate({"steps": [{"op": "code_extremes", "column": "v", **bounds}]})
    apply(source, tmp_path / "t.parquet", recipe, quasi_identifiers=[])
    found = read_parquet(tmp_path / "t.parquet")["v"]
    assert found == coded
    assert list(map(type, found)) == list(map(type, values))


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"op": "code_extremes", "column": "v"}, "give a bottom"),
        ({"op": "code_extremes", "column": "v", "bottom": 1e16}, "not exact"),
        ({"op": "code_extremes", "column": "v", "bottom": 3, "top": 1}, "swap them"),
        ({"op": "code_extremes", "column": "v", "top": 1.5}, "whole bounds"),
        ({"op": "code_extremes", "column": "a", "top": 1}, "the step needs"),
        ({"op": "suppress_cells", "column": "v"}, "either 'rarer_than' or 'groups_below'"),
        ({"op": "suppress_cells", "column": "v", "rarer_than": 0}, "below 1"),
        ({"op": "impute", "column": "a", "by": "mean"}, "by 'mode'"),
        ({"op": "noise", "column": "v", "scale": 0}, "the scale is 0"),
        ({"op": "noise", "column": "a", "scale": 1}, "shuffle texts"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, step: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        release(tmp_path, [{"a": "x", "b": 1, "v": 1}], step)


@pytest.mark.parametrize("op", ["shuffle", "noise"])
def test_nothing_is_drawn_without_a_key(tmp_path: Path, op: str) -> None:
    step = {"op": op, "column": "v", **({"scale": 1} if op == "noise" else {})}
    said = rf"Step 0 \({op} of column 'v'\): random numbers need the key of the dataset; pass one."
    with pytest.raises(RecipeError, match=f"^{said}$"):
        release(tmp_path, [{"a": "x", "b": 1, "v": 1}], step, key=None)


def by_others(column: str) -> Callable[[dict[str, Any]], Any]:
    """Return what rows have to agree on to be of one class, but for a column."""
    return lambda row: tuple(row[name] for name in QUASI if name != column)


def most(values: list[Any]) -> Any:  # noqa: ANN401 - any value
    """Return the most frequent value, the smallest of several."""
    counts = Counter(values)
    return min(value for value in counts if counts[value] == max(counts.values()))


def half_away(value: float) -> int:
    """Round to the nearest whole number, halves away from zero."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


CENTRES: dict[str, Callable[[list[int]], int]] = {
    "mean": lambda values: half_away(sum(values) / len(values)),
    "median": lambda values: half_away(statistics.median(values)),
    "mode": most,
}
