"""Every page can be used by everybody: WCAG 2.2 AA as far as axe can tell, and on a phone."""

from time import sleep
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize
from sqlalchemy import select

from fairdatabase.accounts.models import User, UserRole
from fairdatabase.authorization.schemas import Role
from fairdatabase.kernel.database import Database
from tests.factories.cohorts import HARMLESS_ROLES, METADATA, RECIPE, ROLES, cohort, harmless
from tests.factories.depositor import PERSON, Depositor, sign_in
from tests.factories.serving import Server

STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCHEMES: dict[Literal["light", "dark"], list[str]] = {
    "light": STANDARDS,
    "dark": ["color-contrast"],  # the rest is the same page
}
PHONE: ViewportSize = {"width": 360, "height": 740}
DESK: ViewportSize = {"width": 1280, "height": 900}
PUBLIC = (
    "/",
    "/about",
    "/permissions",
    "/communities",
    "/knowledge",
    "/datasets?q=gut",
    "/sign-in",
    "/register",
    "/forgotten",
    "/verification",
    "/dev/mail",
)
STEPS = ("files", "columns", "risk", "anonymise", "compare", "describe", "review")


def problems(page: Page) -> list[str]:
    """Return what stands in somebody's way on a page, in light and dark."""
    found = []
    for scheme, rules in SCHEMES.items():
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        results = Axe().run(page, options={"runOnly": rules, "resultTypes": ["violations"]})
        found += [
            f"{scheme}: {violation['id']} at {node['target']}"
            for violation in results.response["violations"]
            for node in violation["nodes"]
        ]
    page.set_viewport_size(PHONE)
    width = page.evaluate("document.documentElement.scrollWidth")
    page.set_viewport_size(DESK)
    return [*found, *([f"{width} px wide on a phone"] if width > PHONE["width"] else [])]


def test_no_page_stands_in_anybody_s_way(page: Page, depositor: Depositor) -> None:
    refused, file = depositor.screened(cohort(), ROLES)
    passed, _ = depositor.screened(harmless(), HARMLESS_ROLES)
    dataset = depositor.call("POST", f"deposits/{passed}/publication")["dataset_public_id"]
    released, third = depositor.screened(cohort(), ROLES)
    depositor.call("POST", f"files/{third}/recipe-search", data={})
    depositor.wait(released)
    depositor.call("POST", f"files/{third}/release", data=RECIPE)
    depositor.wait(released)
    pages = {
        f"/datasets/{dataset}": "Cite as",
        f"/files/{file}?column=sex&op=eq&value=male": "Rows",
        "/datasets?q=nothing": "Nothing matches",
        "/dashboard": "",
        "/deposits": "",
        "/deposits/new": "",
        f"/deposits/{released}/anonymise": "to choose from",
        f"/deposits/{refused}/hierarchy?column=region": "Values and their labels",
        f"/deposits/{released}/compare": "What the columns can still tell",
        f"/deposits/{refused}/risk/groups?smaller_than=3": "groups",
        f"/deposits/{refused}/risk/models?sampled=0.1": "Individual risk",
        **{f"/deposits/{refused}/{step}": "" for step in STEPS},
    }
    found: dict[str, list[str]] = {}
    for path in PUBLIC:
        page.goto(path)
        found[path] = problems(page)
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(PERSON["email"])
    page.get_by_label("Password").fill(PERSON["password"])
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.get_by_label("Account: Mary Anning").wait_for()
    for path, text in pages.items():
        page.goto(path)
        assert text in page.inner_text("main")
        found[path] = problems(page)
    assert {path: each for path, each in found.items() if each} == {}


def test_the_knowledge_base_answers_while_one_types_and_stands_in_nobody_s_way(
    page: Page, depositor: Depositor, server: Server
) -> None:
    database = Database(server.settings.sqlalchemy_url)
    with database.transaction() as session:
        session.add(UserRole(user_id=session.scalars(select(User.id)).first(), role=Role.CURATOR))
    database.dispose()
    for location in ("installed:segno", "installed:nothing-of-this-name"):
        added = {"location": location}
        job = depositor.call("POST", "knowledge/sources", data=added)["public_id"]
        while depositor.call("GET", f"jobs/{job}")["finished_at"] is None:
            sleep(0.2)
    depositor.call("GET", "knowledge/search?q=bake+a+sourdough")
    sign_in(page)
    page.goto("/knowledge")
    page.get_by_label("Search the knowledge base").press_sequentially("micro qr code")
    page.get_by_text("Compared by words alone").wait_for()
    first = page.locator("#found h2 a").first.get_attribute("href")
    assert first
    # A question that is still being typed is no gap.
    assert [gap["times"] for gap in depositor.call("GET", "knowledge/gaps")] == [1]
    paths = ("/knowledge?q=micro+qr+code", "/knowledge?q=save+png&kind=code", first,
             "/knowledge/sources", "/knowledge/sources/segno-api", "/knowledge/gaps")  # fmt: skip
    found: dict[str, list[str]] = {}
    for path in paths:
        page.goto(path)
        found[path] = problems(page)
    assert {path: each for path, each in found.items() if each} == {}


def test_the_theme_is_a_choice_that_stays(page: Page) -> None:
    page.emulate_media(color_scheme="light")
    page.goto("/")
    page.get_by_role("button", name="Switch between light and dark").click()
    page.goto("/about")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(14, 20, 24)"


def test_menus_and_dialogs_obey_the_keyboard(page: Page, depositor: Depositor) -> None:
    opened = depositor.call("POST", "deposits", data={"metadata": METADATA, "access": "open"})
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(PERSON["email"])
    page.get_by_label("Password").fill(PERSON["password"])
    page.keyboard.press("Enter")
    account = page.get_by_label("Account: Mary Anning")
    account.wait_for()
    page.wait_for_load_state()  # the menu opens without the script that closes it
    account.press("Enter")
    page.get_by_role("button", name="Sign out").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Sign out").wait_for(state="hidden")

    page.goto(f"/deposits/{opened['version']['public_id']}/review")
    discard = page.get_by_role("button", name="Discard the draft")
    discard.press("Enter")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="hidden")
    assert page.url.endswith("/review")
    discard.press("Enter")
    page.get_by_role("button", name="Discard for good").press("Enter")
    page.get_by_text("The draft was discarded.").wait_for()
