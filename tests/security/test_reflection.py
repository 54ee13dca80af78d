"""What a request says is never markup in its answer: parameters, fields and headers one by one.

The pages are read without a browser here, so that every parameter can be tried on its own.
"""

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import urlencode

import pytest

from fairdatabase.authorization.rules.routes import ROUTES
from fairdatabase.authorization.schemas import Role, State
from tests.factories.accounts import make_actor
from tests.factories.hostile import MARKUP, TEXTS, judged
from tests.factories.web import Browser
from tests.factories.world import World, undone
from tests.security.addresses import address_of

PARAMETERS = (
    "q", "access", "subject", "year", "sort", "page", "per_page", "search", "file", "suggest",
    "columns", "show", "column", "op", "value", "limit", "cursor", "kind", "group_by", "function",
    "measure", "descending", "next", "again", "format", "actor", "action", "since", "until",
)  # fmt: skip
HEADERS = ("User-Agent", "Referer", "Accept-Language", "X-Request-ID", "Accept", "X-Forwarded-For")
_FORM = re.compile(r"<form\b[^>]*>.*?</form>", re.DOTALL)
_FIELD = re.compile(r'<(?:input|textarea|select)\b[^>]*\bname="([^"]+)"')
_TARGET = re.compile(r'<form\b[^>]*\baction="([^"]*)"')
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@pytest.fixture(scope="module")
def admin(world: World) -> Browser:
    """A browser on which an admin is signed in."""
    browser = Browser(world.app)
    browser.sign_in(make_actor(world.services.accounts, Role.ADMIN))
    return browser


def pages(world: World) -> Iterator[str]:
    """Yield the address of every page, with ids of a draft where it takes some."""
    for address in world.app.url_map.iter_rules():
        is_page = address.endpoint.partition(".")[0].endswith(("_pages", "web", "docs"))
        if is_page and "GET" in (address.methods or set()) and address.endpoint in ROUTES:
            yield address_of(world, address, State.DRAFT)


def test_no_parameter_becomes_markup(world: World, admin: Browser) -> None:
    wrong, shown = [], 0
    for path in pages(world):
        for name in PARAMETERS:
            with undone(world.database):
                answer = admin.get(f"{path}?{urlencode({name: MARKUP})}")
                content = answer.get_data()
            if answer.mimetype == "text/html":
                text = content.decode()
                shown += MARKUP in unescape(text)
                wrong += [f"{path}?{name}: {each}" for each in judged(text)]
            answer.close()
    assert not wrong, "\n".join(wrong)
    assert shown > 4, "the control: some pages repeat what was asked"


def test_no_field_of_a_form_becomes_markup(world: World, admin: Browser) -> None:
    """Every form of every page comes back with what was typed into one field after the other."""
    wrong, sent, shown = [], 0, 0
    for path in pages(world):
        page = admin.get(path)
        forms = _FORM.findall(page.get_data().decode("utf-8", "replace"))
        page.close()
        for form in forms:
            token, target = _TOKEN.search(form), _TARGET.search(form)
            names = [name for name in _FIELD.findall(form) if name != "csrf_token"]
            if token is None or not names or "/sign-out" in form:
                continue
            to = unescape(target[1]) if target and target[1] else path
            for name in names:
                data = dict.fromkeys(names, "x") | {unescape(name): MARKUP, "csrf_token": token[1]}
                with undone(world.database):
                    answer = admin.client.post(to, data=data, follow_redirects=True)
                text = answer.get_data(as_text=True)
                sent, shown = sent + 1, shown + (MARKUP in unescape(text))
                wrong += [f"{to} {name}: {each}" for each in judged(text)]
    assert not wrong, "\n".join(wrong)
    assert sent > 40
    assert shown > 10, "the control: some forms come back with what was typed"


def test_no_header_becomes_markup(world: World, admin: Browser) -> None:
    for path in ("/", "/nowhere", "/account/security", "/api/v1/nowhere", "/sign-in"):
        for name in HEADERS:
            answer = admin.client.get(path, headers={"Accept": "text/html", name: MARKUP})
            if answer.mimetype == "text/html":
                assert not judged(answer.text), f"{path} {name}"
            assert MARKUP not in str(answer.headers)


@pytest.mark.parametrize("text", TEXTS)
def test_the_judge_sees_what_became_markup(text: str) -> None:
    """The control: where a text is put into a page as it is, it is noticed."""
    assert judged(f'<p>{text}</p><a href="{text}">x</a><p>{eval("7*7")}</p>') or "{{" in text  # noqa: S307
    assert judged("<p>49${7*7}</p>")
    assert not judged('<p>&lt;x-pwned&gt;</p><a href="/x?next=javascript:1">x</a>')
