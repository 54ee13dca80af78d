"""Suggested roles: names, values, both, and neither."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from stdnum.pl import pesel

from fairdatabase.privacy.engine import detect, recognisers
from fairdatabase.privacy.engine.detect import identifies_records, suggest_roles
from fairdatabase.privacy.schemas import RoleSuggestion
from fairdatabase.tables.schemas import ColumnRole, ColumnSchema, ColumnType
from tests.factories.privacy import write_parquet

TYPES = {
    str: ColumnType.TEXT,
    int: ColumnType.INTEGER,
    float: ColumnType.NUMBER,
    bool: ColumnType.BOOLEAN,
    dt.date: ColumnType.DATE,
}
DIRECT = ColumnRole.DIRECT_IDENTIFIER
QUASI = ColumnRole.QUASI_IDENTIFIER
SENSITIVE = ColumnRole.SENSITIVE
GIVEN = ["Ada", "Marie", "Zoë", "Jan", "Ali"]
FAMILY = ["Lovelace", "van Gogh", "O'Neill", "Müller", "Curie"]
PESELS = [str(number) for number in range(44051401300, 44051401500) if pesel.is_valid(str(number))]
BSNS = [
    value
    for value in (str(number) for number in range(100000000, 100001000))
    if recognisers.is_bsn(value)
]


def suggest(tmp_path: Path, **columns: list[Any]) -> list[RoleSuggestion]:
    path = write_parquet(tmp_path / "table.parquet", columns)
    schema = [
        ColumnSchema(
            key=name, name=name, type=TYPES[type(next(v for v in values if v is not None))]
        )
        for name, values in columns.items()
    ]
    return suggest_roles(path, schema)


def one(tmp_path: Path, name: str, values: list[Any]) -> RoleSuggestion:
    (found,) = suggest(tmp_path, **{name: values})
    return found


@pytest.mark.parametrize(
    ("name", "values", "detector", "role"),
    [
        ("x", ["ann@example.org", "bob@example.org"], "email", DIRECT),
        ("x", ["NL91ABNA0417164300", "GB82 WEST 1234 5698 7654 32"], "iban", DIRECT),
        ("x", ["192.168.0.1", "::1", "2001:db8::1"], "ip_address", DIRECT),
        ("x", ["https://example.org/ann", "www.example.org"], "url", DIRECT),
        ("x", BSNS[:12], "bsn", DIRECT),
        ("x", [int(value) for value in BSNS[:12]], "bsn", DIRECT),
        ("x", [f"+31 6 1234 56{number}" for number in range(10, 25)], "phone", DIRECT),
        ("x", ["ACGT" * 10, "TTGA" * 20], "sequence", DIRECT),
        ("x", ["ACGT" * 10, "GGCCGGGCGCGGTGGCTCACGCCTGTAATCCCAGC"], "host_read", DIRECT),
        ("x", PESELS, "national_id", DIRECT),
        ("x", [int(value) for value in PESELS], "national_id", DIRECT),
        ("x", [f"{a} {b}" for a in GIVEN for b in FAMILY], "person_name", DIRECT),
        ("x", [f"52.{number}, 4.{number}" for number in range(10, 25)], "coordinates", QUASI),
        ("x", [dt.date(1930 + 5 * number, 1, 1) for number in range(12)], "date_of_birth", QUASI),
        ("x", [f"1.2.{1930 + 5 * number}" for number in range(12)], "date_of_birth", QUASI),
        ("Geburtsdatum", ["1. Mai 1990"], "date_of_birth", QUASI),
        ("Postleitzahl", ["10115", "80331"], "postcode", QUASI),
        ("code postal", [75001, 13001], "postcode", QUASI),
        ("leeftijd", [20], "age", QUASI),
        ("Geschlecht", ["w"], "sex", QUASI),
        ("ville", ["x"], "place", QUASI),
        ("beroep", ["x"], "social_position", QUASI),
        ("Körpergröße", [180], "body", QUASI),
        ("Krankheit", ["x"], "health", SENSITIVE),
        ("traitement", ["x"], "treatment", SENSITIVE),
        ("Einkommen", [1], "money", SENSITIVE),
        ("roker", [True], "habit", SENSITIVE),
        ("prénom", ["x"], "person_name", DIRECT),
        ("Sozialversicherungsnummer", ["x"], "national_id", DIRECT),
        ("x", [f"10{number}AB" for number in range(10, 25)], "postcode", QUASI),
        ("x", [f"he was seen by doctor {number}" for number in range(12)], "free_text", DIRECT),
        ("x", [f"P{number}" for number in range(25)], "record_id", DIRECT),
        ("x", [dt.date(2020, 1, 1)], "event_date", QUASI),
        ("participant", [f"P{number}" for number in range(25)], "record_id", DIRECT),
        ("Teilnehmer", [f"P{number}" for number in range(25)], "record_id", DIRECT),
        ("participant_id", [1, 1, 2], "record_id", DIRECT),
        ("SampleID", ["a", "a"], "record_id", DIRECT),
        ("Date of birth", [dt.date(2020, 1, 1)], "date_of_birth", QUASI),
        ("geboortedatum", ["1 mei 1990"], "date_of_birth", QUASI),
        ("lastName", ["x"], "person_name", DIRECT),
        ("home address", ["x"], "address", DIRECT),
        ("ssn", ["x"], "national_id", DIRECT),
        ("age_years", [20], "age", QUASI),
        ("Sex", ["f"], "sex", QUASI),
        ("ethnicity", ["x"], "origin", QUASI),
        ("country", ["x"], "place", QUASI),
        ("BMI", [20.5], "body", QUASI),
        ("latitude", [52.5], "coordinates", QUASI),
        ("marital-status", ["x"], "social_position", QUASI),
        ("disease", ["x"], "health", SENSITIVE),
        ("hivStatus", [True], "health", SENSITIVE),
        ("medication", ["x"], "treatment", SENSITIVE),
        ("income", [1], "money", SENSITIVE),
        ("religion", ["x"], "belief", SENSITIVE),
        ("smoker", [True], "habit", SENSITIVE),
    ],
)
def test_recognised(
    tmp_path: Path, name: str, values: list[Any], detector: str, role: ColumnRole
) -> None:
    found = one(tmp_path, name, values)
    assert (found.detector, found.role) == (detector, role)
    assert found.confidence >= 0.5


def test_name_and_values_together_are_surest(tmp_path: Path) -> None:
    emails = ["ann@example.org", "bob@example.org"]
    both = one(tmp_path, "email", emails)
    alone = one(tmp_path, "x", emails)
    against = one(tmp_path, "email", ["none", "unknown"])
    assert both.confidence > alone.confidence > against.confidence
    assert both.evidence == (
        "The name says an e-mail address, and 100% of 2 distinct values look like one."
    )
    assert "but only 0% of 2" in against.evidence
    assert against.role is DIRECT


def test_a_column_of_subjects_numbers_them_where_values_differ(tmp_path: Path) -> None:
    numbered = one(tmp_path, "participant", [f"P{number}" for number in range(20)])
    assert "numbers samples or people" in numbered.evidence
    assert one(tmp_path, "participant", ["yes", "no"]).detector is None
    assert one(tmp_path, "participant", [f"P{number}" for number in range(19)]).detector is None


def test_evidence_quotes_no_value(tmp_path: Path) -> None:
    found = one(tmp_path, "email", ["ann@example.org", "bob@example.org"])
    assert "ann" not in found.evidence


def test_nine_in_ten_distinct_values_decide(tmp_path: Path) -> None:
    emails = [f"p{number}@example.org" for number in range(9)]
    assert one(tmp_path, "x", [*emails, "none"] + ["none"] * 50).detector == "email"
    assert one(tmp_path, "x", [*emails, "none", "unknown"]).detector is None


def test_one_number_that_passes_the_check_proves_nothing(tmp_path: Path) -> None:
    assert one(tmp_path, "x", BSNS[:3]).detector is None
    assert one(tmp_path, "bsn", BSNS[:3]).detector == "bsn"


def test_missing_values_are_no_evidence(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "t.parquet", {"x": [None, None]}, ["string"])
    (found,) = suggest_roles(path, [ColumnSchema(key="x", name="x", type=ColumnType.TEXT)])
    assert found.role is ColumnRole.UNASSIGNED
    path = write_parquet(tmp_path / "t.parquet", {"x": [None, None]}, ["int64"])
    (found,) = suggest_roles(path, [ColumnSchema(key="x", name="id", type=ColumnType.INTEGER)])
    assert found.detector == "record_id"
    assert found.evidence.endswith(", and 0% of 0 values are different.")


def test_as_few_values_as_a_pattern_needs(tmp_path: Path) -> None:
    assert one(tmp_path, "x", ["ann@example.org"]).detector == "email"
    assert one(tmp_path, "x", BSNS[:10]).detector == "bsn"
    assert one(tmp_path, "x", BSNS[:9]).detector is None


def test_nothing_recognised(tmp_path: Path) -> None:
    text, number, flag = suggest(tmp_path, x=["a", "b"], Bacteroides=[1.5, 2], y=[True, False])
    assert (text.role, text.confidence) == (ColumnRole.UNASSIGNED, 0)
    assert number.role is ColumnRole.INSENSITIVE
    assert flag.role is ColumnRole.INSENSITIVE
    assert number.evidence == "Nothing about people was recognised in this number column."


def test_wide_tables_keep_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detect, "_BLOCK", 3)
    columns = {f"taxon{number}": [number, 0] for number in range(8)}
    columns["barcode"] = [1, 2]
    found = suggest(tmp_path, **columns)
    assert [suggestion.column for suggestion in found] == list(columns)
    assert [suggestion.detector for suggestion in found] == [None] * 8 + ["record_id"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("id", True),
        ("Sample ID", True),
        ("subject_id", True),
        ("patientNumber", True),
        ("HOST_SUBJECT_ID", True),
        ("national_id", False),
        ("valid", False),
        ("idea", False),
    ],
)
def test_names_that_link_files(name: str, expected: bool) -> None:
    assert identifies_records(name) == expected


@pytest.mark.parametrize("value", ["111222333", "11122233 3", "123456782", "10000008"])
def test_numbers_that_pass_the_bsn_check(value: str) -> None:
    assert recognisers.is_bsn(value)


@pytest.mark.parametrize("value", ["111222334", "000000000", "1234567", "12345678a", "1112223333"])
def test_numbers_that_fail_the_bsn_check(value: str) -> None:
    assert not recognisers.is_bsn(value)


@pytest.mark.parametrize("value", ["NL91ABNA0417164301", "NL91", "1291ABNA0417164300", "x" * 40])
def test_texts_that_are_no_iban(value: str) -> None:
    assert not recognisers.is_iban(value)


@pytest.mark.parametrize("value", ["1.2.3", "1.2.3.400", "12:61", "a:b", "12"])
def test_texts_that_are_no_ip_address(value: str) -> None:
    assert not recognisers.is_ip_address(value)


@pytest.mark.parametrize("value", ["12345678", "0123", "+12345678901234567", "06-abc"])
def test_texts_that_are_no_phone_number(value: str) -> None:
    assert not recognisers.is_phone_number(value)


def test_confidence_says_what_a_suggestion_rests_on(tmp_path: Path) -> None:
    emails = ["ann@example.org", "bob@example.org"]
    ids = [f"P{number}" for number in range(20)]
    columns = suggest(
        tmp_path,
        email=[*emails, *["none"] * 18],
        income=list(range(20)),
        mail=emails * 10,
        participant_id=ids,
        patient_id=["a"] * 20,
        seen=[dt.date(2020, 1, 1)] * 20,
        x=ids,
        flag=[True] * 20,
    )
    assert [(each.column, each.detector, each.confidence) for each in columns] == [
        ("email", "email", 0.5),
        ("income", "money", 0.7),
        ("mail", "email", 0.95),
        ("participant_id", "record_id", 0.95),
        ("patient_id", "record_id", 0.7),
        ("seen", "event_date", 0.5),
        ("x", "record_id", 0.6),
        ("flag", None, 0.3),
    ]
    evidence = {each.column: each.evidence for each in columns}
    assert evidence["email"] == (
        "The name says an e-mail address, but only 67% of 3 distinct values look like one."
    )
    assert evidence["income"].startswith("The name says ")
    assert "look like" not in evidence["income"]
    assert evidence["participant_id"] == (
        "The name says that it numbers samples or people, and 100% of 20 values are different."
    )
    assert evidence["patient_id"].endswith("and 5% of 20 values are different.")
    assert evidence["x"] == ("It tells nearly every row apart: 100% of 20 values are different.")


def test_values_alone_say_perhaps(tmp_path: Path) -> None:
    found = one(tmp_path, "x", ["ann@example.org", "bob@example.org", None])
    assert (found.confidence, found.evidence) == (
        0.8,
        "Perhaps an e-mail address: 100% of 2 distinct values look like one.",
    )


def test_reads_of_the_host_are_the_surest_and_say_what_to_do(tmp_path: Path) -> None:
    found = one(tmp_path, "reads", ["ACGT" * 10, "GGCCGGGCGCGGTGGCTCACGCCTGTAATCCCAGC"])
    assert (found.detector, found.confidence) == ("host_read", 0.99)
    assert "1 of 2 contain a sequence that is human and not microbial: remove" in found.evidence
    assert found.evidence.startswith("Perhaps a sequence read: 100% of 2 ")


@pytest.mark.parametrize(("apart", "detector"), [(95, "record_id"), (94, None)])
def test_nearly_unique_is_nineteen_in_twenty(
    tmp_path: Path, apart: int, detector: str | None
) -> None:
    values = [f"P{number}" for number in range(apart)]
    assert one(tmp_path, "x", values + values[: 100 - apart]).detector == detector
    assert one(tmp_path, "x", [float(n) for n in range(apart)] * 2).detector is None


def test_values_are_examined_up_to_a_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detect, "EXAMINED", 10)
    emails = [f"p{number}@example.org" for number in range(30)]
    found = one(tmp_path, "x", emails)
    assert found.evidence == "Perhaps an e-mail address: 100% of 10 distinct values look like one."
