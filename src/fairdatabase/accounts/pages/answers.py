"""How a page answers a form: by doing what it asks for, or by showing it again."""

from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar

from flask import Response, make_response
from pydantic import BaseModel

from fairdatabase.accounts.errors import SignInExpiredError
from fairdatabase.kernel.errors import (
    AuthenticationError,
    ConflictError,
    RateLimitError,
    ValidationError,
)
from fairdatabase.kernel.forms import Form

M = TypeVar("M", bound=BaseModel)
_SHOWN = (AuthenticationError, ConflictError, ValidationError)


def answered(
    form: Form, model: type[M], act: Callable[[M], Response], show: Callable[[Form], str]
) -> Response:
    """Act on a form, or show its page again with what is wrong.

    Args:
        form: What was sent.
        model: What it has to fit; ``next`` and ``again`` are the page's own.
        act: Does what the form is for, and answers.
        show: Makes the page.
    """
    status, headers = HTTPStatus.UNPROCESSABLE_ENTITY, {}
    given = form.parse(model, ignoring={"next", "again"})
    if given:
        try:
            return act(given)
        except RateLimitError as error:
            form.refuse(error)
            status, headers = HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": error.retry_after}
        except _SHOWN as error:
            if isinstance(error, SignInExpiredError):
                raise
            form.refuse(error)
    return make_response(show(form), status, headers)
