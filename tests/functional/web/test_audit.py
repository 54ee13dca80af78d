"""The page of the audit log."""

from collections.abc import Callable

import pytest
from sqlalchemy import text

from fairdatabase.authorization.schemas import Actor
from fairdatabase.kernel.database import Database
from tests.factories.web import Browser


@pytest.fixture
def admins(new_browser: Callable[[], Browser], admin: Actor) -> Browser:
    browser = new_browser()
    browser.sign_in(admin)
    return browser


def test_the_page_shows_acts_in_words(admins: Browser, admin: Actor) -> None:
    page = admins.get("/admin/audit").text
    assert "Signed in" in page
    assert "user.signed-in" in page
    assert admin.public_id in page
    assert "The newest events hold" in page


def test_the_filters_are_kept(admins: Browser, admin: Actor, member: Actor) -> None:
    address = f"/admin/audit?actor=&action=user.&subject={member.public_id}&first_day=2026-01-01"
    page = admins.get(f"{address}&last_day=2999-01-01&utm_source=letter").text
    assert f'value="{member.public_id}"' in page
    assert "Made an account" in page
    assert "Signed in" not in page
    assert "/admin/audit/export/csv?" in page


def test_no_match_and_a_wrong_day_are_explained(admins: Browser) -> None:
    assert "No such event" in admins.get("/admin/audit?subject=nothing").text
    answer = admins.get("/admin/audit?first_day=yesterday")
    assert answer.status_code == 422
    assert "needs your attention" in answer.text


def test_pages_go_back(admins: Browser, admin: Actor) -> None:
    for _ in range(51):
        admins.submit("/sign-out", form_at="/")
        admins.sign_in(admin)
    page = admins.get("/admin/audit?action=user.").text
    assert "Older events" in page
    assert "before=" in page


def test_exports_are_files(admins: Browser) -> None:
    for suffix, mimetype in (("csv", "text/csv"), ("jsonl", "application/jsonl")):
        answer = admins.get(f"/admin/audit/export/{suffix}?action=user.")
        assert answer.mimetype == mimetype
        assert "user.created" in answer.text
        assert "audit.exported" not in answer.text


def test_a_broken_chain_is_said(admins: Browser, database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("UPDATE audit_heads SET sequence = sequence + 1"))
    assert "The chain is broken" in admins.get("/admin/audit").text
    with database.transaction() as session:
        session.execute(text("UPDATE audit_heads SET sequence = sequence - 1"))


def test_the_page_is_for_admins(new_browser: Callable[[], Browser], member: Actor) -> None:
    browser = new_browser()
    assert browser.get("/admin/audit").status_code == 303
    browser.sign_in(member)
    assert browser.get("/admin/audit").status_code == 403
    assert "Audit log" not in browser.get("/").text
