"""Measuring and anonymising files without any instance."""

import json
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner, Result

from fairdatabase.cli import main

ROOT = Path(__file__).parents[3]
TEXT = "age,region,email,diagnosis\n" + "".join(
    f"{20 + place % 10},{'north' if place % 2 else 'south'},p{place}@example.org,"
    f"{('flu', 'cold', 'asthma')[place % 3]}\n"
    for place in range(60)
)
RECIPE = {
    "version": 1,
    "steps": [
        {"op": "pseudonymise", "column": "email"},
        {"op": "intervals", "column": "age", "width": 20},
        {"op": "suppress", "k": 5},
    ],
}
COLUMNS = ("--qi", "age", "--qi", "region", "--sensitive", "diagnosis")


def privacy(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["privacy", *map(str, arguments)])


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file, a recipe and a key, and no instance."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FAIRDATABASE_INSTANCE_PATH", raising=False)
    (tmp_path / "recipe.json").write_text(json.dumps(RECIPE))
    (tmp_path / "secret").write_bytes(b"x" * 32)
    path = tmp_path / "people.csv"
    path.write_text(TEXT)
    return path


def test_a_risky_file_fails_with_its_groups_and_reasons(people: Path) -> None:
    found = privacy("assess", people, *COLUMNS, "--k", "10", "--uniques", "2")
    assert found.exit_code == 1, found.output
    assert "60 rows in 10 groups" in found.output
    assert "Riskiest groups" in found.output
    assert "6: age 20, region south" in found.output
    assert "`email` can tell directly who somebody is" in found.output
    assert "groups smaller than 10" in found.output
    assert not (people.parent / "instance").exists()


def test_a_harmless_file_passes(people: Path) -> None:
    found = privacy("assess", people, *COLUMNS, "--insensitive", "email", "--l", "3", "--t", "0.1")
    assert found.exit_code == 0, found.output
    assert "people.csv passes the policy." in found.output
    assert "Not looked at: email" in found.output
    assert "Riskiest" not in found.output


def test_json_has_everything(people: Path) -> None:
    people.with_name("all.csv").write_text(TEXT + TEXT.partition("\n")[2])
    found = privacy(
        "assess", people, *COLUMNS, "--json", "--population", people.with_name("all.csv"),
        "--sampling", "0.5", "--wildcard",
    )  # fmt: skip
    said = json.loads(found.output)
    assert said["report"]["population"]["k_map"] == 12
    assert said["report"]["individual"]["population"] == 120
    assert said["report"]["missing"] == "wildcard"
    assert said["verdict"]["passed"] is False


def test_every_model_is_explained(people: Path) -> None:
    text = people.read_text().splitlines()
    taxa = [f"g__{name}" for name in "ABCDE"]
    lines = [f"{line},{place == 3:d},1,1,1,1" for place, line in enumerate(text)]
    people.write_text(
        "\n".join([",".join([text[0], *taxa]), *lines[1:], "99,east,z,flu,0,1,1,1,1"])
    )
    found = privacy("assess", people, *COLUMNS, "--models", "--alpha", "0.2", "--subject", "email")
    assert found.exit_code == 1, found.output
    assert "delta of diagnosis: none holds" in found.output
    assert "alone already on at most 2 of the columns" in found.output
    assert "age 99, region east: alone by age; region" in found.output
    assert "fingerprints of microbiomes: 1 of 61 samples" in found.output
    assert "Please look at this: 1 of 61 samples" in found.output
    assert "(alpha is 1, allowed 0.2)" in found.output


def test_population_and_sample_in_words(people: Path) -> None:
    with people.open("a") as file:
        file.write("99,north,x@example.org,flu\nx,y\n")
    weights = people.with_name("weights.csv")
    weights.write_text("age,region,w\n" + "20,north,4\n" * 3 + "21,north,4\n")
    found = privacy(
        "assess", weights, "--qi", "age", "--qi", "region", "--sampling", "w",
        "--population", people, "--uniques", "1",
    )  # fmt: skip
    assert "Against a population of 61" in found.output
    assert "The population table lacks people" in found.output
    assert "As a sample of the population" in found.output
    assert "age: 100% of the score, 1 rows" in found.output
    rejected = privacy("assess", people, *COLUMNS)
    assert "1 rows could not be read" in rejected.output


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
def test_a_release_that_passes(people: Path, ending: str) -> None:
    target = people.with_name(f"release.{ending}")
    made = privacy(
        "anonymise", people, *COLUMNS, "--recipe", "recipe.json", "-o", target,
        "--key-file", "secret",
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    assert f"{target}: 60 of 60 rows kept" in made.output
    assert "smallest group (k)     6 before, 30 after" in made.output
    assert b"@example.org" not in target.read_bytes()
    again = privacy("assess", target, *COLUMNS, "--insensitive", "email", "--json")
    assert json.loads(again.output)["report"]["k"] == 30


def test_a_release_that_does_not_pass(people: Path) -> None:
    (people.parent / "recipe.json").write_text('{"steps": [{"op": "drop", "column": "region"}]}')
    made = privacy(
        "anonymise", people, *COLUMNS, "--recipe", "recipe.json", "-o", "out.csv", "--json"
    )
    assert made.exit_code == 1
    said = json.loads(made.output)
    assert said["release"]["report"]["quasi_identifiers"] == ["age"]
    assert [reason["code"] for reason in said["release"]["verdict"]["reasons"]] == [
        "direct_identifiers"
    ]


def test_nothing_is_overwritten_and_endings_are_known(people: Path) -> None:
    before = people.read_bytes()
    options = (*COLUMNS, "--recipe", "recipe.json", "--key-file", "secret", "-o")
    assert "exists already" in privacy("anonymise", people, *options, people).output
    assert "A release is one of" in privacy("anonymise", people, *options, "x.xlsx").output
    assert people.read_bytes() == before


def test_mistakes_are_one_line(people: Path) -> None:
    found = privacy("assess", people, "--qi", "nope")
    assert (found.exit_code, "has no column 'nope'" in found.output) == (1, True)
    found = privacy("assess", people, *COLUMNS, "--insensitive", "nope")
    assert (found.exit_code, "has no column 'nope'" in found.output) == (1, True)
    found = privacy("anonymise", people, *COLUMNS, "--recipe", "recipe.json", "-o", "o.csv")
    assert found.exit_code == 1
    assert "key" in found.output
    assert not (people.parent / "o.csv").exists()


def test_detection_of_an_excel_file(people: Path) -> None:
    book = openpyxl.Workbook()
    for line in TEXT.splitlines():
        book.active.append(line.split(","))
    book.save(people.with_suffix(".xlsx"))
    found = privacy("detect", people.with_suffix(".xlsx"))
    assert found.exit_code == 0, found.output
    lines = {line.split()[0]: line for line in found.output.splitlines()}
    assert "direct_identifier" in lines["email"]
    assert "p1@" not in found.output
    as_json = json.loads(privacy("detect", people, "--json").output)
    assert as_json["suggestions"][0]["column"] == "age"


def test_two_versions_that_tell_together(people: Path) -> None:
    later = people.with_name("later.csv")
    later.write_text(TEXT + "20,south,p60@example.org,flu\n")
    found = privacy("compare", people, later, *COLUMNS)
    assert found.exit_code == 1, found.output
    assert "1 of 10 groups changed by few rows" in found.output
    assert "7: age 20, region south" in found.output
    assert (
        json.loads(privacy("compare", people, later, *COLUMNS, "--json").output)["telling_rows"]
        == 1
    )
    same = privacy("compare", people, people, *COLUMNS, "--k", "9")
    assert same.exit_code == 0, same.output
    assert "None of 10 groups changed" in same.output


def test_the_guide_s_way(people: Path) -> None:
    """The recipe of the guide fits the guide's table, and its release passes."""
    guide = (ROOT / "docs" / "how-to" / "check-a-file-without-a-server.md").read_text()
    recipe = guide.partition("```json\n")[2].partition("```")[0]
    (people.parent / "recipe.json").write_text(recipe)
    table = ROOT / "docs" / "tutorials" / "gut-health.csv"
    columns = ("--qi", "age", "--qi", "sex", "--qi", "region", "--sensitive", "diagnosis")
    made = privacy("anonymise", table, *columns, "--recipe", "recipe.json", "-o", "release.csv")
    assert made.exit_code == 0, made.output
    assert "release.csv passes the policy." in made.output
