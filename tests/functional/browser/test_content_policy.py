"""Under the strict content policy every page still does what it is for, in a real browser."""

import csv
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.factories.cohorts import HARMLESS_ROLES, harmless
from tests.factories.depositor import Depositor
from tests.factories.serving import Server


def test_the_reader_of_the_api_shows_its_document(page: Page) -> None:
    page.goto("/api/docs")
    page.get_by_text("/api/v1/auth/login", exact=True).first.click()
    expect(page.get_by_role("button", name="Try it out")).to_be_visible()


def test_a_table_is_sorted_in_place(page: Page, depositor: Depositor) -> None:
    """A part of a fetched page is put into this one, by HTML of the one policy that may."""
    _, file = depositor.published(harmless(), HARMLESS_ROLES)
    page.goto(f"/files/{file}")
    page.evaluate("window.stayed = true")
    page.get_by_role("link", name="score").click()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("score")
    assert page.evaluate("window.stayed")
    assert "sort=score" in page.url


def test_what_is_saved_is_no_page_in_a_sandbox(
    page: Page, depositor: Depositor, tmp_path: Path
) -> None:
    dataset, file = depositor.published(harmless(), HARMLESS_ROLES)
    page.goto(f"/files/{file}")
    page.get_by_text("Export these rows").click()
    with page.expect_download() as exported:
        page.get_by_role("link", name="CSV").click()
    exported.value.save_as(tmp_path / "rows.csv")
    with (tmp_path / "rows.csv").open(newline="") as rows:
        assert len(list(csv.DictReader(rows))) == 200
    page.goto(f"/datasets/{dataset}")
    with page.expect_download() as original:
        page.get_by_role("link", name="Download people.csv").click()
    original.value.save_as(tmp_path / "people.csv")
    assert (tmp_path / "people.csv").read_bytes() == harmless()


def test_no_other_script_runs_and_no_other_policy_makes_html(
    chromium: Browser, server: Server
) -> None:
    page = chromium.new_page(base_url=server.url)
    page.goto("/about")
    ran = page.evaluate(
        """() => {
            window.ran = [];
            const attempt = (name, act) => { try { act(); } catch { /* refused */ } };
            attempt("inline", () => {
                const script = document.createElement("script");
                script.append("window.ran.push('inline')");
                document.body.append(script);
            });
            attempt("html", () => document.body.insertAdjacentHTML("beforeend", "<i id=made>"));
            attempt("policy", () => trustedTypes.createPolicy("other", { createHTML: (t) => t }));
            if (document.getElementById("made")) window.ran.push("html");
            return window.ran;
        }"""
    )
    assert ran == []
    page.close()
