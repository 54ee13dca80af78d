"""Sections are put in order by themselves and by their pages, and trusted as far as they go."""

import pytest

from knowledge_base.ranking import Ranked, confidence_of, covered, reports_changes, weigh
from knowledge_base.store.lexical import FTS5, Postings
from knowledge_base.terms import terms_of


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/docs/changelog.html#version-2", True),
        ("https://a.example/doc/en/announce/release-5.4.2", True),
        ("https://a.example/history/whatsnew-5.0", True),
        ("https://a.example/docs/signals#history", False),
        ("https://a.example/orm/attribute_history", False),
    ],
)
def test_pages_of_changes(url: str, expected: bool) -> None:
    assert reports_changes(url) is expected


def test_a_section_on_a_page_of_changes_counts_less() -> None:
    ranked = [Ranked(1, 1.0, None), Ranked(2, 0.7, None)]
    pages = {1: (1, "https://a.example/changelog"), 2: (2, "https://a.example/guide")}
    assert [each.id for each in weigh(ranked, pages)] == [2, 1]


def test_a_page_with_several_sections_on_the_subject_comes_first() -> None:
    ranked = [Ranked(1, 1.0, None), Ranked(2, 0.98, 0.5), Ranked(3, 0.9, None)]
    pages = {1: (1, "a"), 2: (2, "b"), 3: (2, "b")}
    found = weigh(ranked, pages)
    assert [each.id for each in found] == [2, 1, 3]
    assert found[0].similarity == 0.5
    assert all(0 <= each.score <= 1 for each in found)


def test_a_section_that_is_gone_by_now_is_left_out() -> None:
    assert weigh([Ranked(1, 1.0, None)], {}) == []


def test_confidence_grows_with_what_speaks_for_the_answer() -> None:
    assert confidence_of(None, 0.6, 0.6) == pytest.approx(0.5)
    assert confidence_of(None, 0.9, 1.0) > confidence_of(None, 0.4, 1.0) > 0.4
    assert confidence_of(0.9, 0.5, 1.0) > confidence_of(0.2, 0.5, 1.0)


def test_words_that_are_nowhere_take_from_the_coverage() -> None:
    assert covered(["a", "b"], {"a": 3, "b": 0}, 10) < 0.5
    assert covered([], {}, 10) == 0


@pytest.mark.parametrize("index", [FTS5, Postings])
def test_the_highest_score_grows_with_rare_words(index: type[FTS5 | Postings]) -> None:
    made = index("sections_index", (1.0, 1.0, 1.0, 1.0))
    assert made.highest([1, 1], 1000) == pytest.approx(2 * made.highest([1], 1000))
    assert made.highest([1], 1000) > made.highest([400], 1000) > 0


def test_abbreviations_are_spelt_out() -> None:
    assert terms_of("temp dir for a test") == ["temp", "dir", "test", "temporary", "directory"]
