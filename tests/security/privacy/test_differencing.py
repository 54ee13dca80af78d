"""The differencing attack against the real gate: two versions that together tell about one."""

from collections import Counter
from typing import Any

import pytest
from flask.testing import FlaskClient

from fairdatabase.authorization.schemas import Role
from fairdatabase.services import Services
from tests.factories.accounts import ClientAs
from tests.factories.deposits import Work, ok, published, screened, set_roles, upload
from tests.security.privacy.test_attacks import RECIPE, ROLES, Person, population

GATE_ROLES = {name: role.value for name, role in ROLES.items()}
REASON = "These people agreed to be recognised by those who compare the versions."


def csv(people: list[Person]) -> bytes:
    lines = [",".join(ROLES), *(",".join(str(one[name]) for name in ROLES) for one in people)]
    return "\n".join(lines).encode()


@pytest.fixture
def owner(client_as: ClientAs) -> FlaskClient:
    """The client of somebody who deposits."""
    return client_as(Role.MEMBER)


def released(owner: FlaskClient, work: Work, deposit: str, people: list[Person], name: str) -> str:
    """Put a table into a deposit and make its release."""
    file = upload(owner, deposit, csv(people), name)
    work()
    set_roles(owner, file, GATE_ROLES)
    work()
    recipe = RECIPE.model_dump(mode="json")
    ok(owner.post(f"/api/v1/files/{file}/release", json=recipe), 202)
    work()
    return file


def groups(client: FlaskClient, file: str) -> Counter[tuple[Any, ...]]:
    """What everybody can count: traits and diagnoses of the public table."""
    page = ok(client.get(f"/api/v1/files/{file}/rows?limit=1000"))
    places = [page["columns"].index(name) for name in ("age", "postcode", "sex", "diagnosis")]
    return Counter(tuple(row[place] for place in places) for row in page["rows"])


def publish(owner: FlaskClient, deposit: str) -> Any:  # noqa: ANN401 - a test response
    return owner.post(f"/api/v1/deposits/{deposit}/publication")


def emptied(owner: FlaskClient, draft: dict[str, Any]) -> str:
    """Take the copied file out of the draft of a next version; return the id of the deposit."""
    ok(owner.delete(f"/api/v1/files/{draft['files'][0]['file']['public_id']}"))
    return str(draft["version"]["public_id"])


def test_one_newcomer_cannot_be_read_off_two_versions(
    owner: FlaskClient, client: FlaskClient, client_as: ClientAs, work: Work
) -> None:
    """Each version is safe alone; the gate refuses the pair, under any name of the file."""
    people = population(640)
    deposit, file = screened(owner, work, csv(people[:600]), GATE_ROLES)
    recipe = RECIPE.model_dump(mode="json")
    ok(owner.post(f"/api/v1/files/{file}/release", json=recipe), 202)
    work()
    dataset = ok(publish(owner, deposit), 201)["dataset_public_id"]
    first = groups(client, file)

    draft = ok(owner.post(f"/api/v1/datasets/{dataset}/deposits"), 201)
    assert draft["blockers"] == [], "a copy tells nothing new"
    deposit = emptied(owner, draft)
    hasty = released(owner, work, deposit, people[:601], "renamed.csv")
    refused = publish(owner, deposit)
    assert refused.status_code == 422
    (blocker,) = refused.get_json()["details"]
    assert (blocker["code"], blocker["overridable"]) == ("telling_versions", True)
    assert "1 group changed by fewer than 5 people (1 row came or went)" in blocker["message"]
    assert "newcomers wait" in blocker["fix"]
    measured = ok(owner.get(f"/api/v1/files/{hasty}/screening?kind=release"))
    assert measured["report"]["k"] >= 5, "alone it would have passed"
    (compared,) = measured["report"]["versions"]
    assert (compared["version"], compared["file"]) == (1, "people.csv")
    assert [group["rows"] for group in compared["listed"]] == [1]

    report = owner.get(f"/api/v1/files/{hasty}/risk-report?format=html").text
    assert "version 1" in report
    page = owner.get(f"/deposits/{deposit}/risk?file={hasty}").text
    assert "whoever has both versions" in page
    assert "The smallest changes since version 1" in page

    ok(owner.delete(f"/api/v1/files/{hasty}"))
    patient = released(owner, work, deposit, people[600:] + people[:600], "people.csv")
    ok(publish(owner, deposit), 201)
    came = groups(client, patient) - first
    traits = Counter(group[:-1] for group in came.elements())
    assert min(traits.values()) >= 5, "nobody came alone"

    deposit = emptied(owner, ok(owner.post(f"/api/v1/datasets/{dataset}/deposits"), 201))
    released(owner, work, deposit, people[:599], "people.csv")
    (blocker,) = publish(owner, deposit).get_json()["details"]
    assert "version 1" in blocker["message"], "the newest version alone does not show who left"
    override = f"/api/v1/deposits/{deposit}/override"
    made = client_as(Role.CURATOR).post(override, json={"reason": REASON})
    assert ok(made, 201)["override_reason"] == REASON


def test_the_policy_may_have_it_told_alone(
    owner: FlaskClient,
    client: FlaskClient,
    work: Work,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the instance only warns, a dataset may still be stopped; never the other way."""
    roles = {"sex": "quasi_identifier", "illness": "sensitive"}
    rows = [f"{('f', 'm')[n % 2]},{('flu', 'cold')[n // 2 % 2]}" for n in range(40)]
    first, second = ("\n".join(["sex,illness", *some]).encode() for some in (rows[:39], rows))
    dataset, _ = published(owner, work, first, roles)
    deposit = emptied(owner, ok(owner.post(f"/api/v1/datasets/{dataset}/deposits"), 201))
    file = upload(owner, deposit, second)
    work()
    set_roles(owner, file, roles)
    work()
    assert publish(owner, deposit).status_code == 422
    address = f"/api/v1/deposits/{deposit}/privacy-policy"
    looser = owner.put(address, json={"version_differences": "warn"})
    assert looser.get_json()["code"] == "policy-too-loose"

    warned = services.policies.instance.model_copy(update={"version_differences": "warn"})
    monkeypatch.setattr(services.policies, "instance", warned)
    assert "Publication is not stopped" in owner.get(f"/deposits/{deposit}/risk").text
    assert "look at this: people.csv" in owner.get(f"/deposits/{deposit}/review").text
    ok(owner.put(address, json={"version_differences": "stop"}))
    assert publish(owner, deposit).status_code == 422
    ok(owner.put(address, json={}))
    ok(publish(owner, deposit), 201)
    report = owner.get(f"/api/v1/files/{file}/risk-report").get_json()["report"]
    assert report["policy"]["version_differences"] == "warn"
    for reader, listed in ((owner, 1), (client, 0)):
        (compared,) = ok(reader.get(f"/api/v1/files/{file}/screening"))["report"]["versions"]
        assert (compared["telling_rows"], len(compared["listed"])) == (1, listed)
