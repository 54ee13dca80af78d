"""The automatic way, by clicking: search, choose, edit with a live preview, apply, compare."""

import re

from playwright.sync_api import Page, expect

from tests.factories.cohorts import ROLES, cohort
from tests.factories.depositor import Depositor, sign_in


def test_a_recipe_is_found_changed_and_compared(page: Page, depositor: Depositor) -> None:
    deposit, _ = depositor.screened(cohort(), ROLES)
    sign_in(page)
    page.goto(f"/deposits/{deposit}/anonymise")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile("to choose from"))).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("Recipe 1: average risk"))).to_be_visible()
    page.get_by_role("row", name=re.compile("least detail lost")).get_by_role("button").click()
    expect(page.get_by_text("The release would hold the policy.")).to_be_visible()

    box = page.locator("#preview")
    page.get_by_label("What happens to sex").select_option("keep")
    page.get_by_label("What happens to region").select_option("keep")
    page.get_by_label("Leave out rows in groups smaller than").fill("")
    page.get_by_label("What happens to age").select_option("intervals")
    page.get_by_label("Width of the intervals of age").fill("2")
    expect(box).to_have_attribute("data-state", "bad")
    expect(box).to_contain_text("would not hold the policy yet")
    page.get_by_label("Width of the intervals of age").fill("50")
    page.get_by_label("What happens to region").select_option("drop")
    page.get_by_label("Leave out rows in groups smaller than").fill("5")
    expect(box).to_have_attribute("data-state", "ok")

    page.get_by_role("button", name="Apply the recipe").last.click()
    expect(page.get_by_role("heading", name="The release holds the policy")).to_be_visible()
    expect(page.get_by_role("heading", name="What the columns can still tell")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Report as PDF").click()
    assert download.value.suggested_filename == "people.privacy-report.pdf"

    page.get_by_role("link", name="Change the recipe").click()
    expect(page.get_by_label("Width of the intervals of age")).to_have_value("50")
    page.goto(f"/deposits/{deposit}/compare")
    page.get_by_role("link", name="Continue to description").click()
    expect(page.get_by_role("heading", name="Description")).to_be_visible()
