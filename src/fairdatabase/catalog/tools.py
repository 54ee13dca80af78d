"""The catalogue for agents: search."""

from typing import TYPE_CHECKING

from fairdatabase.authorization.schemas import Actor
from fairdatabase.catalog.schemas import SearchQuery, SearchResult

if TYPE_CHECKING:
    from fairdatabase.services import Services


def search_datasets(services: "Services", _actor: Actor, asked: SearchQuery) -> SearchResult:
    """Find published datasets by words in their description; facets count over all results.

    Start here. Drafts are not found, whoever asks. The dataset_public_id of a result is what
    read_dataset takes.
    """
    return services.catalog.search(asked)
