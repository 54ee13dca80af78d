"""The levels of a column, by clicking: edited with a live preview, grouped, kept, used."""

from playwright.sync_api import Page, expect

from tests.factories.cohorts import ROLES, cohort
from tests.factories.depositor import Depositor, sign_in


def test_levels_are_edited_while_the_risk_is_told(page: Page, depositor: Depositor) -> None:
    deposit, _ = depositor.screened(cohort(), ROLES)
    sign_in(page)
    page.goto(f"/deposits/{deposit}/anonymise")
    page.get_by_role("link", name="Levels of age").click()
    second = page.locator('[data-level="2"]')
    risk = second.locator('[data-figure="share"]')
    expect(risk).to_have_text("40 (10\u00a0%)")
    page.get_by_label("Width of the intervals of age on level 3").fill("60")
    page.get_by_label("Width of the intervals of age on level 2").fill("30")
    expect(risk).to_contain_text("0 (0\u00a0%)")
    expect(page.locator("[data-tree]")).to_contain_text("[30, 60)")
    second.get_by_role("radio").check()
    expect(page.locator("#preview")).to_contain_text("subject_id")
    expect(page.locator('#preview [data-preview="rows_at_risk"]')).to_have_text("0")
    page.get_by_role("button", name="Keep the levels").click()
    expect(page.get_by_label("Width of the intervals of age")).to_have_value("30")

    page.get_by_role("link", name="Levels of region").click()
    page.get_by_role("button", name="Add a coarser level").click()
    for name in ("Drenthe", "Friesland", "Groningen"):
        page.get_by_label(f"Group of {name} on level 1").fill("north")
    expect(page.locator('[data-level="1"] [data-figure="distinct"]')).to_have_text("2")
    page.locator('[data-level="1"]').get_by_role("radio").check()
    page.get_by_role("button", name="Keep the levels").click()
    expect(page.get_by_label("New values of region")).to_have_value(
        "Drenthe = north\nFriesland = north\nGroningen = north\nUtrecht = Utrecht"
    )
