"""Errors of the knowledge base."""

from fairdatabase.kernel.errors import KnowledgeBaseError, NotFoundError, ValidationError


class SourceNotFoundError(NotFoundError):
    """There is no such source, or this actor may not know of it."""

    def __init__(self, source_id: str) -> None:
        super().__init__(f"There is no source {source_id}.")


class PageNotFoundError(NotFoundError):
    """There is no such document, or this actor may not know of it."""

    def __init__(self, page_id: int) -> None:
        super().__init__(f"There is no document {page_id}.")


class LocationRefusedError(ValidationError):
    """A location cannot be read as one, or may not be read from here."""

    def __init__(self, message: str) -> None:
        super().__init__(message, details=[{"field": "location", "message": message}])


class NotLoadedError(KnowledgeBaseError):
    """A source could not be loaded."""
