"""The whole way of a table by clicking: deposit, screen, anonymise, publish, find, download."""

import csv
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.factories.cohorts import ROLES, cohort

TITLE = "Gut health of 400 people who do not exist"
PASSWORD = "a long walk by the sea"
ROLE_NAMES = {
    "direct_identifier": "Direct identifier",
    "quasi_identifier": "Quasi-identifier",
    "sensitive": "Sensitive",
    "insensitive": "Insensitive",
}


def register_and_sign_in(page: Page) -> None:
    page.goto("/register")
    page.get_by_label("Name", exact=True).fill("Mary Anning")
    page.get_by_label("E-mail address").fill("mary@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_text("We have sent you a letter.")).to_be_visible()
    page.get_by_label("E-mail address").fill("mary@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.get_by_label("Account: Mary Anning").wait_for()


def deposit_file(page: Page, file: Path) -> None:
    page.goto("/deposits/new")
    page.get_by_label("Title").fill(TITLE)
    page.get_by_role("button", name="Create the draft").click()
    page.locator("input[type=file]").first.set_input_files(file)
    expect(page.get_by_text("All 400 rows were read")).to_be_visible()


def test_a_steward_takes_a_table_the_whole_way(page: Page, tmp_path: Path) -> None:
    table = tmp_path / "people.csv"
    table.write_bytes(cohort())
    register_and_sign_in(page)
    deposit_file(page, table)

    page.get_by_role("link", name="Continue to columns").click()
    for column, role in ROLES.items():
        page.get_by_label(f"Role of {column}", exact=True).select_option(label=ROLE_NAMES[role])
    page.get_by_role("button", name="Save and check privacy").click()
    expect(page.get_by_role("heading", name="may not be published openly as it is")).to_be_visible()

    page.get_by_role("link", name="Anonymise the table").click()
    page.get_by_role("link", name="Suggest a recipe").click()
    page.get_by_role("button", name="Apply the recipe").click()
    expect(page.get_by_role("link", name="Continue to description")).to_be_visible()
    page.get_by_role("link", name="Continue to description").click()

    page.get_by_label("Description", exact=True).fill("Invented people with invented guts.")
    page.get_by_label("Name", exact=True).first.fill("Anning, Mary")
    page.get_by_label("ORCID iD").first.fill("0000-0002-1825-0097")
    page.get_by_label("Subjects").fill("gut microbiome, fossils")
    page.get_by_label("Licence").select_option("CC-BY-4.0")
    page.get_by_role("button", name="Save and review").click()
    page.get_by_role("button", name="Publish").click()

    expect(page.get_by_role("heading", name=TITLE)).to_be_visible()
    identifier = page.get_by_text(re.compile(r"ark:/99999/\w{11}")).first
    expect(identifier).to_be_visible()

    page.goto("/")
    page.get_by_role("searchbox").fill("fossils")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name=TITLE).click()
    page.get_by_role("link", name=re.compile("Explore")).first.click()
    expect(page.get_by_role("columnheader", name=re.compile("diagnosis"))).to_be_visible()

    page.get_by_text("Export these rows").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    saved = tmp_path / "saved.csv"
    download.value.save_as(saved)
    with saved.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert not any(row["subject_id"].startswith("S0") for row in rows)
    assert all(row["age"].startswith("[") for row in rows)
    assert 300 < len(rows) <= 400
