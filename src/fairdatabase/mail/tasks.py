"""Jobs of the mail feature."""

from typing import TYPE_CHECKING, Any

from fairdatabase.jobs.service import JobContext, Jobs
from fairdatabase.mail.service import LETTER_JOB

if TYPE_CHECKING:
    from fairdatabase.services import Services


def register(jobs: Jobs, services: "Services") -> None:
    """Tell the queue how letters are sent."""

    def send(context: JobContext, payload: dict[str, Any]) -> None:
        services.mail.deliver(context, payload["sealed"])

    jobs.register(LETTER_JOB, send, confidential=True)
