"""Addresses of everything that an inhabited instance holds."""

from typing import Any

from werkzeug.routing import Rule as Address

from fairdatabase.authorization.rules.routes import ROUTES
from fairdatabase.authorization.schemas import Resource, State
from fairdatabase.interop.formats.registry import FORMATS
from tests.factories.world import NOTHING, World


def address_of(world: World, address: Address, state: State) -> str:
    """Return an address of a route with the ids of the things in a state."""
    with world.app.test_request_context():
        return world.app.url_for(address.endpoint, **arguments_of(world, address, state))


def arguments_of(world: World, address: Address, state: State) -> dict[str, Any]:
    """Return the arguments of a route, each of a thing that exists where there is one."""
    known: dict[str, Any] = {
        "dataset_id": world.datasets[state],
        "version_id": world.versions[state],
        "deposit_id": world.versions[state],
        "file_id": world.files[state],
        "job_id": world.job,
        "naan": "99999",
        "number": 1,
        "format": next(iter(FORMATS)),
        "filename": "js/app.js",
        "name": "swagger-ui.css" if "swagger" in address.rule else "other.csv",
        "code": "not-found",
        "suffix": "csv",
    }
    if "public_id" in address.arguments:
        known["public_id"] = _public_id(world, address, state)
    return {name: known.get(name, NOTHING) for name in address.arguments}


def _public_id(world: World, address: Address, state: State) -> str:
    resource = ROUTES[address.endpoint].resource
    if resource is Resource.USER:
        return world.user
    if resource is Resource.JOB and address.rule.startswith("/api/"):
        return world.job
    kinds = {"deposits": world.versions, "files": world.files, "datasets": world.datasets}
    kind = kinds.get(address.rule.lstrip("/").partition("/")[0])
    if kind is None and address.rule.startswith("/ark"):
        kind = world.datasets
    return kind[state] if kind else NOTHING


def filled(world: World, path: str, state: State) -> str:
    """Return an address of the OpenAPI document with the ids of the things in a state."""
    rule = path.replace("{", "<").replace("}", ">").replace("<number>", "<int:number>")
    address = next(each for each in world.app.url_map.iter_rules() if each.rule == rule)
    return address_of(world, address, state)
