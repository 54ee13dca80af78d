"""What was typed into a form, and what is wrong with it; templates read ``form``."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import BaseModel
from pydantic import ValidationError as PydanticValidationError

from fairdatabase.kernel.errors import FAIRDatabaseError
from fairdatabase.kernel.records import in_words

M = TypeVar("M", bound=BaseModel)
CSRF_FIELD = "csrf_token"


class Form:
    """The values of a form and its errors, so that nothing typed is lost when a page comes back.

    Args:
        values: Texts by the field's name.
    """

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = dict(values or {})
        self.errors: dict[str, str] = {}
        """Messages by the field's name; the name is empty for what concerns the whole form."""

    @classmethod
    def submitted(cls) -> "Form":
        """Return the form that this request sent, without its CSRF token."""
        return cls({name: text for name, text in request.form.items() if name != CSRF_FIELD})

    @property
    def values(self) -> Mapping[str, str]:
        """What was typed, by the field's name."""
        return self._values

    def value(self, name: str) -> str:
        """Return what was typed into a field."""
        return self._values.get(name, "")

    def error(self, name: str) -> str | None:
        """Return what is wrong with a field."""
        return self.errors.get(name)

    def parse(self, model: type[M], *, ignoring: Iterable[str] = ()) -> M | None:
        """Validate the values, or note each field's error and return None.

        Args:
            model: What the form has to fit.
            ignoring: Fields that are not the model's, such as where to go afterwards.
        """
        skipped = set(ignoring)
        values = {name: text for name, text in self._values.items() if name not in skipped}
        try:
            return model.model_validate(values)
        except PydanticValidationError as error:
            for item in error.errors(include_url=False, include_input=False):
                field = ".".join(str(part) for part in item["loc"])
                self.errors.setdefault(field, in_words(item))
            return None

    def refuse(self, error: FAIRDatabaseError) -> None:
        """Note what a service found wrong: by field where it says so, else for the whole form."""
        details = error.details if isinstance(error.details, list | tuple) else ()
        fields = {item["field"]: item["message"] for item in details if "field" in item}
        self.errors |= fields or {"": error.message}


def see(endpoint: str, **values: Any) -> ResponseReturnValue:  # noqa: ANN401 - as url_for
    """Lead from a form that was taken to another page, by GET; arguments as of ``url_for``."""
    return redirect(url_for(endpoint, **values), HTTPStatus.SEE_OTHER)
