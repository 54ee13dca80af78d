"""Jobs of the privacy feature."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from fairdatabase.jobs.service import JobContext, Jobs
from fairdatabase.privacy.schemas import Recipe
from fairdatabase.privacy.service import RELEASE_JOB
from fairdatabase.privacy.service.recipes import SEARCH_JOB

if TYPE_CHECKING:
    from fairdatabase.services import Services


def register(jobs: Jobs, services: "Services") -> None:
    """Tell the queue how releases are made and recipes are searched for."""

    def release(context: JobContext, payload: dict[str, Any]) -> None:
        recipe = Recipe.model_validate(payload["recipe"])
        ids = (UUID(payload[name]) for name in ("file_id", "dataset_id", "created_by"))
        services.privacy.release(*ids, recipe=recipe, progress=context.progress)

    def search(context: JobContext, payload: dict[str, Any]) -> None:
        job, file_id = context.job.public_id, UUID(payload["file_id"])
        services.recipes.run_search(file_id, job, context.progress)

    jobs.register(RELEASE_JOB, release)
    jobs.register(SEARCH_JOB, search)
