"""Every database keeps and finds the same."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import create_engine, text

from knowledge_base.documents import Format, Kind, Page, Section, Source
from knowledge_base.errors import KnowledgeBaseError
from knowledge_base.knowledge import KnowledgeBase
from knowledge_base.store import Store
from knowledge_base.store.records import Place, Question, Scope

EVERYTHING = Scope()


def trails(store: Store, *terms: str, scope: Scope = EVERYTHING) -> list[tuple[str, ...]]:
    """Return the headings of what is found, the best first."""
    found = store.lexical(terms, scope, 10)
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
    known = store.sections(key for key, _ in found)
    return [known[key].section.trail for key, _ in found]


def test_a_word_is_found_in_any_of_its_forms(knowledge: KnowledgeBase) -> None:
    store = knowledge.store
    assert trails(store, "nested") == [("Blueprints", "Nesting")]
    assert trails(store, "route") == [("Blueprints", "Prefixes")]
    assert trails(store, "nowhere") == []
    assert trails(store) == []


def test_a_heading_counts_more_than_the_text(knowledge: KnowledgeBase) -> None:
    found = trails(knowledge.store, "blueprint")
    assert found[0] == ("Blueprints",)
    assert set(found) == {("Blueprints",), ("Blueprints", "Nesting"), ("Blueprints", "Prefixes")}


def test_a_name_is_found_whole_and_by_its_parts(knowledge: KnowledgeBase) -> None:
    assert trails(knowledge.store, "url_prefix") == [("Blueprints", "Prefixes")]
    assert trails(knowledge.store, "client")[0] == ("Testing", "test_client")


def test_operators_of_the_index_are_words(knowledge: KnowledgeBase) -> None:
    for hostile in ('"', "nesting OR", "NEAR(", "title:x", "*", "a'b;--"):
        assert isinstance(trails(knowledge.store, hostile), list)


def test_a_scope_leaves_out(knowledge: KnowledgeBase) -> None:
    store = knowledge.store
    assert trails(store, "client", scope=Scope(kind=Kind.API)) == [("Testing", "test_client")]
    assert trails(store, "client", scope=Scope(frozenset({"other"}))) == []
    found = store.ids(Scope(frozenset({"flask"})))
    assert found is not None
    assert len(found) == 5
    assert store.ids(EVERYTHING) is None


def test_what_somebody_owns_only_they_find(
    knowledge: KnowledgeBase, flask: Source, blueprints: Page
) -> None:
    store = knowledge.store
    store.put_source(replace(flask, owner="mary"))
    for scope in (EVERYTHING, Scope(readers=frozenset({"alfred"}))):
        assert trails(store, "blueprint", scope=scope) == []
        assert store.examples(["register_blueprint"], scope, 5) == []
        assert store.sources(scope) == []
        assert store.pages("flask", scope) == []
        assert store.page(scope, url=blueprints.url) is None
        found = store.ids(scope)
        assert found is not None
        assert len(found) == 0
    mary = Scope(readers=frozenset({"mary"}))
    assert trails(store, "blueprint", scope=mary)
    assert store.examples(["register_blueprint"], mary, 5)
    assert store.page(mary, url=blueprints.url)


def test_code_is_found_by_what_it_does_and_by_its_names(knowledge: KnowledgeBase) -> None:
    for terms in (["registers", "another"], ["register_blueprint"], ["register", "child"]):
        (found,) = knowledge.store.examples(terms, EVERYTHING, 5)
        assert found.example.code == "parent.register_blueprint(child)"
        assert found.example.caption == "A blueprint registers another:"
        assert found.stored.url == "https://flask.example/blueprints#nesting"


def test_frequencies(knowledge: KnowledgeBase) -> None:
    counted, count = knowledge.store.frequencies(["blueprints", "client", "zebra"])
    assert (counted, count) == ({"blueprints": 3, "client": 2, "zebra": 0}, 5)


def test_words_in_what_others_own_are_not_counted(
    knowledge: KnowledgeBase, flask: Source, blueprints: Page
) -> None:
    knowledge.refresh(replace(flask, id="draft", owner="mary"), [blueprints])
    store = knowledge.store
    counted, count = store.frequencies(["blueprints", "client"])
    assert (counted, count) == ({"blueprints": 3, "client": 2}, 5)
    counted, count = store.frequencies(["blueprints", "client"], frozenset({"mary"}))
    assert (counted, count) == ({"blueprints": 6, "client": 2}, 8)
    assert [source.id for source in store.names(EVERYTHING)] == ["flask"]
    assert [source.id for source in store.names(None)] == ["draft", "flask"]


def test_a_page_is_replaced_with_all_that_was_in_it(
    knowledge: KnowledgeBase, blueprints: Page
) -> None:
    store = knowledge.store
    store.put_page("flask", blueprints, "Blueprints", 0, [Section(("New",), "Other words.")])
    assert trails(store, "nesting") == []
    assert trails(store, "words") == [("New",)]
    assert store.examples(["register_blueprint"], EVERYTHING, 5) == []
    assert len(store.pages("flask", EVERYTHING)) == 2


def test_a_source_goes_with_everything(knowledge: KnowledgeBase) -> None:
    store = knowledge.store
    assert store.drop_source("flask")
    assert not store.drop_source("flask")
    assert store.source("flask") is None
    assert trails(store, "blueprint") == []
    assert store.frequencies(["blueprints"]) == ({"blueprints": 0}, 0)


def test_what_a_source_holds(knowledge: KnowledgeBase, flask: Source, moment: datetime) -> None:
    ((source, counts),) = knowledge.store.sources(EVERYTHING)
    assert source == replace(flask, refreshed_at=moment)
    assert (counts.pages, counts.sections, counts.examples, counts.embedded) == (2, 5, 1, 0)
    assert counts.words > 20
    knowledge.store.put_source(Source("empty", "x", "Empty"))
    (empty, _) = knowledge.store.sources(EVERYTHING)
    assert (empty[1].pages, empty[1].words) == (0, 0)


def test_a_page_comes_with_its_sections_in_order(
    knowledge: KnowledgeBase, blueprints: Page
) -> None:
    found = knowledge.store.page(EVERYTHING, url=blueprints.url)
    assert found
    page, parts = found
    assert (page.title, page.sections, page.position) == ("Blueprints", 3, 0)
    assert [part.section.title for part in parts] == ["Blueprints", "Nesting", "Prefixes"]
    assert parts[1].section.examples
    assert knowledge.store.page(EVERYTHING, page_id=page.id) == found
    assert knowledge.store.page(EVERYTHING, page_id=0) is None


def test_embeddings(knowledge: KnowledgeBase) -> None:
    store = knowledge.store
    waiting = store.without_vectors("m", 3)
    assert len(waiting) == 3
    before = store.state()
    made = {key: np.full(2, key, dtype=np.float32) for key in waiting}
    store.put_vectors("m", made | {10**6: np.zeros(2, dtype=np.float32)})
    assert store.state() != before
    keys, ids, rows = store.vectors("m")
    assert list(keys) == store.vector_ids("m").tolist()
    assert list(ids) == sorted(waiting)
    assert rows.tolist() == [[key, key] for key in sorted(waiting)]
    assert store.vectors("m", since=int(keys[1]))[1].tolist() == sorted(waiting)[1:]
    assert len(store.without_vectors("m", 10)) == 2
    assert store.vectors("other")[2].shape == (0, 0)


def test_questions(store: Store, moment: datetime) -> None:
    first, second = (
        Question("a", 0.1, is_gap=True, asked_at=moment),
        Question("b", 0.9, is_gap=False, asked_at=moment),
    )
    store.note(first)
    store.note(second)
    assert store.questions(gaps_only=False, limit=5) == [second, first]
    assert store.questions(gaps_only=True, limit=5) == [first]


def test_a_layout_of_another_version_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    Store(url).close()
    Store(url).close()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE layout SET version = 99"))
    engine.dispose()
    with pytest.raises(KnowledgeBaseError, match="layout 99"):
        Store(url)


def test_a_page_that_is_a_part_of_a_longer_one_keeps_its_address(knowledge: KnowledgeBase) -> None:
    page = Page("https://a.example/cli/#uv-run", "# uv run\n\nRuns.", Format.MARKDOWN)
    knowledge.refresh(Source("uv", "tool:uv", "uv"), [page])
    (hit,) = knowledge.search("uv run", Scope(frozenset({"uv"}))).hits
    assert hit.stored.url == "https://a.example/cli/#uv-run"
    assert knowledge.store.places([hit.stored.id]) == {
        hit.stored.id: Place(hit.stored.page_id, "https://a.example/cli/#uv-run", "uv")
    }
    assert knowledge.store.locations() == {"flask": "pypi:flask", "uv": "tool:uv"}
