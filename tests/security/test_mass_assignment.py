"""Mass assignment: nothing that is sent sets a field that is not of its own model.

Every body of the OpenAPI document is filled with fields that are not in it, in the body itself and
in every object inside it: the names of all columns of the database. Queries likewise.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from flask_openapi3 import OpenAPI

from fairdatabase.authorization.schemas import State
from fairdatabase.kernel.database import Base
from tests.factories.accounts import PASSWORD
from tests.factories.web import Browser
from tests.factories.world import World, undone
from tests.security.addresses import filled

Schema = dict[str, Any]
JSON = "application/json"
FORBIDDEN = "Extra inputs are not permitted"
INSIDE = {"id", "owner_id", "public_id", "roles", "state", "withheld", "__class__"}
"""What is tried in objects inside a body."""
_DEEPEST = 8


def privileged() -> set[str]:
    """Return the names of all columns, and some that code goes by."""
    columns = {column.name for table in Base.metadata.tables.values() for column in table.columns}
    return columns | {"actor", "is_admin", "is_curator", "confirmed", "__class__", "__init__"}


@dataclass
class Poison:
    """Makes bodies that hold fields they must not, and remembers where."""

    document: Schema
    places: list[str] = field(default_factory=list)

    def body(self, schema: Schema, where: str = "", depth: int = 0) -> Any:  # noqa: ANN401 - JSON
        """Return a value with unknown fields in every object that a schema has."""
        schema = self._resolved(schema)
        if depth > _DEEPEST:
            return None
        for each in ("anyOf", "oneOf", "allOf"):
            for option in schema.get(each, ()):
                if self._holds_objects(option):
                    return self.body(option, where, depth + 1)
        if schema.get("type") == "array":
            items = self._resolved(schema.get("items", {}))
            options = items.get("oneOf") or items.get("anyOf") or [items]
            objects = [option for option in options if self._holds_objects(option)]
            return [self.body(o, f"{where}.{n}", depth + 1) for n, o in enumerate(objects)]
        if "properties" in schema:
            return self._object(schema, where, depth)
        if isinstance(schema.get("additionalProperties"), dict):
            return {"sex": self.body(schema["additionalProperties"], f"{where}.sex", depth + 1)}
        return None

    def _object(self, schema: Schema, where: str, depth: int) -> Schema:
        properties: Schema = schema["properties"]
        value = {
            name: self.body(inner, f"{where}.{name}", depth + 1)
            for name, inner in properties.items()
            if self._holds_objects(inner)
        }
        value |= {name: inner["const"] for name, inner in properties.items() if "const" in inner}
        unknown = (privileged() if not where else INSIDE) - properties.keys()
        self.places += [f"{where}.{name}".lstrip(".") for name in unknown]
        return value | dict.fromkeys(unknown, "admin")

    def _holds_objects(self, schema: Schema) -> bool:
        schema = self._resolved(schema)
        inner = [option for each in ("anyOf", "oneOf", "allOf") for option in schema.get(each, ())]
        if schema.get("type") == "array":
            inner.append(schema.get("items", {}))
        values = schema.get("additionalProperties")
        if isinstance(values, dict):
            inner.append(values)
        return "properties" in schema or any(self._holds_objects(each) for each in inner)

    def _resolved(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            schema = self.document["components"]["schemas"][name]
        return schema


def operations(world: World) -> Iterator[tuple[str, str, Schema]]:
    """Yield method, path and description of every operation."""
    document = cast("OpenAPI", world.app).api_doc
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def complaints(answer: Any) -> list[dict[str, str]]:  # noqa: ANN401 - a response
    """Return the fields that an answer complains about."""
    return (answer.get_json(silent=True) or {}).get("details") or []


def test_no_body_takes_a_field_that_is_not_its_own(world: World) -> None:
    document = cast("OpenAPI", world.app).api_doc
    passed, bodies, objects = [], 0, 0
    for method, path, operation in operations(world):
        content = operation.get("requestBody", {}).get("content", {})
        if JSON not in content:
            continue
        poison = Poison(document)
        body = poison.body(content[JSON]["schema"])
        for name in ("admin", "owner", "anonymous"):
            with undone(world.database):
                answer = world.visitors[name].client.open(
                    filled(world, path, State.DRAFT), method=method, json=body
                )
            if answer.status_code in {401, 403}:
                continue
            found = [c["field"] for c in complaints(answer) if c["message"] == FORBIDDEN]
            missing = [p for p in poison.places if not any(_same(f, p) for f in found)]
            if answer.status_code != 422 or missing:
                passed.append(f"{name}: {method} {path}: {answer.status_code} {missing[:3]}")
            bodies, objects = (
                bodies + 1,
                objects + len({p.rpartition(".")[0] for p in poison.places}),
            )
            break
        else:
            passed.append(f"{method} {path}: nobody got as far as its body")
    assert not passed, "\n".join(passed)
    assert bodies > 25
    assert objects > bodies, "no object inside a body was tried"


def _same(found: str, place: str) -> bool:
    """Tell whether a complaint is about a place; unions add the names of their members."""
    parts = iter(found.split("."))
    inside = "." in place and all(part in parts for part in place.split("."))
    return found == place or inside


def test_the_same_bodies_without_these_fields_are_not_refused_for_them(world: World) -> None:
    """The control."""
    wrong = []
    for method, path, operation in operations(world):
        if JSON not in operation.get("requestBody", {}).get("content", {}):
            continue
        with undone(world.database):
            answer = world.visitors["admin"].client.open(
                filled(world, path, State.DRAFT), method=method, json={}
            )
        wrong += [path for c in complaints(answer) if c["message"] == FORBIDDEN]
    assert not wrong


@pytest.mark.parametrize("name", ["owner_id", "is_admin", "state"])
def test_no_query_takes_a_parameter_that_is_not_its_own(world: World, name: str) -> None:
    passed = []
    for method, path, operation in operations(world):
        known = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"}
        if not known:
            continue
        address = filled(world, path, State.DRAFT)
        column = {"column": "sex"} if "column" in known else {}
        with undone(world.database):
            answer = world.visitors["admin"].client.open(
                address, method=method, query_string={**column, name: "1"}, json={}
            )
            answer.get_data()
        answer.close()
        if answer.status_code != 422 or FORBIDDEN not in answer.get_data(as_text=True):
            passed.append(f"{method} {path}: {answer.status_code}")
    assert not passed, "\n".join(passed)


def test_nobody_registers_as_an_admin(scene: World) -> None:
    person = {"name": "Eve", "email": "eve@example.org", "password": PASSWORD}
    client = scene.app.test_client()
    for extra in ({"roles": ["admin"]}, {"email_verified_at": "2026-01-01"}, {"id": "1"}):
        assert client.post("/api/v1/auth/register", json=person | extra).status_code == 422
        browser = Browser(scene.app)
        texts = {name: str(value) for name, value in extra.items()}
        assert browser.submit("/register", **person, **texts).status_code == 422
    known = {"email": person["email"], "password": PASSWORD}
    assert client.post("/api/v1/auth/login", json=known).status_code == 401
    assert client.post("/api/v1/auth/register", json=person).status_code == 202
    assert client.post("/api/v1/auth/login", json=known).status_code == 200
