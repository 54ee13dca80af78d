"""The wizard, step by step, as a browser without scripts takes it."""

import io
import re

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse

from fairdatabase.authorization.schemas import Role
from tests.factories.accounts import ClientAs
from tests.factories.cohorts import HARMLESS_ROLES, METADATA, RECIPE, ROLES, cohort, harmless
from tests.factories.deposits import Work, ok, open_deposit, published, screened, set_roles, upload
from tests.factories.web import Browser

NASTY = "<script>alert(1)</script>"
TITLE = str(METADATA["title"])


@pytest.fixture
def owner(client_as: ClientAs) -> FlaskClient:
    """The API client of the member whose browser walks through the pages."""
    return client_as(Role.MEMBER)


def file_of(content: bytes, name: str) -> FileStorage:
    return FileStorage(io.BytesIO(content), filename=name)


def followed(browser: Browser, response: TestResponse) -> TestResponse:
    """Return the page that an answer leads to."""
    assert response.status_code == 303, response.text
    return browser.get(response.headers["Location"])


def columns_of(client: FlaskClient, file: str) -> list[str]:
    table = ok(client.get(f"/api/v1/files/{file}/table"))
    return [column["name"] for column in table["columns"]]


def role_fields(client: FlaskClient, file: str, roles: dict[str, str]) -> dict[str, str]:
    names = columns_of(client, file)
    return {f"role-{names.index(name)}": role for name, role in roles.items()}


def test_the_whole_way_by_forms(steward: Browser, owner: FlaskClient, work: Work) -> None:
    created = steward.submit("/deposits/new", title="Invented guts")
    files_page = created.headers["Location"]
    base = files_page.removesuffix("/files")
    steward.client.post(
        files_page,
        data={"csrf_token": steward.csrf(files_page), "file": file_of(cohort(), "people.csv")},
    )
    assert 'data-state="queued"' in steward.get(files_page).text
    work()
    assert "All 400 rows were read" in steward.get(files_page).text

    file = ok(owner.get(f"/api/v1{base}"))["files"][0]["file"]["public_id"]
    answers = role_fields(owner, file, ROLES)
    saved = steward.submit(f"{base}/columns", action="continue", **answers)
    work()
    verdict = followed(steward, saved)
    assert "may not be published openly as it is" in verdict.text
    assert "<code>subject_id</code>" in verdict.text

    suggested = steward.get(f"{base}/anonymise?suggest=1").text
    recipe = dict(re.findall(r'name="([\w-]+)"[^>]*? value="([^"]*)"', suggested))
    actions = re.findall(r'name="(action-\d+)".*?<option value="(\w+)" selected>', suggested)
    sent = {name: text for name, text in recipe.items() if name != "csrf_token"} | dict(actions)
    applied = steward.submit(f"{base}/anonymise", **{**sent, "action": "apply"})
    assert applied.status_code == 303, applied.text
    work()
    after = followed(steward, applied)
    assert "Before and after" in after.text
    assert "The release holds the policy" in after.text

    described = steward.submit(
        f"{base}/describe",
        action="continue",
        title="Invented guts",
        description="Of nobody.",
        subjects="guts, fossils",
        licence="CC-BY-4.0",
        language="en",
        access="open",
        **{"creators-0-name": "Anning, Mary"},
    )
    assert "Ready to publish" in followed(steward, described).text
    publication = steward.submit(f"{base}/publication", form_at=f"{base}/review")
    landing = followed(steward, publication)
    assert "Version 1 is published" in landing.text
    assert "Anonymised release" in landing.text


def test_nothing_typed_is_lost(steward: Browser, owner: FlaskClient) -> None:
    deposit = open_deposit(owner)
    page = f"/deposits/{deposit}/describe"
    typed = {
        "title": NASTY,
        "description": "Words",
        "access": "open",
        "creators-0-name": "Curie, Marie",
        "creators-1-name": "Second, Sam",
        "creators-1-orcid": "0000-0000-0000-0000",
    }
    refused = steward.submit(page, action="continue", **typed)
    assert refused.status_code == 422
    assert NASTY not in refused.text
    assert "&lt;script&gt;" in refused.text
    assert 'href="#f-creators-1-orcid"' in refused.text
    assert "Second, Sam" in refused.text
    assert (
        ok(owner.get(f"/api/v1/deposits/{deposit}"))["version"]["metadata"]["title"]
        == (METADATA["title"])
    )

    more = steward.submit(page, action="add_creator", **typed)
    assert 'name="creators-2-name"' in more.text
    fewer = steward.submit(page, action="remove_creator:0", **typed)
    assert 'name="creators-1-name"' not in fewer.text
    assert "Curie, Marie" not in fewer.text
    assert "Second, Sam" in fewer.text


def test_an_unknown_licence_stays_chosen(steward: Browser, owner: FlaskClient) -> None:
    deposit = open_deposit(owner)
    metadata = {**METADATA, "licence": "MIT"}
    ok(owner.put(f"/api/v1/deposits/{deposit}/metadata", json=metadata))
    assert '<option value="MIT" selected>' in steward.get(f"/deposits/{deposit}/describe").text


def test_the_access_class_has_to_be_chosen(steward: Browser, owner: FlaskClient) -> None:
    page = f"/deposits/{open_deposit(owner)}/describe"
    refused = steward.submit(page, action="save", title="T", access="everybody")
    assert refused.status_code == 422
    assert "Choose who may see the rows." in refused.text
    assert steward.submit(page, action="save", title="T", access="restricted").status_code == 303


def test_a_title_is_not_longer_than_allowed(steward: Browser) -> None:
    refused = steward.submit("/deposits/new", title="x" * 501)
    assert refused.status_code == 422
    assert "Please use at most 500 characters." in refused.text


def test_each_file_is_judged_alone(steward: Browser, owner: FlaskClient, work: Work) -> None:
    deposit = open_deposit(owner)
    page = f"/deposits/{deposit}/files"
    sent = [file_of(harmless(), "good.csv"), file_of(b"\x89PNG\r\n\x1a\n" * 9, "photo.csv")]
    messy = b"id,age\n1,41\n2,43,x\n3,39\n"
    steward.client.post(
        page,
        data={"csrf_token": steward.csrf(page), "file": [*sent, file_of(messy, "messy.csv")]},
    )
    work()
    shown = steward.get(page).text
    assert "All 200 rows were read" in shown
    assert "1 row could not be read" in shown
    assert "This file cannot be read as a table" in shown
    again = steward.client.post(
        page, data={"csrf_token": steward.csrf(page), "file": file_of(harmless(), "good.csv")}
    )
    assert "good.csv:" in followed(steward, again).text


def test_files_are_removed_read_anew_and_documented(
    steward: Browser, owner: FlaskClient, work: Work
) -> None:
    deposit = open_deposit(owner)
    page = f"/deposits/{deposit}/files"
    file = upload(owner, deposit, b"code;n\nX;1\nY;2\n")
    work()
    anew = {"form_at": page, "missing_codes": "X, Z"}
    steward.submit(f"{page}/{file}/reading", **anew)
    work()
    assert ok(owner.get(f"/api/v1/files/{file}/rows"))["rows"] == [[None, 1], ["Y", 2]]
    wrong = steward.submit(f"{page}/{file}/reading", form_at=page, delimiter="ab")
    assert "one character" in followed(steward, wrong).text
    steward.client.post(
        page,
        data={
            "csrf_token": steward.csrf(page),
            "role": "documentation",
            "file": file_of(b"# Protocol\n", "protocol.md"),
        },
    )
    assert "protocol.md" in steward.get(page).text
    removed = steward.submit(f"{page}/{file}/removal", form_at=page)
    assert "The file was removed" in followed(steward, removed).text
    assert len(ok(owner.get(f"/api/v1/deposits/{deposit}"))["files"]) == 1


def test_steps_that_need_a_table_say_so(steward: Browser, owner: FlaskClient) -> None:
    deposit = open_deposit(owner)
    for step in ("columns", "risk", "anonymise"):
        assert "This step needs a table" in steward.get(f"/deposits/{deposit}/{step}").text
        sent = steward.submit(f"/deposits/{deposit}/{step}", form_at=f"/deposits/{deposit}/files")
        assert sent.status_code == 409


def test_suggestions_are_accepted_in_one_go(
    steward: Browser, owner: FlaskClient, work: Work
) -> None:
    deposit = open_deposit(owner)
    file = upload(owner, deposit, cohort())
    work()
    page = f"/deposits/{deposit}/columns"
    assert "6 columns have no role yet" in steward.get(page).text
    assert "The columns have no roles yet" in steward.get(f"/deposits/{deposit}/risk").text
    age = columns_of(owner, file).index("age")
    saved = steward.submit(page, action="accept", **{f"unit-{age}": "years"})
    assert "no role yet" not in followed(steward, saved).text
    columns = {
        column["name"]: column for column in ok(owner.get(f"/api/v1/files/{file}/table"))["columns"]
    }
    assert columns["subject_id"]["role"] == "direct_identifier"
    assert columns["age"]["unit"] == "years"
    assert "unassigned" not in {column["role"] for column in columns.values()}


def test_a_wrong_column_field_keeps_the_others(
    steward: Browser, owner: FlaskClient, work: Work
) -> None:
    deposit = open_deposit(owner)
    upload(owner, deposit, harmless())
    work()
    fields = {"unit-0": "x" * 101, "description-1": "Which arm"}
    refused = steward.submit(f"/deposits/{deposit}/columns", action="save", **fields)
    assert refused.status_code == 422
    assert "at most 100 characters" in refused.text
    assert "Which arm" in refused.text


def test_the_table_can_be_measured_again(steward: Browser, owner: FlaskClient, work: Work) -> None:
    deposit, _ = screened(owner, work, harmless(), HARMLESS_ROLES)
    page = f"/deposits/{deposit}/risk"
    assert "This table may be published openly" in steward.get(page).text
    again = steward.submit(page, form_at=f"/deposits/{deposit}/review")
    assert 'data-state="queued"' in followed(steward, again).text


def test_a_release_is_made_shown_and_discarded(
    steward: Browser, owner: FlaskClient, work: Work
) -> None:
    deposit, file = screened(owner, work, cohort(), ROLES)
    ok(owner.post(f"/api/v1/files/{file}/release", json=RECIPE), 202)
    work()
    page = f"/deposits/{deposit}/anonymise"
    shown = steward.get(page).text
    assert "Before and after" in shown
    assert 'value="20"' in shown
    assert "Measured on the anonymised release" in steward.get(f"/deposits/{deposit}/risk").text
    discarded = steward.submit(page, action="revert")
    assert "The release was discarded" in followed(steward, discarded).text
    assert "Before and after" not in steward.get(page).text


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"action-1": "intervals", "width-1": "wide"}, "Write a number"),
        ({"action-1": "intervals", "width-1": "-5"}, "width"),
    ],
)
def test_a_recipe_that_cannot_be_applied_is_explained(
    fields: dict[str, str], message: str, steward: Browser, owner: FlaskClient, work: Work
) -> None:
    deposit, _ = screened(owner, work, cohort(), ROLES)
    refused = steward.submit(f"/deposits/{deposit}/anonymise", action="apply", **fields)
    assert refused.status_code == 422
    assert message in refused.text
    assert fields["width-1"] in refused.text


def test_wide_tables_come_in_pages_and_recipes_show_what_matters(
    steward: Browser, owner: FlaskClient, work: Work
) -> None:
    names = ["id", "age", *(f"taxon_{n}" for n in range(70))]
    rows = [",".join([f"s{row}", str(20 + row), *["1"] * 70]) for row in range(20)]
    deposit = open_deposit(owner)
    file = upload(owner, deposit, "\n".join([",".join(names), *rows]).encode())
    work()
    roles = dict.fromkeys(names, "insensitive") | {"age": "quasi_identifier"}
    set_roles(owner, file, roles)
    work()
    first = steward.get(f"/deposits/{deposit}/columns").text
    assert 'name="role-49"' in first
    assert 'name="role-50"' not in first
    assert 'name="role-71"' in steward.get(f"/deposits/{deposit}/columns?page=2").text
    recipe = steward.get(f"/deposits/{deposit}/anonymise").text
    assert re.findall(r'name="(action-\d+)"', recipe) == ["action-1"]
    assert "71 insensitive columns are kept" in recipe


def test_what_is_missing_is_listed_and_led_to(
    steward: Browser, owner: FlaskClient, work: Work
) -> None:
    deposit, _ = screened(owner, work, cohort(), ROLES)
    page = f"/deposits/{deposit}/review"
    shown = steward.get(page).text
    assert "points are open" in shown
    assert f'href="/deposits/{deposit}/risk"' in shown
    assert ">Publish</button>" not in shown
    refused = steward.submit(f"/deposits/{deposit}/publication", form_at=page)
    assert "cannot be published yet" in followed(steward, refused).text


def test_a_published_deposit_leads_to_its_page(
    steward: Browser, owner: FlaskClient, work: Work
) -> None:
    deposit, _ = screened(owner, work, harmless(), HARMLESS_ROLES)
    ok(owner.post(f"/api/v1/deposits/{deposit}/publication"), 201)
    for step in ("files", "columns", "risk", "anonymise", "describe", "review"):
        assert "Cite as" in followed(steward, steward.get(f"/deposits/{deposit}/{step}")).text


def test_a_draft_is_discarded(steward: Browser, owner: FlaskClient) -> None:
    deposit = open_deposit(owner)
    page = f"/deposits/{deposit}/discard"
    gone = steward.submit(page, form_at=f"/deposits/{deposit}/review")
    assert "The draft was discarded" in followed(steward, gone).text
    assert steward.get(f"/deposits/{deposit}/files").status_code == 404


def test_pages_promise_only_what_is_so(steward: Browser, owner: FlaskClient) -> None:
    assert "only you and the curators see the draft" in steward.get("/deposits/new").text
    base = f"/deposits/{open_deposit(owner)}"
    assert "will be erased within a day" in steward.get(f"{base}/review").text
    offered = steward.get(f"{base}/files").text
    assert ".xlsx" in offered
    assert ".xls," not in offered
    assert ".ods" not in offered


def test_the_next_version_starts_from_the_last(
    steward: Browser, owner: FlaskClient, work: Work
) -> None:
    dataset, _ = published(owner, work, harmless(), HARMLESS_ROLES)
    opened = steward.submit(f"/datasets/{dataset}/versions", form_at=f"/datasets/{dataset}")
    page = followed(steward, opened)
    assert "This is the draft of version 2" in page.text
    assert "people.csv" in page.text
    again = steward.submit(f"/datasets/{dataset}/versions", form_at=f"/datasets/{dataset}")
    assert again.status_code == 409


def test_drafts_are_listed(steward: Browser, owner: FlaskClient) -> None:
    assert "Nothing in work" in steward.get("/deposits").text
    open_deposit(owner)
    assert TITLE in steward.get("/deposits").text


def test_who_is_not_signed_in_is_sent_to_do_so(browser: Browser) -> None:
    for path in ("/deposits", "/deposits/new"):
        answer = browser.get(path)
        assert answer.status_code == 303
        assert "/sign-in?next=" in answer.headers["Location"]


def test_somebody_else_s_draft_is_not_there(
    browser: Browser, stranger: FlaskClient, owner: FlaskClient
) -> None:
    deposit = open_deposit(owner)
    for step in ("files", "columns", "risk", "anonymise", "describe", "review"):
        assert "/sign-in?next=" in browser.get(f"/deposits/{deposit}/{step}").headers["Location"]
        assert stranger.get(f"/deposits/{deposit}/{step}").status_code == 404
