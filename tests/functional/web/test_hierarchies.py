"""Hierarchies in the wizard, as a browser without scripts takes it: see, edit, exchange, use."""

import io
import re

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse

from fairdatabase.authorization.schemas import Role
from tests.factories.accounts import ClientAs
from tests.factories.cohorts import ROLES, cohort
from tests.factories.deposits import Work, ok, screened
from tests.factories.web import Browser, form_fields

FIGURES = ("distinct", "k", "share")


@pytest.fixture
def owner(client_as: ClientAs) -> FlaskClient:
    """The API client of the member whose browser walks through the pages."""
    return client_as(Role.MEMBER)


@pytest.fixture
def ids(owner: FlaskClient, work: Work) -> tuple[str, str]:
    """A risky table: its deposit and its file."""
    return screened(owner, work, cohort(), ROLES)


def editor(deposit: str, column: str) -> str:
    return f"/deposits/{deposit}/hierarchy?column={column}"


def fields(page: str) -> dict[str, str]:
    """Return what a browser would send of the levels."""
    return form_fields(page, "levels")


def figures(page: str) -> list[tuple[str, str, str]]:
    """Return values left, smallest group and rows at risk of each level."""
    cell = r'data-figure="{}">([^<]*)<'
    distinct, sizes, shares = (re.findall(cell.format(name), page) for name in FIGURES)
    return list(zip(distinct, sizes, shares, strict=True))


def followed(browser: Browser, response: TestResponse) -> str:
    """Return the page that an answer leads to."""
    assert response.status_code == 303, response.text
    return browser.get(response.headers["Location"]).text


def test_levels_are_seen_edited_and_used(
    steward: Browser, owner: FlaskClient, ids: tuple[str, str]
) -> None:
    deposit, file = ids
    page = editor(deposit, "age")
    shown = steward.get(page).text
    sent = fields(shown)
    assert [sent[f"width-{level}"] for level in (1, 2, 3)] == ["5", "10", "20"]
    assert sent["level"] == "0"
    assert figures(shown)[0] == ("72", "1", "395 (99\xa0%)")
    assert figures(shown)[-1] == ("1", "45", "0 (0\xa0%)")

    finer = steward.submit(page, **{**sent, "width-2": "15", "action": "preview", "level": "2"})
    assert finer.status_code == 422
    assert "Level 3 of &#39;age&#39; separates what level 2 joins" in finer.text
    assert 'value="15"' in finer.text

    added = steward.submit(page, **{**sent, "level": "3", "action": "add"}).text
    assert fields(added)["width-4"] == "40"
    assert "[0, 40)" in added
    fewer = steward.submit(page, **{**fields(added), "action": "remove:1"}).text
    left = fields(fewer)
    assert [left[f"width-{level}"] for level in (1, 2, 3)] == ["10", "20", "40"]

    kept = steward.submit(page, **{**left, "level": "2", "action": "save"})
    recipe = followed(steward, kept)
    assert re.search(r'name="width-1"[^>]* value="20"', recipe)
    assert fields(steward.get(page).text)["level"] == "2"
    tried = ok(owner.post(f"/api/v1/files/{file}/recipe-preview", json={"steps": []}))
    assert tried["rows_at_risk"] == 395


def test_values_are_grouped_and_groups_have_parents(
    steward: Browser, owner: FlaskClient, ids: tuple[str, str]
) -> None:
    deposit, file = ids
    page = editor(deposit, "region")
    north = {"Drenthe": "north", "Friesland": "north", "Groningen": "north"}
    lines = "\n".join(f"{name} = {group}" for name, group in north.items())
    unread = steward.submit(page, terms="north", action="terms")
    assert "Write one value a line" in unread.text
    built = steward.submit(page, terms=lines, action="terms").text
    sent = fields(built)
    groups = {sent[f"member-1-{n}"]: sent[f"group-1-{n}"] for n in range(4)}
    assert groups == north | {"Utrecht": "Utrecht"}
    assert 'rowspan="3"' in built

    sent = fields(steward.submit(page, **{**sent, "action": "add"}).text)
    sent |= {"group-2-0": "NL", "group-2-1": "NL"}
    kept = steward.submit(page, **{**sent, "level": "2", "action": "save"})
    assert "Friesland = NL" in followed(steward, kept)
    text = owner.get(f"/api/v1/files/{file}/hierarchy/file?column=region").text
    assert "Utrecht;Utrecht;NL;*" in text

    own = {"action-3": "prefix", "length-3": "1", "recipe_name": "NL", "action": "save"}
    steward.submit(f"/deposits/{deposit}/anonymise", **own)
    other = followed(steward, steward.submit(page, action="reset"))
    assert "the levels that are proposed" in other
    assert fields(other)["level"] == "keep"  # the recipe does none of these
    (saved,) = ok(owner.get("/api/v1/recipes"))
    assert [each["column"] for each in saved["hierarchies"]] == ["region"]
    choice = f"/deposits/{deposit}/anonymise/choice"
    steward.submit(choice, form_at=page, saved=saved["public_id"])
    assert text == owner.get(f"/api/v1/files/{file}/hierarchy/file?column=region").text

    strange = {**saved, "hierarchies": [{**saved["hierarchies"][0], "column": "none"}]}
    body = {name: strange[name] for name in ("name", "recipe", "hierarchies")}
    ok(owner.post("/api/v1/recipes", json=body), 201)
    told = steward.submit(choice, form_at=page, saved=saved["public_id"])
    assert "The levels of none do not fit this file" in followed(steward, told)


def test_levels_come_from_a_file(
    steward: Browser, owner: FlaskClient, ids: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fairdatabase.deposits.pages.hierarchies.MAX_FILE_BYTES", 30)
    deposit, file = ids
    page = editor(deposit, "sex")
    for content, answer in (
        (b"female;all;*\nmale;all;*\n", "The hierarchy of the file is used"),
        (b"female;all\n", "has no label for 1 values"),
        (b"\xff", "not text in UTF-8"),
        (b"x" * 31, "too large for levels"),
    ):
        brought = steward.client.post(
            page.replace("hierarchy?", "hierarchy/file?"),
            data={
                "csrf_token": steward.csrf(page),
                "hierarchy": FileStorage(io.BytesIO(content), filename="sex.csv"),
            },
        )
        assert answer in followed(steward, brought)
    assert ok(owner.get(f"/api/v1/files/{file}/hierarchy?column=sex"))["distinct"] == [2, 1, 1]


def test_a_script_is_told_what_the_levels_lead_to(steward: Browser, ids: tuple[str, str]) -> None:
    page = editor(ids[0], "sex")
    address = page.replace("hierarchy?", "hierarchy/preview?")
    sent = fields(steward.get(page).text)
    answer = steward.submit(address, form_at=page, **{**sent, "level": "1", "op-1": "group"})
    told = answer.get_json()["data"]
    assert told["chosen"] == 1
    assert told["levels"][0]["distinct"] == 2
    assert told["preview"]["k"] == 1
    assert [branch["value"] for branch in told["tree"]] == ["female", "male"]
    refused = steward.submit(address, form_at=page, **{"levels": "1", "op-1": "explode"})
    assert refused.status_code == 422
    assert "Level 1: This cannot be done to a column." in refused.text


def test_a_hierarchy_that_no_longer_fits_is_told(
    steward: Browser, owner: FlaskClient, ids: tuple[str, str]
) -> None:
    deposit, file = ids
    steps = [{"op": "drop", "column": "sex"}, {"op": "prefix", "column": "region", "length": 2}]
    ok(owner.post(f"/api/v1/files/{file}/recipe-preview", json={"steps": steps}))
    page = editor(deposit, "sex")
    assert fields(steward.get(page).text)["level"] == "1"
    assert steward.get(editor(deposit, "none")).status_code == 404
