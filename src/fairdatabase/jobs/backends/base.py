"""What carries the ids of waiting jobs to the workers."""

from typing import Protocol
from uuid import UUID


class Queue(Protocol):
    """Carries ids, quickly and without any promise: lost ones are found in the table of jobs."""

    def put(self, job_id: UUID) -> None:
        """Tell one worker that this job waits."""
        ...

    def check(self) -> str:
        """Return one line on the state of the queue.

        Raises:
            UnavailableError: It does not answer.
        """
        ...
