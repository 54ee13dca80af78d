"""Descriptions of datasets for agents: what a dataset is, and how it is cited."""

from typing import TYPE_CHECKING

from fairdatabase.authorization.schemas import Actor
from fairdatabase.catalog.schemas import DatasetPath
from fairdatabase.interop.schemas import CitationQuestion, Export, Overview

if TYPE_CHECKING:
    from fairdatabase.services import Services

_LINKED_DATA = "schemaorg"


def read_dataset(services: "Services", actor: Actor, asked: DatasetPath) -> Overview:
    """Read what is known about a dataset: description, creators, licence, versions and files.

    It names the files that can be queried as tables, and says whether you may read the data: the
    description of published datasets is open, the data need not be.
    """
    return Overview.of(services.interop.landing(actor, asked.dataset_id))


def cite_dataset(services: "Services", actor: Actor, asked: CitationQuestion) -> Export:
    """Return how a dataset is cited, for people or for a list of references.

    Cite every dataset whose data you use, in the words of this answer.
    """
    return services.interop.export(actor, asked.dataset_id, asked.style)


def dataset(services: "Services", actor: Actor, asked: DatasetPath) -> Export:
    """A dataset's description as schema.org JSON-LD."""
    return services.interop.export(actor, asked.dataset_id, _LINKED_DATA)
