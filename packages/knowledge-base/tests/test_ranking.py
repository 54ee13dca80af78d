"""Sections are put in order by themselves and by their pages, and trusted as far as they go."""

from collections.abc import Sequence

import numpy as np
import pytest

from knowledge_base.embedding import Matrix
from knowledge_base.ranking import (
    Ranked,
    confidence_of,
    drawn,
    fuse,
    rarities,
    reports_changes,
    share_of,
    weigh,
    without_repetition,
)
from knowledge_base.store.lexical import FTS5, Postings
from knowledge_base.store.records import Place
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


def places(*urls: str) -> dict[int, Place]:
    """Return places on pages of their own, by ids from one on; the source is the first letter."""
    return {place: Place(place, url, url[0]) for place, url in enumerate(urls, 1)}


def order(ranked: Sequence[Ranked]) -> list[int]:
    return [each.id for each in ranked]


def test_a_section_on_a_page_of_changes_counts_less() -> None:
    ranked = [Ranked(1, 1.0, None), Ranked(2, 0.7, None)]
    assert order(weigh(ranked, places("a.example/changelog", "a.example/guide"))) == [2, 1]


def test_a_page_with_several_sections_on_the_subject_comes_first() -> None:
    ranked = [Ranked(1, 1.0, None), Ranked(2, 0.98, 0.5), Ranked(3, 0.9, None)]
    found = weigh(ranked, {1: Place(1, "a", "a"), 2: Place(2, "b", "b"), 3: Place(2, "b", "b")})
    assert order(found) == [2, 1, 3]
    assert found[0].similarity == 0.5
    assert all(0 <= each.score <= 1 for each in found)


def test_what_the_project_uses_comes_first() -> None:
    ranked = [Ranked(1, 1.0, None), Ranked(2, 0.9, None)]
    assert order(weigh(ranked, places("a", "b"))) == [1, 2]
    found = weigh(ranked, places("a", "b"), {"b"})
    assert order(found) == [2, 1]
    assert all(0 <= each.score <= 1 for each in found)


def test_a_section_that_is_gone_by_now_is_left_out() -> None:
    assert weigh([Ranked(1, 1.0, None)], {}) == []


def test_words_count_less_when_even_the_best_section_has_few() -> None:
    words, similarities = {1: 10.0, 2: 2.0}, {1: 0.2, 2: 0.5, 3: 0.1}
    assert order(fuse(words, 0.9, [1, 2], similarities)) == [1, 2, 3]
    assert order(fuse(words, 0.1, [1, 2], similarities)) == [2, 1, 3]
    assert order(fuse(words, 0.1, [1, 2], None)) == [1, 2]
    assert [each.score for each in fuse({1: 8.0, 2: 4.0}, 0.1, [2, 1], None)] == [1.0, 0.5]
    assert fuse({}, 0.0, [], {}) == []


def test_near_by_meaning_alone_has_words_as_well() -> None:
    found = {each.id: each.score for each in fuse({1: 4.0, 2: 2.0}, 1.0, [1], {1: 0.0, 2: 0.0})}
    assert found == {1: 0.5, 2: 0.25}


def rows(*angles: int) -> Matrix:
    """Return vectors of length one."""
    radians = np.radians(angles)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def test_sections_are_drawn_to_what_the_first_have_in_common() -> None:
    ranked = [Ranked(key, 0.5, None) for key in (1, 2, 3, 4, 5)]
    ranked += [Ranked(6, 0.4, None), Ranked(7, 0.4, 0.2)]
    found = drawn(ranked, rows(0, 0, 0, 0, 0, 180, 10))
    assert order(found)[-2:] == [7, 6]
    assert found[-2].similarity == 0.2
    assert all(0 <= each.score <= 1 for each in found)


def test_what_is_said_again_comes_later() -> None:
    ranked = [Ranked(1, 1.0, None), Ranked(2, 0.99, None), Ranked(3, 0.95, None)]
    assert order(without_repetition(ranked, rows(0, 5, 60))) == [1, 3, 2]
    assert order(without_repetition(ranked, rows(0, 40, 80))) == [1, 2, 3]
    nothing = np.zeros((3, 2), dtype=np.float32)
    assert without_repetition(ranked, nothing) == ranked


def test_confidence_grows_with_what_speaks_for_the_answer() -> None:
    assert confidence_of(0.9, 0.6, 1.0) > confidence_of(0.4, 0.6, 1.0)
    assert confidence_of(0.5, 0.9, 1.0) > 0.5 > confidence_of(0.3, 0.2, 0.7)


def test_words_that_are_nowhere_tell_the_most() -> None:
    weights = rarities(["a", "b"], {"a": 3}, 10)
    assert share_of(weights, {"a"}) < 0.5 < share_of(weights, {"b"}) < share_of(weights, weights)
    assert share_of({}, {"a"}) == 0


@pytest.mark.parametrize("index", [FTS5, Postings])
def test_the_highest_score_grows_with_rare_words(index: type[FTS5 | Postings]) -> None:
    made = index("sections_index", (1.0, 1.0, 1.0, 1.0))
    assert made.highest([1, 1], 1000) == pytest.approx(2 * made.highest([1], 1000))
    assert made.highest([1], 1000) > made.highest([400], 1000) > 0


def test_abbreviations_are_spelt_out() -> None:
    assert terms_of("temp dir for a test") == ["temp", "dir", "test", "temporary", "directory"]
