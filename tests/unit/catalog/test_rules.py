"""The catalogue's pure decisions."""

import unicodedata
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairdatabase.authorization.schemas import ANONYMOUS, Actor, Role
from fairdatabase.catalog.errors import FileNameError
from fairdatabase.catalog.rules import (
    MAX_INDEX_BYTES,
    MAX_NAME_BYTES,
    SearchTerms,
    clean_file_name,
    clean_index_text,
    clean_media_type,
    looks_after,
    missing_for_publication,
    search_terms,
    search_words,
)
from fairdatabase.catalog.schemas import (
    AccessClass,
    FileRecord,
    FileRole,
    VersionRecord,
    VersionState,
)
from tests.factories.catalog import make_metadata

OWNER = uuid4()


def make_record(role: FileRole) -> FileRecord:
    return FileRecord(
        id=uuid4(),
        public_id="x",
        name="x.csv",
        role=role,
        sha256="",
        size=1,
        media_type="text/csv",
        withheld=False,
    )


@pytest.mark.parametrize(
    ("actor", "expected"),
    [
        (ANONYMOUS, False),
        (Actor(user_id=uuid4(), roles=frozenset({Role.MEMBER})), False),
        (Actor(user_id=OWNER, roles=frozenset({Role.MEMBER})), True),
        (Actor(user_id=uuid4(), roles=frozenset({Role.CURATOR})), True),
        (Actor(user_id=uuid4(), roles=frozenset({Role.ADMIN})), True),
    ],
)
def test_owners_curators_and_admins_look_after_a_dataset(actor: Actor, expected: bool) -> None:
    known: dict[str, Any] = {
        "owner_id": OWNER,
        "state": VersionState.DRAFT,
        "access": AccessClass.OPEN,
    }
    version = VersionRecord.model_construct(**known)
    assert looks_after(actor, version) is expected


def test_complete_metadata_with_a_data_file_lack_nothing() -> None:
    assert missing_for_publication(make_metadata(), [make_record(FileRole.DATA)]) == []


def test_documentation_alone_is_no_dataset() -> None:
    missing = missing_for_publication(make_metadata(), [make_record(FileRole.DOCUMENTATION)])
    assert [problem.field for problem in missing] == ["files"]


@pytest.mark.parametrize(
    ("begins", "ends", "expected"),
    [
        (date(2020, 2, 1), date(2020, 1, 31), ["collected_to"]),
        (date(2020, 2, 1), date(2020, 2, 1), []),
        (date(2020, 2, 1), None, []),
        (None, date(2020, 2, 1), []),
    ],
)
def test_a_collection_ends_after_it_begins(
    begins: date | None, ends: date | None, expected: list[str]
) -> None:
    metadata = make_metadata(collected_from=begins, collected_to=ends)
    missing = missing_for_publication(metadata, [make_record(FileRole.DATA)])
    assert [problem.field for problem in missing] == expected
    assert all(problem.message and problem.fix for problem in missing)


@pytest.mark.parametrize(
    "name",
    ["", "   ", ".", "..", "a/b.csv", "a\\b.csv", "a\0.csv", "a\n.csv", "a\x7f", "\u202egnp.csv",
     "a\u2028b", "x" * 256, "é" * 128],
)  # fmt: skip
def test_names_that_hide_or_lead_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(FileNameError):
        clean_file_name(name)


@pytest.mark.parametrize(
    "name", ["samples.csv", ".hidden", "x" * 255, "é" * 127, "👩‍🔬.csv", "a b"]
)
def test_usable_names_stay(name: str) -> None:
    assert clean_file_name(f" {name} ") == name


@given(st.text(max_size=300))
def test_a_clean_name_is_normal_and_clean_again(name: str) -> None:
    try:
        cleaned = clean_file_name(name)
    except FileNameError:
        return
    assert cleaned == unicodedata.normalize("NFC", cleaned) == clean_file_name(cleaned)
    assert 0 < len(cleaned.encode()) <= MAX_NAME_BYTES


@pytest.mark.parametrize(
    ("given_type", "expected"),
    [
        ("text/csv", "text/csv"),
        ("Text/CSV; charset=utf-8", "text/csv"),
        ("application/vnd.apache.parquet", "application/vnd.apache.parquet"),
        ("", "application/octet-stream"),
        ("text/html\r\nX: y", "application/octet-stream"),
        ("a/" + "b" * 200, "application/octet-stream"),
    ],
)
def test_media_types_are_bare_or_unknown(given_type: str, expected: str) -> None:
    assert clean_media_type(given_type) == expected


@given(st.text())
def test_index_text_fits_a_database(text: str) -> None:
    cleaned = clean_index_text(text)
    assert "\0" not in cleaned
    assert len(cleaned.encode()) <= MAX_INDEX_BYTES


def test_index_text_is_cut_between_characters() -> None:
    assert clean_index_text("é" * MAX_INDEX_BYTES) == "é" * (MAX_INDEX_BYTES // 2)


def test_words_are_folded_and_parted() -> None:
    assert search_words("Café_Ünïon: 16S-rRNA, ﬁne") == "cafe union 16s rrna fine"


@given(st.text())
def test_folding_words_twice_changes_nothing(text: str) -> None:
    assert search_words(search_words(text)) == search_words(text)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", SearchTerms()),
        ("?!", SearchTerms()),
        ("gut", SearchTerms(beginning="gut")),
        ("Gut Microb", SearchTerms(words=("gut",), beginning="microb")),
        ("the gut of", SearchTerms(beginning="gut")),
        ("the", SearchTerms(beginning="the")),
        ('"gut microbiome"', SearchTerms(phrases=("gut microbiome",))),
        ('age "gut flora"', SearchTerms(words=("age",), phrases=("gut flora",))),
        ('"gut flora" age', SearchTerms(phrases=("gut flora",), beginning="age")),
        ('"gut flora', SearchTerms(phrases=("gut flora",))),
        ('"gut flora" the', SearchTerms(phrases=("gut flora",))),
    ],
)
def test_queries_are_words_phrases_and_a_beginning(query: str, expected: SearchTerms) -> None:
    assert search_terms(query) == expected
    assert bool(expected) is (query not in {"", "?!"})
