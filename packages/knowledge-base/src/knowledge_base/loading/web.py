"""Loads websites, politely, and never anything inside the network that this runs in."""

import ipaddress
import re
import socket
import time
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import urldefrag, urljoin, urlsplit
from urllib.robotparser import RobotFileParser

import httpx2
from selectolax.lexbor import LexborHTMLParser

from knowledge_base.documents import Format, Page
from knowledge_base.errors import LimitError, LocationError, UnreachableError
from knowledge_base.parsing.html import title_of_html

AGENT: Final = "knowledge-base/0.1"
MOST_PAGES: Final = 5000
LARGEST_PAGE: Final = 10 * 2**20
_REDIRECTS: Final = 5
_SECONDS: Final = 30.0
_PAUSE: Final = 0.5
_LOCATION = re.compile(r"<loc>\s*(?:<!\[CDATA\[)?([^<\]]+)", re.IGNORECASE)
_LINK_OF_MARKDOWN = re.compile(r"\]\((https?://[^)\s]+|/[^)\s]*)\)")
_NO_PAGE = re.compile(
    r"\.(?:png|jpe?g|gif|svg|ico|css|js|json|xml|zip|gz|whl|pdf|woff2?)$", re.IGNORECASE
)


class Fetcher:
    """Gets web pages: slowly, of limited size, and only from public addresses."""

    def __init__(
        self,
        *,
        allow_private: bool = False,
        pause: float = _PAUSE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Set up a fetcher.

        Args:
            allow_private: Whether addresses inside this network may be asked, for an intranet.
            pause: Seconds between two requests.
            sleep: Waits.
        """
        self._allow_private = allow_private
        self._pause = pause
        self._sleep = sleep
        self._robots: dict[str, RobotFileParser] = {}
        self._asked = False

    def get(self, url: str) -> tuple[str, str, str]:
        """Return the final address, the media type and the text of a page.

        Raises:
            UnreachableError: It does not answer, or may not be asked.
            LimitError: It is larger than 10 MiB.
        """
        if not self._allowed(url):
            raise UnreachableError(f"robots.txt of {urlsplit(url).netloc} keeps {url} to itself.")
        return self._get(url)

    def _get(self, url: str) -> tuple[str, str, str]:
        for _ in range(_REDIRECTS + 1):
            if self._asked:
                self._sleep(self._pause)
            self._asked = True
            host, address = self._resolved(url)
            try:
                answer = _ask(url, host, address)
            except httpx2.HTTPError as error:
                raise UnreachableError(f"{url} does not answer: {error}") from error
            if answer.is_redirect:
                url = urljoin(url, answer.headers["Location"])
                continue
            if answer.is_error:
                raise UnreachableError(f"{url} answers {answer.status_code}.")
            return url, answer.headers.get("Content-Type", "").partition(";")[0], answer.text
        raise UnreachableError(f"{url} redirects more than {_REDIRECTS} times.")

    def _resolved(self, url: str) -> tuple[str, str]:
        """Return the host of an address and the IP address to ask.

        What was checked is what is asked: a name that resolves otherwise a moment later leads
        nowhere else.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
            raise LocationError(f"{url} is no address of a web page.")
        try:
            port = parts.port or (443 if parts.scheme == "https" else 80)
            found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
        except (OSError, ValueError) as error:
            raise UnreachableError(f"{parts.hostname} is not known: {error}") from error
        addresses = [str(each[4][0]) for each in found]
        if not self._allow_private and not all(map(_is_public, addresses)):
            raise UnreachableError(
                f"{parts.hostname} is inside this network. Such sources have to be allowed by who"
                " runs the knowledge base."
            )
        return parts.hostname, addresses[0]

    def _allowed(self, url: str) -> bool:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._robots:
            rules = RobotFileParser()
            try:
                rules.parse(self._get(f"{origin}/robots.txt")[2].splitlines())
            except UnreachableError:
                rules.parse([])
            self._robots[origin] = rules
        return self._robots[origin].can_fetch(AGENT, url)


def _ask(url: str, host: str, address: str) -> httpx2.Response:
    parts = urlsplit(url)
    shown = f"[{address}]" if ":" in address else address
    port = f":{parts.port}" if parts.port else ""
    asked = parts._replace(netloc=f"{shown}{port}", fragment="").geturl()
    headers = {
        "Host": parts.netloc,
        "User-Agent": AGENT,
        "Accept": "text/html, text/markdown, text/*",
    }
    with (
        httpx2.Client(timeout=_SECONDS, trust_env=False) as client,
        client.stream("GET", asked, headers=headers, extensions={"sni_hostname": host}) as answer,
    ):
        body = bytearray()
        for piece in answer.iter_bytes():
            body += piece
            if len(body) > LARGEST_PAGE:
                raise LimitError(f"{url} is larger than 10 MiB.")
        kept = {
            name: value
            for name, value in answer.headers.items()
            if name.lower() in {"content-type", "location"}
        }
        return httpx2.Response(answer.status_code, headers=kept, content=bytes(body))


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_global and not found.is_multicast


def pages_of_site(url: str, fetcher: Fetcher) -> Iterator[Page]:
    """Yield the pages of a website below an address.

    The address of a ``sitemap.xml`` or an ``llms.txt`` says itself which pages there are;
    otherwise links are followed that stay below the address.

    Raises:
        UnreachableError: The first page does not answer.
    """
    final, kind, text = fetcher.get(url)
    if urlsplit(final).path.endswith(".xml") or ("xml" in kind and "<loc>" in text):
        yield from _listed(_locations(text, fetcher), fetcher)
    elif urlsplit(final).path.endswith("llms.txt"):
        found = (urljoin(final, each) for each in _LINK_OF_MARKDOWN.findall(text))
        yield from _listed(dict.fromkeys(found), fetcher)
    else:
        yield from _followed(final, kind, text, fetcher)


def _locations(text: str, fetcher: Fetcher, depth: int = 0) -> Iterator[str]:
    """Yield the pages of a sitemap, and of those that it names."""
    for location in _LOCATION.findall(text):
        address = location.strip()
        if address.endswith(".xml") and depth == 0:
            yield from _locations(fetcher.get(address)[2], fetcher, depth + 1)
        else:
            yield address


def _listed(addresses: Iterator[str] | dict[str, None], fetcher: Fetcher) -> Iterator[Page]:
    for number, address in enumerate(addresses):
        if number >= MOST_PAGES:
            return
        try:
            page = _page(*fetcher.get(address))
        except (UnreachableError, LocationError, LimitError):
            continue
        if page:
            yield page


def _followed(url: str, kind: str, text: str, fetcher: Fetcher) -> Iterator[Page]:
    base = url if url.endswith("/") else url.rpartition("/")[0] + "/"
    seen, waiting = {url}, list[str]()
    while True:
        if page := _page(url, kind, text):
            yield page
        for link in _links(url, text) if kind == "text/html" else ():
            if link.startswith(base) and link not in seen and not _NO_PAGE.search(link):
                seen.add(link)
                waiting.append(link)
        while waiting:
            try:
                url, kind, text = fetcher.get(waiting.pop(0))
                break
            except (UnreachableError, LocationError, LimitError):
                continue
        else:
            return
        if len(seen) > MOST_PAGES:
            return


def _links(url: str, text: str) -> Iterator[str]:
    for node in LexborHTMLParser(text).css("a[href]"):
        yield urldefrag(urljoin(url, node.attributes.get("href") or "")).url


def _page(url: str, kind: str, text: str) -> Page | None:
    if kind == "text/html":
        return Page(url, text, Format.HTML, title=title_of_html(text))
    if kind in {"text/markdown", "text/x-markdown"} or urlsplit(url).path.endswith(".md"):
        return Page(url, text, Format.MARKDOWN)
    return Page(url, text, Format.TEXT) if kind == "text/plain" else None
