"""DataCite JSON."""

from datetime import date

from fairdatabase.catalog.schemas import AccessClass, VersionState
from fairdatabase.interop.formats.datacite import resource
from tests.factories.interop import FULL, SITE, make_landing_file, make_version


def test_the_work_and_its_makers_are_told() -> None:
    found = resource(make_version(**FULL), [make_landing_file()], SITE)
    assert found["alternateIdentifiers"] == [
        {"alternateIdentifier": "ark:/99999/7h3k9z2m4xq", "alternateIdentifierType": "ARK"}
    ]
    assert found["url"] == "https://data.example.org/ark:/99999/7h3k9z2m4xq"
    assert found["publisher"] == {"name": "Example University"}
    assert (found["publicationYear"], found["version"]) == ("2024", "2")
    assert found["creators"][0] == {
        "name": "Curie, Marie",
        "nameType": "Personal",
        "familyName": "Curie",
        "givenName": "Marie",
        "nameIdentifiers": [
            {
                "nameIdentifier": "https://orcid.org/0000-0002-1825-0097",
                "nameIdentifierScheme": "ORCID",
                "schemeUri": "https://orcid.org",
            }
        ],
        "affiliation": [
            {
                "name": "University of Groningen",
                "affiliationIdentifier": "https://ror.org/012p63287",
                "affiliationIdentifierScheme": "ROR",
                "schemeUri": "https://ror.org",
            },
            {"name": "Elsewhere"},
        ],
    }
    assert found["creators"][1] == {"name": "The Consortium", "nameType": "Organizational"}
    assert found["creators"][2] == {"name": "Plato", "nameType": "Personal"}


def test_the_context_of_a_dataset_is_told() -> None:
    found = resource(make_version(**FULL), [make_landing_file()], SITE)
    assert found["contributors"][0]["contributorType"] == "DataManager"
    assert found["subjects"] == [
        {
            "subject": "gut",
            "subjectScheme": "MeSH",
            "valueUri": "http://id.nlm.nih.gov/mesh/D041981",
        },
        {"subject": "diet"},
    ]
    assert found["dates"] == [
        {"date": "2020-01-02/2020-03-04", "dateType": "Collected"},
        {"date": "2026-03-01", "dateType": "Issued"},
    ]
    assert [text["descriptionType"] for text in found["descriptions"]] == ["Abstract", "Methods"]
    assert found["fundingReferences"] == [
        {"funderName": "NWO", "awardNumber": "1", "awardTitle": "Gut"},
        {"funderName": "X"},
    ]
    links = found["relatedIdentifiers"]
    related = [(each["relatedIdentifier"], each["relationType"]) for each in links]
    assert related == [
        ("ark:/99999/5k9z2m4xqvb", "IsVersionOf"),
        ("10.1038/ncomms5344", "IsSupplementTo"),
    ]
    assert (found["sizes"], found["formats"]) == (["1234 bytes"], ["text/csv"])


def test_what_is_not_known_is_left_out() -> None:
    version = make_version(state=VersionState.DRAFT, licence="", subjects=[], creators=[])
    found = resource(version, [], SITE)
    assert not {"subjects", "creators", "sizes", "contributors", "dates"} & set(found)
    assert found["publicationYear"] == "2026"


def test_rights_follow_access_and_state() -> None:
    def last(version: object) -> str:
        assert isinstance(version, type(make_version()))
        rights = resource(version, [], SITE)["rightsList"]
        assert rights[0]["rightsIdentifier"] == "CC-BY-4.0"
        return str(rights[-1]["rights"])

    assert last(make_version()) == "Open Access"
    assert last(make_version(access=AccessClass.RESTRICTED)) == "Restricted Access"
    assert last(make_version(state=VersionState.WITHDRAWN)) == "Closed Access"


def test_withdrawal_and_open_periods_are_dated() -> None:
    version = make_version(state=VersionState.WITHDRAWN, collected_from=date(2020, 1, 2))
    assert resource(version, [], SITE)["dates"] == [
        {"date": "2020-01-02/", "dateType": "Collected"},
        {"date": "2026-03-01", "dateType": "Issued"},
        {"date": "2026-03-01", "dateType": "Withdrawn"},
    ]


def test_withheld_bytes_are_not_described() -> None:
    found = resource(make_version(), [make_landing_file(withheld=True)], SITE)
    assert not {"sizes", "formats"} & set(found)
