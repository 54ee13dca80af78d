"""Publication, withdrawal, and who reads what afterwards."""

import threading
from collections.abc import Callable
from functools import partial

import pytest

from fairdatabase.authorization.schemas import ANONYMOUS, Actor
from fairdatabase.catalog.errors import IncompleteVersionError, NotADraftError, WithdrawnError
from fairdatabase.catalog.schemas import (
    AccessClass,
    Metadata,
    VersionPublished,
    VersionRecord,
    VersionState,
    VersionWithdrawn,
)
from fairdatabase.catalog.service import Catalog
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import (
    AuthenticationError,
    ConflictError,
    FAIRDatabaseError,
    NotFoundError,
    PermissionDeniedError,
)
from fairdatabase.kernel.events import Events
from fairdatabase.kernel.identifiers import new_public_id
from fairdatabase.kernel.records import PageQuery
from tests.factories.catalog import (
    MOMENT,
    make_draft,
    make_file,
    make_metadata,
    make_published,
)


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Run calls in threads that start together; return results and errors in order."""
    barrier = threading.Barrier(len(calls))
    outcomes: list[object] = [None] * len(calls)

    def run(position: int) -> None:
        barrier.wait()
        try:
            outcomes[position] = calls[position]()
        except FAIRDatabaseError as error:
            outcomes[position] = error

    threads = [threading.Thread(target=run, args=(position,)) for position in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_publication_makes_a_version_public_and_tells(
    database: Database, catalog: Catalog, events: Events, owner: Actor
) -> None:
    heard: list[VersionPublished] = []
    events.subscribe(VersionPublished, heard.append)
    draft = make_draft(database, catalog, owner)
    version = catalog.publish(owner, draft.public_id, index_text="age")
    assert (version.state, version.published_at) == (VersionState.PUBLISHED, MOMENT)
    assert version.metadata.publication_year == MOMENT.year
    assert version.files == draft.files
    assert [event.version_id for event in heard] == [version.id]
    assert catalog.get_version(ANONYMOUS, version.public_id) == version
    assert catalog.get_dataset(ANONYMOUS, version.dataset_public_id) == version
    assert catalog.get_number(ANONYMOUS, version.dataset_public_id, 1) == version
    assert catalog.my_drafts(owner, PageQuery()) == ((), 0)
    assert catalog.my_publications(owner, PageQuery())[1] == 1


def test_a_stated_publication_year_stays(
    database: Database, catalog: Catalog, owner: Actor
) -> None:
    version = make_published(database, catalog, owner, publication_year=2019)
    assert version.metadata.publication_year == 2019


def test_what_is_missing_is_listed_and_nothing_happens(
    catalog: Catalog, events: Events, owner: Actor
) -> None:
    events.subscribe(VersionPublished, lambda _: pytest.fail("nothing was published"))
    draft = catalog.create_draft(owner, Metadata())
    with pytest.raises(IncompleteVersionError) as caught:
        catalog.publish(owner, draft.public_id)
    assert isinstance(caught.value.details, list)
    fields = [problem["field"] for problem in caught.value.details]
    assert fields == ["title", "description", "creators", "licence", "files"]
    assert catalog.get_version(owner, draft.public_id) == draft


def test_only_those_who_look_after_it_publish(
    database: Database, catalog: Catalog, owner: Actor, stranger: Actor, curator: Actor
) -> None:
    draft = make_draft(database, catalog, owner)
    for actor in (stranger, ANONYMOUS):
        with pytest.raises(NotFoundError):
            catalog.publish(actor, draft.public_id)
    assert catalog.publish(curator, draft.public_id).owner_id == owner.user_id


def test_nobody_hears_of_a_publication_that_was_rolled_back(
    database: Database, catalog: Catalog, events: Events, owner: Actor
) -> None:
    events.subscribe(VersionPublished, lambda _: pytest.fail("it was rolled back"))
    draft = make_draft(database, catalog, owner)
    with pytest.raises(RuntimeError), database.transaction():
        catalog.publish(owner, draft.public_id)
        raise RuntimeError
    assert catalog.get_version(owner, draft.public_id) == draft


def test_of_two_publications_at_once_one_wins(
    database: Database, catalog: Catalog, events: Events, owner: Actor, curator: Actor
) -> None:
    heard: list[VersionPublished] = []
    events.subscribe(VersionPublished, heard.append)
    for _ in range(5):
        draft = make_draft(database, catalog, owner)
        heard.clear()
        outcomes = at_once(
            *(partial(catalog.publish, actor, draft.public_id) for actor in (owner, curator, owner))
        )
        winners = [outcome for outcome in outcomes if isinstance(outcome, VersionRecord)]
        losers = [outcome for outcome in outcomes if isinstance(outcome, ConflictError)]
        assert (len(winners), len(losers), len(heard)) == (1, 2, 1)
        assert catalog.get_version(ANONYMOUS, draft.public_id) == winners[0]


def test_a_file_is_in_the_published_version_or_refused(
    database: Database, catalog: Catalog, owner: Actor
) -> None:
    for _ in range(5):
        draft = make_draft(database, catalog, owner)
        published, added = at_once(
            partial(catalog.publish, owner, draft.public_id),
            partial(make_file, database, catalog, owner, draft, "late.csv"),
        )
        assert isinstance(published, VersionRecord)
        now = catalog.get_version(ANONYMOUS, draft.public_id)
        assert now == published
        assert isinstance(added, NotADraftError) == (len(now.files) == 1)


def test_of_two_new_versions_at_once_one_is_opened(
    database: Database, catalog: Catalog, owner: Actor
) -> None:
    version = make_published(database, catalog, owner)
    outcomes = at_once(*[partial(catalog.new_version, owner, version.dataset_public_id)] * 3)
    assert sum(isinstance(outcome, VersionRecord) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, ConflictError) for outcome in outcomes) == 2


def test_the_dataset_leads_to_its_newest_published_version(
    database: Database, catalog: Catalog, owner: Actor
) -> None:
    first = make_published(database, catalog, owner)
    draft = catalog.new_version(owner, first.dataset_public_id)
    assert catalog.get_dataset(owner, first.dataset_public_id) == first
    assert [line.number for line in catalog.list_versions(owner, first.dataset_public_id)] == [2, 1]
    assert [line.number for line in catalog.list_versions(ANONYMOUS, first.dataset_public_id)] == [
        1
    ]
    second = catalog.publish(owner, draft.public_id)
    assert catalog.get_dataset(ANONYMOUS, first.dataset_public_id) == second
    assert catalog.resolve(ANONYMOUS, first.dataset_public_id) == second
    assert catalog.resolve(ANONYMOUS, first.public_id) == first
    with pytest.raises(NotFoundError):
        catalog.get_number(ANONYMOUS, first.dataset_public_id, 3)


def test_withdrawal_leaves_a_tombstone(
    database: Database,
    catalog: Catalog,
    events: Events,
    owner: Actor,
    stranger: Actor,
) -> None:
    heard: list[VersionWithdrawn] = []
    events.subscribe(VersionWithdrawn, heard.append)
    version = make_published(database, catalog, owner)
    file = version.files[0]
    with pytest.raises(PermissionDeniedError):
        catalog.withdraw(stranger, version.public_id, "Because.")
    with pytest.raises(AuthenticationError):
        catalog.withdraw(ANONYMOUS, version.public_id, "Because.")
    catalog.withdraw(owner, version.public_id, "Consent was taken back.")
    tombstone = catalog.require_access(ANONYMOUS, version.public_id, need="metadata")
    assert tombstone.state is VersionState.WITHDRAWN
    assert tombstone.withdrawal_reason == "Consent was taken back."
    assert tombstone.metadata == version.metadata
    for actor in (stranger, ANONYMOUS):
        with pytest.raises(WithdrawnError, match=r"Consent was taken back\."):
            catalog.require_access(actor, version.public_id, need="data")
        with pytest.raises(WithdrawnError):
            catalog.require_download(actor, file.public_id)
    assert catalog.require_file(owner, file.public_id, need="data") == (tombstone, file)
    assert [event.public_id for event in heard] == [version.public_id]
    with pytest.raises(ConflictError):
        catalog.withdraw(owner, version.public_id, "Again.")
    with pytest.raises(ConflictError):
        catalog.new_version(owner, version.dataset_public_id)


def test_a_draft_is_discarded_and_not_withdrawn(
    database: Database, catalog: Catalog, owner: Actor, stranger: Actor
) -> None:
    draft = make_draft(database, catalog, owner)
    with pytest.raises(ConflictError):
        catalog.withdraw(owner, draft.public_id, "Because.")
    with pytest.raises(NotFoundError):
        catalog.withdraw(stranger, draft.public_id, "Because.")


def test_restricted_data_are_for_those_who_look_after_them(
    database: Database, catalog: Catalog, owner: Actor, stranger: Actor, curator: Actor
) -> None:
    version = make_published(database, catalog, owner, access=AccessClass.RESTRICTED)
    file = version.files[0]
    assert catalog.require_access(ANONYMOUS, version.public_id, need="metadata") == version
    assert catalog.require_file(ANONYMOUS, file.public_id, need="metadata") == (version, file)
    for actor in (owner, curator):
        assert catalog.require_access(actor, version.public_id, need="data") == version
        assert catalog.require_download(actor, file.public_id) == (version, file)
    with pytest.raises(PermissionDeniedError, match="only its owner and the curators"):
        catalog.require_access(stranger, version.public_id, need="data")
    with pytest.raises(AuthenticationError, match="sign in"):
        catalog.require_file(ANONYMOUS, file.public_id, need="data")


def test_the_files_of_a_draft_are_hidden(
    database: Database, catalog: Catalog, owner: Actor, stranger: Actor
) -> None:
    draft = make_draft(database, catalog, owner)
    file = draft.files[0]
    for actor in (stranger, ANONYMOUS):
        with pytest.raises(NotFoundError, match=file.public_id):
            catalog.require_file(actor, file.public_id, need="metadata")
        with pytest.raises(NotFoundError, match=file.public_id):
            catalog.require_file(actor, file.public_id, need="data")
        with pytest.raises(NotFoundError, match=file.public_id):
            catalog.require_file(actor, file.public_id, need="edit")
    assert catalog.require_file(owner, file.public_id, need="edit") == (draft, file)
    assert catalog.require_draft(owner, draft.public_id) == draft


def test_files_of_published_versions_are_not_edited(
    database: Database, catalog: Catalog, owner: Actor, stranger: Actor
) -> None:
    version = make_published(database, catalog, owner)
    public_id = version.files[0].public_id
    with pytest.raises(NotADraftError):
        catalog.require_file(owner, public_id, need="edit")
    with pytest.raises(PermissionDeniedError):
        catalog.require_file(stranger, public_id, need="edit")
    with pytest.raises(AuthenticationError):
        catalog.require_file(ANONYMOUS, public_id, need="edit")


def test_withheld_bytes_leave_for_nobody(
    database: Database, catalog: Catalog, owner: Actor
) -> None:
    draft = make_draft(database, catalog, owner)
    catalog.withhold(draft.files[0].id, withheld=True)
    version = catalog.publish(owner, draft.public_id)
    for actor in (owner, ANONYMOUS):
        with pytest.raises(PermissionDeniedError, match="stays in the house"):
            catalog.require_download(actor, version.files[0].public_id)
        assert catalog.require_file(actor, version.files[0].public_id, need="data")[0] == version


def test_public_records_follow_publication_and_withdrawal(
    database: Database, catalog: Catalog, owner: Actor
) -> None:
    draft = make_draft(database, catalog, owner)
    for public_id in (draft.public_id, draft.dataset_public_id, "nothing"):
        with pytest.raises(NotFoundError):
            catalog.public_record(public_id)
    first = catalog.publish(owner, draft.public_id)
    assert catalog.public_record(first.dataset_public_id) == first
    second = catalog.new_version(owner, first.dataset_public_id)
    assert catalog.public_record(first.dataset_public_id) == first
    catalog.update_metadata(owner, second.public_id, make_metadata(title="Second"))
    published = catalog.publish(owner, second.public_id)
    assert catalog.public_record(first.dataset_public_id) == published
    assert catalog.public_record(first.public_id) == first
    tombstone = catalog.withdraw(owner, second.public_id, "A mistake.")
    assert catalog.public_record(first.dataset_public_id) == first
    assert catalog.public_record(second.public_id) == tombstone


def test_public_records_are_read_once(
    database: Database, catalog: Catalog, owner: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = make_published(database, catalog, owner)
    catalog.public_record(version.public_id)
    monkeypatch.setattr(
        catalog, "resolve", lambda *_: pytest.fail("the cache should have answered")
    )
    assert catalog.public_record(version.public_id) == version


def test_arks_lead_to_what_they_name(database: Database, catalog: Catalog, owner: Actor) -> None:
    version = make_published(database, catalog, owner)
    one, all_of_them = version.public_id, version.dataset_public_id
    for name, public_id in (
        (one, one),
        (f"{one[:4]}-{one[4:]}", one),
        (all_of_them, all_of_them),
    ):
        assert catalog.require_identifier(ANONYMOUS, "99999", name) == public_id
    with pytest.raises(NotFoundError, match="not from this catalogue"):
        catalog.require_identifier(ANONYMOUS, "12345", version.public_id)
    mistyped = version.public_id[:-1] + ("0" if version.public_id[-1] != "0" else "1")
    with pytest.raises(NotFoundError, match="check character"):
        catalog.require_identifier(ANONYMOUS, "99999", mistyped)
    with pytest.raises(NotFoundError, match="There is no dataset"):
        catalog.require_identifier(ANONYMOUS, "99999", new_public_id())


def test_a_draft_is_shown_to_those_who_look_after_it(
    database: Database, catalog: Catalog, owner: Actor, stranger: Actor
) -> None:
    draft = make_draft(database, catalog, owner)
    assert catalog.show(owner, draft.public_id) == draft
    for actor in (stranger, ANONYMOUS):
        with pytest.raises(NotFoundError):
            catalog.show(actor, draft.public_id)
