"""Base classes of what comes in and what goes out; free of Flask, so that services use them."""

from functools import cache
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic import ValidationError as PydanticValidationError
from pydantic_core import ErrorDetails

from fairdatabase.kernel import errors

_MOST_FAULTS = 1000
_NEEDED = "This is needed."
_WORDS = {
    "missing": _NEEDED,
    "string_too_long": "Please use at most {max_length} characters.",
    "string_pattern_mismatch": "This does not have the form that is asked for.",
    "int_parsing": "Please enter a whole number.",
    "float_parsing": "Please enter a number.",
    "date_from_datetime_parsing": "Please enter a day, such as 2026-11-22.",
    "greater_than_equal": "Please enter at least {ge}.",
    "less_than_equal": "Please enter at most {le}.",
    "enum": "Please choose one of these: {expected}.",
    "literal_error": "Please choose one of these: {expected}.",
    "extra_forbidden": "There is no such field.",
}
_PREFIXES = ("Value error, ", "value is not a valid email address: ")


class Closed(BaseModel):
    """Base of everything that comes in: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    @cache
    def model_json_schema(  # type: ignore[override]  # the cached function takes the same
        cls,
        *args: Any,  # noqa: ANN401
        **options: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        """Return the JSON schema, made once: the OpenAPI layer asks for it on every request."""
        return super().model_json_schema(*args, **options)

    @model_validator(mode="after")
    def _has_no_nul(self) -> Self:
        """Refuse the one character that PostgreSQL keeps in no text."""
        for name, value in self:
            if isinstance(value, str) and "\0" in value:
                raise ValueError(f"{name} contains a NUL character; please remove it")
        return self


class Record(BaseModel):
    """Base of everything that goes out: frozen, read from attributes where it helps."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class PageMeta(Record):
    """Where a page of a list stands in the whole."""

    page: int = Field(ge=1, examples=[1])
    per_page: int = Field(ge=1, examples=[20])
    total: int = Field(ge=0, examples=[42])

    @property
    def pages(self) -> int:
        """Number of pages; an empty list has one."""
        return max(1, -(-self.total // self.per_page))

    @property
    def first(self) -> int:
        """Position of the page's first item, from 1; 0 where there is none."""
        return min((self.page - 1) * self.per_page + 1, self.total)

    @property
    def last(self) -> int:
        """Position of the page's last item."""
        return min(self.page * self.per_page, self.total)


class PageQuery(Closed):
    """Which page of a list is asked for."""

    page: int = Field(default=1, ge=1, le=100_000, description="Page number, from 1.")
    per_page: int = Field(default=20, ge=1, le=100, description="Items on a page.")

    @property
    def offset(self) -> int:
        """Number of items before the page."""
        return (self.page - 1) * self.per_page


def invalid_input(error: PydanticValidationError) -> errors.ValidationError:
    """Turn what Pydantic found into the platform's error, without echoing the input."""
    if (count := error.error_count()) > _MOST_FAULTS:
        # Putting a hundred thousand of them into words would take longer than any other request.
        return errors.ValidationError(f"The request is not valid: it has {count:,} faults.")
    details = [
        {"field": ".".join(str(part) for part in item["loc"]), "message": item["msg"]}
        for item in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    listed = "; ".join(f"{item['field'] or 'body'}: {item['message']}" for item in details[:5])
    return errors.ValidationError(f"The request is not valid. {listed}", details=details)


def in_words(item: ErrorDetails) -> str:
    """Return what Pydantic found wrong with a field as a sentence for the one who filled it in."""
    context = item.get("ctx", {})
    if item["type"] == "string_too_short":
        shortest = context["min_length"]
        return _NEEDED if shortest == 1 else f"Please use at least {shortest} characters."
    if item["type"] in _WORDS:
        return _WORDS[item["type"]].format(**context)
    text = item["msg"]
    for prefix in _PREFIXES:
        text = text.removeprefix(prefix)
    return f"{text[:1].upper()}{text[1:]}".rstrip(".") + "."
