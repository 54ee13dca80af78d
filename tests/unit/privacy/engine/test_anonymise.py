"""Release tables: what each step does, and what is refused."""

import datetime as dt
import hashlib
import hmac
import math
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow.parquet as pq
import pytest

from fairdatabase.privacy.engine.anonymise import apply, dataset_key
from fairdatabase.privacy.errors import RecipeError
from fairdatabase.privacy.schemas import Recipe, SuppressSmallGroups
from fairdatabase.tables.schemas import ColumnRole, ColumnSchema, ColumnType
from tests.factories.privacy import read_parquet, write_parquet

KEY = bytes(range(32))


def run(tmp_path: Path, columns: dict[str, list[Any]], *steps: dict[str, Any]) -> dict[str, Any]:
    """Apply steps to a table with the quasi-identifier ``q`` and return the release."""
    source = write_parquet(tmp_path / "source.parquet", columns)
    recipe = Recipe.model_validate({"steps": steps})
    apply(
        source,
        tmp_path / "target.parquet",
        recipe,
        quasi_identifiers=["q"] if "q" in columns else [],
        key=KEY,
    )
    return read_parquet(tmp_path / "target.parquet")


def test_drop(tmp_path: Path) -> None:
    found = run(tmp_path, {"q": [1, 2], "name": ["A", "B"]}, {"op": "drop", "column": "name"})
    assert found == {"q": [1, 2]}


def test_pseudonyms_are_hmacs_of_the_stored_text(tmp_path: Path) -> None:
    values = ["P-1", None, "\u00e9", "e\u0301", "P-1", ""]
    found = run(tmp_path, {"id": values}, {"op": "pseudonymise", "column": "id"})["id"]
    assert found == [
        None if value is None else hmac.new(KEY, value.encode(), hashlib.sha256).hexdigest()[:24]
        for value in values
    ]


def test_the_same_number_and_text_have_the_same_pseudonym(tmp_path: Path) -> None:
    found = run(
        tmp_path,
        {"a": [12], "b": ["12"]},
        {"op": "pseudonymise", "column": "a"},
        {"op": "pseudonymise", "column": "b"},
    )
    assert found["a"] == found["b"]


def test_datasets_have_unrelated_keys() -> None:
    master = b"m" * 32
    keys = {dataset_key(master, UUID(int=number)) for number in range(3)}
    assert len(keys) == 3
    assert all(len(key) == 32 for key in keys)


@pytest.mark.parametrize(
    ("options", "values", "labels"),
    [
        ({"width": 10}, [20, 29, 30, -1, None], ["[20, 30)"] * 2 + ["[30, 40)", "[-10, 0)", None]),
        ({"width": 10, "origin": 20}, [25, 15], ["[20, 30)", "[10, 20)"]),
        ({"width": 5, "origin": 18}, [17, 18, 23], ["[13, 18)", "[18, 23)", "[23, 28)"]),
        ({"width": 0.1}, [0.3, 0.7, 0.0, -0.05], ["[0.3, 0.4)", "[0.7, 0.8)", "[0.0, 0.1)"]),
        ({"width": 0.01}, [0.29, 0.57, 1.1], ["[0.29, 0.30)", "[0.57, 0.58)", "[1.10, 1.11)"]),
        ({"width": 2.5, "origin": 0.5}, [3.0, 2.9], ["[3.0, 5.5)", "[0.5, 3.0)"]),
        (
            {"cuts": [18.5, 25, 1000]},
            [18.4, 18.5, 25.0, 1000.0, None],
            ["< 18.5", "[18.5, 25)", "[25, 1000)", ">= 1000", None],
        ),
        ({"cuts": [0]}, [math.nan, math.inf, -math.inf, -0.0], ["nan", "inf", "-inf", ">= 0"]),
        ({"width": 1}, [math.nan, 0.5], ["nan", "[0, 1)"]),
    ],
)
def test_intervals(
    tmp_path: Path, options: dict[str, Any], values: list[Any], labels: list[str | None]
) -> None:
    step = {"op": "intervals", "column": "x", **options}
    found = run(tmp_path, {"x": values}, step)["x"]
    assert found[: len(labels)] == labels


def test_intervals_hold_every_hundredth(tmp_path: Path) -> None:
    values = [number / 100 for number in range(-500, 500)]
    step = {"op": "intervals", "column": "x", "width": 0.07, "origin": 0.03}
    for value, label in zip(values, run(tmp_path, {"x": values}, step)["x"], strict=True):
        low, high = label[1:-1].split(", ")
        assert float(low) <= value < float(high)


def test_prefix_counts_what_readers_see_as_characters(tmp_path: Path) -> None:
    found = run(
        tmp_path,
        {"code": ["1234AB", "e\u0301a", None], "number": [98765, 1, None]},
        {"op": "prefix", "column": "code", "length": 1},
        {"op": "prefix", "column": "number", "length": 2},
    )
    assert found == {"code": ["1", "e\u0301", None], "number": ["98", "1", None]}


def test_recode(tmp_path: Path) -> None:
    found = run(
        tmp_path,
        {"land": ["NL", "BE", "FR", None], "flag": [True, False, None, True]},
        {"op": "recode", "column": "land", "mapping": {"NL": "Benelux"}, "other": "elsewhere"},
        {"op": "recode", "column": "flag", "mapping": {"true": "yes", "false": "no"}},
    )
    assert found["land"] == ["Benelux", "elsewhere", "elsewhere", None]
    assert found["flag"] == ["yes", "no", None, "yes"]


def test_dates(tmp_path: Path) -> None:
    day = dt.date(2020, 2, 29)
    moment = dt.datetime(1969, 12, 31, 23, 59)  # noqa: DTZ001 - a local time without zone
    found = run(
        tmp_path,
        {"day": [day, None], "moment": [moment, None]},
        {"op": "truncate_date", "column": "day", "to": "month"},
        {"op": "truncate_date", "column": "moment", "to": "year"},
    )
    assert found == {"day": ["2020-02", None], "moment": ["1969", None]}


def test_round(tmp_path: Path) -> None:
    found = run(
        tmp_path,
        {"x": [1.25, -2.345, None], "n": [14, 15, None]},
        {"op": "round", "column": "x", "decimals": 1},
        {"op": "round", "column": "n", "decimals": -1},
    )
    assert found == {"x": [1.3, -2.3, None], "n": [10, 20, None]}


COHORT = [
    ColumnSchema(key="c0", name="Name", type=ColumnType.TEXT, role=ColumnRole.DIRECT_IDENTIFIER),
    ColumnSchema(key="c1", name="Age", type=ColumnType.INTEGER, role=ColumnRole.QUASI_IDENTIFIER),
    ColumnSchema(key="c2", name="Note", type=ColumnType.TEXT),
]
COHORT_RECIPE = Recipe.model_validate(
    {
        "version": 1,
        "steps": [
            {"op": "pseudonymise", "column": "Name"},
            {"op": "intervals", "column": "Age", "width": 10},
            {"op": "recode", "column": "Age", "mapping": {"[20, 30)": "twenties"}, "other": "?"},
            {"op": "drop", "column": "Note"},
            {"op": "suppress", "k": 3},
        ],
    }
)


def test_a_recipe_survives_json() -> None:
    assert Recipe.model_validate_json(COHORT_RECIPE.model_dump_json()) == COHORT_RECIPE


def test_steps_build_on_each_other_and_tell_what_they_did(tmp_path: Path) -> None:
    source = write_parquet(
        tmp_path / "source.parquet",
        {"c0": ["ann", "bob", "cid", "dan"], "c1": [21, 29, 33, 21], "c2": ["x", "y", "z", "x"]},
    )
    target = tmp_path / "target.parquet"
    result = apply(
        source, target, COHORT_RECIPE, quasi_identifiers=["Age"], key=KEY, columns=COHORT
    )
    assert (result.rows_in, result.rows_out, result.rows_suppressed) == (4, 3, 1)
    assert result.pseudonymised == ("Name",)
    assert [(column.key, column.type, column.role) for column in result.columns] == [
        ("c0", ColumnType.TEXT, ColumnRole.INSENSITIVE),
        ("c1", ColumnType.TEXT, ColumnRole.QUASI_IDENTIFIER),
    ]
    assert [
        (
            effect.op,
            effect.column,
            effect.rows_changed,
            effect.distinct_before,
            effect.distinct_after,
        )
        for effect in result.effects
    ] == [
        ("pseudonymise", "Name", 4, 4, 4),
        ("intervals", "Age", 4, 3, 2),
        ("recode", "Age", 4, 2, 2),
        ("drop", "Note", 4, 3, 0),
        ("suppress", None, 1, 2, 1),
    ]
    assert read_parquet(target)["c1"] == ["twenties"] * 3


def test_suppression_without_quasi_identifiers_sees_one_group(tmp_path: Path) -> None:
    assert run(tmp_path, {"x": [1, 2]}, {"op": "suppress", "k": 2}) == {"x": [1, 2]}
    assert run(tmp_path, {"x": [1, 2]}, {"op": "suppress", "k": 3}) == {"x": []}


def test_order_is_kept_and_the_file_is_reproducible(tmp_path: Path) -> None:
    rows = 200_000
    source = write_parquet(
        tmp_path / "source.parquet",
        {"q": [number * 7919 % 39_901 for number in range(rows)], "n": list(range(rows))},
        group_rows=5_000,
    )
    recipe = Recipe(steps=(SuppressSmallGroups(k=6),))
    files = [tmp_path / name for name in ("first.parquet", "second.parquet")]
    for target in files:
        apply(source, target, recipe, quasi_identifiers=["q"])
    kept = read_parquet(files[0])["n"]
    assert 0 < len(kept) < rows
    assert kept == sorted(kept)
    assert files[0].read_bytes() == files[1].read_bytes()


REFUSALS = [
    ([{"op": "drop", "column": "nme"}], "Step 0 (drop of column 'nme'): there is no such column"),
    ([{"op": "partition", "columns": [], "k": 2}], "(partition): name the columns to recode"),
    ([{"op": "partition", "columns": ["age", "age"], "k": 2}], "name the columns to recode"),
    ([{"op": "partition", "columns": ["age"], "k": 0}], "(partition): k is 0; use 1 or more"),
    ([{"op": "partition", "columns": ["aeg"], "k": 2}], "there is no column 'aeg' at this step"),
    (
        [{"op": "partition", "columns": ["x"], "k": 2, "groups": [{"column": "x", "mapping": {}}]}],
        "there is no column 'x' at this step",
    ),
    (
        [
            {
                "op": "partition",
                "columns": ["born"],
                "k": 2,
                "groups": [{"column": "born", "mapping": {}}],
            }
        ],
        "groups of 'born': the column holds date",
    ),
    (
        [
            {
                "op": "partition",
                "columns": ["born"],
                "k": 2,
                "groups": [{"column": "name", "mapping": {}}],
            }
        ],
        "groups of 'name', which is not among the columns; add it",
    ),
    (
        [{"op": "suppress", "k": 2, "sensitive": [{"column": "nme"}]}],
        "Step 0 (suppress): there is no column 'nme' at this step",
    ),
    (
        [{"op": "drop", "column": "age"}, {"op": "round", "column": "age", "decimals": 1}],
        "Step 1 (round of column 'age'): there is no such column at this step",
    ),
    ([{"op": "drop", "column": name} for name in ("name", "age", "born")], "drops every column"),
    ([{"op": "suppress", "k": 0}], "Step 0 (suppress): k is 0; use 1 or more"),
    ([{"op": "suppress", "k": 5}, {"op": "drop", "column": "age"}], "make it the last step"),
    ([{"op": "intervals", "column": "name", "width": 5}], "the column holds text, the step needs"),
    ([{"op": "intervals", "column": "age"}], "give either a width or cuts"),
    ([{"op": "intervals", "column": "age", "width": 0}], "the width is 0; use a width above 0"),
    ([{"op": "intervals", "column": "age", "width": -5}], "the width is -5"),
    ([{"op": "intervals", "column": "age", "width": 1e16}], "bounds beyond 1e+15"),
    ([{"op": "intervals", "column": "age", "width": 1e-10}], "more than 9 decimals"),
    ([{"op": "intervals", "column": "age", "cuts": []}], "cuts must be one or more numbers"),
    ([{"op": "intervals", "column": "age", "cuts": [2, 1]}], "cuts must be one or more numbers"),
    ([{"op": "intervals", "column": "age", "cuts": [2, 2]}], "cuts must be one or more numbers"),
    ([{"op": "prefix", "column": "name", "length": 0}], "the length is 0; keep at least one"),
    ([{"op": "prefix", "column": "born", "length": 4}], "the column holds date"),
    ([{"op": "round", "column": "age", "decimals": 10}], "10 decimals; use -9 to 9"),
    ([{"op": "recode", "column": "name", "mapping": {}}], "the mapping is empty"),
    ([{"op": "truncate_date", "column": "age", "to": "year"}], "needs date or datetime"),
    (
        [{"op": "recode", "column": "name", "mapping": {"ann": "x"}}],
        "Step 0 (recode of column 'name'): 1 values (2 rows) are not in the mapping; add them, or",
    ),
]


@pytest.mark.parametrize(("steps", "message"), REFUSALS)
def test_refusals_say_where_and_what_to_do_and_quote_no_value(
    tmp_path: Path, steps: list[dict[str, Any]], message: str
) -> None:
    columns: dict[str, list[Any]] = {
        "name": ["ann", "secret", "secret"],
        "age": [1, 2, 3],
        "born": [dt.date.min] * 3,
    }
    with pytest.raises(RecipeError) as caught:
        run(tmp_path, columns, *steps)
    assert message in caught.value.message
    assert "secret" not in caught.value.message
    assert [path.name for path in tmp_path.iterdir()] == ["source.parquet"]


def test_dates_are_shortened_to_five_widths(tmp_path: Path) -> None:
    days = [dt.date(2024, 5, 17), dt.date(987, 12, 1), None]
    for to, labels in {
        "day": ["2024-05-17", "0987-12-01"],
        "month": ["2024-05", "0987-12"],
        "quarter": ["2024-Q2", "0987-Q4"],
        "year": ["2024", "0987"],
        "decade": ["2020s", "0980s"],
    }.items():
        found = run(tmp_path, {"d": days}, {"op": "truncate_date", "column": "d", "to": to})
        assert found["d"] == [*labels, None]


def test_rows_are_cut_into_groups_with_labels_of_their_own(tmp_path: Path) -> None:
    columns: dict[str, list[Any]] = {
        "q": [31.2, 12.1, 33.0, 11.1, 11.0, 90.2],
        "place": ["x", "y", "x", "y", "y", "x"],
        "other": [1, 2, 3, 4, 5, 6],
    }
    source = write_parquet(tmp_path / "source.parquet", columns)
    steps = [
        {"op": "round", "column": "q", "decimals": 0},
        {"op": "partition", "columns": ["q", "place"], "k": 3},
        {"op": "recode", "column": "place", "mapping": {"x": "X"}, "other": "Y"},
        {"op": "suppress", "k": 2},
    ]
    recipe = Recipe.model_validate({"steps": steps})
    result = apply(source, tmp_path / "t.parquet", recipe, quasi_identifiers=["q", "place"])
    assert read_parquet(tmp_path / "t.parquet") == {
        "q": [
            *["[31.0, 90.0]", "[11.0, 12.0]"] * 2,
            *["[11.0, 12.0]", "[31.0, 90.0]"],
        ],
        "place": ["X", "Y", "X", "Y", "Y", "X"],
        "other": [1, 2, 3, 4, 5, 6],
    }
    assert [column.type for column in result.columns] == ["text", "text", "integer"]
    effect = result.effects[1]
    assert (effect.column, effect.rows_changed) == (None, 6)
    assert (effect.distinct_before, effect.distinct_after) == (5, 2)


def test_a_group_gets_the_label_that_its_values_share(tmp_path: Path) -> None:
    step = {
        "op": "partition",
        "columns": ["ill"],
        "k": 2,
        "groups": [{"column": "ill", "mapping": {"flu": "virus", "cold": "virus"}, "other": "o"}],
    }
    found = run(tmp_path, {"ill": ["flu", "burn", "cold", "burn"]}, step)
    assert found == {"ill": ["virus", "burn", "virus", "burn"]}


def test_classes_that_miss_a_goal_are_left_out_until_all_others_reach_it(tmp_path: Path) -> None:
    """Class a is too small; of the others b is far from the rows that stay, c and d are not."""
    columns: dict[str, list[Any]] = {
        "q": ["a"] + ["b"] * 4 + ["c"] * 4 + ["d"] * 4,
        "ill": ["flu"] + ["flu"] * 4 + ["flu", "cold", "cold", "cold"] * 2,
    }
    goal = {"column": "ill", "t": 0.3}
    found = run(tmp_path, columns, {"op": "suppress", "k": 2, "sensitive": [goal]})
    assert found == {name: values[5:] for name, values in columns.items()}


def test_what_a_goal_leaves_out_is_told(tmp_path: Path) -> None:
    columns: dict[str, list[Any]] = {
        "q": ["a"] + ["b"] * 3 + ["c"] * 4,
        "r": [1] * 8,
        "ill": ["flu"] + ["flu", "cold", "flu"] + ["cold"] * 4,
    }
    source = write_parquet(tmp_path / "source.parquet", columns)
    steps = [
        {"op": "drop", "column": "r"},
        {"op": "recode", "column": "q", "mapping": {}, "other": "x"},
        {"op": "suppress", "k": 2, "sensitive": [{"column": "ill", "distinct_l": 2}]},
    ]
    for chosen, left, classes in (([0, 2], 3, (3, 1)), ([0, 1, 2], 8, (1, 1)), ([2], 3, (3, 1))):
        recipe = Recipe.model_validate({"steps": [steps[place] for place in chosen]})
        target = tmp_path / "t.parquet"
        found = apply(source, target, recipe, quasi_identifiers=["q", "r"])
        assert (found.rows_in, found.rows_out, found.rows_suppressed) == (8, left, 8 - left)
        assert [effect.index for effect in found.effects] == list(range(len(chosen)))
        last = found.effects[-1]
        assert (last.op, last.column, last.rows_changed) == ("suppress", None, 8 - left)
        assert (last.distinct_before, last.distinct_after) == classes
        assert len(read_parquet(target)["ill"]) == left


def test_steps_over_rows_go_on_from_mapped_values_and_leave_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    table: dict[str, list[Any]] = {"q": list("abcd"), "t": list("uvuv"), "x": [1, 2, 3, 4]}
    mapped = [
        {"op": "recode", "column": "q", "mapping": {"a": "A", "b": "A"}, "other": "B"},
        {"op": "recode", "column": "t", "mapping": {"u": "U"}, "other": "V"},
    ]
    emptied = {"op": "suppress_cells", "column": "q", "rarer_than": 3}
    cut = {"op": "partition", "columns": ["q", "x"], "k": 2}
    suppress = {"op": "suppress", "k": 2, "sensitive": [{"column": "t", "distinct_l": 2}]}
    found = run(tmp_path, table, *mapped, emptied)
    assert found == {"q": [None] * 4, "t": ["U", "V"] * 2, "x": [1, 2, 3, 4]}
    found = run(tmp_path, table, *mapped, cut, suppress)
    assert found == {
        "q": ["A", "A", "B", "B"],
        "t": ["U", "V"] * 2,
        "x": ["[1, 2]"] * 2 + ["[3, 4]"] * 2,
    }
    found = run(tmp_path, table, *mapped, cut, emptied | {"column": "t"}, suppress)
    assert found == {"q": [], "t": [], "x": []}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source.parquet", "target.parquet"]


def test_dropped_columns_form_no_classes(tmp_path: Path) -> None:
    table: dict[str, list[Any]] = {"q": [1, 2, 3], "x": [None, 1, 1]}
    drop = {"op": "drop", "column": "q"}
    assert run(tmp_path, table, drop, {"op": "suppress", "k": 3}) == {"x": [None, 1, 1]}
    emptied = {"op": "suppress_cells", "column": "x", "groups_below": 3}
    assert run(tmp_path, table, drop, emptied) == {"x": [None, 1, 1]}
    assert run(tmp_path, table, emptied)["x"] == [None] * 3


def test_a_key_may_be_as_short_and_as_long_as_said(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "source.parquet", {"id": ["a", "b"]})
    recipe = Recipe.model_validate({"steps": [{"op": "pseudonymise", "column": "id"}]})
    names = set()
    for length in (16, 64):
        apply(source, tmp_path / "out.parquet", recipe, quasi_identifiers=[], key=bytes(length))
        names |= set(read_parquet(tmp_path / "out.parquet")["id"])
    assert all(len(name) == 24 for name in names)
    for length in (15, 65):
        with pytest.raises(RecipeError, match="has 16 to 64 bytes"):
            apply(source, tmp_path / "no", recipe, quasi_identifiers=[], key=bytes(length))
    assert not (tmp_path / "no").exists()


def test_what_is_refused_leaves_the_release_before(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "source.parquet", {"q": [1]})
    target = tmp_path / "target.parquet"
    apply(source, target, Recipe(), quasi_identifiers=[])
    before = target.read_bytes()
    with pytest.raises(RecipeError, match="no quasi-identifier 'a', 'b'"):
        apply(source, target, Recipe(), quasi_identifiers=["b", "q", "a"])
    assert target.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source.parquet", "target.parquet"]


def test_numbers_are_as_far_apart_as_their_order_says(tmp_path: Path) -> None:
    """By the equal distance both classes would be further than 0.2 from all rows."""
    columns: dict[str, list[Any]] = {"q": ["a"] * 4 + ["b"] * 4, "n": [0, 0, 2, 2, 0, 1, 1, 2]}
    goal = {"column": "n", "t": 0.2}
    assert run(tmp_path, columns, {"op": "suppress", "k": 1, "sensitive": [goal]}) == columns
    equal = {"op": "suppress", "k": 1, "sensitive": [goal | {"ordered": False}]}
    assert run(tmp_path, columns, equal) == {"q": [], "n": []}


def test_a_column_without_values_becomes_text_as_others(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "s.parquet", {"x": [None] * 3, "q": [1, 2, 3]}, ["int64"] * 2)
    step = {"op": "partition", "columns": ["x", "q"], "k": 3}
    recipe = Recipe.model_validate({"steps": [step]})
    apply(source, tmp_path / "t.parquet", recipe, quasi_identifiers=["x", "q"])
    assert [str(kind) for kind in pq.read_schema(tmp_path / "t.parquet").types] == ["string"] * 2


def test_a_goal_needs_no_quasi_identifier(tmp_path: Path) -> None:
    goal = {"column": "ill", "distinct_l": 2}
    step = {"op": "suppress", "k": 1, "sensitive": [goal]}
    assert run(tmp_path, {"ill": ["flu", "cold"]}, step) == {"ill": ["flu", "cold"]}
    assert run(tmp_path, {"ill": ["flu", "flu"]}, step) == {"ill": []}


def test_pseudonyms_need_a_key_of_some_length(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "source.parquet", {"id": ["a"]})
    recipe = Recipe.model_validate({"steps": [{"op": "pseudonymise", "column": "id"}]})
    for key, message in (
        (None, r"^Step 0 .*'id'.: pseudonyms need the key"),
        (b"short", "16 to 64"),
        (bytes(65), "16 to 64"),
    ):
        with pytest.raises(RecipeError, match=message):
            apply(source, tmp_path / "out.parquet", recipe, quasi_identifiers=[], key=key)


def test_the_source_is_never_overwritten(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "source.parquet", {"id": ["a"]})
    with pytest.raises(RecipeError, match="overwrite its source"):
        apply(source, source, Recipe(), quasi_identifiers=[])


def test_unknown_quasi_identifiers(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "source.parquet", {"id": ["a"]})
    with pytest.raises(RecipeError, match="no quasi-identifier 'age'"):
        apply(source, tmp_path / "out.parquet", Recipe(), quasi_identifiers=["age"])
