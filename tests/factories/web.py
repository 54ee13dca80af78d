"""A browser: a client that keeps cookies and sends what forms hold."""

import re
from html.parser import HTMLParser

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from fairdatabase.authorization.schemas import Actor
from tests.factories.accounts import PASSWORD

_CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')


class Browser:
    """Reads pages and sends their forms.

    Args:
        app: The application it visits.
    """

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()
        self.client.environ_base["HTTP_ACCEPT"] = "text/html"

    def get(self, path: str, **headers: str) -> TestResponse:
        """Open an address."""
        return self.client.get(path, headers=headers)

    def csrf(self, path: str) -> str:
        """Return the CSRF token of a page's form."""
        found = _CSRF.search(self.get(path).text)
        assert found, f"{path} has no form"
        return found[1]

    def submit(self, path: str, *, form_at: str = "", **fields: str) -> TestResponse:
        """Send the form of a page, which posts to its own address unless told."""
        token = self.csrf(form_at or path)
        return self.client.post(path, data={"csrf_token": token, **fields})

    def sign_in(self, actor: Actor, **fields: str) -> TestResponse:
        """Sign in by the page."""
        return self.submit("/sign-in", email=actor.email, password=PASSWORD, **fields)

    def cookie(self, name: str) -> str | None:
        """Return the value of a cookie."""
        found = self.client.get_cookie(name)
        return found.value if found else None


class _FormReader(HTMLParser):
    """Collects what a browser would send of one form, nothing being pressed or typed."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self._form = form
        self._inside = False
        self._name: str | None = None
        self._options: list[tuple[str, bool]] | None = None
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = found.get("id") == self._form
        elif not self._inside:
            return
        elif tag == "option" and self._options is not None:
            self._options.append((found.get("value", ""), "selected" in found))
        elif tag == "input" and not self._is_left_out(found):
            self.fields[found["name"]] = found.get("value", "")
        elif tag in {"select", "textarea"}:
            self._name = found["name"]
            self._options = [] if tag == "select" else None
            self.fields[self._name] = ""

    @staticmethod
    def _is_left_out(found: dict[str, str]) -> bool:
        box = found.get("type") in {"checkbox", "radio"}
        return "name" not in found or (box and "checked" not in found)

    def handle_data(self, data: str) -> None:
        if self._inside and self._name and self._options is None:
            self.fields[self._name] += data

    def handle_endtag(self, tag: str) -> None:
        if self._name and tag == "select" and self._options:
            chosen = [value for value, selected in self._options if selected]
            self.fields[self._name] = chosen[-1] if chosen else self._options[0][0]
        elif self._name and tag == "textarea":
            self.fields[self._name] = self.fields[self._name].removeprefix("\n")
        if tag in {"select", "textarea"}:
            self._name = self._options = None
        if tag == "form":
            self._inside = False


def form_fields(page: str, form: str) -> dict[str, str]:
    """Return what a browser would send of the form with an id, without its CSRF token."""
    reader = _FormReader(form)
    reader.feed(page)
    return {name: text for name, text in reader.fields.items() if name != "csrf_token"}
