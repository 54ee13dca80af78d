"""Datasets over REST: found, read, conditionally read, downloaded, withdrawn."""

import hashlib
import io
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from fairdatabase.authorization.schemas import Actor, Role
from fairdatabase.catalog.schemas import AccessClass, VersionRecord
from fairdatabase.services import Services
from tests.factories.accounts import ClientAs
from tests.factories.catalog import make_metadata

CONTENT = b"sample,age\n" + b"".join(b"s%d,%d\n" % (n, n % 90) for n in range(1000))


def publish(
    services: Services,
    owner: Actor,
    *,
    access: AccessClass = AccessClass.OPEN,
    withheld: bool = False,
    **changes: Any,  # noqa: ANN401 - fields of Metadata
) -> VersionRecord:
    """Publish a dataset whose one file is stored, past the gate of the deposits."""
    catalog = services.catalog
    draft = catalog.create_draft(owner, make_metadata(**changes), access=access)
    blob = services.storage.store(io.BytesIO(CONTENT), limit=2**20)
    file = catalog.add_file(owner, draft.public_id, "samples.csv", blob, media_type="text/csv")
    catalog.withhold(file.id, withheld=withheld)
    return catalog.publish(owner, draft.public_id)


def data(answer: TestResponse) -> Any:  # noqa: ANN401 - JSON
    """Return the data of an answer that went well."""
    assert answer.json is not None
    assert answer.json["status"] == "success", answer.json
    return answer.json["data"]


def problem(answer: TestResponse, status: int) -> str:
    """Return the message of an answer that did not go well."""
    assert answer.status_code == status, answer.json
    assert answer.json is not None
    assert answer.json["status"] == "error"
    message: str = answer.json["error"]
    return message


def test_search_answers_with_results_page_and_facets(
    services: Services, client: FlaskClient, member: Actor
) -> None:
    for year in (2020, 2021, 2021):
        publish(services, member, publication_year=year)
    answer = client.get("/api/v1/datasets?q=gut&year=2021&per_page=1")
    assert len(data(answer)) == 1
    assert answer.json is not None
    meta = answer.json["meta"]
    assert (meta["page"], meta["per_page"], meta["total"]) == (1, 1, 2)
    assert meta["facets"]["year"] == [{"value": "2021", "count": 2}]
    assert data(client.get("/api/v1/datasets?q=zebra")) == []


@pytest.mark.parametrize(
    "query", ["page=0", "per_page=101", "sort=best", "access=closed", "year=abc", "colour=red"]
)
def test_wrong_search_parameters_are_named(client: FlaskClient, query: str) -> None:
    message = problem(client.get(f"/api/v1/datasets?{query}"), 422)
    assert query.partition("=")[0] in message


@pytest.mark.parametrize("q", ['"', "%00", "' OR 1=1 --", "*", "%F0%9F%98%80", "x" * 5000])
def test_hostile_queries_find_nothing(client: FlaskClient, q: str) -> None:
    assert data(client.get(f"/api/v1/datasets?q={q}")) == []


def test_a_dataset_and_its_versions_are_read(
    services: Services, client: FlaskClient, client_as: ClientAs, member: Actor
) -> None:
    first = publish(services, member, title="First")
    dataset = first.dataset_public_id
    draft = services.catalog.new_version(member, dataset)
    services.catalog.update_metadata(member, draft.public_id, make_metadata(title="Second"))
    assert data(client.get(f"/api/v1/datasets/{dataset}"))["metadata"]["title"] == "First"
    assert client.get(f"/api/v1/datasets/{draft.public_id}").status_code == 404
    owner = client_as(Role.MEMBER)
    assert data(owner.get(f"/api/v1/datasets/{draft.public_id}"))["state"] == "draft"
    services.catalog.publish(member, draft.public_id)
    assert data(client.get(f"/api/v1/datasets/{dataset}"))["metadata"]["title"] == "Second"
    assert data(client.get(f"/api/v1/datasets/{first.public_id}"))["metadata"]["title"] == "First"
    by_number = client.get(f"/api/v1/datasets/{dataset}/versions/1")
    assert data(by_number)["identifier"] == first.identifier
    assert [v["number"] for v in data(client.get(f"/api/v1/datasets/{dataset}/versions"))] == [2, 1]
    problem(client.get(f"/api/v1/datasets/{dataset}/versions/3"), 404)
    assert "owner_id" not in data(by_number)
    assert "id" not in data(by_number)


def test_what_is_known_already_is_not_sent_again(
    services: Services, client: FlaskClient, member: Actor
) -> None:
    version = publish(services, member)
    url = f"/api/v1/datasets/{version.dataset_public_id}"
    etag = client.get(url).headers["ETag"]
    again = client.get(url, headers={"If-None-Match": etag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", etag)
    services.catalog.withdraw(member, version.public_id, "A mistake.")
    changed = client.get(url, headers={"If-None-Match": etag})
    assert data(changed)["withdrawal_reason"] == "A mistake."


@pytest.mark.parametrize("public_id", ["nothing", "0000000000", "' OR 1=1", "5k9z2m4xqvb" * 9])
def test_unknown_identifiers_are_explained(client: FlaskClient, public_id: str) -> None:
    answer = client.get(f"/api/v1/datasets/{public_id}")
    assert answer.status_code in {404, 422}
    assert answer.json is not None
    assert answer.json["error"]


def test_the_deposited_bytes_are_downloaded_whole_and_in_part(
    services: Services, client: FlaskClient, member: Actor
) -> None:
    file = publish(services, member).files[0]
    url = f"/api/v1/files/{file.public_id}/content"
    whole = client.get(url, buffered=True)
    assert whole.data == CONTENT
    assert hashlib.sha256(whole.data).hexdigest() == whole.headers["ETag"].strip('"')
    assert whole.mimetype == "text/csv"
    assert "samples.csv" in whole.headers["Content-Disposition"]
    part = client.get(url, headers={"Range": "bytes=7-9"}, buffered=True)
    assert (part.status_code, part.data) == (206, CONTENT[7:10])
    beyond = client.get(url, headers={"Range": f"bytes={len(CONTENT)}-"})
    problem(beyond, 416)
    known = client.get(url, headers={"If-None-Match": whole.headers["ETag"]}, buffered=True)
    assert (known.status_code, known.data) == (304, b"")


def test_restricted_bytes_are_for_those_who_look_after_them(
    services: Services,
    client: FlaskClient,
    client_as: ClientAs,
    stranger: FlaskClient,
    member: Actor,
) -> None:
    version = publish(services, member, access=AccessClass.RESTRICTED)
    url = f"/api/v1/files/{version.files[0].public_id}/content"
    assert data(client.get(f"/api/v1/datasets/{version.public_id}"))["access"] == "restricted"
    assert "sign in" in problem(client.get(url), 401)
    assert "only its owner and the curators" in problem(stranger.get(url), 403)
    for role in (Role.MEMBER, Role.CURATOR):
        assert client_as(role).get(url, buffered=True).data == CONTENT


def test_withheld_bytes_leave_for_nobody(
    services: Services, client: FlaskClient, client_as: ClientAs, member: Actor
) -> None:
    version = publish(services, member, withheld=True)
    for visitor in (client, client_as(Role.MEMBER)):
        answer = visitor.get(f"/api/v1/files/{version.files[0].public_id}/content")
        assert "stays in the house" in problem(answer, 403)


def test_the_files_of_a_draft_are_not_there(
    services: Services, client: FlaskClient, stranger: FlaskClient, member: Actor
) -> None:
    version = publish(services, member)
    draft = services.catalog.new_version(member, version.dataset_public_id)
    for visitor in (client, stranger):
        problem(visitor.get(f"/api/v1/files/{draft.files[0].public_id}/content"), 404)
        problem(visitor.get(f"/api/v1/datasets/{draft.public_id}"), 404)


def test_withdrawal_over_rest(
    services: Services,
    client: FlaskClient,
    client_as: ClientAs,
    stranger: FlaskClient,
    member: Actor,
) -> None:
    version = publish(services, member)
    url = f"/api/v1/versions/{version.public_id}/withdrawal"
    body = {"reason": "A participant took back their consent."}
    owner = client_as(Role.MEMBER)
    problem(stranger.post(url, json=body), 403)
    problem(owner.post(url, json={}), 422)
    assert data(owner.post(url, json=body))["state"] == "withdrawn"
    problem(owner.post(url, json=body), 409)
    gone = client.get(f"/api/v1/files/{version.files[0].public_id}/content")
    assert "consent" in problem(gone, 410)
    tombstone = data(client.get(f"/api/v1/datasets/{version.dataset_public_id}"))
    assert tombstone["metadata"]["title"] == version.metadata.title
    assert data(client.get("/api/v1/datasets")) == []


def test_nobody_withdraws_without_signing_in(
    services: Services, client: FlaskClient, member: Actor
) -> None:
    version = publish(services, member)
    answer = client.post(f"/api/v1/versions/{version.public_id}/withdrawal", json={"reason": "x"})
    problem(answer, 401)
