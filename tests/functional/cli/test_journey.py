"""The whole way of a table on the command line: deposit, publish, find, query, download."""

import json
from pathlib import Path

import pytest

from tests.factories.cohorts import METADATA, cohort, harmless
from tests.functional.cli.conftest import Run

AS = ("--as", "ada@example.org")


@pytest.fixture
def run(instance: Run) -> Run:
    """The command line, with three tables in the present folder."""
    Path("harmless.csv").write_bytes(harmless())
    Path("people.csv").write_bytes(cohort())
    Path("empty.csv").write_bytes(b"")
    Path("metadata.json").write_text(json.dumps(METADATA))
    return instance


def draft_of(output: str) -> str:
    """Return the identifier of the draft that ``deposit`` names first."""
    return output.split()[1]


def deposit_harmless(run: Run, *options: str) -> str:
    made = run(
        "deposit", "harmless.csv", *AS, "--metadata", "metadata.json",
        "--role", "sex=quasi_identifier", "--role", "arm=quasi_identifier",
        "--role", "score=sensitive", *options,
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    assert made.output.endswith(
        f"Next: fairdatabase publish {draft_of(made.output)} {' '.join(AS)}\n"
    )
    return draft_of(made.output)


def published(run: Run, draft: str, *options: str) -> str:
    """Publish a draft and return the identifier of its dataset."""
    done = run("publish", draft, *AS, *options)
    assert done.exit_code == 0, done.output
    return done.output.strip().rpartition("/")[2]


def test_a_harmless_table_goes_the_whole_way(run: Run) -> None:
    draft = deposit_harmless(run)
    dataset = published(run, draft)

    found = run("search", "gut", "health")
    assert f"{dataset}  open        {METADATA['title']}" in found.stdout
    assert json.loads(run("search", "--json").stdout)["total"] == 1
    assert run("search", "volcano").stdout == ""

    rows = run("query", dataset, "--filter", "sex:eq:male", "--sort=-score", "--column", "score",
               "--column", "sex", "--limit", "2")  # fmt: skip
    assert rows.exit_code == 0, rows.output
    assert rows.stdout.splitlines() == ["score  sex", "6      male", "6      male"]
    assert rows.stderr == "2 of 100 rows\n"

    saved = run("download", dataset, "--output", "copy.csv")
    assert saved.exit_code == 0, saved.output
    assert Path("copy.csv").read_bytes() == harmless()
    again = run("download", dataset, "--output", "copy.csv")
    assert again.exit_code == 1
    assert "exists already" in again.stderr
    assert run("download", dataset, "--format", "jsonl").exit_code == 0
    assert len(Path("harmless.jsonl").read_text().splitlines()) == 200


def test_a_risky_table_is_refused_and_then_anonymised(run: Run) -> None:
    made = run("deposit", "people.csv", *AS, "--metadata", "metadata.json", "--suggested-roles",
               "--role", "subject_id=direct_identifier", "--role", "age=quasi_identifier",
               "--role", "sex=quasi_identifier", "--role", "region=quasi_identifier")  # fmt: skip
    assert made.exit_code == 0, made.output
    draft = draft_of(made.output)
    refused = run("publish", draft, *AS)
    assert refused.exit_code == 1
    assert "cannot be published yet" in refused.stderr
    assert refused.stderr.count("\n") == 1

    dataset = published(run, draft, "--anonymise")
    original = run("download", dataset)
    assert original.exit_code == 1
    assert "stays in the house" in original.stderr
    assert not list(Path().glob("*.part"))
    assert run("download", dataset, "--format", "csv").exit_code == 0
    assert "S0001" not in Path("people.anonymised.csv").read_text()


def test_a_restricted_table_is_for_its_owner(run: Run) -> None:
    dataset = published(run, deposit_harmless(run, "--access", "restricted"))
    refused = run("query", dataset)
    assert refused.exit_code == 1
    assert run("query", dataset, *AS).exit_code == 0


def test_options_win_over_the_file_of_metadata(run: Run) -> None:
    draft = deposit_harmless(run, "--title", "Another title", "--creator", "Curie, Irène")
    published(run, draft)
    assert "Another title" in run("search", "Irène").stdout


def test_a_role_of_a_column_that_is_not_there_is_refused(run: Run) -> None:
    refused = run("deposit", "harmless.csv", *AS, "--role", "sexx=quasi_identifier")
    assert refused.exit_code == 1
    assert "--role sexx" in refused.stderr
    assert "arm, score, sex" in refused.stderr


def test_what_is_missing_is_said(run: Run) -> None:
    made = run("deposit", "harmless.csv", *AS)
    assert made.exit_code == 0
    assert "Next: fairdatabase publish" not in made.output
    assert "title" in made.output


def test_a_file_that_is_no_table_is_refused_with_the_reason(run: Run) -> None:
    refused = run("deposit", "empty.csv", *AS)
    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: empty.csv: ")


def test_a_role_that_does_not_exist_is_explained(run: Run) -> None:
    refused = run("deposit", "harmless.csv", *AS, "--role", "sex=unknown")
    assert refused.exit_code == 1
    assert "quasi_identifier" in refused.stderr


def test_a_dataset_with_several_files_asks_for_one(run: Run) -> None:
    Path("second.csv").write_bytes(harmless(100))
    made = run(
        "deposit", "harmless.csv", "second.csv", *AS, "--metadata", "metadata.json",
        "--role", "sex=quasi_identifier", "--role", "arm=quasi_identifier",
        "--role", "score=sensitive",
    )  # fmt: skip
    dataset = published(run, draft_of(made.output))
    refused = run("query", dataset)
    assert refused.exit_code == 1
    assert "harmless.csv, second.csv" in refused.stderr
    assert run("query", dataset, "--file", "second.csv").stderr == "20 of 100 rows\n"
    missing = run("download", dataset, "--file", "third.csv")
    assert missing.exit_code == 1
    assert "harmless.csv, second.csv" in missing.stderr


def test_nobody_deposits_in_a_strangers_name(run: Run) -> None:
    assert run("deposit", "harmless.csv", "--as", "nobody@example.org").exit_code == 1
    assert run("deposit", "harmless.csv").exit_code == 2
