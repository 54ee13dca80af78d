"""A closer look at the risk: who stands out, and what the models beside k, l and t say."""

import pytest
from flask.testing import FlaskClient

from fairdatabase.authorization.schemas import Role
from fairdatabase.privacy.schemas import details
from tests.factories.accounts import ClientAs
from tests.factories.cohorts import HARMLESS_ROLES, ROLES, cohort, harmless
from tests.factories.deposits import Work, ok, screened, upload


@pytest.fixture
def owner(client_as: ClientAs) -> FlaskClient:
    """The client of somebody who deposits."""
    return client_as(Role.MEMBER)


def test_groups_are_paged_smallest_first_for_who_looks_after_them(
    owner: FlaskClient, client: FlaskClient, stranger: FlaskClient, client_as: ClientAs, work: Work
) -> None:
    _, file = screened(owner, work, cohort(), ROLES)
    address = f"/api/v1/files/{file}/groups"
    answer = owner.get(f"{address}?smaller_than=2&per_page=3&page=2").get_json()
    assert answer["meta"]["total"] == answer["data"]["total"]
    assert len(answer["data"]["groups"]) == 3
    assert {group["size"] for group in answer["data"]["groups"]} == {1}
    every = ok(client_as(Role.CURATOR).get(f"{address}?per_page=100"))
    assert every["rows"] == 400
    sizes = [group["size"] for group in every["groups"]]
    assert sizes == sorted(sizes)
    women = ok(owner.get(f"{address}?column=sex&value=female"))
    assert {group["values"]["sex"] for group in women["groups"]} == {"female"}
    assert ok(owner.get(f"{address}?column=sex"))["total"] == 0, "nobody's sex is missing"
    assert owner.get(f"{address}?column=diagnosis&value=IBD").status_code == 422
    assert stranger.get(address).status_code == 404
    assert client.get(address).status_code == 401


def test_who_stands_out_is_no_public_list(
    owner: FlaskClient, stranger: FlaskClient, work: Work
) -> None:
    deposit, file = screened(owner, work, harmless(), HARMLESS_ROLES)
    ok(owner.post(f"/api/v1/deposits/{deposit}/publication"), 201)
    for view in ("groups", "risk-models"):
        assert stranger.get(f"/api/v1/files/{file}/{view}").status_code == 403
        ok(owner.get(f"/api/v1/files/{file}/{view}"))


def test_models_come_with_a_sentence_each(
    owner: FlaskClient, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    deposit, file = screened(owner, work, cohort(60), ROLES)
    everybody = upload(owner, deposit, cohort(600), "everybody.csv")
    work()
    address = f"/api/v1/files/{file}/risk-models"
    found = ok(owner.get(f"{address}?sampled=0.1&population={everybody}&unique_on=2"))
    told = {each["measure"]: each for each in found["in_words"]}
    assert told.keys() == {
        "alpha", "beta", "enhanced beta", "delta", "minimal sample uniques",
        "column that tells most apart", "k-map", "journalist risk", "marketer risk",
        "individual risk", "people expected to be found",
    }  # fmt: skip
    assert told["column that tells most apart"]["value"] == "age"
    assert told["delta"]["value"] == "none holds"
    assert all(each["meaning"].endswith(".") for each in found["in_words"])
    assert found["population"]["people"] == 600
    assert found["uniques"]["max_size"] == 2
    assert ["age"] in found["uniques"]["riskiest"][0]["combinations"]
    assert found["fingerprints"] is None

    assert owner.get(f"{address}?sampled=2").status_code == 422
    assert owner.get(f"{address}?population=nothing").status_code == 404
    monkeypatch.setattr("fairdatabase.privacy.service.details.MAX_WORK", 100)
    assert owner.get(address).status_code == 413
    assert details.MAX_WORK > 100


def test_a_policy_may_limit_alpha_beta_and_delta(owner: FlaskClient, work: Work) -> None:
    deposit, file = screened(owner, work, harmless(), HARMLESS_ROLES)
    address = f"/api/v1/deposits/{deposit}/privacy-policy"
    held = ok(owner.put(address, json={"alpha": 0.15, "beta": 0.01, "delta": 0.01}))
    assert held["policy"]["alpha"] == 0.15
    blockers = ok(owner.get(f"/api/v1/deposits/{deposit}"))["blockers"]
    assert {each["code"] for each in blockers} == {"likely_values"}
    assert len(blockers) == 3
    report = owner.get(f"/api/v1/files/{file}/risk-report?format=html").text
    assert "the share of one value in a group at most 0.15 (alpha)" in report
    ok(owner.put(address, json={"alpha": 0.9, "beta": 9, "delta": 9}))
    assert ok(owner.get(f"/api/v1/deposits/{deposit}"))["blockers"] == []
