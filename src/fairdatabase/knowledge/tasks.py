"""Jobs of the knowledge base."""

from typing import TYPE_CHECKING, Any

from fairdatabase.jobs.service import JobContext, Jobs
from fairdatabase.knowledge.service.datasets import INDEX_JOB
from fairdatabase.knowledge.service.sources import EMBED_JOB, REFRESH_JOB

if TYPE_CHECKING:
    from fairdatabase.services import Services


def register(jobs: Jobs, services: "Services") -> None:
    """Tell the queue how sources are loaded and documents of datasets are made."""

    def refresh(context: JobContext, payload: dict[str, Any]) -> None:
        services.knowledge.sources.load(payload["source_id"], context.progress)

    def embed(context: JobContext, _payload: dict[str, Any]) -> None:
        services.knowledge.sources.embed(context.progress)

    def index(_context: JobContext, payload: dict[str, Any]) -> None:
        services.knowledge.datasets.index(payload["dataset"])

    jobs.register(REFRESH_JOB, refresh)
    jobs.register(EMBED_JOB, embed)
    jobs.register(INDEX_JOB, index)
