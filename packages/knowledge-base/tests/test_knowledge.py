"""What is taken in is answered, and what is not there is said to be missing."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge_base.documents import Format, Page, Source
from knowledge_base.embedding import unit
from knowledge_base.errors import KnowledgeBaseError, UnreachableError
from knowledge_base.gaps import gaps_of
from knowledge_base.knowledge import KnowledgeBase
from knowledge_base.store import Store
from knowledge_base.store.records import Scope

AXES = ("nest", "test", "prefix", "group")


class Axes:
    """Texts that are about the same few words have like vectors."""

    model = "axes"

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return a row for each text."""
        rows = [[float(axis in text.lower()) + 0.01 for axis in AXES] for text in texts]
        found = np.asarray(rows, dtype=np.float32)
        return unit(found)


@pytest.fixture
def hybrid(knowledge: KnowledgeBase) -> KnowledgeBase:
    """The same sections, all of them embedded."""
    made = KnowledgeBase(knowledge.store, Axes())
    assert made.embed_next(3) == 3
    while made.embed_next():
        pass
    return made


def titles(knowledge: KnowledgeBase, query: str, scope: Scope | None = None) -> list[str]:
    return [hit.stored.section.title for hit in knowledge.search(query, scope or Scope()).hits]


def test_a_refresh_reads_only_what_changed(
    knowledge: KnowledgeBase, flask: Source, blueprints: Page, moment: datetime
) -> None:
    changed = Page(blueprints.url, "# Blueprints\n\nRewritten.", Format.MARKDOWN)
    new = Page("https://flask.example/new", "# New\n\nWords.", Format.MARKDOWN)
    seen: list[int] = []
    changes = knowledge.refresh(flask, [changed, new, new], seen.append)
    assert (changes.written, changes.unchanged, changes.removed) == (2, 0, 1)
    assert seen == [1, 2]
    assert knowledge.refresh(flask, [changed, new]).unchanged == 2
    assert titles(knowledge, "rewritten") == ["Blueprints"]
    assert titles(knowledge, "client") == []
    found = knowledge.store.source("flask")
    assert found
    assert found.refreshed_at == moment


def test_what_cannot_be_read_leaves_no_source_behind(knowledge: KnowledgeBase) -> None:
    def fetched(_address: str) -> Page:
        raise UnreachableError("nobody there")

    with pytest.raises(UnreachableError):
        knowledge.refresh(Source("broken", "https://example.org", "Broken"), map(fetched, ["/"]))
    assert knowledge.store.source("broken") is None


def test_without_embeddings_words_decide_and_the_answer_says_so(knowledge: KnowledgeBase) -> None:
    answer = knowledge.search("How do I nest one blueprint in another?")
    assert answer.mode == "lexical"
    (first, *_) = answer.hits
    assert first.stored.url == "https://flask.example/blueprints#nesting"
    assert first.similarity is None
    assert "registers another" in first.snippet
    assert not answer.is_gap
    assert knowledge.embed_next() == 0


def test_meaning_finds_what_words_do_not(hybrid: KnowledgeBase) -> None:
    answer = hybrid.search("prefixed")
    assert answer.mode == "hybrid"
    assert answer.hits[0].stored.section.title == "Prefixes"
    assert answer.hits[0].similarity == pytest.approx(1, abs=0.02)
    assert titles(hybrid, "grouping zebras")[0] == "Blueprints"


def test_meaning_keeps_to_the_scope(hybrid: KnowledgeBase) -> None:
    assert titles(hybrid, "prefixed", Scope(frozenset({"other"}))) == []


def test_embeddings_follow_what_changes(hybrid: KnowledgeBase, flask: Source) -> None:
    hybrid.search("group")
    page = Page("https://flask.example/more", "# Nest boxes\n\nFor birds.", Format.MARKDOWN)
    hybrid.refresh(flask, [page])
    assert hybrid.search("nest").mode == "lexical"
    hybrid.embed_next()
    assert hybrid.search("nest").mode == "hybrid"
    assert titles(hybrid, "nest") == ["Nest boxes"]


def test_what_is_not_there_is_a_gap(knowledge: KnowledgeBase) -> None:
    answer = knowledge.search("configure kubernetes ingress")
    assert answer.is_gap
    assert {"kubernetes", "ingress"} <= set(answer.missing)
    with pytest.raises(KnowledgeBaseError, match=r"no trustworthy answer.*kubernetes"):
        knowledge.demand("configure kubernetes ingress")
    assert knowledge.demand("nest one blueprint in another").hits
    empty = knowledge.search("zebra")
    assert (empty.hits, empty.confidence, empty.is_gap) == ((), 0, True)


def test_gaps_are_gathered_and_ranked(knowledge: KnowledgeBase) -> None:
    for query in (
        "celery retries",
        "How are celery retries set?",
        "pydantic validators",
        "celery retries",
    ):
        knowledge.search(query)
    knowledge.search("nest one blueprint in another")
    first, second = gaps_of(knowledge.store)
    assert first.times == 3
    assert first.questions == ("celery retries", "How are celery retries set?")
    assert second.questions == ("pydantic validators",)
    assert "installed:pydantic" in second.suggestions
    assert gaps_of(knowledge.store, most=1) == [first]


def test_a_question_that_is_still_typed_is_not_kept(knowledge: KnowledgeBase) -> None:
    assert knowledge.search("zebra", noted=False).missing == ("zebra",)
    assert gaps_of(knowledge.store) == []


def test_gaps_can_be_forgotten(knowledge: KnowledgeBase) -> None:
    for question in ("zebra", "zebra", "quagga"):
        knowledge.search(question)
    knowledge.store.forget(["zebra"])
    assert [gap.questions for gap in gaps_of(knowledge.store)] == [("quagga",)]


def test_code_is_searched_apart(knowledge: KnowledgeBase) -> None:
    (found,) = knowledge.examples("register a blueprint on another")
    assert found.example.code == "parent.register_blueprint(child)"


def test_nothing_is_known_at_first(store: Store) -> None:
    empty = KnowledgeBase(store, Axes())
    answer = empty.search("anything")
    assert (answer.hits, answer.mode, answer.is_gap) == ((), "lexical", True)
    assert empty.examples("anything") == []
