"""Drafts: opened, changed, given files, thrown away."""

import pytest

from fairdatabase.authorization.schemas import ANONYMOUS, Actor
from fairdatabase.catalog.errors import FileNameError, NotADraftError, OpenDraftError
from fairdatabase.catalog.models import DataFile, Dataset, Version
from fairdatabase.catalog.schemas import AccessClass, FileRole, VersionState
from fairdatabase.catalog.service import MAX_FILES, Catalog
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import (
    AuthenticationError,
    ConflictError,
    LimitExceededError,
    NotFoundError,
    PermissionDeniedError,
)
from fairdatabase.kernel.identifiers import is_public_id
from fairdatabase.kernel.records import PageQuery
from tests.factories.catalog import (
    make_blob,
    make_draft,
    make_file,
    make_metadata,
    make_published,
)


def test_a_new_draft_has_everything_that_was_sent(catalog: Catalog, owner: Actor) -> None:
    metadata = make_metadata(methods="16S rRNA")
    draft = catalog.create_draft(owner, metadata, access=AccessClass.RESTRICTED)
    assert draft.metadata == metadata
    assert (draft.state, draft.access) == (VersionState.DRAFT, AccessClass.RESTRICTED)
    assert (draft.number, draft.files, draft.owner_id) == (1, (), owner.user_id)
    assert is_public_id(draft.public_id)
    assert draft.identifier == f"ark:/99999/{draft.public_id}"
    assert draft.dataset_identifier == f"ark:/99999/{draft.dataset_public_id}"
    assert catalog.get_version(owner, draft.public_id) == draft
    assert catalog.get_dataset(owner, draft.dataset_public_id) == draft


def test_nobody_deposits_without_signing_in(catalog: Catalog) -> None:
    with pytest.raises(AuthenticationError):
        catalog.create_draft(ANONYMOUS, make_metadata())


def test_a_draft_is_seen_by_those_who_look_after_it(
    catalog: Catalog, owner: Actor, stranger: Actor, curator: Actor
) -> None:
    draft = catalog.create_draft(owner, make_metadata())
    assert catalog.get_version(curator, draft.public_id) == draft
    for actor in (stranger, ANONYMOUS):
        for public_id in (draft.public_id, draft.dataset_public_id):
            with pytest.raises(NotFoundError):
                catalog.resolve(actor, public_id)
        with pytest.raises(NotFoundError):
            catalog.update_metadata(actor, draft.public_id, make_metadata(title="Mine"))
        with pytest.raises(NotFoundError):
            catalog.get_number(actor, draft.dataset_public_id, 1)
        with pytest.raises(NotFoundError):
            catalog.list_versions(actor, draft.dataset_public_id)
        with pytest.raises(NotFoundError):
            catalog.discard_draft(actor, draft.public_id)
    assert catalog.get_version(owner, draft.public_id).metadata.title == draft.metadata.title


def test_metadata_and_access_of_a_draft_change(catalog: Catalog, owner: Actor) -> None:
    draft = catalog.create_draft(owner, make_metadata())
    catalog.update_metadata(owner, draft.public_id, make_metadata(title="Another title"))
    changed = catalog.set_access(owner, draft.public_id, AccessClass.RESTRICTED)
    assert changed.metadata.title == "Another title"
    assert changed.access is AccessClass.RESTRICTED
    assert catalog.my_drafts(owner, PageQuery())[0][0].title == "Another title"


def test_a_file_keeps_its_place_and_facts(
    database: Database, catalog: Catalog, owner: Actor
) -> None:
    draft = catalog.create_draft(owner, make_metadata())
    blob = make_blob(database)
    first = catalog.add_file(owner, draft.public_id, " samples.csv ", blob, media_type="TEXT/CSV")
    second = catalog.add_file(
        owner, draft.public_id, "readme.txt", blob, media_type="?", role=FileRole.DOCUMENTATION
    )
    assert (first.name, first.media_type, first.role) == ("samples.csv", "text/csv", FileRole.DATA)
    assert (second.media_type, second.role) == ("application/octet-stream", FileRole.DOCUMENTATION)
    assert (first.sha256, first.size, first.withheld) == (blob.sha256, blob.size, False)
    assert catalog.get_version(owner, draft.public_id).files == (first, second)
    assert catalog.file(first.id) == first


def test_two_files_of_a_version_have_two_names(
    database: Database, catalog: Catalog, owner: Actor
) -> None:
    draft = make_draft(database, catalog, owner, names=["Caf\u00e9.csv"])
    for name in ("Caf\u00e9.csv", "Cafe\u0301.csv"):
        with pytest.raises(ConflictError, match="has a file"):
            catalog.check_new_file(owner, draft.public_id, name)
        with pytest.raises(ConflictError, match="has a file"):
            make_file(database, catalog, owner, draft, name)
    with pytest.raises(FileNameError):
        make_file(database, catalog, owner, draft, "../samples.csv")
    assert catalog.check_new_file(owner, draft.public_id, "Other.csv") == "Other.csv"
    assert [file.name for file in catalog.get_version(owner, draft.public_id).files] == [
        "Caf\u00e9.csv"
    ]


def test_a_version_has_a_bounded_number_of_files(
    database: Database, catalog: Catalog, owner: Actor
) -> None:
    draft = catalog.create_draft(owner, make_metadata())
    blob = make_blob(database)
    with database.transaction() as session:
        session.add_all(
            DataFile(
                version_id=draft.id,
                position=number,
                name=f"{number}.csv",
                role=FileRole.DATA,
                sha256=blob.sha256,
                size=blob.size,
                media_type="text/csv",
                created_at=draft.created_at,
            )
            for number in range(MAX_FILES)
        )
    with pytest.raises(LimitExceededError, match=r"another deposit") as caught:
        make_file(database, catalog, owner, draft, "one-more.csv")
    assert "archive" not in caught.value.message  # which would be refused


def test_a_removed_file_makes_room_for_its_name(
    database: Database, catalog: Catalog, owner: Actor, stranger: Actor
) -> None:
    draft = make_draft(database, catalog, owner, names=["a.csv", "b.csv"])
    with pytest.raises(NotFoundError):
        catalog.remove_file(stranger, draft.files[0].public_id)
    catalog.remove_file(owner, draft.files[0].public_id)
    with pytest.raises(NotFoundError):
        catalog.remove_file(owner, draft.files[0].public_id)
    with pytest.raises(NotFoundError):
        catalog.file(draft.files[0].id)
    make_file(database, catalog, owner, draft, "a.csv")
    names = [file.name for file in catalog.get_version(owner, draft.public_id).files]
    assert names == ["b.csv", "a.csv"]


def test_drafts_are_listed_page_by_page(catalog: Catalog, owner: Actor, stranger: Actor) -> None:
    drafts = [catalog.create_draft(owner, make_metadata(title=f"No {n}")) for n in range(3)]
    first, total = catalog.my_drafts(owner, PageQuery(per_page=2))
    second, _ = catalog.my_drafts(owner, PageQuery(per_page=2, page=2))
    assert total == 3
    assert {line.public_id for line in (*first, *second)} == {draft.public_id for draft in drafts}
    assert catalog.my_drafts(stranger, PageQuery()) == ((), 0)
    with pytest.raises(AuthenticationError):
        catalog.my_drafts(ANONYMOUS, PageQuery())


def test_a_discarded_first_draft_leaves_nothing(
    database: Database, catalog: Catalog, owner: Actor
) -> None:
    draft = make_draft(database, catalog, owner)
    catalog.discard_draft(owner, draft.public_id)
    with pytest.raises(NotFoundError):
        catalog.get_version(owner, draft.public_id)
    with database.reading() as session:
        assert [session.query(table).count() for table in (Dataset, Version, DataFile)] == [0, 0, 0]


def test_a_next_version_starts_as_a_copy(
    database: Database, catalog: Catalog, owner: Actor, stranger: Actor
) -> None:
    draft = make_draft(database, catalog, owner, access=AccessClass.RESTRICTED)
    catalog.withhold(draft.files[0].id, withheld=True)
    published = catalog.publish(owner, draft.public_id)
    with pytest.raises(PermissionDeniedError):
        catalog.new_version(stranger, published.dataset_public_id)
    with pytest.raises(AuthenticationError):
        catalog.new_version(ANONYMOUS, published.dataset_public_id)
    following = catalog.new_version(owner, published.dataset_public_id)
    assert (following.number, following.state) == (2, VersionState.DRAFT)
    assert (following.metadata, following.access) == (published.metadata, published.access)
    assert following.public_id != published.public_id
    assert following.files[0].id != published.files[0].id
    assert following.files[0].model_dump(exclude={"public_id"}) == published.files[0].model_dump(
        exclude={"public_id"}
    )
    with pytest.raises(OpenDraftError):
        catalog.new_version(owner, published.dataset_public_id)
    catalog.discard_draft(owner, following.public_id)
    assert catalog.get_dataset(owner, published.dataset_public_id) == published
    assert catalog.new_version(owner, published.dataset_public_id).number == 2


def test_a_draft_that_was_never_published_gets_no_second_one(
    catalog: Catalog, owner: Actor
) -> None:
    draft = catalog.create_draft(owner, make_metadata())
    with pytest.raises(OpenDraftError):
        catalog.new_version(owner, draft.dataset_public_id)


def test_what_is_published_never_changes(
    database: Database, catalog: Catalog, owner: Actor
) -> None:
    version = make_published(database, catalog, owner)
    with pytest.raises(NotADraftError):
        catalog.update_metadata(owner, version.public_id, make_metadata(title="Other"))
    with pytest.raises(NotADraftError):
        catalog.set_access(owner, version.public_id, AccessClass.RESTRICTED)
    with pytest.raises(NotADraftError):
        make_file(database, catalog, owner, version, "late.csv")
    with pytest.raises(NotADraftError):
        catalog.remove_file(owner, version.files[0].public_id)
    with pytest.raises(NotADraftError):
        catalog.discard_draft(owner, version.public_id)
    assert catalog.get_version(owner, version.public_id) == version
