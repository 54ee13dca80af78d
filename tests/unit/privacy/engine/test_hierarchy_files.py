"""Hierarchies come from files and go into files."""

from pathlib import Path

import pytest

from fairdatabase.privacy.engine import hierarchy_files
from fairdatabase.privacy.engine.hierarchy_files import read_csv, read_json, write_csv, write_json
from fairdatabase.privacy.errors import HierarchyError
from fairdatabase.privacy.schemas.hierarchies import Hierarchy
from fairdatabase.privacy.schemas.recipes import DropColumn, Intervals, Recode
from fairdatabase.tables.schemas import ColumnSchema, ColumnType
from tests.factories.privacy import write_parquet

TEXT = '\ufeffdog;mammal;*\r\n"c;at";mammal;*\r\n\r\nhen;bird;*\r\n'


def test_the_csv_of_arx_is_read() -> None:
    assert read_csv(TEXT, "pet") == Hierarchy(
        column="pet",
        levels=(
            Recode(column="pet", mapping={"dog": "mammal", "c;at": "mammal", "hen": "bird"}),
            DropColumn(column="pet"),
        ),
    )
    assert read_csv("a;x\n", "q").levels == (Recode(column="q", mapping={"a": "x"}),)


def test_only_a_last_level_of_stars_leaves_the_column_out() -> None:
    stars = Recode(column="q", mapping={"a": "*", "b": "*"})
    assert read_csv("a;*;x\nb;*;x\n", "q").levels == (
        stars,
        Recode(column="q", mapping={"a": "x", "b": "x"}),
    )
    assert read_csv("a;x;*\nb;y;z\n", "q").levels[-1].op == "recode"
    assert read_csv("a;*\nb;*\n", "q").levels == (DropColumn(column="q"),)


def test_lines_end_as_every_system_ends_them_and_cells_keep_theirs() -> None:
    """Line ends of old Macs, and one of Windows within a cell."""
    assert read_csv('a;x\rb;"y\r\nz"\r', "q").levels == (
        Recode(column="q", mapping={"a": "x", "b": "y\r\nz"}),
    )


def test_an_empty_text_has_a_line_as_well(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "t.parquet", {"k": ["", "b", None]})
    column = ColumnSchema(key="k", name="k", type=ColumnType.TEXT)
    hierarchy = read_csv(";x\nb;\n", "k")
    assert hierarchy.levels == (Recode(column="k", mapping={"": "x", "b": ""}),)
    assert write_csv(path, column, hierarchy) == ";x\nb;\n"


def test_formulas_are_disarmed_and_rearmed(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "t.parquet", {"k": ["=1+1", "b"]})
    column = ColumnSchema(key="k", name="k", type=ColumnType.TEXT)
    hierarchy = read_csv("'=1+1;@x\nb;'@x\n", "k")
    assert hierarchy.levels == (Recode(column="k", mapping={"=1+1": "@x", "b": "@x"}),)
    written = write_csv(path, column, hierarchy)
    assert written == "'=1+1;'@x\nb;'@x\n"
    assert read_csv(written, "k") == hierarchy


def test_the_csv_of_arx_is_written(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "t.parquet", {"k": ["hen", "c;at", None, "dog", "dog"]})
    column = ColumnSchema(key="k", name="pet", type=ColumnType.TEXT)
    written = write_csv(path, column, read_csv(TEXT, "pet"))
    assert written == '"c;at";mammal;*\ndog;mammal;*\nhen;bird;*\n'
    assert read_csv(written, "pet").levels[-1] == DropColumn(column="pet")


def test_intervals_are_written_out(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "t.parquet", {"age": [12, 7]})
    hierarchy = Hierarchy(column="age", levels=(Intervals(column="age", width=10),))
    column = ColumnSchema(key="age", name="age", type=ColumnType.INTEGER)
    assert write_csv(path, column, hierarchy) == "7;[0, 10)\n12;[10, 20)\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The file is empty"),
        ("\n\n", "The file is empty"),
        ("a\n", "Line 1 has no level"),
        ("a;x\nb;x;y\n", "Line 2 has 3 cells and the first line 2"),
        ("a;x\nb;y\na;z\n", "Line 3 repeats the value of line 1"),
        ("a;" + "x" * 200_000, "Line 1 cannot be read: field larger"),
    ],
)
def test_what_is_wrong_in_a_csv_is_named_by_its_line(text: str, message: str) -> None:
    with pytest.raises(HierarchyError, match=message):
        read_csv(text, "q")


def test_too_many_values_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hierarchy_files, "MAX_VALUES", 1)
    with pytest.raises(HierarchyError, match="more than 1 values"):
        read_csv("a;x\nb;x\n", "q")


def test_json_keeps_how_levels_are_made() -> None:
    levels = (Intervals(column="age", width=5), DropColumn(column="age"))
    text = write_json(Hierarchy(column="age", levels=levels))
    assert read_json(text, "age") == Hierarchy(column="age", levels=levels)
    assert '\n  "column": "age",\n  "levels": [\n    {' in text
    renamed = read_json(text, "years")
    assert [renamed.column, *(level.column for level in renamed.levels)] == ["years"] * 3


def test_other_json_is_refused() -> None:
    with pytest.raises(HierarchyError, match="look at column, surprise"):
        read_json('{"surprise": 1}', "q")
    many = ", ".join(f'"f{number}": 1' for number in range(7))
    with pytest.raises(HierarchyError, match=r"look at column, f0, f1, f2, f3\.$"):
        read_json(f"{{{many}}}", "q")
    with pytest.raises(HierarchyError, match=r"look at levels\.0\.intervals\.width\.$"):
        read_json(
            '{"column": "q", "levels": [{"op": "intervals", "column": "q", "width": "x"}]}', "q"
        )
    with pytest.raises(HierarchyError, match=r"look at \(all\)"):
        read_json("[", "q")
