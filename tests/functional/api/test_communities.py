"""Communities: who founds them, what belongs to them, and what they ask of tables."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from fairdatabase.authorization.schemas import Role
from tests.factories.accounts import ClientAs
from tests.factories.cohorts import HARMLESS_ROLES, harmless
from tests.factories.deposits import Work, ok, screened

GUT = {"slug": "gut", "name": "Gut microbiome", "description": "Stool samples of cohorts."}
POLICY = "/api/v1/communities/gut/privacy-policy"
TOO_MANY = 1000


@pytest.fixture
def curator_client(client_as: ClientAs) -> FlaskClient:
    """The client of a curator."""
    return client_as(Role.CURATOR)


@pytest.fixture
def owner(client_as: ClientAs) -> FlaskClient:
    """The client of somebody who deposits."""
    return client_as(Role.MEMBER)


@pytest.fixture
def gut(curator_client: FlaskClient) -> dict[str, Any]:
    """A community that a curator founded."""
    return dict(ok(curator_client.post("/api/v1/communities", json=GUT), 201))


def join(client: FlaskClient, deposit: str, community: str | None) -> Any:  # noqa: ANN401
    address = f"/api/v1/deposits/{deposit}/community"
    return client.put(address, json={"community": community})


def test_a_curator_founds_and_describes_one(
    client: FlaskClient, curator_client: FlaskClient, gut: dict[str, Any]
) -> None:
    assert {name: gut[name] for name in GUT} == GUT
    assert gut["datasets"] == 0
    changed = {"name": "Guts", "description": ""}
    ok(curator_client.put("/api/v1/communities/gut", json=changed))
    assert ok(client.get("/api/v1/communities/gut"))["name"] == "Guts"
    assert [each["slug"] for each in ok(client.get("/api/v1/communities"))] == ["gut"]
    again = curator_client.post("/api/v1/communities", json=GUT)
    assert again.status_code == 409
    assert again.get_json()["details"][0]["field"] == "slug"


@pytest.mark.parametrize("slug", ["", "Gut", "gut--1", "-gut", "gut/1", "g" * 65])
def test_addresses_have_plain_names(curator_client: FlaskClient, slug: str) -> None:
    answer = curator_client.post("/api/v1/communities", json=GUT | {"slug": slug})
    assert answer.status_code == 422


def test_there_is_nothing_under_another_name(
    owner: FlaskClient, curator_client: FlaskClient, work: Work
) -> None:
    deposit, _ = screened(owner, work, harmless(), HARMLESS_ROLES)
    for answer in (
        owner.get("/api/v1/communities/none"),
        owner.get("/api/v1/communities/none/privacy-policy"),
        curator_client.put("/api/v1/communities/none", json={"name": "None"}),
        curator_client.put("/api/v1/communities/none/privacy-policy", json={"k": 7}),
        join(owner, deposit, "none"),
    ):
        assert answer.status_code == 404
        assert "no community none" in answer.get_json()["detail"]


@pytest.mark.usefixtures("gut")
def test_its_datasets_are_found_and_counted(
    client: FlaskClient, owner: FlaskClient, work: Work
) -> None:
    deposit, _ = screened(owner, work, harmless(), HARMLESS_ROLES)
    other, _ = screened(owner, work, harmless(), HARMLESS_ROLES)
    address = f"/api/v1/deposits/{deposit}/community"
    assert ok(owner.get(address)) is None
    assert ok(join(owner, deposit, "gut"))["slug"] == "gut"
    assert ok(join(owner, deposit, "gut"))["slug"] == "gut"
    assert ok(owner.get(address))["slug"] == "gut"
    assert ok(client.get("/api/v1/communities/gut"))["datasets"] == 0
    for each in (deposit, other):
        ok(owner.post(f"/api/v1/deposits/{each}/publication"), 201)
    assert ok(client.get("/api/v1/communities/gut"))["datasets"] == 1
    (found,) = ok(client.get("/api/v1/datasets", query_string={"community": "gut"}))
    assert found["public_id"] == deposit
    words = {"community": "gut", "q": found["title"].split()[0]}
    assert len(ok(client.get("/api/v1/datasets", query_string=words))) == 1
    assert ok(client.get("/api/v1/datasets", query_string={"community": "none"})) == []
    assert join(owner, deposit, None).status_code == 409, "a published version never changes"


@pytest.mark.usefixtures("gut")
def test_what_it_asks_decides_about_its_drafts_alone(
    owner: FlaskClient, curator_client: FlaskClient, work: Work
) -> None:
    deposit, file = screened(owner, work, harmless(), HARMLESS_ROLES)
    other, _ = screened(owner, work, harmless(), HARMLESS_ROLES)
    ok(join(owner, deposit, "gut"))
    asked = ok(curator_client.put(POLICY, json={"k": TOO_MANY, "t": 0.2}))
    assert (asked["policy"]["k"], asked["policy"]["t"]) == (TOO_MANY, 0.2)
    assert asked["community"]["k"] == TOO_MANY
    held = ok(owner.get(f"/api/v1/deposits/{deposit}/privacy-policy"))
    assert held["policy"]["k"] == TOO_MANY
    assert held["community_name"] == "gut"
    assert held["dataset"] is None
    ok(owner.put(f"/api/v1/deposits/{deposit}/privacy-policy", json={"k": 7, "l": 2}))
    held = ok(owner.get(f"/api/v1/deposits/{deposit}/privacy-policy"))
    assert (held["policy"]["k"], held["policy"]["l"]) == (TOO_MANY, 2)
    assert owner.post(f"/api/v1/deposits/{deposit}/publication").status_code == 422
    ok(owner.patch(f"/api/v1/files/{file}/columns", json={"columns": {}}))
    work()
    verdict = ok(owner.get(f"/api/v1/files/{file}/screening"))
    assert not verdict["passed"]
    assert f"{TOO_MANY}" in verdict["verdict"]["reasons"][0]["message"]
    ok(owner.post(f"/api/v1/deposits/{other}/publication"), 201)
    ok(join(owner, deposit, None))
    held = ok(owner.get(f"/api/v1/deposits/{deposit}/privacy-policy"))
    assert held["policy"]["k"] == 7
    assert held["community_name"] is None


@pytest.mark.usefixtures("gut")
def test_it_never_asks_less_than_the_instance(curator_client: FlaskClient) -> None:
    answer = curator_client.put(POLICY, json={"k": 2})
    assert answer.status_code == 422
    assert "asks less" in answer.get_json()["detail"]
    assert ok(curator_client.get(POLICY))["community"] is None


@pytest.mark.usefixtures("gut")
def test_every_change_is_in_the_audit_log(
    curator_client: FlaskClient, owner: FlaskClient, client_as: ClientAs, work: Work
) -> None:
    deposit, _ = screened(owner, work, harmless(), HARMLESS_ROLES)
    ok(curator_client.put("/api/v1/communities/gut", json={"name": "Guts"}))
    ok(curator_client.put(POLICY, json={"k": 7}))
    ok(curator_client.put(POLICY, json={"k": 9}))
    ok(join(owner, deposit, "gut"))
    admin = client_as(Role.ADMIN)
    events = ok(admin.get("/api/v1/audit", query_string={"subject": "gut"}))
    assert [event["action"] for event in events] == [
        "community.policy-changed",
        "community.policy-changed",
        "community.changed",
        "community.created",
    ]
    assert (events[0]["before"], events[0]["after"]) == ({"k": 7}, {"k": 9})
    (joined,) = ok(admin.get("/api/v1/audit", query_string={"action": "dataset.community-changed"}))
    assert (joined["before"], joined["after"]) == ({"community": None}, {"community": "gut"})
