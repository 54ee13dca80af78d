"""People, drafts and published versions for tests."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import count
from typing import Any

from fairdatabase.accounts.models import User
from fairdatabase.authorization.schemas import Actor, Role
from fairdatabase.catalog.schemas import (
    AccessClass,
    Creator,
    FileRecord,
    Metadata,
    Subject,
    VersionRecord,
)
from fairdatabase.catalog.service import Catalog
from fairdatabase.kernel.database import Database
from fairdatabase.storage.models import Blob
from fairdatabase.storage.schemas import BlobRecord

_NUMBERS = count(1)
MOMENT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def make_actor(database: Database, *roles: Role) -> Actor:
    """Store a user and return them as the one who asks; a member unless told otherwise."""
    number = next(_NUMBERS)
    name = f"User {number}"
    with database.transaction() as session:
        user = User(
            email=f"user{number}@example.org", name=name, password_hash="", created_at=MOMENT
        )
        session.add(user)
        session.flush()
        return Actor(
            user_id=user.id,
            public_id=user.public_id,
            name=name,
            roles=frozenset(roles or {Role.MEMBER}),
            confirmed=True,
        )


def make_blob(database: Database, content: bytes = b"a,b\n1,2\n") -> BlobRecord:
    """Store the row of a blob, without bytes."""
    sha256 = hashlib.sha256(content).hexdigest()
    with database.transaction() as session:
        if session.get(Blob, sha256) is None:
            session.add(Blob(sha256=sha256, size=len(content), stored_at=MOMENT))
    return BlobRecord(sha256=sha256, size=len(content))


def make_metadata(**changes: Any) -> Metadata:  # noqa: ANN401 - fields of Metadata
    """Return metadata that are complete enough to be published."""
    complete: dict[str, Any] = {
        "title": "Gut microbiota of 300 adults",
        "description": "Relative abundance of 21 taxa with age, region and BMI.",
        "creators": [Creator(name="Curie, Marie", orcid="0000-0002-1825-0097")],
        "subjects": [Subject(term="gut microbiome")],
        "licence": "CC-BY-4.0",
    }
    return Metadata(**(complete | changes))


def make_draft(
    database: Database,
    catalog: Catalog,
    actor: Actor,
    *,
    names: Iterable[str] = ("samples.csv",),
    access: AccessClass = AccessClass.OPEN,
    **changes: Any,  # noqa: ANN401 - fields of Metadata
) -> VersionRecord:
    """Open a draft with complete metadata and files that all have the same bytes."""
    draft = catalog.create_draft(actor, make_metadata(**changes), access=access)
    for name in names:
        make_file(database, catalog, actor, draft, name)
    return catalog.get_version(actor, draft.public_id)


def make_file(
    database: Database, catalog: Catalog, actor: Actor, draft: VersionRecord, name: str
) -> FileRecord:
    """Add a file to a draft."""
    blob = make_blob(database)
    return catalog.add_file(actor, draft.public_id, name, blob, media_type="text/csv")


def make_published(
    database: Database,
    catalog: Catalog,
    actor: Actor,
    *,
    index_text: str = "",
    access: AccessClass = AccessClass.OPEN,
    **changes: Any,  # noqa: ANN401 - fields of Metadata
) -> VersionRecord:
    """Publish a dataset with one file."""
    draft = make_draft(database, catalog, actor, access=access, **changes)
    return catalog.publish(actor, draft.public_id, index_text=index_text)
