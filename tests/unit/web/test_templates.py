"""Templates hold what the content security policy and accessibility ask of them."""

import re
from pathlib import Path

import pytest

from fairdatabase import web

TEMPLATES = Path(web.__file__).parent / "templates"
PATHS = sorted(TEMPLATES.rglob("*.html"))
COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
FORBIDDEN = {
    "a filter that lets markup through": re.compile(r"\|\s*safe\b|autoescape"),
    "an inline style": re.compile(r"\sstyle=|<style"),
    "an inline handler": re.compile(r"\son[a-z]+="),
    "code for htmx to evaluate": re.compile(r"hx-on|hx-vals=['\"]js:|hx-trigger=['\"][^'\"]*\["),
    "an inline script": re.compile(r"<script(?![^>]*(?:src=|application/ld\+json))"),
    "a file of another host": re.compile(r"(?:src|<link[^>]*href)=['\"](?:https?:)?//"),
}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.relative_to(TEMPLATES).as_posix())
@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_template_holds(path: Path, what: str) -> None:
    code = COMMENT.sub("", path.read_text(encoding="utf-8"))
    assert not FORBIDDEN[what].search(code)


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("a filter that lets markup through", "{{ text | safe }}"),
        ("an inline style", '<p style="color: red">'),
        ("an inline handler", '<p onclick="go()">'),
        ("code for htmx to evaluate", '<p hx-trigger="click[x]">'),
        ("an inline script", "<script>go()</script>"),
        ("a file of another host", '<script src="https://elsewhere.example/a.js">'),
    ],
)
def test_the_patterns_find_what_they_are_for(what: str, code: str) -> None:
    assert FORBIDDEN[what].search(code)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.relative_to(TEMPLATES).as_posix())
def test_every_form_that_changes_something_carries_the_csrf_token(path: Path) -> None:
    code = path.read_text(encoding="utf-8")
    for form in re.findall(r'<form[^>]*method="post".*?</form>', code, re.DOTALL):
        assert "csrf()" in form or "csrf_token()" in form
