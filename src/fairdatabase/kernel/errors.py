"""Every exception the platform raises on purpose.

The tree (features subclass the leaves in their own ``errors`` module)::

    FAIRDatabaseError
    ├── ValidationError          what was sent does not fit
    │   ├── LimitExceededError   it is larger than a stated limit
    │   └── PolicyError          it fits, and a policy forbids it
    ├── AuthenticationError      nobody proved who is asking
    ├── PermissionDeniedError    the one who asks may not
    ├── NotFoundError            it is not there, or not for this actor
    ├── GoneError                it was there and was withdrawn
    ├── UnknownHostError         it is meant for another server
    ├── ConflictError            somebody or something else was first
    ├── RateLimitError           asked too often
    ├── ConfigurationError       the settings cannot work
    ├── KnowledgeBaseError       the knowledge base cannot answer
    └── UnavailableError         a part the request needs is down
        └── StorageFullError     no space is left

No class knows about HTTP; ``fairdatabase.api.problems`` maps the tree to status codes.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class FAIRDatabaseError(Exception):
    """Base of all errors that are shown to the one who caused them.

    Args:
        message: One or two sentences: what is wrong and what to do about it.
        details: Machine-readable particulars, for example one mapping per invalid field.
    """

    code: ClassVar[str] = "error"
    title: ClassVar[str] = "Something went wrong"

    def __init__(
        self,
        message: str,
        *,
        details: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class ValidationError(FAIRDatabaseError):
    """What was sent does not fit what is asked for."""

    code = "validation-error"
    title = "The input is not valid"


class LimitExceededError(ValidationError):
    """What was sent is larger than a stated limit."""

    code = "limit-exceeded"
    title = "The input is too large"


class PolicyError(ValidationError):
    """A policy, such as the privacy gate, forbids what was asked."""

    code = "policy-refused"
    title = "A policy does not allow this"


class AuthenticationError(FAIRDatabaseError):
    """Nobody proved who is asking."""

    code = "authentication-required"
    title = "Please sign in"


class PermissionDeniedError(FAIRDatabaseError):
    """The one who asks is known and may not do this."""

    code = "permission-denied"
    title = "You may not do this"


class NotFoundError(FAIRDatabaseError):
    """The thing does not exist, or this actor may not know that it does."""

    code = "not-found"
    title = "Not found"


class GoneError(FAIRDatabaseError):
    """The thing was public once and has been withdrawn."""

    code = "gone"
    title = "Withdrawn"


class UnknownHostError(FAIRDatabaseError):
    """The address names a host that this instance does not answer for."""

    code = "unknown-host"
    title = "This is the wrong address"


class ConflictError(FAIRDatabaseError):
    """The state of the thing does not allow this, often because another was first."""

    code = "conflict"
    title = "This conflicts with the present state"


class RateLimitError(FAIRDatabaseError):
    """The caller asked too often.

    Args:
        message: As of every error.
        retry_after: Seconds until it is worth trying again, where they are known.
        details: As of every error; ``retry_after`` where there are none.
    """

    code = "rate-limited"
    title = "Too many requests"

    def __init__(
        self,
        message: str,
        *,
        retry_after: int | None = None,
        details: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        wait = {"retry_after": retry_after} if retry_after is not None else None
        super().__init__(message, details=details or wait)
        self.retry_after = retry_after


class ConfigurationError(FAIRDatabaseError):
    """The settings of this instance cannot work."""

    code = "configuration"
    title = "The configuration is not valid"


class KnowledgeBaseError(FAIRDatabaseError):
    """The knowledge base cannot answer."""

    code = "knowledge-base"
    title = "The knowledge base has no answer"


class UnavailableError(FAIRDatabaseError):
    """A part this request needs does not answer."""

    code = "unavailable"
    title = "A service is unavailable"


class StorageFullError(UnavailableError):
    """No space is left for what was sent; nothing of it was kept."""

    code = "storage-full"
    title = "The storage is full"


def kinds() -> dict[str, type[FAIRDatabaseError]]:
    """Return the classes that have a code of their own, of all modules loaded, by this code."""
    found: dict[str, type[FAIRDatabaseError]] = {}
    waiting: list[type[FAIRDatabaseError]] = [FAIRDatabaseError]
    while waiting:
        kind = waiting.pop()
        if "code" in vars(kind):
            found[kind.code] = kind
        waiting += kind.__subclasses__()
    return found
