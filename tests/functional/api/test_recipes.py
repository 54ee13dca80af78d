"""Recipes before they are applied: tried, searched for, kept; hierarchies brought and taken."""

import csv
import io

import pytest
from flask.testing import FlaskClient

from fairdatabase.authorization.schemas import Actor, Role
from fairdatabase.jobs.backends.memory import MemoryQueue
from fairdatabase.privacy.service import recipes as recipes_service
from fairdatabase.services import Services
from tests.factories.accounts import ClientAs
from tests.factories.cohorts import RECIPE, ROLES, cohort
from tests.factories.deposits import Work, ok, screened, set_roles

JSON = dict[str, object]


@pytest.fixture
def owner(client_as: ClientAs) -> FlaskClient:
    """The client of somebody who deposits."""
    return client_as(Role.MEMBER)


@pytest.fixture
def file(owner: FlaskClient, work: Work) -> str:
    """A risky table with roles."""
    return screened(owner, work, cohort(), ROLES)[1]


def test_a_preview_says_what_the_release_then_is(owner: FlaskClient, file: str, work: Work) -> None:
    tried = ok(owner.post(f"/api/v1/files/{file}/recipe-preview", json=RECIPE))
    assert ok(owner.get(f"/api/v1/files/{file}/release")) is None
    ok(owner.post(f"/api/v1/files/{file}/release", json=RECIPE), 202)
    work()
    made = ok(owner.get(f"/api/v1/files/{file}/screening?kind=release"))
    assert tried["passed"] == made["passed"]
    for name in ("k", "rows_at_risk", "unique_rows", "sizes"):
        assert tried[name] == made["report"][name]
    assert tried["rows_out"] == made["report"]["rows"]


def test_a_preview_lists_what_is_left_to_do(owner: FlaskClient, file: str) -> None:
    tried = ok(owner.post(f"/api/v1/files/{file}/recipe-preview", json={"steps": []}))
    assert not tried["passed"]
    assert (tried["k"], tried["rows_in"], tried["rows_out"]) == (1, 400, 400)
    assert len(tried["reasons"]) == 2
    refused = owner.post(
        f"/api/v1/files/{file}/recipe-preview", json={"steps": [{"op": "drop", "column": "x"}]}
    )
    assert refused.get_json()["code"] == "recipe-invalid"


def test_large_tables_are_not_tried(
    owner: FlaskClient, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipes_service, "MAX_PREVIEW_ROWS", 399)
    answer = owner.post(f"/api/v1/files/{file}/recipe-preview", json=RECIPE)
    assert answer.status_code == 413


def test_the_recipe_somebody_works_on_is_kept(
    owner: FlaskClient, services: Services, member: Actor, file: str
) -> None:
    assert services.recipes.draft(member, file) is None
    ok(owner.post(f"/api/v1/files/{file}/recipe-preview", json=RECIPE))
    kept = services.recipes.draft(member, file)
    assert kept
    assert kept.model_dump(mode="json", exclude_defaults=True)["steps"]


def test_a_search_finds_a_recipe_that_holds_what_it_promises(
    owner: FlaskClient, stranger: FlaskClient, file: str, work: Work
) -> None:
    address = f"/api/v1/files/{file}/recipe-search"
    assert ok(owner.get(address)) is None
    assert stranger.post(address, json={}).status_code == 404
    ok(owner.post(address, json={"max_suppression": 0.05}), 202)
    assert ok(owner.get(address))["result"] is None
    work()
    found = ok(owner.get(address))
    best = found["result"]["best"]
    assert found["current"]
    assert found["result"]["proven"]
    assert best["k"] >= 5
    assert best["rows_suppressed"] <= 20
    assert {each["k"] >= 5 for each in found["result"]["frontier"]} == {True}

    ok(owner.post(f"/api/v1/files/{file}/release", json=best["recipe"]), 202)
    work()
    made = ok(owner.get(f"/api/v1/files/{file}/screening?kind=release"))
    assert made["passed"], made["verdict"]
    assert made["report"]["k"] == best["k"]
    assert 400 - made["report"]["rows"] == best["rows_suppressed"]


def test_a_stricter_search_reaches_l_and_t(owner: FlaskClient, file: str, work: Work) -> None:
    wanted = {"k": 8, "l": 3, "t": 0.3, "max_suppression": 0.3}
    ok(owner.post(f"/api/v1/files/{file}/recipe-search", json=wanted), 202)
    work()
    found = ok(owner.get(f"/api/v1/files/{file}/recipe-search"))
    ok(owner.post(f"/api/v1/files/{file}/release", json=found["result"]["best"]["recipe"]), 202)
    work()
    report = ok(owner.get(f"/api/v1/files/{file}/screening?kind=release"))["report"]
    (diagnosis,) = report["sensitive"]
    assert report["k"] >= 8
    assert diagnosis["distinct_l"] >= 3
    assert diagnosis["t"] <= 0.3 + 1e-9


def test_a_search_is_cancelled(
    owner: FlaskClient, file: str, queue: MemoryQueue, services: Services, work: Work
) -> None:
    job = ok(owner.post(f"/api/v1/files/{file}/recipe-search", json={}), 202)
    ok(owner.delete(f"/api/v1/jobs/{job['public_id']}"))
    work()
    assert ok(owner.get(f"/api/v1/files/{file}/recipe-search"))["result"] is None


def test_an_older_search_writes_nothing_over_a_newer_one(
    owner: FlaskClient, services: Services, file: str, work: Work
) -> None:
    ok(owner.post(f"/api/v1/files/{file}/recipe-search", json={"k": 6}), 202)
    ok(owner.post(f"/api/v1/files/{file}/recipe-search", json={"k": 9}), 202)
    work()
    found = ok(owner.get(f"/api/v1/files/{file}/recipe-search"))
    assert found["request"]["goal"]["k"] == 9
    assert found["result"]["best"]["k"] >= 9


def test_a_search_is_old_once_the_roles_changed(owner: FlaskClient, file: str, work: Work) -> None:
    ok(owner.post(f"/api/v1/files/{file}/recipe-search", json={}), 202)
    work()
    set_roles(owner, file, {"region": "insensitive"})
    work()
    assert not ok(owner.get(f"/api/v1/files/{file}/recipe-search"))["current"]


def test_there_is_nothing_to_search_without_quasi_identifiers(
    owner: FlaskClient, file: str, work: Work
) -> None:
    set_roles(owner, file, dict.fromkeys(("age", "sex", "region"), "insensitive"))
    work()
    answer = owner.post(f"/api/v1/files/{file}/recipe-search", json={})
    assert answer.status_code == 409


def test_recipes_are_kept_for_other_files(
    owner: FlaskClient, client: FlaskClient, stranger: FlaskClient
) -> None:
    assert client.get("/api/v1/recipes").status_code == 401
    first = ok(owner.post("/api/v1/recipes", json={"name": " mine ", "recipe": RECIPE}), 201)
    again = ok(owner.post("/api/v1/recipes", json={"name": "mine", "recipe": {"steps": []}}), 201)
    assert first["public_id"] == again["public_id"]
    (kept,) = ok(owner.get("/api/v1/recipes"))
    assert (kept["name"], kept["recipe"]["steps"]) == ("mine", [])
    address = f"/api/v1/recipes/{first['public_id']}"
    assert ok(owner.get(address))["recipe"] == {"version": 1, "steps": []}
    for method in (stranger.get, stranger.delete):
        assert method(address).status_code == 404
    ok(owner.delete(address))
    assert ok(owner.get("/api/v1/recipes")) == []
    assert owner.post("/api/v1/recipes", json={"name": "  ", "recipe": RECIPE}).status_code == 422


def test_hierarchies_are_taken_edited_brought_back_and_used(
    owner: FlaskClient, stranger: FlaskClient, file: str, work: Work
) -> None:
    here = f"/api/v1/files/{file}/hierarchy?column=region"
    shown = ok(owner.get(here))
    assert [row["value"] for row in shown["rows"]] == sorted(
        ["Friesland", "Groningen", "Drenthe", "Utrecht"]
    )
    taken = owner.get(f"/api/v1/files/{file}/hierarchy/file?column=region").text
    assert {row[0] for row in csv.reader(io.StringIO(taken), delimiter=";")} == {
        row["value"] for row in shown["rows"]
    }
    mine = "".join(
        f"{name};{'centre' if name == 'Utrecht' else 'north'};*\n"
        for name in ("Friesland", "Groningen", "Drenthe", "Utrecht")
    )
    brought = ok(owner.put(here, data=mine, content_type="text/csv"))
    assert brought["distinct"] == [4, 2, 1]
    assert stranger.put(here, data=mine, content_type="text/csv").status_code == 404

    ok(owner.post(f"/api/v1/files/{file}/recipe-search", json={}), 202)
    work()
    found = ok(owner.get(f"/api/v1/files/{file}/recipe-search"))["result"]
    labels = str([each["recipe"] for each in found["frontier"]])
    assert "'op': 'prefix', 'column': 'region'" not in labels

    as_json = owner.get(f"/api/v1/files/{file}/hierarchy/file?column=region&format=json")
    assert as_json.status_code == 200
    ok(owner.put(here, data=as_json.data, content_type="application/json"))
    ok(owner.delete(here))
    assert ok(owner.get(here))["distinct"] == shown["distinct"]
    wrong = owner.put(here, data="Utrecht;centre\n", content_type="text/csv")
    assert wrong.status_code == 422
    assert owner.get(f"/api/v1/files/{file}/hierarchy?column=none").status_code == 404


def test_a_release_is_compared_column_by_column(owner: FlaskClient, file: str, work: Work) -> None:
    address = f"/api/v1/files/{file}/release/comparison"
    assert owner.get(address).status_code == 404
    ok(owner.post(f"/api/v1/files/{file}/release", json=RECIPE), 202)
    work()
    found = ok(owner.get(address))
    assert found["before"]["report"]["k"] == 1
    assert found["after"]["report"]["k"] >= 5
    columns = {each["column"]: each for each in found["columns"]}
    assert list(columns) == ["age", "region"]
    assert columns["region"]["after"] is None
    assert columns["region"]["words"] == "Left out."
    age = columns["age"]
    assert age["words"] == "Put into intervals 20 wide."
    assert [bar["label"] for bar in age["after"]["bars"]] == [
        f"[{low}, {low + 20})" for low in (0, 20, 40, 60, 80)
    ]
    for side in ("before", "after"):
        shown = age[side]
        counted = sum(bar["rows"] for bar in shown["bars"]) + shown["other"] + shown["missing"]
        assert counted == shown["rows"]
