"""Errors of the jobs feature."""

from fairdatabase.kernel.errors import ConflictError, NotFoundError


class JobNotFoundError(NotFoundError):
    """There is no such job, or it is another's.

    Args:
        public_id: What was asked for.
    """

    def __init__(self, public_id: str) -> None:
        super().__init__(f"There is no job {public_id}.")


class LeaseLostError(ConflictError):
    """The job was cancelled or taken over; what this worker did must not count."""

    def __init__(self) -> None:
        super().__init__("Another worker has taken over this job.")
