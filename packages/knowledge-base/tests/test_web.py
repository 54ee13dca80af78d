"""Websites are read politely, and nothing inside the network that this runs in."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from knowledge_base.errors import LimitError, LocationError, UnreachableError
from knowledge_base.loading import load
from knowledge_base.loading.web import LARGEST_PAGE, Fetcher

DOCS = """<title>Docs</title><main><h1>Docs</h1><p>Hi</p>
<a href='a.html#x'>A</a><a href='/private/p'>P</a><a href='/elsewhere'>E</a>
<a href='logo.png'>L</a><a href='missing'>M</a><a href='/docs/private'>x</a></main>"""
PAGES_XML = """<urlset><loc>{base}/docs/a.html</loc><loc>{base}/private/x</loc>
<loc>{base}/missing</loc></urlset>"""
PAGES = {
    "/robots.txt": ("text/plain", "User-agent: *\nDisallow: /private\n"),
    "/docs/": ("text/html", DOCS),
    "/docs/a.html": ("text/html; charset=utf-8", "<main><h1>A</h1><a href='./'>back</a></main>"),
    "/docs/private": ("application/pdf", "x"),
    "/sitemap.xml": ("application/xml", "<sitemapindex><loc>{base}/pages.xml</loc></sitemapindex>"),
    "/pages.xml": ("application/xml", PAGES_XML),
    "/llms.txt": ("text/plain", "# X\n- [A]({base}/docs/a.html): a\n- [B](/b.md)\n- [B](/b.md)\n"),
    "/b.md": ("text/plain", "# B\n\nText."),
    "/notes": ("text/plain", "Plain."),
}


class Site(BaseHTTPRequestHandler):
    """A small website, which remembers what it was asked for."""

    asked: list[str] = []  # noqa: RUF012 - of the one site of these tests

    def do_GET(self) -> None:
        self.asked.append(self.path)
        base = f"http://127.0.0.1:{self.server.server_port}"  # type: ignore[attr-defined]
        if self.path.startswith("/loop"):
            self.send_response(302)
            self.send_header("Location", "/loop")
            self.end_headers()
        elif self.path == "/to-private":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest/meta-data")
            self.end_headers()
        elif self.path == "/huge":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"x" * (LARGEST_PAGE + 2**20))
        elif self.path in PAGES:
            kind, text = PAGES[self.path]
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(text.replace("{base}", base).encode())
        else:
            self.send_error(404)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        Site.asked.clear()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def waits() -> list[float]:
    """How long it was waited between requests."""
    return []


@pytest.fixture
def fetcher(waits: list[float]) -> Fetcher:
    return Fetcher(allow_private=True, pause=0.5, sleep=waits.append)


def test_links_are_followed_below_the_address(
    site: str, fetcher: Fetcher, waits: list[float]
) -> None:
    loaded = load(f"{site}/docs/", fetcher=fetcher)
    assert {page.url.removeprefix(site): page.title for page in loaded.pages} == {
        "/docs/": "Docs", "/docs/a.html": "",
    }  # fmt: skip
    assert "/private/p" not in Site.asked
    assert "/elsewhere" not in Site.asked
    assert Site.asked.count("/robots.txt") == 1
    assert waits == [0.5] * (len(Site.asked) - 1)


@pytest.mark.parametrize(
    ("start", "found"),
    [
        ("/sitemap.xml", ["/docs/a.html"]),
        ("/llms.txt", ["/docs/a.html", "/b.md"]),
        ("/notes", ["/notes"]),
    ],
)
def test_a_site_may_list_its_pages(
    site: str, fetcher: Fetcher, start: str, found: list[str]
) -> None:
    pages = list(load(f"{site}{start}", fetcher=fetcher).pages)
    assert [page.url.removeprefix(site) for page in pages] == found
    assert "/private/x" not in Site.asked


def test_what_robots_txt_keeps_is_kept(site: str, fetcher: Fetcher) -> None:
    with pytest.raises(UnreachableError, match=r"robots\.txt"):
        fetcher.get(f"{site}/private/x")


@pytest.mark.parametrize(
    ("path", "error", "said"),
    [
        ("/missing", UnreachableError, "404"),
        ("/loop", UnreachableError, "redirects"),
        ("/huge", LimitError, "10 MiB"),
    ],
)
def test_a_page_that_cannot_be_had(
    site: str, fetcher: Fetcher, path: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        fetcher.get(f"{site}{path}")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/", "http://localhost/", "http://[::1]/", "http://10.1.2.3/",
        "http://169.254.169.254/latest/", "http://0.0.0.0/", "http://[::ffff:127.0.0.1]/",
        "http://2130706433/", "http://192.168.0.1:8080/x", "http://224.0.0.1/",
    ],
)  # fmt: skip
def test_nothing_inside_is_asked(url: str) -> None:
    with pytest.raises(UnreachableError, match="inside this network"):
        Fetcher(pause=0).get(url)


@pytest.mark.parametrize(
    "url", ["ftp://example.org/", "file:///etc/passwd", "http:///x", "http://a:b@c/"]
)
def test_only_web_pages_are_asked(url: str) -> None:
    with pytest.raises(LocationError):
        Fetcher(pause=0).get(url)


def test_a_redirect_leads_nowhere_inside(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first host counts as public; the one it sends to does not."""
    monkeypatch.setattr(
        "knowledge_base.loading.web._is_public", lambda address: address == "127.0.0.1"
    )
    with pytest.raises(UnreachableError, match=r"169\.254\.169\.254 is inside"):
        Fetcher(pause=0).get(f"{site}/to-private")


def test_nobody_there() -> None:
    with pytest.raises(UnreachableError, match="does not answer"):
        Fetcher(allow_private=True, pause=0).get("http://127.0.0.1:1/")
    with pytest.raises(UnreachableError, match="not known"):
        Fetcher(pause=0).get("http://nobody.invalid/")
