"""What comes with a release: its provenance, the keys of its pseudonyms, the policy it holds."""

import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from fairdatabase.authorization.schemas import OPERATOR, Actor, Role
from fairdatabase.kernel.errors import ConflictError, PermissionDeniedError
from fairdatabase.privacy.schemas.keys import RelinkIn
from fairdatabase.services import Services
from tests.factories.accounts import ClientAs
from tests.factories.cohorts import HARMLESS_ROLES, RECIPE, ROLES, cohort, harmless
from tests.factories.deposits import Work, ok, screened

LINKED: dict[str, Any] = {
    "version": 1,
    "steps": [
        {"op": "pseudonymise", "column": "subject_id"},
        {"op": "intervals", "column": "age", "width": 20},
        {"op": "recode", "column": "region", "mapping": {"Utrecht": "centre"}, "other": "north"},
        {"op": "suppress", "k": 5},
    ],
}


@pytest.fixture
def owner(client_as: ClientAs) -> FlaskClient:
    """The client of somebody who deposits."""
    return client_as(Role.MEMBER)


def released(owner: FlaskClient, work: Work, recipe: dict[str, object]) -> tuple[str, str]:
    """Make a release by a recipe; return the ids of deposit and file."""
    deposit, file = screened(owner, work, cohort(), ROLES)
    ok(owner.post(f"/api/v1/files/{file}/release", json=recipe), 202)
    work()
    return deposit, file


def dataset_of(owner: FlaskClient, deposit: str) -> str:
    found = ok(owner.get(f"/api/v1/deposits/{deposit}"))["version"]["dataset_public_id"]
    return str(found)


def test_a_release_tells_where_it_comes_from(
    owner: FlaskClient, client: FlaskClient, work: Work
) -> None:
    deposit, file = released(owner, work, LINKED)
    address = f"/api/v1/files/{file}/release/provenance"
    assert client.get(address).status_code == 404
    ok(owner.post(f"/api/v1/deposits/{deposit}/publication"), 201)

    answer = client.get(address)
    assert answer.content_type == "application/provenance+json"
    document = json.loads(answer.data)
    (deposited, source, release) = (
        next(name for name, each in document["entity"].items() if kind in str(each))
        for kind in ("DepositedFile", "SourceTable", "ReleaseTable")
    )
    assert deposited == f"sha256:{hashlib.sha256(cohort()).hexdigest()}"
    table = ok(client.get(f"/api/v1/files/{file}/table"))
    assert release == f"sha256:{table['sha256']}"
    ((act, activity),) = document["activity"].items()
    assert document["used"]["_:used"] == {"prov:activity": act, "prov:entity": source}
    assert document["wasGeneratedBy"]["_:generated"]["prov:entity"] == release
    derived = document["wasDerivedFrom"]["_:anonymised"]
    assert (derived["prov:generatedEntity"], derived["prov:usedEntity"]) == (release, source)
    steps = json.loads(activity["fairdatabase:recipe"])["steps"]
    assert [step["op"] for step in steps] == [step["op"] for step in LINKED["steps"]]
    assert "Utrecht" not in answer.text
    assert steps[2]["mapping"] == {"entries": 1}
    assert "Utrecht" in owner.get(address).text


def test_every_prefix_that_is_used_is_declared(owner: FlaskClient, work: Work) -> None:
    _, file = released(owner, work, RECIPE)
    document = json.loads(owner.get(f"/api/v1/files/{file}/release/provenance").data)
    declared = {*document["prefix"], "prov", "_"}
    for kind, records in document.items():
        if kind != "prefix":
            assert {name.partition(":")[0] for name in records} <= declared


def test_there_is_no_provenance_without_a_release(owner: FlaskClient, work: Work) -> None:
    _, file = screened(owner, work, cohort(), ROLES)
    assert owner.get(f"/api/v1/files/{file}/release/provenance").status_code == 404


def test_the_owner_finds_people_again_and_nobody_else(
    owner: FlaskClient, stranger: FlaskClient, client_as: ClientAs, work: Work
) -> None:
    deposit, file = released(owner, work, LINKED)
    address = f"/api/v1/files/{file}/relink"
    body = {"column": "subject_id", "values": ["S0000", "S0001", "nobody"]}
    found = {each["value"]: each["pseudonym"] for each in ok(owner.post(address, json=body))}
    stored = ok(owner.get(f"/api/v1/files/{file}/rows?kind=release&limit=400"))["rows"]
    pseudonyms = {row[0] for row in stored}
    assert {found["S0000"], found["S0001"]} <= pseudonyms
    assert found["nobody"] not in pseudonyms

    assert stranger.post(address, json=body).status_code == 404
    for role in (Role.CURATOR, Role.ADMIN):
        assert client_as(role).post(address, json=body).status_code == 403
    ok(owner.post(f"/api/v1/deposits/{deposit}/publication"), 201)
    assert stranger.post(address, json=body).status_code == 403


def test_relinking_needs_confirmation_and_is_recorded_without_values(
    owner: FlaskClient, client_as: ClientAs, services: Services, member: Actor, work: Work
) -> None:
    _, file = released(owner, work, LINKED)
    asked = RelinkIn(column="subject_id", values=["S0000"])
    unconfirmed = replace(member, confirmed=False)
    with pytest.raises(PermissionDeniedError, match="confirm that it is you"):
        services.pseudonyms.relink(unconfirmed, file, asked)
    services.pseudonyms.relink(replace(member, confirmed=True), file, asked)
    events = client_as(Role.ADMIN).get("/api/v1/audit?action=dataset.relinked").text
    assert '"values":1' in events.replace(" ", "")
    assert "S0000" not in events


@pytest.mark.parametrize(
    ("recipe", "column"),
    [
        (LINKED, "age"),
        (LINKED, "nothing"),
        (
            {
                "steps": [
                    {"op": "prefix", "column": "subject_id", "length": 3},
                    {"op": "pseudonymise", "column": "subject_id"},
                ]
            },
            "subject_id",
        ),
    ],
)
def test_only_columns_of_plain_pseudonyms_are_relinked(
    owner: FlaskClient, work: Work, recipe: dict[str, object], column: str
) -> None:
    _, file = released(owner, work, recipe)
    body = {"column": column, "values": ["S0000"]}
    answer = owner.post(f"/api/v1/files/{file}/relink", json=body)
    assert answer.status_code == 422
    assert answer.get_json()["code"] == "recipe-invalid"


def test_nothing_is_relinked_without_a_release(owner: FlaskClient, work: Work) -> None:
    _, file = screened(owner, work, cohort(), ROLES)
    body = {"column": "subject_id", "values": ["S0000"]}
    assert owner.post(f"/api/v1/files/{file}/relink", json=body).status_code == 404


def test_a_new_key_makes_new_pseudonyms_and_forgets_no_old_ones(
    owner: FlaskClient, stranger: FlaskClient, work: Work
) -> None:
    deposit, file = released(owner, work, LINKED)
    dataset = dataset_of(owner, deposit)
    body = {"column": "subject_id", "values": ["S0000"]}
    before = ok(owner.post(f"/api/v1/files/{file}/relink", json=body))
    keys = f"/api/v1/datasets/{dataset}/pseudonym-keys"
    assert stranger.post(keys).status_code == 404
    assert ok(owner.post(keys), 201)["version"] == 2
    assert [key["version"] for key in ok(owner.get(keys))] == [1, 2]
    assert ok(owner.post(f"/api/v1/files/{file}/relink", json=body)) == before

    ok(owner.post(f"/api/v1/files/{file}/release", json=LINKED), 202)
    work()
    assert ok(owner.get(f"/api/v1/files/{file}/release"))["key_version"] == 2
    after = ok(owner.post(f"/api/v1/files/{file}/relink", json=body))
    assert after != before
    ok(owner.post(f"/api/v1/deposits/{deposit}/publication"), 201)
    assert stranger.get(keys).status_code == 403


def test_two_who_change_the_key_at_once(
    owner: FlaskClient, services: Services, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    deposit, _ = released(owner, work, LINKED)
    dataset = dataset_of(owner, deposit)
    services.pseudonyms.rotate(OPERATOR, dataset)
    monkeypatch.setattr(services.pseudonyms._keys, "newest", lambda _: 1)
    with pytest.raises(ConflictError, match="a moment ago"):
        services.pseudonyms.rotate(OPERATOR, dataset)


def test_pseudonyms_are_not_what_anybody_can_compute(owner: FlaskClient, work: Work) -> None:
    """A dictionary of all subject ids finds them behind bare hashes, and not behind pseudonyms."""
    _, file = released(owner, work, LINKED)
    rows = ok(owner.get(f"/api/v1/files/{file}/rows?kind=release&limit=400"))["rows"]
    pseudonyms = {row[0] for row in rows}
    dictionary = [f"S{number:04d}".encode() for number in range(10_000)]
    bare = {hashlib.sha256(word).hexdigest()[:24] for word in dictionary}
    guessed = {hmac.new(b"", word, hashlib.sha256).hexdigest()[:24] for word in dictionary}
    assert not pseudonyms & (bare | guessed)


def test_a_dataset_may_be_stricter_and_never_looser(
    owner: FlaskClient, stranger: FlaskClient, work: Work
) -> None:
    deposit, file = screened(owner, work, harmless(), HARMLESS_ROLES)
    address = f"/api/v1/deposits/{deposit}/privacy-policy"
    assert ok(owner.get(address))["dataset"] is None
    assert ok(owner.get(f"/api/v1/deposits/{deposit}"))["blockers"] == []

    looser = owner.put(address, json={"k": 2})
    assert looser.status_code == 422
    assert looser.get_json()["code"] == "policy-too-loose"
    assert stranger.put(address, json={"k": 9}).status_code == 404

    held = ok(owner.put(address, json={"k": 60, "min_p29": 0.99}))
    assert (held["policy"]["k"], held["instance"]["k"]) == (60, 5)
    (blocker,) = ok(owner.get(f"/api/v1/deposits/{deposit}"))["blockers"]
    assert blocker["code"] == "not-screened"

    ok(owner.patch(f"/api/v1/files/{file}/columns", json={"columns": {"sex": {"unit": "x"}}}))
    work()
    codes = {each["code"] for each in ok(owner.get(f"/api/v1/deposits/{deposit}"))["blockers"]}
    assert codes == {"small_groups", "low_score"}
    assert owner.post(f"/api/v1/deposits/{deposit}/publication").status_code == 422

    held = ok(owner.put(address, json={"k": 60, "min_p29": 0.1}))
    codes = {each["code"] for each in ok(owner.get(f"/api/v1/deposits/{deposit}"))["blockers"]}
    assert codes == {"small_groups"}
    ok(owner.put(address, json={}))
    ok(owner.patch(f"/api/v1/files/{file}/columns", json={"columns": {"sex": {"unit": "y"}}}))
    work()
    ok(owner.post(f"/api/v1/deposits/{deposit}/publication"), 201)
