"""Addresses in templates: static files that change with their content, pages of a list."""

from pathlib import Path

import pytest
from flask import Flask

from fairdatabase.web.templating import asset_url, page_url


@pytest.fixture
def static(tmp_path: Path) -> Flask:
    (tmp_path / "css").mkdir()
    (tmp_path / "css" / "a.css").write_text("body {}")
    return Flask("example", static_folder=str(tmp_path), static_url_path="/static")


def test_an_address_changes_with_the_file(static: Flask) -> None:
    folder = Path(static.static_folder or "")
    with static.test_request_context():
        before = asset_url(folder)("css/a.css")
        (folder / "css" / "a.css").write_text("body { color: red }")
        after = asset_url(folder)("css/a.css")
    assert before.startswith("/static/css/a.css?v=")
    assert before != after


@pytest.mark.parametrize("path", ["fonts/inter-5.woff2", "vendor/htmx-4.js"])
def test_what_has_its_version_in_its_name_needs_no_other(static: Flask, path: str) -> None:
    with static.test_request_context():
        assert asset_url(Path(static.static_folder or ""))(path) == f"/static/{path}"


def test_a_file_that_is_missing_is_noticed(static: Flask) -> None:
    with static.test_request_context(), pytest.raises(FileNotFoundError):
        asset_url(Path(static.static_folder or ""))("css/b.css")


def test_another_page_keeps_the_question() -> None:
    app = Flask("example")
    app.add_url_rule("/of/<owner>", "listed", lambda owner: owner)
    with app.test_request_context("/of/ada?q=x&tag=a&tag=b&page=2"):
        assert page_url(3) == "/of/ada?q=x&tag=a&tag=b&page=3"
