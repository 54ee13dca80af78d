"""The pages of the knowledge base: they work without scripts, and render nothing of a document."""

from pathlib import Path

import pytest
from flask_openapi3 import OpenAPI

from fairdatabase.authorization.schemas import Actor
from fairdatabase.kernel.config import Settings
from tests.factories.deposits import Work
from tests.factories.web import Browser

GUIDE = """# Guide

The zeolite freezer <img src=x onerror=alert(1)> holds the samples.

## Thawing

```html
<script>alert("thaw")</script>
```
"""
SECOND = "# Second\n\nAfter the guide comes the plan.\n"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """An instance that may read a folder with two documents."""
    folder = tmp_path / "documents" / "lab"
    folder.mkdir(parents=True)
    (folder / "guide.md").write_text(GUIDE, encoding="utf-8")
    (folder / "second.md").write_text(SECOND, encoding="utf-8")
    return settings.model_copy(update={"knowledge_folder": folder.parent})


@pytest.fixture
def browser(app: OpenAPI, admin: Actor) -> Browser:
    """A browser that an admin is signed in on."""
    browser = Browser(app)
    browser.sign_in(admin)
    return browser


@pytest.fixture
def loaded(browser: Browser, work: Work) -> Browser:
    """The same, with the folder loaded."""
    sent = browser.submit("/knowledge/sources", location="folder:lab", refresh_days="7")
    assert sent.status_code == 303
    page = browser.get("/knowledge/sources").text
    assert "folder:lab is being loaded" in page
    assert "Loading the documents" in page
    work()
    return browser


def test_a_search_shows_where_and_how_far_to_trust_it(loaded: Browser, app: OpenAPI) -> None:
    visitor = Browser(app)
    page = visitor.get("/knowledge?q=zeolite+freezer").text
    assert "<mark>zeolite</mark>" in page
    assert "Compared by words alone" in page
    assert "lab" in page
    assert "/work/" not in page
    assert "file://" not in page
    assert 'href="/knowledge/sources"' not in page
    nothing = visitor.get("/knowledge?q=sourdough").text
    assert "We doubt that the answer is here" in nothing
    assert "without your name" in nothing
    typing = visitor.get("/knowledge?q=rye&typing=1").text
    assert "Press Search to have the question noted" in typing
    assert "Ask something" in visitor.get("/knowledge").text
    gaps = loaded.get("/knowledge/gaps").text
    assert "sourdough" in gaps
    assert "rye" not in gaps


def test_a_document_is_read_as_text_with_its_contents(loaded: Browser) -> None:
    listed = loaded.get("/knowledge/sources/lab").text
    assert "2 documents" in listed
    page = loaded.get("/knowledge?q=thaw&kind=code").text
    assert "&lt;script&gt;alert(&#34;thaw&#34;)&lt;/script&gt;" in page
    place = page.split('href="/knowledge/pages/')[1].split("#")[0]
    read = loaded.get(f"/knowledge/pages/{place}").text
    assert "<script>alert" not in read
    assert "<img" not in read
    assert ">Thawing</a>" in read
    assert 'rel="next"' in read
    assert loaded.get("/knowledge/pages/99999").status_code == 404
    assert loaded.get("/knowledge/sources/unheard-of").status_code == 404


def test_sources_are_looked_after(loaded: Browser, work: Work) -> None:
    page = loaded.get("/knowledge/sources").text
    assert '<option value="7" selected>Every week</option>' in page
    at = {"form_at": "/knowledge/sources"}
    assert loaded.submit("/knowledge/sources/lab/refresh", **at).status_code == 303
    work()
    assert (
        loaded.submit("/knowledge/sources/lab/schedule", refresh_days="", **at).status_code == 303
    )
    wrong = loaded.submit("/knowledge/sources/lab/schedule", refresh_days="0", **at)
    assert wrong.status_code == 422
    refused = loaded.submit("/knowledge/sources", location="/etc", **at)
    assert refused.status_code == 422
    assert "is no source" in refused.text
    assert 'value="/etc"' in refused.text
    assert loaded.submit("/knowledge/sources/lab/remove", **at).status_code == 303
    assert "There is no source yet" in loaded.get("/knowledge/sources").text


def test_what_could_not_be_loaded_is_named(browser: Browser, work: Work) -> None:
    browser.submit("/knowledge/sources", location="https://127.0.0.1/docs")
    work()
    page = browser.get("/knowledge/sources").text
    assert "1 of 1 sources could not be loaded" in page
    assert "is inside this network" in page


def test_a_gap_is_filled_or_dismissed(browser: Browser) -> None:
    browser.get("/knowledge?q=pydantic+validators")
    gaps = browser.get("/knowledge/gaps").text
    assert 'name="location" value="installed:pydantic"' in gaps
    dismissed = browser.submit(
        "/knowledge/gaps/dismiss", form_at="/knowledge/gaps", question="pydantic validators"
    )
    assert dismissed.status_code == 303
    assert "Nothing was missed" in browser.get("/knowledge/gaps").text


def test_members_see_neither_sources_nor_gaps(app: OpenAPI, member: Actor) -> None:
    browser = Browser(app)
    browser.sign_in(member)
    assert browser.get("/knowledge").status_code == 200
    for path in ("/knowledge/sources", "/knowledge/gaps"):
        assert browser.get(path).status_code == 403
