"""Every answer of the API has the one success shape or the one error shape."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask_openapi3 import OpenAPI
from pydantic import BaseModel

from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.http import Problem, Success

Document = dict[str, Any]
SUCCESS = {"status", "data", "meta", "timestamp"}
PROBLEM = {"type", "title", "status", "detail", "instance", "error", "details", "timestamp"}
METHODS = {"get", "post", "put", "patch", "delete"}
JSON_TYPES = {"application/json", "application/problem+json"}


def operations(document: Document) -> Iterator[tuple[str, Document]]:
    """Yield the operations of an OpenAPI document with their names."""
    for path, item in document["paths"].items():
        for method in METHODS & set(item):
            yield f"{method.upper()} {path}", item[method]


def properties(document: Document, schema: Document) -> set[str]:
    """Return the property names of a schema, followed through its reference."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return set(schema.get("properties", {}))


def shape_faults(document: Document, name: str, operation: Document) -> Iterator[str]:
    """Yield what is wrong with the answers of one operation."""
    statuses = operation["responses"]
    if not any(status.startswith(("2", "3")) for status in statuses):
        yield f"{name} documents no answer that went well"
    for status, response in statuses.items():
        good = status.startswith(("2", "3"))
        contents = response.get("content", {})
        if not good and not JSON_TYPES & set(contents):
            yield f"{name} {status} documents no problem body"
        # A file that is also to be had in other formats is sent as it is, without our envelope.
        is_file = good and len(contents) > 1
        for media_type in JSON_TYPES & set(contents) if not is_file else ():
            found = properties(document, contents[media_type].get("schema", {}))
            if good and found != SUCCESS:
                yield f"{name} {status} answers {sorted(found)} instead of Success[...]"
            if not good and not found >= PROBLEM:
                yield f"{name} {status} answers {sorted(found)} instead of Problem"


def faults(document: Document) -> list[str]:
    """Return what is wrong with the answers that a document describes."""
    return [
        fault
        for name, operation in operations(document)
        for fault in shape_faults(document, name, operation)
    ]


class Cell(BaseModel):
    """Some data."""

    value: int


@pytest.mark.parametrize(
    ("responses", "complaint"),
    [
        ({200: Success[Cell], 404: Problem}, None),
        ({200: Cell, 404: Problem}, "instead of Success"),
        ({200: Success[Cell], 404: Cell}, "instead of Problem"),
        ({200: Success[Cell], 404: None}, "no problem body"),
        ({404: Problem}, "no answer that went well"),
    ],
)
def test_a_wrong_shape_is_noticed(responses: dict[Any, Any], complaint: str | None) -> None:
    app = OpenAPI("example", responses={422: Problem}, doc_ui=False)
    app.get("/cells", responses=responses)(lambda: "")
    found = faults(app.api_doc)
    assert complaint in found[0] if complaint else not found


def test_every_operation_answers_in_the_two_shapes(settings: Settings) -> None:
    from fairdatabase.app import create_app  # noqa: PLC0415

    document = create_app(settings).api_doc
    assert len(list(operations(document))) > 1
    assert not faults(document)


def test_operations_are_named_and_described(settings: Settings) -> None:
    from fairdatabase.app import create_app  # noqa: PLC0415

    described = dict(operations(create_app(settings).api_doc))
    identifiers = [operation["operationId"] for operation in described.values()]
    assert len(identifiers) == len(set(identifiers))
    assert not [name for name, operation in described.items() if not operation.get("summary")]
