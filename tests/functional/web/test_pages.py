"""Home, about, dashboard and error pages."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from fairdatabase.authorization.schemas import Actor, Resource, Role
from tests.factories.accounts import ClientAs
from tests.factories.cohorts import HARMLESS_ROLES, METADATA, harmless
from tests.factories.deposits import Work, open_deposit, published
from tests.factories.web import Browser

TITLE = str(METADATA["title"])


@pytest.fixture
def owner(client_as: ClientAs) -> FlaskClient:
    return client_as(Role.MEMBER)


def test_an_empty_home_says_what_would_stand_there(browser: Browser) -> None:
    page = browser.get("/").text
    assert "No dataset is published yet" in page
    assert "Deposit the first dataset" in page


def test_home_shows_the_latest_datasets(browser: Browser, owner: FlaskClient, work: Work) -> None:
    published(owner, work, harmless(), HARMLESS_ROLES)
    page = browser.get("/").text
    assert TITLE in page
    assert "Open to everybody" in page
    assert "gut microbiome" in page


def test_every_link_of_the_frame_leads_somewhere(browser: Browser, admin: Actor) -> None:
    browser.sign_in(admin)
    links = set(re.findall(r'(?:href|src)="(/[^"#]*)', browser.get("/").text))
    assert len(links) > 10
    for link in links:
        with browser.get(link) as answer:
            assert answer.status_code == 200, link


def test_the_measures_are_explained(browser: Browser) -> None:
    page = browser.get("/about").text
    for anchor in ("roles", "k", "l", "t", "p29"):
        assert f'id="{anchor}"' in page


def test_who_may_do_what_is_a_page(browser: Browser, curator: Actor) -> None:
    assert "You</span>" not in browser.get("/permissions").text
    browser.sign_in(curator)
    assert 'href="/permissions"' in browser.get("/account/security").text
    page = browser.get("/permissions").text
    assert "Your role is curator" in page
    assert page.count("You</span>") == len(Resource)


def test_a_member_s_dashboard(browser: Browser, owner: FlaskClient, member: Actor) -> None:
    browser.sign_in(member)
    assert "Nothing deposited yet" in browser.get("/dashboard").text
    open_deposit(owner)
    page = browser.get("/dashboard").text
    assert TITLE in page
    assert "Users by role" not in page


def test_who_runs_the_platform_sees_its_users(browser: Browser, admin: Actor) -> None:
    browser.sign_in(admin)
    page = browser.get("/dashboard").text
    assert "Users by role" in page
    assert 'href="/users"' in page


def test_the_dashboard_needs_an_account(browser: Browser) -> None:
    assert browser.get("/dashboard").status_code == 303


def test_an_error_page_says_what_to_do(browser: Browser) -> None:
    answer = browser.get("/nothing-here")
    assert answer.status_code == 404
    assert "There is no page at this address" in answer.text
    assert "Search the datasets" in answer.text
    assert answer.headers["X-Request-ID"] in answer.text


def test_our_own_words_are_not_replaced(browser: Browser) -> None:
    answer = browser.get("/datasets/zzzzzzzzzzz")
    assert answer.status_code == 404
    assert "check character" in answer.text


def test_a_failure_of_ours_is_a_page_as_well(app: Flask, browser: Browser) -> None:
    def broken() -> str:
        raise RuntimeError

    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.view_functions["web.about"] = broken
    answer = browser.get("/about")
    assert answer.status_code == 500
    assert "Nothing half-done was kept" in answer.text


def test_programs_are_answered_in_json(client: FlaskClient) -> None:
    answer = client.get("/nothing-here", headers={"Accept": "application/problem+json"})
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"
