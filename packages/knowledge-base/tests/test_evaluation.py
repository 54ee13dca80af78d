"""Retrieval is measured as the literature defines it."""

import pytest

from knowledge_base.documents import Section, Stored
from knowledge_base.evaluation import (
    Expected,
    area_under_curve,
    mean_reciprocal_rank,
    rank_of,
    recall,
)


def _found(url: str, text: str = "") -> Stored:
    return Stored(1, 1, "flask", url, 0, Section((), text))


def test_an_address_is_recognised_by_its_end() -> None:
    expected = Expected("blueprints#nesting-blueprints")
    assert expected.accepts(_found("https://a.example/docs/blueprints#nesting-blueprints"))
    assert expected.accepts(_found("https://a.example/en/blueprints.html#nesting_blueprints-1"))
    assert not expected.accepts(_found("https://a.example/docs/blueprints#why-blueprints"))
    assert not expected.accepts(_found("https://a.example/docs/my-blueprints#nesting-blueprints"))


def test_any_section_of_a_page_will_do_without_a_fragment() -> None:
    assert Expected("rules/print").accepts(_found("https://a.example/rules/print/#example"))


def test_text_tells_sections_with_one_address_apart() -> None:
    expected = Expected("cli/#uv-run", "--with")
    assert expected.accepts(_found("https://a.example/cli/#uv-run", "--with <WITH>"))
    assert not expected.accepts(_found("https://a.example/cli/#uv-run", "--python"))


def test_the_first_answer_counts() -> None:
    found = [_found("a#x"), _found("a#y"), _found("a#z")]
    assert rank_of(found, [Expected("a#z"), Expected("a#y")]) == 2
    assert rank_of(found, [Expected("b")]) is None


def test_recall_and_reciprocal_ranks() -> None:
    ranks = [1, 4, 6, 11, None]
    assert recall(ranks, at=5) == pytest.approx(2 / 5)
    assert mean_reciprocal_rank(ranks, at=10) == pytest.approx((1 + 1 / 4 + 1 / 6) / 5)


def test_the_area_is_the_share_of_pairs_in_the_right_order() -> None:
    inside, outside = [0.9, 0.8, 0.3, 0.5], [0.5, 0.2, 0.1]
    pairs = [(a > b) + (a == b) / 2 for a in inside for b in outside]
    assert area_under_curve(inside, outside) == pytest.approx(sum(pairs) / len(pairs))
    assert area_under_curve([0.4, 0.4], [0.4]) == pytest.approx(0.5)
