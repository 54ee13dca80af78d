"""Insecure direct object references: an id of somebody else's thing opens nothing.

Every address with an id, in the API and on the pages, is asked for with the ids of somebody's
things: by a stranger who is signed in, by one with a token of many scopes, and by nobody.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from werkzeug.routing import Rule as Address

from fairdatabase.accounts.models import Identity, Passkey
from fairdatabase.authorization.rules.routes import ROUTES
from fairdatabase.authorization.schemas import Resource, State
from fairdatabase.kernel.clock import utc_now
from tests.factories.accounts import client_of, make_actor
from tests.factories.cohorts import ROLES, cohort
from tests.factories.deposits import ok, screened
from tests.factories.world import World, undone
from tests.security.addresses import arguments_of

TITLE = "Gut health of nobody"
SECRETS = (
    TITLE,
    "Curie, Marie",
    "0000-0002-1825-0097",
    "people.csv",
    "subject_id",
    "S0001",
    "key of the tower",
    "recipe of the house",
    "ada@elsewhere",
    "chrome on mars",
)
IDS = {"public_id", "dataset_id", "version_id", "deposit_id", "file_id", "job_id", "recipe_id"}
STRANGERS = ("stranger", "service", "anonymous")


@dataclass(frozen=True)
class Victim:
    """Somebody's things, none of which is published: id by the name of the parameter."""

    client: Any
    email: str
    things: dict[str, str]
    """By parameter, or by the part of the address before it."""

    def arguments(self, world: World, address: Address) -> dict[str, Any]:
        """Return the arguments of an address, with the ids of the victim's things."""
        known = arguments_of(world, address, State.DRAFT)
        for name in IDS & known.keys():
            before = re.search(rf"(\w[\w-]*)/<(?:\w+:)?{name}>", address.rule)
            kind = before[1] if before and before[1] in self.things else name
            known[name] = self.things.get(kind, known[name])
        return known


@pytest.fixture(scope="module")
def victim(world: World) -> Victim:
    """A person with a draft of unsafe data and one of everything else."""
    person = make_actor(world.services.accounts, name="Ada of the tower")
    client = client_of(world.app, person)
    deposit, file = screened(client, world.work, cohort(), ROLES)
    held = ok(client.get(f"/api/v1/deposits/{deposit}"))
    token = {"name": "key of the tower", "scopes": ["datasets:read"], "days": 30}
    steps = [{"op": "drop", "column": "subject_id"}]
    recipe = {"name": "recipe of the house", "recipe": {"version": 1, "steps": steps}}
    return Victim(
        client=client,
        email=person.email,
        things={
            "deposit_id": deposit,
            "deposits": deposit,
            "version_id": deposit,
            "versions": deposit,
            "dataset_id": held["version"]["dataset_public_id"],
            "datasets": held["version"]["dataset_public_id"],
            "file_id": file,
            "files": file,
            "job_id": held["files"][0]["job"]["public_id"],
            "jobs": held["files"][0]["job"]["public_id"],
            "users": person.public_id,
            "sessions": ok(client.get("/api/v1/sessions"))[0]["public_id"],
            "tokens": _made(client.post("/api/v1/tokens", json=token)),
            "recipes": _made(client.post("/api/v1/recipes", json=recipe)),
            **_rows(world, person.user_id),
        },
    )


def _made(answer: Any) -> str:  # noqa: ANN401 - a response
    """Return the id of what was made."""
    made = ok(answer, 201)
    return str(made.get("public_id") or made["record"]["public_id"])


def _rows(world: World, user_id: Any) -> dict[str, str]:  # noqa: ANN401 - a UUID or none
    passkey = Passkey(
        user_id=user_id, name="chrome on mars", credential_id=b"c", public_key=b"k",
        sign_count=0, transports=[], created_at=utc_now(),
    )  # fmt: skip
    identity = Identity(
        user_id=user_id, provider="campus", issuer="https://campus.example", subject="ada",
        email="ada@elsewhere", linked_at=utc_now(),
    )  # fmt: skip
    with world.database.transaction() as session:
        session.add_all([passkey, identity])
        session.flush()
        return {"passkeys": passkey.public_id, "identities": identity.public_id}


def with_ids(world: World) -> Iterator[tuple[Address, str]]:
    """Yield every route that has an id of a thing in its address, with a method."""
    for address in world.app.url_map.iter_rules():
        ids = address.arguments & {"public_id", "dataset_id", "version_id", "deposit_id",
                                   "file_id", "job_id", "recipe_id"}  # fmt: skip
        if ids:
            for method in sorted((address.methods or set()) - {"HEAD", "OPTIONS"}):
                yield address, method


def ask(world: World, name: str, address: Address, method: str, path: str) -> Any:  # noqa: ANN401
    """Make a request that somebody else's page or program would make, and undo it."""
    visitor = world.visitors[name]
    column = {"column": "sex"} if "hierarchy" in path else {}
    sent: dict[str, Any] = {"headers": {"Accept": "application/json", **visitor.headers}}
    if method != "GET":
        sent["data" if "_pages" in address.endpoint else "json"] = BODIES.get(address.endpoint, {})
    with undone(world.database):
        answer = visitor.client.open(path, method=method, query_string=column, **sent)
        answer.get_data()
    answer.close()
    return answer


BODIES: dict[str, dict[str, Any]] = {
    "catalog_api.withdraw": {"reason": "Mine now."},
    "deposits_api.set_access": {"access": "open"},
    "deposits_api.set_columns": {"columns": {"sex": {"role": "insensitive"}}},
    "privacy_api.relink": {"column": "subject_id", "values": ["S0001"]},
    "factors_api.rename_passkey": {"name": "mine"},
    "accounts_api.change_roles": {"roles": ["admin"]},
}


def test_an_id_of_anothers_thing_opens_nothing(world: World, victim: Victim) -> None:
    """What the stranger is told does not differ from what they are told of nothing at all."""
    wrong, count = [], 0
    for address, method in with_ids(world):
        path = url(world, address, victim.arguments(world, address))
        for name in STRANGERS:
            answer = ask(world, name, address, method, path)
            count += 1
            text = answer.get_data(as_text=True)
            leaked = [secret for secret in (*SECRETS, victim.email) if secret in text]
            allowed = {401, 403, 404, 422} | ({303} if "_pages" in address.endpoint else set())
            if leaked or answer.status_code not in allowed:
                wrong.append(f"{name}: {method} {path}: {answer.status_code} {leaked} {text[:150]}")
    assert not wrong, "\n".join(wrong)
    assert count > 200


def test_a_draft_is_not_there_for_a_stranger(world: World, victim: Victim) -> None:
    """404, with the words that an id gets which never was."""
    differing = []
    for address, method in with_ids(world):
        if ROUTES[address.endpoint].resource is not Resource.DATASET:
            continue
        real = victim.arguments(world, address)
        invented = {
            name: "0" * 11 if isinstance(value, str) and value in victim.things.values() else value
            for name, value in real.items()
        }
        answers = []
        for arguments in (real, invented):
            path = url(world, address, arguments)
            answer = ask(world, "stranger", address, method, path)
            text = answer.get_data(as_text=True)
            for name in IDS & arguments.keys():
                text = text.replace(arguments[name], "ID")
            text = re.sub(r'"(timestamp|request_id)":"[^"]*"', "", text)
            answers.append((answer.status_code, re.sub(r"nonce[-=]\S+", "", text)))
        if answers[0] != answers[1]:
            differing.append(f"{method} {address.rule}: {answers}")
    assert not differing, "\n".join(differing)


def test_the_owner_opens_them(world: World, victim: Victim) -> None:
    """The control: with the same ids the owner gets to every thing by some address."""
    reached: set[str] = set()
    for address, method in with_ids(world):
        arguments = victim.arguments(world, address)
        path = url(world, address, arguments)
        sent = {"json": BODIES.get(address.endpoint, {})} if method != "GET" else {}
        with undone(world.database):
            answer = victim.client.open(path, method=method, **sent)
            answer.get_data()
        answer.close()
        if answer.status_code < 300 or answer.status_code in {409, 422}:
            reached |= {kind for kind, thing in victim.things.items() if thing in path}
    assert set(victim.things) - reached == set()


def test_a_thing_of_ones_own_is_no_way_to_anothers(world: World, victim: Victim) -> None:
    """Addresses with two ids: the outer one is the stranger's, the inner one the victim's."""
    person = make_actor(world.services.accounts)
    stranger = client_of(world.app, person)
    own, file = screened(stranger, world.work, cohort(), ROLES)
    tried = []
    for address, method in with_ids(world):
        order = [name for name in re.findall(r"<(?:\w+:)?(\w+)>", address.rule) if name in IDS]
        if len(order) < 2:
            continue
        theirs = victim.arguments(world, address)
        path = url(world, address, theirs | {order[0]: own})
        assert order[0] in {"public_id", "deposit_id"}, f"{address}: which id is the outer one?"
        with undone(world.database):
            answer = stranger.open(path, method=method)
        tried.append(path)
        assert answer.status_code == 404, f"{path}: {answer.status_code}"
        control = url(world, address, theirs | {order[0]: own, order[1]: file})
        if order[1] == "file_id":
            with undone(world.database):
                assert stranger.open(control, method=method).status_code == 303
    assert len(tried) >= 3
    files = ok(victim.client.get(f"/api/v1/deposits/{victim.things['deposits']}"))["files"]
    assert [each["file"]["public_id"] for each in files] == [victim.things["files"]]


def test_nothing_of_the_victim_was_changed(world: World, victim: Victim) -> None:
    """Refused is not enough: everything is still there and still theirs."""
    things = victim.things
    with undone(world.database):
        for address, method in with_ids(world):
            if method != "GET":
                path = url(world, address, victim.arguments(world, address))
                visitor = world.visitors["stranger"]
                visitor.client.open(path, method=method, json=BODIES.get(address.endpoint, {}))
        deposit = ok(victim.client.get(f"/api/v1/deposits/{things['deposits']}"))
        assert deposit["version"]["state"] == "draft"
        assert deposit["files"][0]["file"]["public_id"] == things["files"]
        for kind, path in (("tokens", "tokens"), ("recipes", "recipes"), ("passkeys", "passkeys")):
            listed = ok(victim.client.get(f"/api/v1/{path}"))
            assert things[kind] in str(listed), kind
        assert ok(victim.client.get("/api/v1/auth/me"))["roles"] == ["member"]


def url(world: World, address: Address, arguments: dict[str, Any]) -> str:
    """Return an address."""
    with world.app.test_request_context():
        return world.app.url_for(address.endpoint, **arguments)
