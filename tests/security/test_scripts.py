"""Cross-site scripting, in a real browser: no text that a person writes becomes markup.

Every text field of the platform is filled with texts that try to be elements, handlers, links
that run and templates. Then every page is opened by the owner, an admin and a visitor. Nothing
may run, and no foreign element may be there for the content policy to hold back.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from fairdatabase.accounts.schemas.factors import PasskeyIn
from fairdatabase.authorization.schemas import Actor, Role
from fairdatabase.services import Services, build_services
from tests.factories import hostile
from tests.factories.accounts import PASSWORD, make_actor
from tests.factories.depositor import Depositor
from tests.factories.hostile import LINK, MARKUP, NAME
from tests.factories.passkeys import SoftPasskey
from tests.factories.serving import Server
from tests.functional.browser.conftest import CHROMIUM, FLAGS

OWNER, ADMIN = "owner@example.org", "admin@example.org"
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`);
});
"""
HARM = """() => ({
  pwned: window.pwned ?? null,
  marks: document.querySelectorAll("x-pwned, [onerror], [onload], [style], base").length,
  links: [...document.querySelectorAll("a, form, iframe, button")].filter((each) =>
    /^(javascript|data|vbscript):/i.test(
      each.href || each.action || each.src || each.formAction || "")).length,
  violations: window.violations,
})"""
HARMLESS: dict[str, Any] = {"pwned": None, "marks": 0, "links": 0, "violations": []}
FILL = """([text, number]) => {
  const form = [...document.forms].filter((each) => each.querySelector(
    "input:not([type=hidden]):not([type=checkbox]):not([type=radio]):not([type=file]), textarea")
  )[number];
  if (!form) return false;
  form.noValidate = true;
  for (const each of form.elements) {
    if (each.name === "csrf_token" || each.type === "hidden") continue;
    if (each.tagName === "TEXTAREA" || (each.tagName === "INPUT"
        && !["checkbox", "radio", "file", "submit", "button"].includes(each.type))) {
      if (["number", "date", "email", "password", "search", "url"].includes(each.type)) {
        each.type = "text";
      }
      each.value = text;
    }
  }
  form.removeAttribute("hx-get");
  setTimeout(() => form.requestSubmit(), 0);
  return true;
}"""


@dataclass
class Site:
    """A running instance full of hostile texts."""

    server: Server
    contexts: dict[str, BrowserContext]
    ids: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def page(self, who: str) -> Iterator[Page]:
        """Open a window of somebody."""
        page = self.contexts[who].new_page()
        yield page
        page.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(chromium: Browser, server: Server) -> Site:
    services = build_services(server.settings)
    for email, role in ((OWNER, Role.MEMBER), (ADMIN, Role.ADMIN)):
        actor = make_actor(services.accounts, role, name=f"Eve{MARKUP}", email=email)
        _add_passkey(services, actor)
    services.database.dispose()
    contexts = {
        who: chromium.new_context(base_url=server.url, user_agent=f"Browser {MARKUP}")
        for who in ("owner", "admin", "visitor", "api")
    }
    for context in contexts.values():
        context.add_init_script(WATCH)
        context.set_default_timeout(30_000)
    for who, email in (("owner", OWNER), ("admin", ADMIN)):
        page = contexts[who].new_page()
        page.goto("/sign-in")
        page.get_by_label("E-mail address").fill(email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Sign in").first.click()
        page.get_by_label("Account:").wait_for()
        page.close()
    made = Site(server, contexts)
    made.ids = _written(contexts["api"])
    return made


def _add_passkey(services: Services, actor: Actor) -> None:
    question = services.passkeys.begin(actor)
    credential = SoftPasskey(services.passkeys.site.origin).create(question.options)
    new = PasskeyIn(name=MARKUP, challenge=question.challenge, credential=credential)
    services.passkeys.add(actor, new)


def _written(context: BrowserContext) -> dict[str, str]:
    """Write into every field of the API, and return the ids of what came of it."""
    admin = _bearer(context, ADMIN)
    context.set_extra_http_headers(_bearer(context, OWNER))
    owner = Depositor(context.request)
    open_draft, file = _deposited(owner)
    published = owner.call("POST", f"deposits/{open_draft}/publication")
    risky, _ = _deposited(owner, rows=2)
    reason = {"reason": f"Because of {MARKUP}"}
    owner.call("POST", f"deposits/{risky}/override", data=reason, headers=admin)
    draft, raw = _deposited(owner)
    community = {"slug": "community", "name": NAME, "description": MARKUP}
    owner.call("POST", "communities", data=community, headers=admin)
    owner.call("PUT", f"deposits/{draft}/community", data={"community": "community"})
    token = {"name": NAME, "scopes": ["datasets:read"]}
    owner.call("POST", "tokens", data=token)
    steps = [{"op": "drop", "column": f"sex{MARKUP}"}]
    owner.call("POST", "recipes", data={"name": NAME, "recipe": {"version": 1, "steps": steps}})
    owner.call("PUT", f"deposits/{draft}/files/unreadable{quote(NAME)}.xlsx", **_bytes(b"PK\3\4"))
    dataset = published["dataset_public_id"]
    return {"dataset": dataset, "risky": risky, "file": file, "draft": draft, "raw": raw}


def _bearer(context: BrowserContext, email: str) -> dict[str, str]:
    known = {"email": email, "password": PASSWORD}
    signed_in = context.request.post("/api/v1/auth/login", data=known).json()["data"]
    return {"Authorization": f"Bearer {signed_in['access_token']}"}


def _bytes(content: bytes) -> dict[str, Any]:
    return {"data": content, "headers": {"Content-Type": "application/octet-stream"}}


def _deposited(owner: Depositor, *, rows: int = 200) -> tuple[str, str]:
    described = {"metadata": hostile.metadata(), "access": "open"}
    draft = owner.call("POST", "deposits", data=described)["version"]["public_id"]
    path = f"deposits/{draft}/files/{quote(NAME, safe='')}.csv"
    file = owner.call("PUT", path, **_bytes(hostile.table(rows)))["file"]["public_id"]
    owner.wait(draft)
    about = {"unit": NAME, "description": MARKUP, "ontology_term": MARKUP}
    edits = {name: {"role": role, **about} for name, role in hostile.ROLES.items()}
    owner.call("PATCH", f"files/{file}/columns", data={"columns": edits})
    owner.wait(draft)
    return draft, file


STEPS = ("files", "columns", "risk", "anonymise", "compare", "describe", "review")


def pages_of(site: Site) -> dict[str, tuple[str, ...]]:
    """Return every page that shows what people wrote, and who opens it."""
    ids = site.ids
    everybody, owner, admin = ("visitor", "owner", "admin"), ("owner",), ("admin",)
    return {
        "/": everybody,
        "/datasets": everybody,
        f"/datasets?q={quote(MARKUP)}": everybody,
        f"/datasets?subject={quote('gut' + MARKUP)}": everybody,
        f"/datasets/{ids['dataset']}": everybody,
        f"/datasets/{ids['risky']}": everybody,
        f"/files/{ids['file']}": everybody,
        f"/files/{ids['file']}?group_by={quote('sex' + MARKUP)}&function=count": everybody,
        f"/files/{ids['file']}?column={quote('sex' + MARKUP)}&op=eq&value={quote(MARKUP)}": owner,
        f"/files/{ids['raw']}": owner,
        **{f"/deposits/{ids['draft']}/{step}": ("owner", "admin") for step in STEPS},
        f"/deposits/{ids['draft']}/anonymise?suggest=1": owner,
        "/deposits": owner,
        "/deposits/new": owner,
        "/dashboard": ("owner", "admin"),
        "/account/security": owner,
        "/account/security/tokens/new": owner,
        "/account/security/passkeys/new": owner,
        "/account/security/authenticator": owner,
        "/account/data": owner,
        "/communities": everybody,
        **{f"/communities/community{page}": admin for page in ("", "/description", "/policy")},
        "/users": ("owner", "admin"),
        "/permissions": admin,
        f"/users?search={quote(MARKUP)}": admin,
        "/admin/audit": admin,
        f"/admin/audit?actor={quote(MARKUP)}&action={quote(MARKUP)}": admin,
        "/admin/invitations": admin,
        f"/sign-in?next=/{quote(MARKUP)}": ("visitor",),
        "/sign-in": ("visitor",),
        "/register": ("visitor",),
        "/forgotten": ("visitor",),
        "/verification": ("visitor",),
        "/about": everybody,
        "/privacy": ("visitor",),
        "/dev/mail": ("visitor",),
        f"/{quote(MARKUP)}": everybody,
        f"/datasets/{quote(MARKUP, safe='')}": ("visitor",),
        f"/problems/{quote(MARKUP, safe='')}": ("visitor",),
        f"/about#{MARKUP}": ("visitor",),
        "/api/docs": ("visitor",),
        f"/api/docs#{MARKUP}": ("visitor",),
        f"/api/docs?url={quote(LINK)}&configUrl={quote(LINK)}": ("visitor",),
    }


def test_nothing_that_is_stored_runs(site: Site) -> None:
    wrong = {}
    for who in ("owner", "admin", "visitor"):
        with site.page(who) as page:
            for path, visitors in pages_of(site).items():
                if who in visitors:
                    page.goto(path)
                    if (harm := page.evaluate(HARM)) != HARMLESS:
                        wrong[f"{who}: {path}"] = harm
    assert wrong == {}


def test_the_texts_are_there_as_texts(site: Site) -> None:
    """The control: what was written is shown, so something could have become markup."""
    shown = {
        f"/datasets/{site.ids['dataset']}": "owner",
        f"/files/{site.ids['file']}": "visitor",
        f"/deposits/{site.ids['draft']}/columns": "owner",
        "/account/security": "owner",
        "/users": "admin",
    }
    for path, who in shown.items():
        with site.page(who) as page:
            page.goto(path)
            assert "<x-pwned>" in page.inner_text("main"), path
    with site.page("owner") as page:
        page.goto("/account/security")
        assert "<x-pwned>" in page.inner_text("section[aria-labelledby=passkeys] th[scope=row]")
        page.goto(f"/datasets/{site.ids['risky']}")
        assert f"Because of {MARKUP}" in page.inner_text("main")


FORMS = {
    "owner": ("/deposits/new", "{draft}/describe", "{draft}/columns", "{draft}/files",
              "{draft}/anonymise", "/files/{file}", "/account/security",
              "/account/security/tokens/new", "/account/security/authenticator"),
    "admin": ("/users", "/admin/audit", "/admin/invitations"),
    "visitor": ("/", "/datasets", "/sign-in", "/register", "/forgotten", "/verification"),
}  # fmt: skip


def test_nothing_that_a_form_takes_runs(site: Site) -> None:
    """Every form with text fields is filled and sent; most come back with what was typed."""
    wrong, sent = {}, 0
    for who, pattern in [(who, path) for who, paths in FORMS.items() for path in paths]:
        path = pattern.replace("{draft}", f"/deposits/{site.ids['draft']}")
        path = path.replace("{file}", site.ids["file"])
        for number in range(5):
            with site.page(who) as page:
                page.goto(path)
                if not _has(page, number):
                    break
                with page.expect_navigation(wait_until="load"):
                    page.evaluate(FILL, [MARKUP, number])
                sent += 1
                if (harm := settled(page)) != HARMLESS:
                    wrong[f"{who}: form {number} of {path}"] = harm
    assert wrong == {}
    assert sent >= 15


def settled(page: Page) -> Any:  # noqa: ANN401 - JSON
    """Return the harm on a page that may load itself anew when a job ends."""
    for _ in range(5):
        try:
            return page.evaluate(HARM)
        except PlaywrightError:
            page.wait_for_load_state()
    return "the page never came to rest"


def _has(page: Page, number: int) -> bool:
    """Tell whether a page has so many forms with text fields."""
    counted = FILL.partition("if (!form)")[0] + "return Boolean(form); }"
    return bool(page.evaluate(counted, ["", number]))


PARAMETERS = (
    "q", "access", "subject", "year", "sort", "page", "per_page", "search", "file", "suggest",
    "columns", "show", "column", "op", "value", "limit", "cursor", "kind", "group_by", "function",
    "measure", "descending", "first", "next", "again", "format", "actor", "action", "since",
    "until", "before", "v", "version", "error", "message", "lang", "callback", "provider",
)  # fmt: skip


def test_no_parameter_of_an_address_runs(site: Site) -> None:
    wrong = {}
    every = urlencode(dict.fromkeys(PARAMETERS, MARKUP))
    for who in ("owner", "visitor"):
        with site.page(who) as page:
            for path, visitors in pages_of(site).items():
                bare = re.split(r"[?#]", path)[0]
                if who == visitors[0] and bare == path:
                    page.goto(f"{path}?{every}#{MARKUP}")
                    if (harm := page.evaluate(HARM)) != HARMLESS:
                        wrong[f"{who}: {path}"] = harm
    assert wrong == {}


def test_what_the_browser_itself_keeps_does_not_run(site: Site) -> None:
    """The script of the theme reads what is stored; others read the window's name and messages."""
    with site.page("visitor") as page:
        page.goto("/about")
        page.evaluate(
            "text => { localStorage.setItem('theme', text); window.name = text; }", MARKUP
        )
        page.goto("/about")
        page.evaluate("text => window.postMessage(text, '*')", MARKUP)
        assert page.evaluate(HARM) == HARMLESS
        page.evaluate("localStorage.clear()")


def test_a_document_of_the_api_is_no_page(site: Site) -> None:
    with site.page("visitor") as page:
        for path in (f"/api/v1/datasets?q={quote(MARKUP)}", f"/api/v1/{quote(MARKUP)}",
                     f"/api/v1/datasets/{site.ids['dataset']}"):  # fmt: skip
            page.goto(path)
            assert page.evaluate("window.pwned ?? null") is None
            assert page.evaluate("document.querySelectorAll('x-pwned').length") == 0


def test_the_browser_runs_what_is_let_through(site: Site) -> None:
    """The control: the same text in a page of nobody runs, and one held back is noticed."""
    with site.page("visitor") as page:
        page.set_content(f"<html><body>{MARKUP}</body></html>")
        page.wait_for_function("window.pwned === 1")
        page.goto("/about")
        page.route("**/privacy", lambda route: _spoilt(page, route))
        page.goto("/privacy")
        page.wait_for_function("window.violations.length > 0")
        harm = page.evaluate(HARM)
        assert harm["pwned"] is None
        assert harm["marks"] > 0
        assert "script-src" in harm["violations"][0]


def _spoilt(page: Page, route: Any) -> None:  # noqa: ANN401 - a route of Playwright
    """Answer with a page of ours in which a text became markup."""
    answer = page.context.request.get(route.request.url)
    body = answer.text().replace("</main>", f"{MARKUP}</main>")
    route.fulfill(response=answer, body=body)
