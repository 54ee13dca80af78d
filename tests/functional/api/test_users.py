"""Users over REST: who sees whom, and who changes what."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from fairdatabase.authorization.schemas import Actor, Role
from fairdatabase.services import Services
from tests.factories.accounts import ClientAs, make_actor
from tests.factories.kernel import recorded_statements

USERS = "/api/v1/users"


def test_a_member_sees_only_themself(
    client_as: ClientAs, member: Actor, services: Services
) -> None:
    client = client_as(Role.MEMBER)
    other = make_actor(services.accounts)
    assert client.get(f"{USERS}/{member.public_id}").get_json()["data"]["name"] == "Mary Anning"
    hidden, absent = client.get(f"{USERS}/{other.public_id}"), client.get(f"{USERS}/00000000000")
    assert hidden.status_code == absent.status_code == 404
    listed = client.get(USERS).get_json()
    assert [user["public_id"] for user in listed["data"]] == [member.public_id]
    assert listed["meta"] == {"page": 1, "per_page": 20, "total": 1}


@pytest.mark.parametrize("role", [Role.CURATOR, Role.ADMIN])
def test_curators_and_admins_see_all(client_as: ClientAs, member: Actor, role: Role) -> None:
    client = client_as(role)
    assert client.get(f"{USERS}/{member.public_id}").status_code == 200
    found = client.get(USERS, query_string={"search": "anning", "per_page": 5}).get_json()
    assert [user["email"] for user in found["data"]] == [member.email]
    assert found["meta"] == {"page": 1, "per_page": 5, "total": 1}


def test_a_list_costs_the_same_for_few_and_many(client_as: ClientAs, services: Services) -> None:
    client = client_as(Role.ADMIN)

    def cost() -> int:
        with recorded_statements(services.database) as statements:
            assert client.get(USERS).status_code == 200
        return len(statements)

    few = cost()
    for _ in range(10):
        make_actor(services.accounts, Role.MEMBER, Role.CURATOR)
    assert cost() == few == 4


@pytest.mark.parametrize(
    "query", ["page=0", "per_page=101", "page=x", "unknown=1", "search=" + "x" * 201]
)
def test_a_query_that_does_not_fit_is_refused(client_as: ClientAs, query: str) -> None:
    answer = client_as(Role.MEMBER).get(f"{USERS}?{query}")
    assert answer.status_code == 422
    assert answer.get_json()["details"][0]["field"] == query.partition("=")[0]


@pytest.mark.parametrize("path", [USERS, f"{USERS}/00000000000", "/api/v1/auth/me"])
def test_nobody_is_asked_to_sign_in(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.get_json()["code"]) == (401, "authentication-required")


def test_an_admin_changes_roles_at_once(client_as: ClientAs, member: Actor, admin: Actor) -> None:
    mary, ada = client_as(Role.MEMBER), client_as(Role.ADMIN)
    path = f"{USERS}/{member.public_id}/roles"
    assert mary.patch(path, json={"roles": ["admin"]}).status_code == 403
    assert mary.get(f"{USERS}/{admin.public_id}").status_code == 404
    changed = ada.patch(path, json={"roles": ["curator", "member"]})
    assert changed.get_json()["data"]["roles"] == ["curator", "member"]
    assert mary.get(f"{USERS}/{admin.public_id}").status_code == 200


@pytest.mark.parametrize(
    "body", [{"roles": []}, {"roles": ["root"]}, {}, {"roles": ["member"], "name": "x"}], ids=str
)
def test_roles_that_do_not_exist_are_refused(
    client_as: ClientAs, member: Actor, body: dict[str, Any]
) -> None:
    path = f"{USERS}/{member.public_id}/roles"
    assert client_as(Role.ADMIN).patch(path, json=body).status_code == 422


def test_the_last_admin_stays(client_as: ClientAs, admin: Actor) -> None:
    path = f"{USERS}/{admin.public_id}/roles"
    answer = client_as(Role.ADMIN).patch(path, json={"roles": ["member"]})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "last-admin")
    assert (
        client_as(Role.ADMIN).patch(f"{USERS}/0/roles", json={"roles": ["member"]}).status_code
        == 404
    )
