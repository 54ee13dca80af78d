"""Users and signed-in clients."""

from collections.abc import Callable
from itertools import count

from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr

from fairdatabase.accounts.schemas import Registration
from fairdatabase.accounts.service import Accounts
from fairdatabase.authorization.schemas import Actor, Role

PASSWORD = "a long walk by the sea"
ClientAs = Callable[[Role], FlaskClient]
_numbers = count(1)


def registration(
    *, name: str = "Rosalind Franklin", email: str = "", password: str = PASSWORD
) -> Registration:
    """Return what a person says to register; every address is new unless given."""
    return Registration(
        name=name,
        email=email or f"user{next(_numbers)}@example.org",
        password=SecretStr(password),
    )


def make_actor(
    accounts: Accounts, *roles: Role, name: str = "Rosalind Franklin", email: str = ""
) -> Actor:
    """Make a user with these roles, a member by default, and return them as an actor."""
    wanted = registration(name=name, email=email)
    accounts.create_user(wanted, roles=frozenset(roles or {Role.MEMBER}))
    return accounts.actor_by_email(wanted.email)


def client_of(app: Flask, actor: Actor) -> FlaskClient:
    """Return a client that sends the access token of a user made here."""
    client = app.test_client()
    answer = client.post(
        "/api/v1/auth/login", json={"email": actor.email, "password": PASSWORD}
    ).get_json()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {answer['data']['access_token']}"
    return client
