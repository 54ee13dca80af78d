"""Letters over REST: confirming an address, new passwords, new addresses, invitations."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from fairdatabase.authorization.schemas import Actor, Role
from fairdatabase.services import Services
from tests.factories.accounts import PASSWORD, ClientAs
from tests.factories.deposits import Work
from tests.factories.mail import token_in

LOGIN = "/api/v1/auth/login"
FORGOTTEN = "/api/v1/auth/password/forgotten"
RESET = "/api/v1/auth/password/reset"
VERIFICATION = "/api/v1/auth/verification"
EMAIL = "/api/v1/auth/email"
INVITATIONS = "/api/v1/invitations"
NEW_PASSWORD = "an entirely new phrase"


def newest_token(services: Services, work: Work) -> str:
    work()
    return token_in(services.mail.kept()[0])


def test_a_forgotten_password(
    client: FlaskClient, member: Actor, services: Services, work: Work
) -> None:
    asked = client.post(FORGOTTEN, json={"email": member.email})
    assert asked.status_code == 202
    new = {"token": newest_token(services, work), "password": NEW_PASSWORD}
    assert client.post(RESET, json=new | {"password": "mary anning"}).status_code == 422
    assert client.post(RESET, json=new).status_code == 200
    again = client.post(RESET, json=new)
    assert (again.status_code, again.get_json()["code"]) == (422, "link-invalid")
    assert client.post(LOGIN, json={"email": member.email, "password": PASSWORD}).status_code == 401
    right = {"email": member.email, "password": NEW_PASSWORD}
    assert client.post(LOGIN, json=right).status_code == 200


@pytest.mark.parametrize("path", [FORGOTTEN, VERIFICATION])
def test_who_exists_cannot_be_told_from_the_answer(
    client: FlaskClient, member: Actor, path: str
) -> None:
    def answer(email: str) -> tuple[int, Any, set[str]]:
        found = client.post(path, json={"email": email})
        return found.status_code, found.get_json()["data"], set(dict(found.headers))

    assert answer(member.email) == answer("nobody@example.org")
    assert answer(member.email)[0] == 202


def test_an_address_is_confirmed(client: FlaskClient, services: Services, work: Work) -> None:
    person = {"name": "Ada", "email": "ada@example.org", "password": PASSWORD}
    assert client.post("/api/v1/auth/register", json=person).status_code == 202
    work()
    assert client.post(VERIFICATION, json={"email": "ada@example.org"}).status_code == 202
    link = {"token": newest_token(services, work)}
    confirm = f"{VERIFICATION}/confirm"
    assert client.post(confirm, json=link).status_code == 401
    confirmed = client.post(confirm, json=link | {"password": PASSWORD})
    assert confirmed.get_json()["data"] == {"email": "ada@example.org"}


def test_an_address_is_changed(
    client_as: ClientAs, client: FlaskClient, services: Services, work: Work
) -> None:
    mary = client_as(Role.MEMBER)
    assert client.post(EMAIL, json={"email": "new@example.org"}).status_code == 401
    assert mary.post(EMAIL, json={"email": "New@Example.org"}).status_code == 202
    link = {"token": newest_token(services, work)}
    changed = client.post(f"{EMAIL}/confirm", json=link)
    assert changed.get_json()["data"] == {"email": "new@example.org"}
    assert mary.get("/api/v1/auth/me").get_json()["data"]["email"] == "new@example.org"
    assert client.post(f"{EMAIL}/confirm", json=link).status_code == 422


def test_an_admin_invites(
    client_as: ClientAs, client: FlaskClient, services: Services, work: Work
) -> None:
    admin = client_as(Role.ADMIN)
    wanted = {"email": "ada@example.org", "roles": ["curator"]}
    made = admin.post(INVITATIONS, json=wanted)
    assert made.status_code == 201
    listed = admin.get(INVITATIONS).get_json()["data"]
    assert listed == [made.get_json()["data"]]
    assert "token" not in made.text
    accept = {"token": newest_token(services, work), "name": "Ada", "password": PASSWORD}
    accepted = client.post(f"{INVITATIONS}/accept", json=accept)
    assert (accepted.status_code, accepted.get_json()["data"]) == (
        201,
        {"email": "ada@example.org"},
    )
    assert admin.get(INVITATIONS).get_json()["data"] == []
    assert admin.post(INVITATIONS, json=wanted).status_code == 409


def test_an_invitation_is_revoked(client_as: ClientAs) -> None:
    admin = client_as(Role.ADMIN)
    made = admin.post(INVITATIONS, json={"email": "ada@example.org"}).get_json()["data"]
    assert made["roles"] == ["member"]
    path = f"{INVITATIONS}/{made['public_id']}"
    assert [admin.delete(path).status_code for _ in range(2)] == [200, 404]


@pytest.mark.parametrize("role", [Role.MEMBER, Role.CURATOR])
def test_others_neither_invite_nor_see_who_is_invited(client_as: ClientAs, role: Role) -> None:
    client = client_as(role)
    assert client.get(INVITATIONS).status_code == 403
    assert client.post(INVITATIONS, json={"email": "ada@example.org"}).status_code == 403
    assert client.delete(f"{INVITATIONS}/00000000000").status_code == 403


def test_who_guesses_is_told_when_to_try_again(client: FlaskClient, member: Actor) -> None:
    def attempt(password: str) -> Any:  # noqa: ANN401
        return client.post(LOGIN, json={"email": member.email, "password": password})

    assert {attempt("not the right one").status_code for _ in range(5)} == {401}
    for password in ("not the right one", PASSWORD):
        refused = attempt(password)
        assert (refused.status_code, refused.get_json()["code"]) == (429, "rate-limited")
        assert refused.headers["Retry-After"] == "1"
        assert refused.get_json()["details"] == {"retry_after": 1}
