"""schema.org JSON-LD."""

from datetime import date

from fairdatabase.catalog.schemas import AccessClass, VersionState
from fairdatabase.interop.formats.schemaorg import MAX_VARIABLES, dataset
from tests.factories.interop import FULL, SITE, make_landing_file, make_version


def test_everything_known_is_told() -> None:
    found = dataset(make_version(**FULL), [make_landing_file()], SITE)
    assert (found["@type"], found["name"]) == ("Dataset", "Gut microbiota of 300 adults")
    assert found["@id"] == "https://data.example.org/ark:/99999/7h3k9z2m4xq"
    assert found["license"] == "https://creativecommons.org/licenses/by/4.0/"
    assert found["datePublished"] == "2026-03-01"
    assert found["temporalCoverage"] == "2020-01-02/2020-03-04"
    assert found["keywords"] == ["gut", "diet"]
    assert found["isAccessibleForFree"] is True
    person, organisation, single = found["creator"]
    assert (person["familyName"], person["givenName"]) == ("Curie", "Marie")
    assert person["@id"] == "https://orcid.org/0000-0002-1825-0097"
    assert person["affiliation"][0]["@id"] == "https://ror.org/012p63287"
    assert organisation == {"@type": "Organization", "name": "The Consortium"}
    assert single == {"@type": "Person", "name": "Plato"}
    assert found["variableMeasured"][0] == {
        "@type": "PropertyValue",
        "name": "column 0",
        "description": "D",
        "unitText": "kg",
    }
    assert found["distribution"] == [
        {
            "@type": "DataDownload",
            "name": "samples.csv",
            "contentUrl": "https://data.example.org/api/v1/files/x5k9z2m4qvb/content",
            "encodingFormat": "text/csv",
            "contentSize": "1234 B",
            "sha256": "ab" * 32,
        }
    ]


def test_data_that_cannot_be_had_are_not_offered() -> None:
    files = [make_landing_file()]
    for version in (
        make_version(access=AccessClass.RESTRICTED),
        make_version(state=VersionState.WITHDRAWN),
    ):
        found = dataset(version, files, SITE)
        assert found["isAccessibleForFree"] is False
        assert "distribution" not in found
        assert found["name"]


def test_withheld_bytes_have_no_checksum() -> None:
    found = dataset(make_version(), [make_landing_file(withheld=True)], SITE)
    assert not {"sha256", "contentSize"} & set(found["distribution"][0])


def test_open_periods_and_long_lists() -> None:
    version = make_version(collected_to=date(2020, 3, 4), licence="")
    found = dataset(version, [make_landing_file(columns=MAX_VARIABLES + 1)], SITE)
    assert found["temporalCoverage"] == "../2020-03-04"
    assert len(found["variableMeasured"]) == MAX_VARIABLES
    assert "license" not in found
