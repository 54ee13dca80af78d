"""Open redirects: no parameter of ours leads to another site."""

import re
from urllib.parse import quote, urlencode, urljoin, urlsplit

import pytest

from tests.factories.accounts import make_actor
from tests.factories.web import Browser
from tests.factories.world import World

HERE = "http://127.0.0.1:8000"
EVIL = "evil.example"
PAYLOADS = (
    "https://evil.example",
    "https://evil.example/",
    "HTTPS://EVIL.EXAMPLE",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "https:\\\\evil.example",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/ /evil.example",
    "/\x0b/evil.example",
    "/\x00/evil.example",
    "/%09/evil.example",
    "/%5cevil.example",
    "/%2f%2fevil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/;@evil.example",
    "/@evil.example",
    "@evil.example",
    "?://evil.example",
    "#//evil.example",
    "javascript:alert(document.domain)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "http://127.0.0.1:8000@evil.example",
    "http://127.0.0.1:8000.evil.example",
    "//evil.example/%2e%2e",
    "/\u2028/evil.example",
    "/\u3000/evil.example",
    "\uff0f\uff0fevil.example",
    "/\u200b/evil.example",
    "//evil\u3002example",
    "/users\r\nSet-Cookie: a=b",
    "/users%0d%0aSet-Cookie:a=b",
    "[::1]",
    "//[::1]",
)


def leads_away(location: str) -> bool:
    """Tell whether a browser would go to another origin, or run something.

    Browsers take backslashes for slashes and drop tabs and line breaks wherever they are.
    """
    seen = re.sub(r"[\t\r\n]", "", location.strip("".join(map(chr, range(33))))).replace("\\", "/")
    target = urlsplit(urljoin(HERE + "/sign-in", seen))
    return (target.scheme, target.netloc) != ("http", "127.0.0.1:8000")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_after_signing_in_one_stays_here(scene: World, payload: str) -> None:
    browser = Browser(scene.app)
    person = make_actor(scene.services.accounts)
    form = browser.get(f"/sign-in?next={quote(payload, safe='')}")
    assert EVIL not in form.text.lower() or 'value="/' in form.text
    answer = browser.sign_in(person, next=payload)
    assert answer.status_code == 303
    assert not leads_away(answer.location), answer.location
    assert "Set-Cookie: a" not in str(answer.headers)
    again = browser.get(f"/sign-in?next={quote(payload, safe='')}")
    assert again.status_code == 303
    assert not leads_away(again.location), again.location


@pytest.fixture(scope="module")
def mary(world: World) -> Browser:
    """A browser on which somebody is signed in."""
    browser = Browser(world.app)
    browser.sign_in(make_actor(world.services.accounts))
    return browser


@pytest.mark.parametrize(
    "path", ["/sign-in/second-factor", "/confirm", "/sign-in/finish", "/account/identities/link"]
)
def test_no_other_page_takes_a_target_that_leads_away(mary: Browser, path: str) -> None:
    for payload in PAYLOADS:
        names = ("next", "again", "return_to", "redirect", "url", "target")
        answer = mary.get(f"{path}?{urlencode(dict.fromkeys(names, payload))}")
        assert not (answer.location and leads_away(answer.location)), answer.location


@pytest.mark.parametrize("payload", ["/%2f/evil.example", "//evil.example", "/\\evil.example/..//"])
def test_a_path_with_slashes_is_not_a_host(scene: World, payload: str) -> None:
    """Correcting an address by a redirect must not make a host of its path."""
    client = scene.app.test_client()
    for path in (payload, f"{payload}/", f"/datasets/{payload}"):
        answer = client.get(path)
        assert not (answer.location and leads_away(answer.location)), answer.location


def test_a_target_of_ours_is_followed(scene: World) -> None:
    """The control, with addresses that look strange and are harmless."""
    person = make_actor(scene.services.accounts)
    for target in ("/users?search=a%26b", "/datasets?q=//evil", "/a:b", "/files/x?column=%C3%A9"):
        assert Browser(scene.app).sign_in(person, next=target).location == target


@pytest.mark.parametrize(
    ("location", "away"),
    [("/users", False), ("//evil.example", True), ("/\\evil.example", True),
     ("/\t/evil.example", True), ("javascript:alert(1)", True), ("?q=//x", False)],
)  # fmt: skip
def test_the_judge_sees_what_browsers_see(location: str, away: bool) -> None:
    assert leads_away(location) is away
