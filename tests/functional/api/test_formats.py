"""Datasets in the formats of others, over REST and by content negotiation."""

import json

import pytest
from flask.testing import FlaskClient

from fairdatabase.authorization.schemas import Actor
from fairdatabase.services import Services
from tests.factories.catalog import make_draft, make_published

TYPES = {
    "schemaorg": "application/ld+json",
    "datacite": "application/vnd.datacite.datacite+json",
    "bibtex": "application/x-bibtex",
    "citation": "text/x-bibliography",
}
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize("name", TYPES)
def test_each_format_is_exported(
    services: Services, client: FlaskClient, member: Actor, name: str
) -> None:
    version = make_published(services.database, services.catalog, member, title="Ünïque <title>")
    for public_id in (version.public_id, version.dataset_public_id):
        answer = client.get(f"/api/v1/datasets/{public_id}/export/{name}")
        assert answer.status_code == 200
        assert answer.mimetype == TYPES[name]
        assert version.public_id in answer.text
        assert "Ünïque <title>" in answer.text
        if "json" in TYPES[name]:
            assert isinstance(json.loads(answer.text), dict)
    etag = answer.headers["ETag"]
    url = f"/api/v1/datasets/{version.public_id}/export/{name}"
    assert client.get(url, headers={"If-None-Match": etag}).status_code == 304


def test_the_checksum_and_address_of_the_file_are_told(
    services: Services, client: FlaskClient, member: Actor
) -> None:
    version = make_published(services.database, services.catalog, member)
    answer = client.get(f"/api/v1/datasets/{version.public_id}/export/schemaorg")
    assert answer.json is not None
    download = answer.json["distribution"][0]
    file = version.files[0]
    assert download["sha256"] == file.sha256
    assert download["contentUrl"].endswith(f"/api/v1/files/{file.public_id}/content")


def test_unknown_formats_are_named(services: Services, client: FlaskClient, member: Actor) -> None:
    version = make_published(services.database, services.catalog, member)
    answer = client.get(f"/api/v1/datasets/{version.public_id}/export/marc21")
    assert answer.status_code == 404
    assert answer.json is not None
    assert "schemaorg, datacite" in answer.json["error"]


def test_drafts_are_not_exported(
    services: Services, client: FlaskClient, stranger: FlaskClient, member: Actor
) -> None:
    draft = make_draft(services.database, services.catalog, member)
    for visitor in (client, stranger):
        answer = visitor.get(f"/api/v1/datasets/{draft.public_id}/export/schemaorg")
        assert answer.status_code == 404


@pytest.mark.parametrize(
    ("accept", "name"),
    [(media_type, name) for name, media_type in TYPES.items()]
    + [("application/ld+json;q=0.9, text/html;q=0.5", "schemaorg")],
)
def test_the_landing_page_leads_machines_to_their_format(
    services: Services, client: FlaskClient, member: Actor, accept: str, name: str
) -> None:
    version = make_published(services.database, services.catalog, member)
    answer = client.get(f"/datasets/{version.public_id}", headers={"Accept": accept})
    assert answer.status_code == 303
    assert answer.location == f"/api/v1/datasets/{version.public_id}/export/{name}"
    asked = client.get(f"/datasets/{version.public_id}?format={name}", headers={"Accept": BROWSER})
    assert asked.location == answer.location


@pytest.mark.parametrize("form", ["/ark:/", "/ark:"])
def test_arks_lead_to_the_landing_page(
    services: Services, client: FlaskClient, member: Actor, form: str
) -> None:
    version = make_published(services.database, services.catalog, member)
    for public_id in (version.public_id, version.dataset_public_id):
        answer = client.get(f"{form}99999/{public_id}")
        assert (answer.status_code, answer.location) == (303, f"/datasets/{public_id}")
    services.catalog.withdraw(member, version.public_id, "A mistake.")
    assert client.get(f"{form}99999/{version.public_id}").status_code == 303


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/ark:/99999/0000000000x", "check character"),
        ("/ark:/12345/0000000000", "not from this catalogue"),
        ("/ark:99999/00000000000", "There is no dataset"),
    ],
)
def test_arks_that_lead_nowhere_say_so(client: FlaskClient, path: str, message: str) -> None:
    answer = client.get(path, headers={"Accept": "application/json"})
    assert answer.status_code == 404
    assert answer.json is not None
    assert message in answer.json["error"]
