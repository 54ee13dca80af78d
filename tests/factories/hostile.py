"""Texts that try to be markup, and everything that a person can write filled with them."""

import csv
import io
from html.parser import HTMLParser
from typing import Any

MARK = "x-pwned"
"""An element that no page of ours has; where it is one, a text became markup."""
HARM = f"<{MARK}><img src=x onerror=window.pwned=1>"
MARKUP = f"\"'></script></textarea></title>{HARM}"
"""Breaks out of attributes, scripts, text fields and titles."""
NAME = f"\"'>{HARM}"
"""The same without slashes, which file names may not have."""
LINK = "javascript:window.pwned=1"
TEXTS = (MARKUP, LINK, "{{ 7*7 }}${7*7}#{7*7}", f"<svg/onload=window.pwned=1><{MARK}>")


class Judge(HTMLParser):
    """Reads a page and notes what no page of ours has."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note foreign elements, handlers, links that run, and scripts without a nonce."""
        names = dict(attrs)
        self.found += [f"<{tag}>"] if tag == MARK else []
        self.found += [f"{tag} {name}" for name in names if name.startswith("on")]
        for name in ("href", "src", "action", "formaction"):
            target = (names.get(name) or "").strip().lower()
            if target.startswith(("javascript:", "data:text", "vbscript:")):
                self.found.append(f"{tag} {name}={target}")
        is_data = names.get("type") == "application/ld+json"
        if tag == "script" and not is_data and "nonce" not in names:
            self.found.append("script without a nonce")
        if tag == "style" or "style" in names:
            self.found.append(f"{tag} with a style of its own")


def judged(page: str) -> list[str]:
    """Return what a page has that no page of ours has."""
    judge = Judge()
    judge.feed(page)
    judge.close()
    evaluated = ["a template was evaluated"] if "49${" in page or "$49" in page else []
    return judge.found + evaluated


def table(rows: int = 200) -> bytes:
    """Return a table whose header and cells are hostile; with so many rows nobody stands out."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([f"sex{MARKUP}", f"arm{MARKUP}", f"score{LINK}"])
    sexes = (f"female{MARKUP}", f"male{MARKUP}")
    writer.writerows([sexes[n % 2], "ab"[n // 2 % 2] + MARKUP, TEXTS[n % 4]] for n in range(rows))
    writer.writerow([MARKUP] * 7)
    return out.getvalue().encode()


ROLES = {
    f"sex{MARKUP}": "quasi_identifier",
    f"arm{MARKUP}": "insensitive",
    f"score{LINK}": "insensitive",
}


def metadata() -> dict[str, Any]:
    """Return a description whose every text is hostile."""
    person = {
        "name": f"Curie{MARKUP}",
        "orcid": "0000-0002-1825-0097",
        "affiliations": [{"name": f"University{MARKUP}", "ror": "https://ror.org/012p63287"}],
    }
    return {
        "title": f"Title {MARKUP}",
        "description": "\n\n".join(TEXTS),
        "creators": [person, {"name": f"House{MARKUP}", "kind": "Organizational"}],
        "contributors": [person | {"contributor_type": "DataManager"}],
        "subjects": [
            {"term": f"gut{MARKUP}", "scheme": f"MeSH{MARKUP}", "uri": "https://example.org/a"},
            {"term": f"{{{{7*7}}}}{LINK}"},
        ],
        "licence": "CC-BY-4.0",
        "methods": "\n\n".join(TEXTS),
        "fundings": [
            {"funder": MARKUP, "award_number": MARKUP, "award_title": MARKUP},
        ],
        "related_identifiers": [
            {"identifier": LINK, "identifier_type": "URL"},
            {"identifier": f"https://example.org/{MARKUP}", "identifier_type": "URL"},
            {"identifier": f"{MARKUP}", "identifier_type": "DOI"},
        ],
    }
