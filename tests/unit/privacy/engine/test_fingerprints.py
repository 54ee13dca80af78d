"""Presence codes against every smaller set, and the report about them."""

from itertools import combinations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairdatabase.privacy.engine.fingerprints import (
    MAX_CODE,
    assess_fingerprints,
    find_fingerprints,
    genus,
    presence_codes,
    taxa_of,
)
from fairdatabase.privacy.errors import AssessmentError
from fairdatabase.tables.schemas import ColumnRole, ColumnSchema, ColumnType

Matrix = list[tuple[bool, ...]]


def shortest(rows: Matrix, people: list[int], sample: int) -> int:
    """Length of the shortest code, by trying all; 0 where there is none."""
    others = [row for row, who in zip(rows, people, strict=True) if who != people[sample]]
    taxa = [place for place, has in enumerate(rows[sample]) if has]
    for size in range(1, len(taxa) + 1):
        for chosen in combinations(taxa, size):
            if not any(all(row[place] for place in chosen) for row in others):
                return size if others else 0
    return 0


@settings(max_examples=80, deadline=None)
@given(
    rows=st.integers(1, 5).flatmap(
        lambda taxa: st.lists(st.tuples(*[st.booleans()] * taxa), min_size=1, max_size=12)
    ),
    data=st.data(),
)
def test_codes_tell_apart_and_are_hardly_longer_than_needed(
    rows: Matrix, data: st.DataObject
) -> None:
    people = data.draw(st.lists(st.integers(0, 4), min_size=len(rows), max_size=len(rows)))
    sizes = presence_codes(np.array(rows, dtype=bool), np.array(people)).size
    for sample, size in enumerate(sizes.tolist()):
        best = shortest(rows, people, sample)
        assert bool(size) == bool(best)
        assert best <= size <= MAX_CODE
        assert size == best or best > 1


def test_nobody_is_told_apart_from_nobody() -> None:
    both = np.ones((2, 1), dtype=bool)
    assert presence_codes(both[:1], np.zeros(1, dtype=np.int64)).unique == 0
    assert presence_codes(both, np.zeros(2, dtype=np.int64)).unique == 0


def test_codes_longer_than_anybody_knows_do_not_count() -> None:
    """Six others lack one taxon each: only all six taxa together tell the first apart."""
    rows = np.vstack([np.ones(6, dtype=bool), ~np.eye(6, dtype=bool)])
    assert presence_codes(rows, np.arange(7)).size.tolist() == [0] * 7
    assert presence_codes(rows[:6], np.arange(6)).size[0] == 5


def samples() -> pa.Table:
    return pa.table(
        {
            "who": ["a", "a", "b", None],
            "g__Prevotella|s__copri": [5, 1, 0, 0],
            "g__Prevotella|s__other": [0, 0, 2, None],
            "g__Dialister|s__x": [0.0, 0.0, 0.0, 0.5],
        }
    )


def test_the_report() -> None:
    table = samples()
    found = assess_fingerprints(table, taxa=table.column_names[1:], subject="who")
    assert (found.samples, found.taxa, found.unique_samples, found.unique_share) == (4, 3, 4, 1.0)
    assert found.by_size == (4, 0, 0, 0, 0)
    genera, prevalent = found.remedies
    assert (genera.name, genera.taxa, genera.unique_samples) == ("genus", 2, 1)
    assert genera.unique_share == 0.25
    assert (prevalent.name, prevalent.taxa, prevalent.unique_samples) == ("prevalence", 3, 4)
    assert any("restricted access" in sentence for sentence in found.advice)


def test_without_subjects_everybody_counts(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("f") / "t.parquet"
    pq.write_table(samples(), path)
    found = assess_fingerprints(path, taxa=["g__Prevotella|s__copri", "g__Dialister|s__x"])
    assert (found.unique_samples, found.unique_share) == (1, 0.25)


def test_the_names_that_people_see() -> None:
    columns = [
        ColumnSchema(key="c0", name="who", type=ColumnType.TEXT),
        ColumnSchema(key="c1", name="Dialister", type=ColumnType.INTEGER),
    ]
    table = pa.table({"c0": ["a", "b"], "c1": [1, 0]})
    found = assess_fingerprints(table, taxa=["Dialister"], subject="who", columns=columns)
    assert found.by_size == (1, 0, 0, 0, 0)


def test_samples_of_nobody_in_particular_are_of_different_people() -> None:
    """Were two of them one person, or the known one, the shared taxon would tell them apart."""
    for place in range(4):
        who: list[str | None] = [None] * 4
        who[place] = "a"
        table = pa.table({"who": pa.array(who, "string"), "x": [1, 1, 1, 1], "y": [0, 0, 0, 1]})
        found = assess_fingerprints(table, taxa=["x", "y"], subject="who")
        assert found.by_size == (1, 0, 0, 0, 0)
        pair = pa.table({"who": pa.array(who, "string"), "x": [1, 1, 0, 0]})
        assert assess_fingerprints(pair, taxa=["x"], subject="who").unique_samples == 0


def test_genera_are_added_up_by_their_own_taxa() -> None:
    table = pa.table(
        {"Prevotella copri": [1, 0, 0], "Prevotella other": [0, 1, 0], "Dialister x": [1, 1, 1]}
    )
    genera = assess_fingerprints(table, taxa=table.column_names).remedies[0]
    assert (genera.taxa, genera.unique_samples) == (2, 0)
    third = table.append_column("Roseburia y", [[0, 0, 1]])
    assert assess_fingerprints(third, taxa=third.column_names).remedies[0].unique_samples == 1
    alone = table.select(["Prevotella copri", "Dialister x"])
    assert [r.name for r in assess_fingerprints(alone, taxa=alone.column_names).remedies] == [
        "prevalence"
    ]
    same = table.select(["Prevotella copri", "Prevotella other"])
    assert len(assess_fingerprints(same, taxa=same.column_names).remedies) == 1


def test_a_tenth_of_the_samples_and_a_fifth_of_them_are_enough() -> None:
    table = pa.table({"x": [1] + [0] * 9, "y": [0, 1] + [0] * 8})
    found = assess_fingerprints(table, taxa=["x", "y"])
    assert (found.remedies[0].taxa, found.remedies[0].unique_share) == (2, 0.2)
    assert found.advice == (
        "Add up the taxa to genera: fewer and more common columns tell fewer people apart.",
        "Leave out taxa that occur in less than 10% of the samples.",
        "Round the abundances: exact numbers find a sample even where its taxa are common.",
        "Prefer restricted access: an open table of abundances is a key to people.",
    )


def test_rare_taxa_are_filtered() -> None:
    table = pa.table({"common": [1] * 20, "rare": [1] + [0] * 19})
    found = assess_fingerprints(table, taxa=["common", "rare"])
    assert (found.unique_samples, found.unique_share) == (1, 0.05)
    (prevalent,) = found.remedies
    assert (prevalent.taxa, prevalent.unique_samples) == (1, 0)
    assert len(found.advice) == 3


def test_nobody_is_told_apart() -> None:
    found = assess_fingerprints(pa.table({"x": [1, 1, 0]}), taxa=["x"])
    assert found.unique_samples == 0
    assert found.advice == (
        "No few taxa tell a sample apart. Abundances still may: round them, or publish ranks.",
    )


def test_no_samples_are_not_safe() -> None:
    found = assess_fingerprints(pa.table({"x": pa.array([], "int64")}), taxa=["x"])
    assert (found.samples, found.unique_share) == (0, 1.0)
    assert found.advice == ("The table has no samples; nothing about it was shown to be safe.",)
    assert found.remedies[0].unique_share == 0


@pytest.mark.parametrize(
    ("taxa", "subject"), [(["who"], None), (["nope", "who"], None), ([], None), (["x"], "nope")]
)
def test_what_is_no_abundance(taxa: list[str], subject: str | None) -> None:
    with pytest.raises(AssessmentError, match=r"^Abundances are columns of numbers") as caught:
        assess_fingerprints(pa.table({"who": ["a"], "x": [1]}), taxa=taxa, subject=subject)
    wrong = [name for name in (*taxa, subject) if name in {"who", "nope"}]
    assert caught.value.details == {"columns": wrong}
    assert caught.value.message.endswith(
        f"none: {', '.join(map(repr, wrong))}." if wrong else "none was named."
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("k__Bacteria|g__Prevotella|s__copri", "Prevotella"),
        ("k__Bacteria; g__Prevotella; s__", "Prevotella"),
        ("k__Bacteria;g__;s__", None),
        ("Prevotella copri", "Prevotella"),
        ("Prevotella_copri", "Prevotella"),
        ("Prevotella", None),
        ("OTU 12", None),
        ("Uncultured Bacterium", None),
        ("OTU copri", None),
        ("UnCultured bacterium", None),
        ("E coli", None),
        ("PRevotella copri", None),
        ("", None),
    ],
)
def test_genera(name: str, expected: str | None) -> None:
    assert genus(name) == expected


def numbers(*names: str, role: ColumnRole = ColumnRole.INSENSITIVE) -> list[ColumnSchema]:
    return [ColumnSchema(key=name, name=name, type=ColumnType.INTEGER, role=role) for name in names]


LINEAGES = [f"k__Bacteria|g__Genus{number}" for number in range(5)]
BINOMIALS = ["Prevotella copri", "Dorea longicatena", "Blautia obeum", "Roseburia hominis"]


@pytest.mark.parametrize(
    ("names", "taxa"),
    [
        (LINEAGES, 5),
        (LINEAGES[:4], 0),
        ([*LINEAGES, "age", "weight", "height", "bmi", "pulse", "visits"], 5),
        ([f"ASV{number}" for number in range(6)], 6),
        ([*BINOMIALS, LINEAGES[0]], 5),
        ([*BINOMIALS, "Body mass", *[f"reading{number}" for number in range(5)]], 0),
        (["age", "income"], 0),
    ],
)
def test_columns_of_abundances_are_known_by_their_names(names: list[str], taxa: int) -> None:
    assert len(taxa_of(numbers(*names))) == taxa


def test_what_people_know_or_hide_is_no_abundance() -> None:
    text = ColumnSchema(key="t", name="g__Text", type=ColumnType.TEXT)
    known = numbers(*LINEAGES, role=ColumnRole.QUASI_IDENTIFIER)
    assert taxa_of([text, *known]) == ()


def test_only_tables_of_abundances_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    taxa = {f"c{place}": column for place, column in enumerate(numbers(*LINEAGES))}
    table = pa.table({key: [0, 1, 1] for key in taxa} | {"who": ["a", "b", "b"]})
    columns = [
        *(column.model_copy(update={"key": key}) for key, column in taxa.items()),
        ColumnSchema(key="who", name="who", type=ColumnType.TEXT),
    ]
    found = find_fingerprints(table, columns, subject="who")
    assert found is not None
    assert (found.samples, found.taxa, found.unique_samples) == (3, 5, 2)
    assert find_fingerprints(table, columns[-1:]) is None
    for most, looked_at in ((45, True), (44, False)):
        monkeypatch.setattr("fairdatabase.privacy.engine.fingerprints.MAX_COMPARISONS", most)
        assert (find_fingerprints(table, columns) is not None) == looked_at
