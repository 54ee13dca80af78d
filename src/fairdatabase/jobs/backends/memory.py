"""A queue inside one process: jobs run when the caller says so."""

from collections import deque
from collections.abc import Callable
from uuid import UUID


class MemoryQueue:
    """Keeps ids until :meth:`drain` is called; for tests and for tools without a worker."""

    def __init__(self) -> None:
        self.waiting: deque[UUID] = deque()

    def put(self, job_id: UUID) -> None:
        """Keep the id."""
        self.waiting.append(job_id)

    def check(self) -> str:
        """Return the number of waiting jobs."""
        return f"{len(self.waiting)} waiting in memory"

    def drain(self, run: Callable[[UUID], object]) -> int:
        """Hand every waiting id to ``run``, those that jobs add on the way as well.

        Args:
            run: ``Jobs.run`` of the same process.

        Returns:
            How many were run.
        """
        count = 0
        while self.waiting:
            run(self.waiting.popleft())
            count += 1
        return count
