"""Search, on SQLite's FTS5 and PostgreSQL's vectors alike."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text

from fairdatabase.audit.service import Audit
from fairdatabase.authorization.schemas import Actor
from fairdatabase.catalog.schemas import AccessClass, Creator, SearchQuery, Subject, VersionRecord
from fairdatabase.catalog.service import Catalog
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.events import Events
from tests.factories.catalog import MOMENT, make_metadata, make_published

Publish = Callable[..., VersionRecord]


@pytest.fixture
def catalog(database: Database, events: Events, settings: Settings) -> Catalog:
    """A catalogue whose clock goes on by a minute each time it is read."""
    minutes = iter(range(100_000))
    audit = Audit(database, settings, lambda: MOMENT)
    return Catalog(
        database,
        events,
        settings,
        lambda: MOMENT + timedelta(minutes=next(minutes)),
        audit=audit,
    )


@pytest.fixture
def publish(database: Database, catalog: Catalog, owner: Actor) -> Publish:
    def publish(**changes: Any) -> VersionRecord:  # noqa: ANN401 - fields of Metadata
        return make_published(database, catalog, owner, **changes)

    return publish


def titles(catalog: Catalog, q: str = "", **options: Any) -> list[str]:  # noqa: ANN401 - SearchQuery
    return [item.title for item in catalog.search(SearchQuery(q=q, **options)).items]


@contextmanager
def counted_statements(database: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine, "before_cursor_execute", note)


def test_every_indexed_part_is_found(catalog: Catalog, publish: Publish) -> None:
    publish(
        title="Gut microbiota of adults",
        description="Relative abundance of bacteria.",
        creators=[Creator(name="Skłodowska, Zoë")],
        subjects=[Subject(term="dysbiosis")],
        methods="Sequenced on an Illumina MiSeq.",
        index_text="Bifidobacterium_longum\nbmi_kg/m2",
    )
    publish(title="Something else", description="Nothing of it.", creators=[Creator(name="X")])
    for q in ("microbiota", "abundance", "Zoë", "zoe", "dysbiosis", "illumina", "longum", "bmi kg"):
        assert titles(catalog, q) == ["Gut microbiota of adults"], q


@pytest.mark.parametrize(
    "q",
    ["study", "studies", "STUDIES", "universi", "university", "the study of university",
     "university study", '"studies at the university"', 'adult "university"', "Café", "cafe",
     "study of the"],
)  # fmt: skip
def test_other_forms_and_beginnings_of_words_are_found(
    catalog: Catalog, publish: Publish, q: str
) -> None:
    publish(title="Studies at the University café", description="Of adults.", subjects=[])
    publish(title="Unrelated", description="Something", subjects=[])
    assert titles(catalog, q) == ["Studies at the University café"]


@pytest.mark.parametrize("q", ["gut zebra", '"microbiome gut"', "robiome", "gut-zebra"])
def test_everything_asked_for_must_occur(catalog: Catalog, publish: Publish, q: str) -> None:
    publish(title="The gut microbiome")
    assert titles(catalog, q) == []


def test_a_word_in_the_title_counts_most(catalog: Catalog, publish: Publish) -> None:
    publish(title="First", description="An obesity cohort", index_text="", subjects=[])
    publish(title="Obesity cohort", description="Words about something else", subjects=[])
    publish(title="Third", description="A cohort", index_text="obesity", subjects=[])
    assert titles(catalog, "obesity cohort") == ["Obesity cohort", "First", "Third"]


def test_orders(catalog: Catalog, publish: Publish) -> None:
    for title in ("Beta", "älpha", "Gamma"):
        publish(title=title)
    assert titles(catalog, sort="newest") == ["Gamma", "älpha", "Beta"]
    assert titles(catalog) == ["Gamma", "älpha", "Beta"]
    assert titles(catalog, sort="oldest") == ["Beta", "älpha", "Gamma"]
    assert titles(catalog, sort="title") == ["älpha", "Beta", "Gamma"]


def test_facets_count_over_all_results(catalog: Catalog, publish: Publish) -> None:
    for year in (2020, 2021, 2021):
        publish(title=f"Gut {year}", publication_year=year, subjects=[Subject(term="Gut")])
    publish(
        title="Gut restricted",
        publication_year=2021,
        access=AccessClass.RESTRICTED,
        subjects=[Subject(term="Gut"), Subject(term="Diet"), Subject(term="Diet")],
    )
    publish(title="Unrelated", description="Nothing", subjects=[Subject(term="Skin")])
    result = catalog.search(SearchQuery(q="gut", per_page=1))
    facets = {
        name: [(value.value, value.count) for value in values]
        for name, values in result.facets.items()
    }
    assert (len(result.items), result.total) == (1, 4)
    assert facets == {
        "access": [("open", 3), ("restricted", 1)],
        "year": [("2021", 3), ("2020", 1)],
        "subject": [("Gut", 4), ("Diet", 1)],
    }


def test_filters_narrow(catalog: Catalog, publish: Publish) -> None:
    publish(title="One", publication_year=2020, subjects=[Subject(term="Gut")])
    publish(title="Two", publication_year=2021, access=AccessClass.RESTRICTED)
    assert titles(catalog, year=2020) == ["One"]
    assert titles(catalog, subject="Gut") == ["One"]
    assert titles(catalog, access=AccessClass.RESTRICTED) == ["Two"]
    assert titles(catalog, year=2020, access=AccessClass.RESTRICTED) == []


def test_pages_hold_each_result_once(catalog: Catalog, publish: Publish) -> None:
    for _ in range(5):
        publish(title="Same words")
    pages = [catalog.search(SearchQuery(q="same", per_page=2, page=n)) for n in (1, 2, 3, 4)]
    found = [item.public_id for page in pages for item in page.items]
    assert [len(page.items) for page in pages] == [2, 2, 1, 0]
    assert len(set(found)) == 5
    assert {page.total for page in pages} == {5}


def test_only_the_newest_published_version_is_found(
    catalog: Catalog, publish: Publish, owner: Actor
) -> None:
    first = publish(title="Zebra one")
    draft = catalog.new_version(owner, first.dataset_public_id)
    catalog.update_metadata(owner, draft.public_id, make_metadata(title="Yak two"))
    assert titles(catalog, "yak") == []
    catalog.publish(owner, draft.public_id, index_text="okapi")
    assert titles(catalog, "zebra") == []
    assert titles(catalog, "okapi") == ["Yak two"]
    catalog.withdraw(owner, draft.public_id, "A mistake.")
    assert titles(catalog, "yak") == []
    assert titles(catalog, "zebra") == ["Zebra one"]
    catalog.withdraw(owner, first.public_id, "A mistake.")
    assert titles(catalog) == []


def test_a_failed_publication_leaves_the_index_as_it_was(
    database: Database, catalog: Catalog, owner: Actor
) -> None:
    draft = catalog.create_draft(owner, make_metadata(title="Zebra"))
    with pytest.raises(RuntimeError), database.transaction():
        make_published(database, catalog, owner, title="Yak")
        raise RuntimeError
    assert titles(catalog) == []
    assert catalog.get_version(owner, draft.public_id) == draft


def test_a_page_takes_as_many_queries_for_one_as_for_many(
    database: Database, catalog: Catalog, publish: Publish
) -> None:
    publish(title="Gut")
    with counted_statements(database) as one:
        catalog.search(SearchQuery(q="gut"))
    for _ in range(4):
        publish(title="Gut")
    with counted_statements(database) as many:
        catalog.search(SearchQuery(q="gut"))
    assert len(one) == len(many) == 2


def test_searches_without_results_are_counted(
    database: Database, catalog: Catalog, publish: Publish
) -> None:
    publish(title="Gut")
    catalog.search(SearchQuery(q='Zebra  "YAK"'))
    catalog.search(SearchQuery(q="zebra yak"))
    catalog.search(SearchQuery(q="gut"))
    catalog.search(SearchQuery(q="gut", year=1999))
    catalog.search(SearchQuery())
    with database.reading() as session:
        misses = session.execute(text("SELECT query, count FROM search_misses ORDER BY query"))
        assert [tuple(row) for row in misses] == [("zebra yak", 2)]


def test_the_list_of_misses_stays_bounded(
    database: Database, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fairdatabase.catalog.repository.search._MISSES_KEPT", 3)
    for word in ("one", "two", "three", "four"):
        catalog.search(SearchQuery(q=word))
    with database.reading() as session:
        misses = session.scalars(text("SELECT query FROM search_misses ORDER BY last_at"))
        assert list(misses) == ["two", "three", "four"]


def test_a_miss_that_cannot_be_recorded_fails_nothing(
    database: Database, catalog: Catalog, caplog: pytest.LogCaptureFixture
) -> None:
    with database.transaction() as session:
        session.execute(text("ALTER TABLE search_misses RENAME TO search_gone"))
    try:
        assert catalog.search(SearchQuery(q="zebra")).total == 0
    finally:
        with database.transaction() as session:
            session.execute(text("ALTER TABLE search_gone RENAME TO search_misses"))
    assert "could not be recorded" in caplog.text


def test_the_largest_texts_can_be_indexed(catalog: Catalog, publish: Publish) -> None:
    alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
    many = [a + b + c + d for a in alphabet for b in alphabet for c in alphabet for d in "abcdefg"]
    publish(
        title="Large",
        description="-".join(many)[:20_000],
        methods="é/" * 9_999,
        index_text="\0-".join(reversed(many)),
    )
    assert titles(catalog, "aaaa") == ["Large"]


HOSTILE = [
    "'", '"', '""', 'a"b', "AND", "NOT a OR", "NEAR(a b)", "title:a", "a*", "*", "(", "^a",
    "a & | !", "<->", ":*", "a:*", "\\", "%", "_", "-a", "\0", "a\0b", "x" * 10_000, "é" * 400,
    "a " * 5_000, "'; DROP TABLE versions; --", "\U0001f600", "漢字", "ﬁ ½ ²", "or", "the",
]  # fmt: skip


@pytest.mark.parametrize("q", HOSTILE, ids=range(len(HOSTILE)))
def test_no_query_is_an_error(catalog: Catalog, q: str) -> None:
    assert catalog.search(SearchQuery(q=q)).total == 0


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    q=st.text(alphabet=st.characters(codec="utf-8"), max_size=80)
    | st.text(alphabet="ab \"'*:-()&|!<>\\\0^{}+,.", max_size=40)
)
def test_no_generated_query_is_an_error(catalog: Catalog, q: str) -> None:
    assert catalog.search(SearchQuery(q=q)).total == 0
