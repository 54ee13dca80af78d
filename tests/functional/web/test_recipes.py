"""Recipes in the wizard, as a browser without scripts takes it: find, choose, try, keep, apply."""

import re

import pytest
from flask.testing import FlaskClient

from fairdatabase.authorization.schemas import Role
from tests.factories.accounts import ClientAs
from tests.factories.cohorts import RECIPE, ROLES, cohort
from tests.factories.deposits import Work, ok, open_deposit, screened
from tests.factories.web import Browser, form_fields


@pytest.fixture
def owner(client_as: ClientAs) -> FlaskClient:
    """The API client of the member whose browser walks through the pages."""
    return client_as(Role.MEMBER)


@pytest.fixture
def page(owner: FlaskClient, work: Work) -> str:
    """The page where a risky table is anonymised."""
    return f"/deposits/{screened(owner, work, cohort(), ROLES)[0]}/anonymise"


def test_a_recipe_is_found_chosen_applied_and_compared(
    steward: Browser, page: str, work: Work
) -> None:
    asked = steward.submit(f"{page}/search", form_at=page, k="5", max_suppression="0.05", l="")
    assert asked.status_code == 303
    assert "Looking for a recipe" in steward.get(page).text
    work()
    found = steward.get(page).text
    assert "to choose from" in found
    assert "Risk against lost detail" in found
    chosen = steward.submit(f"{page}/choice", form_at=page, candidate="0")
    assert chosen.headers["Location"].endswith("#recipe")
    draft = steward.get(page).text
    assert "The release would hold the policy." in draft
    applied = steward.submit(page, **{**form_fields(draft, "recipe"), "action": "apply"})
    assert "/compare" in applied.headers["Location"], applied.text
    work()
    compared = steward.get(applied.headers["Location"]).text
    assert "The release holds the policy" in compared
    assert "Report as PDF" in compared
    assert "There is a release of this table" in steward.get(page).text


def test_local_recoding_is_applied_as_it_was_found(steward: Browser, page: str, work: Work) -> None:
    steward.submit(f"{page}/search", form_at=page, k="5", method="mondrian")
    work()
    steward.submit(f"{page}/choice", form_at=page, candidate="0")
    sent = form_fields(steward.get(page).text, "recipe")
    assert sent["partition_k"] == "5"
    applied = steward.submit(page, **{**sent, "action": "apply"})
    assert applied.status_code == 303
    work()
    assert (
        "cut into groups of similar rows" in steward.get(applied.headers["Location"]).text.lower()
    )


def test_a_recipe_is_tried_by_a_button_and_by_a_script(steward: Browser, page: str) -> None:
    fields = {"action-1": "intervals", "width-1": "20", "action-0": "drop", "action-3": "drop"}
    tried = steward.submit(page, action="preview", suppress_k="5", **fields)
    assert tried.status_code == 200
    assert "The release would hold the policy." in tried.text
    assert 'value="20"' in steward.get(page).text  # kept for whoever comes back
    answer = steward.submit(f"{page}/preview", form_at=page, **fields)
    assert answer.get_json()["data"]["rows_out"] == 400
    wrong = {**fields, "width-1": "wide"}
    refused = steward.client.post(
        f"{page}/preview",
        data={"csrf_token": steward.csrf(page), **wrong},
        headers={"Accept": "application/json"},
    )
    assert refused.status_code == 422
    assert "Write a number" in refused.get_json()["error"]


def test_recipes_are_kept_and_used_again(steward: Browser, owner: FlaskClient, page: str) -> None:
    fields = {"action-0": "drop", "action": "save"}
    refused = steward.submit(page, recipe_name="", **fields)
    assert refused.status_code == 422
    assert "Give the recipe a name" in refused.text
    assert steward.submit(page, recipe_name="without names", **fields).status_code == 303
    (saved,) = ok(owner.get("/api/v1/recipes"))
    assert "without names" in steward.get(page).text
    ok(owner.post("/api/v1/recipes", json={"name": "whole", "recipe": RECIPE}), 201)
    steward.submit(f"{page}/choice", form_at=page, saved=saved["public_id"])
    assert 'value="drop" selected' in steward.get(page).text


WHOLE: dict[str, object] = {
    "version": 1,
    "steps": [
        {"op": "code_extremes", "column": "age", "top": 85},
        {"op": "drop", "column": "subject_id"},
        {"op": "prefix", "column": "region", "length": 3},
        {"op": "pseudonymise", "column": "region"},
        {
            "op": "recode",
            "column": "diagnosis",
            "mapping": {"a=b": 'c"', "IBD": "\n"},
            "other": "x",
        },
        {"op": "intervals", "column": "age", "width": 5, "origin": 2.5},
        {"op": "drop", "column": "of another table"},
        {
            "op": "partition",
            "columns": ["region", "sex"],
            "k": 3,
            "sensitive": [{"column": "diagnosis", "entropy_l": 1.5, "ordered": False}],
            "groups": [{"column": "sex", "mapping": {"male": "all"}, "other": "all"}],
        },
        {
            "op": "suppress",
            "k": 5,
            "sensitive": [
                {"column": "shannon", "t": 0.25, "recursive": {"c": 2.5, "l": 3}},
                {"column": "diagnosis", "distinct_l": 2, "alpha": 0.5},
            ],
        },
    ],
}


def test_a_recipe_that_says_all_there_is_comes_back_unchanged(
    steward: Browser, owner: FlaskClient, page: str
) -> None:
    whole = ok(owner.post("/api/v1/recipes", json={"name": "whole", "recipe": WHOLE}), 201)
    steward.submit(f"{page}/choice", form_at=page, saved=whole["public_id"])
    shown = steward.get(page).text
    sent = form_fields(shown, "recipe") | {"recipe_name": "again"}
    assert steward.submit(page, **{**sent, "action": "save"}).status_code == 303
    kept = {each["name"]: each["recipe"] for each in ok(owner.get("/api/v1/recipes"))}
    assert kept["again"] == whole["recipe"]

    more = steward.submit(page, **{**sent, "without-6": "1", "action": "then:1"}).text
    further = form_fields(more, "recipe")
    assert (further["action-1-1"], further["action-1-2"]) == ("intervals", "keep")
    steward.submit(page, **{**further, "action-1-2": "shuffle", "action": "save"})
    kept = {each["name"]: each["recipe"] for each in ok(owner.get("/api/v1/recipes"))}
    steps = kept["again"]["steps"]
    assert [step["op"] for step in steps[5:]] == ["intervals", "shuffle", "partition", "suppress"]


@pytest.mark.parametrize("candidate", ["0", "x", ""])
def test_a_recipe_that_is_not_there_cannot_be_chosen(
    steward: Browser, page: str, candidate: str
) -> None:
    gone = steward.submit(f"{page}/choice", form_at=page, candidate=candidate)
    assert gone.status_code == 404


def test_a_search_that_makes_no_sense_is_explained(steward: Browser, page: str) -> None:
    asked = steward.submit(f"{page}/search", form_at=page, k="none")
    assert "A group has at least one row" in steward.get(asked.headers["Location"]).text


def test_work_is_cancelled(steward: Browser, owner: FlaskClient, page: str, work: Work) -> None:
    steward.submit(f"{page}/search", form_at=page, k="5")
    job = re.search(r'data-job="(\w+)"', steward.get(page).text)
    assert job
    deposit = page.split("/")[2]
    stopped = steward.submit(f"/deposits/{deposit}/jobs/{job[1]}/cancellation", form_at=page)
    assert "The work was cancelled" in steward.get(stopped.headers["Location"]).text
    work()
    assert "to choose from" not in steward.get(page).text


def test_every_action_of_a_column_comes_back(steward: Browser, page: str) -> None:
    sent = {
        "action-1": "code_extremes",
        "bottom-1": "20",
        "top-1": "80",
        "action-2": "suppress_cells",
        "rarer_than-2": "5",
        "action-3": "impute",
        "by-3": "mode",
        "within-3": "class",
        "action-4": "shuffle",
        "action-5": "noise",
        "scale-5": "0.5",
        "distribution-5": "normal",
    }
    assert steward.submit(page, action="preview", **sent).status_code == 200
    again = steward.get(page).text
    for name, value in sent.items():
        if name.startswith(("action", "by", "within", "distribution")):
            assert re.search(rf'name="{name}".*?<option value="{value}" selected>', again)
        else:
            assert re.search(rf'name="{name}"[^>]* value="{value}"', again)
    nothing = steward.submit(page, action="apply", **{"action-2": "suppress_cells"})
    assert "Say below how many rows a cell is emptied." in nothing.text


def test_there_is_nothing_to_compare_without_a_release(
    steward: Browser, owner: FlaskClient, page: str
) -> None:
    assert "There is no release yet" in steward.get(page.replace("anonymise", "compare")).text
    empty = open_deposit(owner)
    assert steward.get(f"/deposits/{empty}/compare").status_code == 200
