"""The data explorer: its address is the query."""

import re

import pytest
from flask.testing import FlaskClient

from fairdatabase.authorization.schemas import Role
from tests.factories.accounts import ClientAs
from tests.factories.cohorts import HARMLESS_ROLES, harmless
from tests.factories.deposits import Work, open_deposit, published, upload
from tests.factories.web import Browser

CELL = re.compile(r"<td(?: class=\"is-num\")?>([^<]*)</td>")


@pytest.fixture
def owner(client_as: ClientAs) -> FlaskClient:
    return client_as(Role.MEMBER)


@pytest.fixture
def page(owner: FlaskClient, work: Work) -> str:
    """Address of a published table of 200 rows: sex, arm, score."""
    _, file = published(owner, work, harmless(), HARMLESS_ROLES)
    return f"/files/{file}"


def rows(text: str, width: int) -> list[tuple[str, ...]]:
    """Return the cells of the table on a page."""
    cells = CELL.findall(text)
    return [tuple(cells[start : start + width]) for start in range(0, len(cells), width)]


def test_everybody_sees_the_first_rows(browser: Browser, page: str) -> None:
    shown = browser.get(page)
    assert shown.status_code == 200
    assert "200 rows \u00d7 3 columns" in shown.text
    assert rows(shown.text, 3)[:2] == [("female", "a", "0"), ("male", "a", "1")]
    assert len(rows(shown.text, 3)) == 50


def test_filters_sort_and_columns_are_in_the_address(browser: Browser, page: str) -> None:
    shown = browser.get(
        f"{page}?column=sex&op=eq&value=female&column=score&op=ge&value=5&column=&op=eq&value="
        "&show=arm&show=score&sort=score&descending=yes&limit=25"
    ).text
    found = rows(shown, 2)
    assert len(found) == 25
    assert [score for _, score in found] == sorted((s for _, s in found), reverse=True)
    assert {score for _, score in found} == {"5", "6"}
    assert 'aria-sort="descending"' in shown
    assert '<option value="ge" selected>' in shown
    exported = re.search(r'href="([^"]*export[^"]*format=csv[^"]*)"', shown)
    assert exported
    lines = browser.get(exported[1].replace("&amp;", "&")).text.split()
    assert lines[0] == "arm,score"
    assert len(lines) - 1 == len([n for n in range(200) if n % 2 == 0 and n % 7 >= 5])


def test_a_filter_may_ask_for_what_is_missing(browser: Browser, page: str) -> None:
    assert "No row fits these filters" in browser.get(f"{page}?column=arm&op=is_null&value=").text


def test_pages_follow_each_other(browser: Browser, page: str) -> None:
    first = browser.get(f"{page}?limit=25&sort=score").text
    address = re.search(r'href="([^"]*)" hx-get="[^"]*" rel="next"', first)
    assert address
    second = browser.get(address[1].replace("&amp;", "&")).text
    assert "Rows 26 to 50" in second
    assert "First rows" in second
    assert "sort=score" in address[1]


def test_groups_are_summarised(browser: Browser, page: str) -> None:
    shown = browser.get(f"{page}?group_by=sex&function=count").text
    assert rows(shown, 2) == [("female", "100"), ("male", "100")]
    assert "2 groups" in shown


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("column=score&op=gt&value=old", "is no value of the column"),
        ("sort=weight", "There is no column"),
        ("limit=100000", "limit: Please enter at most 500."),
        ("group_by=sex&function=mean&measure=arm", "arm"),
    ],
)
def test_a_query_that_cannot_be_answered_is_explained_and_kept(
    browser: Browser, page: str, query: str, message: str
) -> None:
    shown = browser.get(f"{page}?{query}")
    assert shown.status_code == 422
    assert "This query cannot be answered" in shown.text
    assert message in shown.text


def test_wide_tables_show_their_first_columns_and_any_that_are_named(
    browser: Browser, owner: FlaskClient, work: Work
) -> None:
    names = [f"taxon_{n}" for n in range(70)]
    content = "\n".join([",".join(names), ",".join(map(str, range(70)))])
    deposit = open_deposit(owner)
    file = upload(owner, deposit, content.encode())
    work()
    authorised = {"Authorization": owner.environ_base["HTTP_AUTHORIZATION"]}
    shown = browser.get(f"/files/{file}", **authorised).text
    assert len(CELL.findall(shown)) == 40
    assert '<option value="taxon_69">' in shown
    named = browser.get(f"/files/{file}?columns=taxon_69,+taxon_3", **authorised).text
    assert CELL.findall(named) == ["69", "3"]


def test_restricted_rows_are_asked_for_by_signing_in(
    browser: Browser, owner: FlaskClient, work: Work
) -> None:
    _, file = published(owner, work, harmless(), HARMLESS_ROLES, access="restricted")
    answer = browser.get(f"/files/{file}")
    assert answer.status_code == 303
    assert "/sign-in" in answer.headers["Location"]


def test_unknown_files_are_not_there(browser: Browser) -> None:
    assert browser.get("/files/nothing").status_code == 404
