"""Descriptions as fields of a form."""

from datetime import date

import pytest
from pydantic import ValidationError

from fairdatabase.catalog.schemas import Affiliation, Creator, Funding, Metadata, Subject
from fairdatabase.deposits.formats.metadata import (
    creator_count,
    errors,
    from_form,
    to_form,
    with_creator,
    without_creator,
)

METADATA = Metadata(
    title="Gut bacteria",
    description="One.\n\nTwo.",
    creators=[
        Creator(
            name="Curie, Marie",
            orcid="0000-0002-1825-0097",
            affiliations=[
                Affiliation(name="Sorbonne; Paris", ror="https://ror.org/012p63287"),
                Affiliation(name='The "Radium" Institute'),
            ],
        ),
        Creator(name="Consortium", kind="Organizational"),
    ],
    subjects=[
        Subject(term="Diabetes Mellitus, Type 2", scheme="MeSH"),
        Subject(term='a "quoted" word'),
        Subject(term="gut"),
    ],
    licence="CC0-1.0",
    collected_from=date(2014, 1, 2),
    fundings=[Funding(funder="A fund")],
)


def test_a_description_comes_back_as_it_was_shown() -> None:
    assert Metadata.model_validate(from_form(to_form(METADATA), METADATA)) == METADATA


def test_an_empty_form_is_an_empty_description() -> None:
    fields = to_form(Metadata())
    assert creator_count(fields) == 1
    assert Metadata.model_validate(from_form(fields, Metadata())) == Metadata()


def test_fields_that_were_not_sent_stay_as_they_are() -> None:
    record = Metadata.model_validate(from_form({"title": "Other"}, METADATA))
    assert record.title == "Other"
    assert record.subjects == METADATA.subjects
    assert record.fundings == METADATA.fundings


def test_terms_are_listed_once() -> None:
    record = from_form({"subjects": " gut , ,gut,\nfossils"}, METADATA)
    assert [subject["term"] for subject in record["subjects"]] == ["gut", "fossils"]


def test_a_creator_is_added_at_the_end_and_taken_out_of_the_middle() -> None:
    fields = with_creator(to_form(METADATA)) | {"creators-2-name": "Third, Tom"}
    assert creator_count(fields) == 3
    left = without_creator(fields, 1)
    assert creator_count(left) == 2
    assert (left["creators-0-name"], left["creators-1-name"]) == ("Curie, Marie", "Third, Tom")
    assert "creators-1-kind" not in left
    assert left["title"] == "Gut bacteria"


def test_an_error_stands_at_the_field_it_is_about() -> None:
    fields = {
        "title": "x" * 501,
        "creators-0-name": "",
        "creators-1-name": "",
        "creators-1-orcid": "12",
        "creators-2-name": "A, B",
        "creators-2-affiliation": "x" * 501,
    }
    with pytest.raises(ValidationError) as caught:
        Metadata.model_validate(from_form(fields, METADATA))
    assert set(errors(caught.value, fields)) == {
        "title",
        "creators-1-name",
        "creators-1-orcid",
        "creators-2-affiliation",
    }


def test_a_form_with_absurd_numbers_has_room_for_no_more_than_allowed() -> None:
    assert creator_count({"creators-999999999-name": "x", "creators-x-name": "y"}) == 500
