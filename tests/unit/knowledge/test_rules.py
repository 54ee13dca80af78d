"""What the knowledge base decides without asking anybody."""

from datetime import UTC, datetime, timedelta

import pytest

from fairdatabase.knowledge.errors import LocationRefusedError
from fairdatabase.knowledge.rules import (
    is_due,
    levels_of,
    marked,
    shown_url,
    source_id_of,
    trust_in_words,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WEEK = timedelta(days=7)


@pytest.mark.parametrize(
    ("location", "source_id"),
    [
        ("pypi:Flask", "flask"),
        ("pypi:flask==2.3.3", "flask-2-3-3"),
        ("installed:pydantic", "pydantic-api"),
        ("tool:uv", "uv"),
        ("git:https://github.com/OWASP/CheatSheetSeries.git", "cheatsheetseries"),
        ("https://docs.example.org/latest/", "docs-example-org-latest"),
        ("folder:guides/lab", "guides-lab"),
        ("folder:draft-plans", "source-draft-plans"),
        ("folder:datasets", "source-datasets"),
    ],
)
def test_a_location_names_its_source(location: str, source_id: str) -> None:
    assert source_id_of(location) == source_id


@pytest.mark.parametrize(
    "location",
    ["", "flask", "/etc", "pypi:", "pypi:-r x", "pypi:flask>=1", "tool:sh", "folder:/", "dataset:x",
     "git:file:///etc", "git:ssh://host/x", "git:/etc", "ftp://host", "https://", "https://u@host/",
     "https://[", "installed:--version"],
)  # fmt: skip
def test_what_is_no_location_is_refused(location: str) -> None:
    with pytest.raises(LocationRefusedError, match="pypi:NAME"):
        source_id_of(location)


def test_words_of_the_question_are_marked_in_any_form() -> None:
    pieces = marked("Nested blueprints are registering.", "how to nest a blueprint, registered")
    assert [piece.text for piece in pieces if piece.is_hit] == [
        "Nested",
        "blueprints",
        "registering",
    ]
    assert "".join(piece.text for piece in pieces) == "Nested blueprints are registering."
    assert marked("<b>&", "nothing")[0].text == "<b>&"


def test_an_address_on_the_server_is_not_shown() -> None:
    assert shown_url("file:///srv/guide.md") == ""
    assert shown_url("installed:flask/flask.app") == ""
    assert shown_url("https://example.org/#a") == "https://example.org/#a"


@pytest.mark.parametrize(
    ("days", "refreshed", "tried", "due"),
    [
        (None, None, None, False),
        (7, None, None, True),
        (7, NOW - WEEK, None, True),
        (7, NOW - WEEK + timedelta(seconds=1), None, False),
        (7, NOW - 2 * WEEK, NOW - timedelta(hours=23), False),
        (7, NOW - 2 * WEEK, NOW - timedelta(hours=24), True),
    ],
)
def test_a_source_is_due(
    days: int | None, refreshed: datetime | None, tried: datetime | None, due: bool
) -> None:
    assert is_due(days, refreshed, tried, NOW) is due


def test_headings_skip_no_level_on_the_way_down() -> None:
    assert levels_of([1, 3, 3, 2, 9]) == [1, 2, 3, 2, 3]
    assert levels_of([4, 0]) == [1, 1]


def test_trust_is_said_in_words() -> None:
    assert trust_in_words(0.2, is_gap=True).startswith("We doubt")
    assert trust_in_words(0.6, is_gap=False) == "The answer may be here"
    assert trust_in_words(0.9, is_gap=False) == "The answer is very likely here"
