"""Every route as everybody: what is answered is what the matrix says, whatever a view does.

The requests are made from ``ROUTES``, ``MATRIX`` and the application's addresses, so a new route is
tested without a line in here. Each one is undone, so that none sees what another did.
"""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.routing import Rule as Address

from fairdatabase.app import create_app
from fairdatabase.authorization.rules.matrix import MATRIX
from fairdatabase.authorization.rules.routes import ROUTES
from fairdatabase.authorization.schemas import Action, Resource, State
from fairdatabase.interop.formats.registry import FORMATS
from tests.factories.world import NOTHING, Visitor, World, inhabited, undone

OF_ONESELF = {Resource.ACCOUNT, Resource.TOKEN, Resource.SESSION}
CODES = {
    "denied": {"permission-denied"},
    "scope": {"insufficient-scope"},
    "confirm": {"confirmation-required"},
}


def _file() -> dict[str, Any]:
    return {"file": (io.BytesIO(b"a,b\n1,2\n"), "other.csv")}


BODIES: dict[str, Callable[[], dict[str, Any]]] = {
    "communities_api.assign": lambda: {"community": None},
    "catalog_api.withdraw": lambda: {"reason": "Taken back."},
    "deposits_api.set_access": lambda: {"access": "open"},
    "deposits_api.set_columns": lambda: {"columns": {"sex": {"role": "sensitive"}}},
    "deposits_api.upload_form": _file,
    "privacy_api.relink": lambda: {"column": "sex", "values": ["female"]},
    "deposits_pages.add_files": _file,
}
_WITH_COLUMN = ("export_hierarchy", "hierarchy", "replace_hierarchy", "reset_hierarchy")
QUERIES = {f"recipes_api.{name}": {"column": "sex"} for name in _WITH_COLUMN}
"""What a route has to be sent before it looks at whose the thing is."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[World]:
    with inhabited(tmp_path_factory.mktemp("world"), sqlite_template) as made:
        yield made


def filled(world: World, address: Address, state: State) -> tuple[dict[str, Any], bool]:
    """Return the arguments of an address, and whether all of them lead to something."""
    resource = ROUTES[address.endpoint].resource
    things = {
        "dataset_id": world.datasets, "version_id": world.versions,
        "deposit_id": world.versions, "file_id": world.files,
    }  # fmt: skip
    if resource is Resource.DATASET:
        kind = address.rule.lstrip("/").split("/")[0]
        things["public_id"] = {"deposits": world.versions, "files": world.files}.get(
            kind, world.datasets
        )
    fixed = {
        "naan": "99999", "number": 1, "format": next(iter(FORMATS)), "filename": "js/app.js",
        "name": "swagger-ui.css" if "swagger" in address.rule else "other.csv",
        "code": "not-found", "suffix": "csv", "job_id": world.job,
        "slug": world.community,
    }  # fmt: skip
    if resource in {Resource.USER, Resource.JOB}:
        fixed["public_id"] = world.user if resource is Resource.USER else world.job
    arguments: dict[str, Any] = {}
    known = resource not in OF_ONESELF
    for name in address.arguments:
        arguments[name] = things[name][state] if name in things else fixed.get(name, NOTHING)
        known = known and arguments[name] is not NOTHING
    return arguments, known


def expected(visitor: Visitor, endpoint: str, state: State, *, has_thing: bool) -> set[str]:
    """Return what may happen: ``allowed``, ``sign in``, ``hidden`` or a kind of refusal."""
    resource, action, states = ROUTES[endpoint]
    rules = {
        at: rule
        for (of, what, at), rule in MATRIX.items()
        if (of, what) == (resource, action) and (not states or at in states)
    }
    at_the_gate = {visitor.refusal(rule, owns=visitor.signed_in) for rule in rules.values()}
    if None not in at_the_gate:
        return {refusal for refusal in at_the_gate if refusal}
    owns = visitor.signed_in if resource in OF_ONESELF or not has_thing else visitor.is_owner
    refusal = visitor.refusal(rules[state], owns=owns)
    if refusal is None:
        return {"allowed"}
    if resource in {Resource.JOB, Resource.USER}:
        return {"hidden"}
    reading = MATRIX[resource, Action.READ, state]
    return {"hidden"} if visitor.refusal(reading, owns=owns) else {refusal}


def happened(answer: Any, *, exists: bool, state: State) -> str:  # noqa: ANN401 - a response
    """Return what an answer means, in the words of :func:`expected`."""
    status = answer.status_code
    code = (answer.get_json(silent=True) or {}).get("code", "")
    if status == 401:
        return "sign in"
    if status == 404 and exists and hides(answer):
        return "hidden"
    for kind, codes in CODES.items():
        if status == 403 and code in codes:
            return kind
    if status == 410 and state is State.WITHDRAWN:
        return "gone"
    return "allowed" if status < 500 and status != 403 else f"{status} {code}"


def hides(answer: Any) -> bool:  # noqa: ANN401 - a response
    """Tell whether an answer says that the thing of the address is not there at all."""
    detail = (answer.get_json(silent=True) or {}).get("detail", "")
    return any(part in detail for part in answer.request.path.split("/") if len(part) > 9)


def ask(world: World, visitor: Visitor, address: Address, method: str, path: str) -> Any:  # noqa: ANN401
    """Make a request and undo whatever it did."""
    sent: dict[str, Any] = {
        "query_string": QUERIES.get(address.endpoint, {}),
        "headers": {"Accept": "application/json", **visitor.headers},
    }
    if method != "GET":
        body = BODIES.get(address.endpoint, dict)()
        as_form = "_pages" in address.endpoint or "file" in body
        sent["data" if as_form else "json"] = body
    with undone(world.database):
        answer = visitor.client.open(path, method=method, **sent)
        answer.get_data()
    answer.close()
    return answer


def is_tombstone(endpoint: str) -> bool:
    """Tell whether what was withdrawn is still described here, by an answer that says so."""
    return ROUTES[endpoint].action is Action.READ


def states_of(endpoint: str, *, has_thing: bool) -> list[State]:
    resource, action, states = ROUTES[endpoint]
    named = [at for of, what, at in MATRIX if (of, what) == (resource, action)]
    found = [at for at in named if not states or at in states]
    return found if has_thing else found[:1]


@pytest.mark.parametrize("endpoint", sorted(ROUTES))
def test_a_route_answers_everybody_as_the_matrix_says(world: World, endpoint: str) -> None:
    wrong = []
    for address in world.app.url_map.iter_rules(endpoint):
        has_thing = bool(address.arguments)
        for method in sorted((address.methods or set()) - {"HEAD", "OPTIONS"}):
            for state in states_of(endpoint, has_thing=has_thing):
                arguments, exists = filled(world, address, state)
                with world.app.test_request_context():
                    path = world.app.url_for(endpoint, **arguments)
                for name, visitor in world.visitors.items():
                    wanted = expected(visitor, endpoint, state, has_thing=has_thing)
                    answer = ask(world, visitor, address, method, path)
                    found = happened(answer, exists=exists, state=state)
                    if found == "gone" and (wanted != {"allowed"} or is_tombstone(endpoint)):
                        continue
                    if found not in wanted:
                        wrong.append(
                            f"{name}: {method} {path} ({state}) is {found}, not {wanted}:"
                            f" {answer.status_code} {answer.get_data(as_text=True)[:300]}"
                        )
    assert not wrong, "\n".join(wrong)


def test_every_rule_of_a_route_is_asked_for(world: World) -> None:
    """No row stands for a route that is gone, save those of other settings."""
    served = {rule.endpoint for rule in world.app.url_map.iter_rules()}
    assert ROUTES.keys() - served == set()


def test_an_application_with_a_route_without_a_rule_does_not_start(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(ROUTES, "catalog_api.withdraw")
    with pytest.raises(RuntimeError, match=r"no rule .* for: catalog_api.withdraw"):
        create_app(services=world.app.extensions["fairdatabase"])
