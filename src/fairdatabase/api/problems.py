"""The one place where exceptions become HTTP answers."""

import logging
from collections.abc import Callable
from http import HTTPStatus

from flask import Flask, Response, g, request
from flask_limiter import RateLimitExceeded
from pydantic import ValidationError as PydanticValidationError
from werkzeug.exceptions import HTTPException

from fairdatabase.authorization.errors import ConfirmationRequiredError
from fairdatabase.kernel import errors
from fairdatabase.kernel.current import services
from fairdatabase.kernel.extensions import asked_too_often
from fairdatabase.kernel.http import kind_of_status, problem
from fairdatabase.kernel.records import invalid_input

Page = Callable[[HTTPStatus, str, str, str], Response]
_KEPT_HEADERS = {"allow", "retry-after", "content-range"}
logger = logging.getLogger(__name__)

STATUS: dict[type[errors.FAIRDatabaseError], HTTPStatus] = {
    errors.ValidationError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.LimitExceededError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.PolicyError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.AuthenticationError: HTTPStatus.UNAUTHORIZED,
    errors.PermissionDeniedError: HTTPStatus.FORBIDDEN,
    errors.NotFoundError: HTTPStatus.NOT_FOUND,
    errors.GoneError: HTTPStatus.GONE,
    errors.UnknownHostError: HTTPStatus.MISDIRECTED_REQUEST,
    errors.ConflictError: HTTPStatus.CONFLICT,
    errors.RateLimitError: HTTPStatus.TOO_MANY_REQUESTS,
    errors.ConfigurationError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.KnowledgeBaseError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.StorageFullError: HTTPStatus.INSUFFICIENT_STORAGE,
}


def status_of(error: errors.FAIRDatabaseError) -> HTTPStatus:
    """Return the status of the nearest class in the error's line of ancestors."""
    for ancestor in type(error).__mro__:
        if ancestor in STATUS:
            return STATUS[ancestor]
    return HTTPStatus.INTERNAL_SERVER_ERROR


def register_problems(app: Flask, page: Page) -> None:
    """Map the platform's, Pydantic's and Werkzeug's exceptions on this application.

    Args:
        app: The application.
        page: Makes what browsers get outside ``/api/``, from status, title, message and code.
    """

    def answer(error: errors.FAIRDatabaseError, status: HTTPStatus) -> Response:
        return _answer(
            page, status, error.title, error.message, code=error.code, details=error.details
        )

    @app.errorhandler(errors.FAIRDatabaseError)
    def _ours(error: errors.FAIRDatabaseError) -> Response:
        _note_denial(error)
        return _with_wait(answer(error, status_of(error)), error)

    @app.errorhandler(PydanticValidationError)
    def _pydantic(error: PydanticValidationError) -> Response:
        return answer(invalid_input(error), HTTPStatus.UNPROCESSABLE_ENTITY)

    @app.errorhandler(RateLimitExceeded)
    def _limited(error: RateLimitExceeded) -> Response:
        return answer(asked_too_often(error), HTTPStatus.TOO_MANY_REQUESTS)

    @app.errorhandler(HTTPException)
    def _werkzeug(error: HTTPException) -> Response:
        status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
        if status < HTTPStatus.BAD_REQUEST:
            return Response(error.get_body(), status, error.get_headers())
        kind = kind_of_status(status)
        message = error.description or kind.meaning
        response = _answer(page, status, kind.title, message, code=kind.code)
        for name, value in error.get_headers():
            if name.lower() in _KEPT_HEADERS:
                response.headers[name] = value
        return response

    @app.errorhandler(Exception)
    def _unexpected(error: Exception) -> Response:
        logger.error("Unhandled error", exc_info=error)
        message = "Something went wrong on our side. Please try again; if it stays, tell the admin."
        return answer(errors.FAIRDatabaseError(message), HTTPStatus.INTERNAL_SERVER_ERROR)


def _with_wait(response: Response, error: errors.FAIRDatabaseError) -> Response:
    """Say when to try again, where the error knows."""
    if isinstance(error, errors.RateLimitError) and error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _note_denial(error: errors.FAIRDatabaseError) -> None:
    # Who may, and has only to prove again that it is them, was not denied anything.
    denied = isinstance(error, errors.PermissionDeniedError)
    if denied and not isinstance(error, ConfirmationRequiredError):
        services().audit.note_denial(g.actor, request.endpoint or "")


def _answer(
    page: Page,
    status: HTTPStatus,
    title: str,
    message: str,
    *,
    code: str,
    details: object = None,
) -> Response:
    if not request.path.startswith("/api/") and request.accept_mimetypes.accept_html:
        return page(status, title, message, code)
    headers = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else {}
    return problem(
        code,
        title,
        message,
        status=status,
        details=details,
        request_id=g.get("request_id"),
        headers=headers,
    )
