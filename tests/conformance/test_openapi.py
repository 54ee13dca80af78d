"""What the OpenAPI document says is what every operation does, whoever asks.

The requests are made from the document alone: some that it allows and some that it does not, for
every operation, with things in the path that exist. Each role sends all of them, and nothing that
one of them did is kept for the next.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from fairdatabase.accounts.schemas.tokens import TokenIn
from fairdatabase.authorization.rules import useful_scopes
from fairdatabase.authorization.schemas import OPERATOR, Actor, Role, Scope
from fairdatabase.kernel.database import Database
from fairdatabase.services import Services
from tests.factories.accounts import client_of, make_actor
from tests.factories.cohorts import HARMLESS_ROLES, harmless
from tests.factories.deposits import Work, ok, published, screened, upload
from tests.factories.world import empty_instance, undone

EXAMPLES = 4
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
VISITORS = ("anonymous", "member", "curator", "admin", "token", "reader")
WITHOUT_INPUT = {
    "GET /api/v1/auth/providers",
    "POST /api/v1/auth/passkey/options",
    "GET /.well-known/fairdatabase/report-keys.json",
    "GET /api/v1/communities",
    "GET /api/v1/knowledge/sources",
    "GET /api/v1/knowledge/gaps",
    "POST /api/v1/knowledge/starter",
    "GET /health/live",
    "GET /health/ready",
}
"""Operations that take nothing, so that nothing wrong can be sent to them."""


@dataclass
class World:
    """An instance with things to ask for, and who asks."""

    app: Flask
    database: Database
    clients: Mapping[str, FlaskClient]
    things: Mapping[str, list[Any]]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("conformance")
    with empty_instance(folder, sqlite_template) as (app, services, work):
        yield _inhabited(app, services, work)


def _inhabited(app: Flask, services: Services, work: Work) -> World:
    owner = make_actor(services.accounts, name="Mary Anning")
    mary = client_of(app, owner)
    draft, draft_file = screened(mary, work, harmless(), HARMLESS_ROLES)
    notes = upload(mary, draft, b"Read me.", "readme.txt")
    opened = published(mary, work, harmless(), HARMLESS_ROLES)
    restricted = published(mary, work, harmless(), HARMLESS_ROLES, access="restricted")
    versions = [ok(mary.get(f"/api/v1/datasets/{d}"))["public_id"] for d, _ in (opened, restricted)]
    job = ok(mary.get(f"/api/v1/deposits/{draft}"))["files"][0]["job"]["public_id"]
    return World(
        app=app,
        database=services.database,
        clients={
            "anonymous": app.test_client(),
            "member": mary,
            "curator": client_of(app, make_actor(services.accounts, Role.CURATOR)),
            "admin": client_of(app, make_actor(services.accounts, Role.ADMIN)),
            "token": _program(app, services, owner, useful_scopes(owner.roles)),
            "reader": _program(app, services, owner, frozenset({Scope.DATASETS_READ})),
        },
        things={
            "deposit_id": [draft, draft, versions[0]],
            "version_id": versions,
            "dataset_id": [opened[0], restricted[0]],
            "file_id": [draft_file, opened[1], notes, restricted[1]],
            "jobs": [job],
            "users": [owner.public_id],
            "source_id": [f"dataset-{versions[0]}", "unheard-of"],
            "page_id": [1],
            "column": list(HARMLESS_ROLES),
            "columns": [[name] for name in HARMLESS_ROLES],
            "sort": [["-score"]],
            "filter": [["score:ge:3"], ["sex:eq:female"]],
        },
    )


def _program(app: Flask, services: Services, owner: Actor, scopes: frozenset[Scope]) -> FlaskClient:
    client = app.test_client()
    wanted = TokenIn(name="conformance", scopes=scopes)
    secret = services.tokens.issue(OPERATOR, owner.email, wanted).token
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
    return client


@pytest.fixture(scope="module")
def cases(world: World) -> list[Case[Any]]:
    """Requests that the document allows and requests that it does not, of every operation."""
    load_all_checks()
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", world.app)
    return [
        case
        for operation in schema.get_all_operations()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        for case in _led_to_things(world, generated(operation.ok(), mode))  # type: ignore[union-attr]
    ]


def generated(operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode) -> list[Case[Any]]:
    """Return the same few requests every time."""
    found: list[Case[Any]] = []

    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate],
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def collect(case: Case[Any]) -> None:
        found.append(case)

    try:
        collect()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE
        assert operation.label in WITHOUT_INPUT
    return found


def _led_to_things(world: World, made: list[Case[Any]]) -> list[Case[Any]]:
    """Have all but the first request of an operation name things that exist."""
    turn = {name: cycle(values) for name, values in world.things.items()}
    for case in made[1:]:
        kind = case.operation.path.split("/")[3:4]
        case.path_parameters.update(
            (name, next(turn[key]))
            for name in case.path_parameters
            if (key := kind[0] if name == "public_id" and kind else name) in turn
        )
        case.query.update((name, next(turn[name])) for name in case.query if name in turn)
    return made


def asked(world: World, who: str, case: Case[Any]) -> tuple[int, str]:
    """Send a request, undo what it did; return its status and what is wrong with the answer."""
    with undone(world.database):
        response = case.call(session=world.clients[who])  # type: ignore[arg-type]
    try:
        case.validate_response(response, checks=CHECKS)
    except FailureGroup as group:
        wrong = [f"{f.title}: {f.message}".replace("\n", " ") for f in group.exceptions]
        return response.status_code, f"{case.operation.label} as {who}: " + "; ".join(wrong)
    return response.status_code, ""


@pytest.mark.parametrize("who", VISITORS)
def test_every_operation_answers_as_documented(
    world: World, cases: list[Case[Any]], who: str
) -> None:
    answers = [asked(world, who, case) for case in cases]
    wrong = {problem: None for _, problem in answers if problem}
    assert not wrong, "\n".join(wrong)


def test_a_document_that_says_something_else_is_noticed(world: World) -> None:
    document = world.clients["anonymous"].get("/api/openapi.json").get_json()
    del document["paths"]["/health/live"]["get"]["responses"]["200"]
    document["components"]["schemas"]["Success_HealthReport_"]["required"].append("missing")
    schema = schemathesis.openapi.from_dict(document)
    schema.app = world.app
    found = [
        asked(world, "anonymous", case)[1]
        for path in ("/health/live", "/health/ready")
        for case in generated(schema[path]["GET"], GenerationMode.POSITIVE)
    ]
    assert "Undocumented status code: Received: 200" in found[0]
    assert "Response violates schema" in found[-1]
