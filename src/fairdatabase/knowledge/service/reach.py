"""Whose documents an actor may read, at this moment."""

from collections.abc import Iterable

from fairdatabase.authorization.schemas import Actor
from fairdatabase.catalog.service.documents import Documents
from fairdatabase.knowledge.rules import ABOUT, CLOSED, DRAFT, version_of


class Reach:
    """Turns the platform's permissions into those of the library.

    Args:
        documents: Knows the catalogue.
    """

    def __init__(self, documents: Documents) -> None:
        self.documents = documents

    def readers(self, actor: Actor) -> frozenset[str]:
        """Return the owners whose sources the actor may read, besides what is everybody's."""
        drafts, restricted = self.documents.open_to(actor)
        return frozenset(
            {f"{DRAFT}{each}" for each in drafts} | {f"{CLOSED}{each}" for each in restricted}
        )

    def still_open(self, source_ids: Iterable[str]) -> dict[str, bool]:
        """Tell of sources whether they may be shown, should a dataset just have been withdrawn."""
        wanted = set(source_ids)
        versions = {each: version_of(each) for each in wanted if each.startswith(ABOUT)}
        published = self.documents.published(set(versions.values()))
        return {each: versions.get(each) in published or each not in versions for each in wanted}
