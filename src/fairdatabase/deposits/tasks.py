"""Jobs of the deposits feature."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from fairdatabase.deposits.service import SCREEN_JOB, VALIDATE_JOB
from fairdatabase.jobs.service import JobContext, Jobs
from fairdatabase.tables.schemas import IngestOptions

if TYPE_CHECKING:
    from fairdatabase.services import Services


def register(jobs: Jobs, services: "Services") -> None:
    """Tell the queue how deposits are validated and screened."""

    def validate(context: JobContext, payload: dict[str, Any]) -> None:
        options = IngestOptions.model_validate(payload["options"])
        services.deposits.validate(UUID(payload["file_id"]), options, context.progress)

    def screen(_context: JobContext, payload: dict[str, Any]) -> None:
        services.deposits.screen(UUID(payload["file_id"]))

    jobs.register(VALIDATE_JOB, validate)
    jobs.register(SCREEN_JOB, screen)
