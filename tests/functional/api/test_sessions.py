"""Sessions over REST: devices that are listed and signed out."""

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from sqlalchemy.exc import OperationalError

from fairdatabase.authorization.schemas import Actor
from fairdatabase.services import Services
from tests.factories.accounts import client_of

SESSIONS = "/api/v1/sessions"
ME = "/api/v1/auth/me"


def test_one_signs_out_what_one_lost(app: OpenAPI, member: Actor, stranger: FlaskClient) -> None:
    phone, laptop = client_of(app, member), client_of(app, member)
    listed = laptop.get(SESSIONS).get_json()["data"]
    assert [each["is_this"] for each in listed].count(True) == 1
    assert {each["network"] for each in listed} == {"127.0.0.0/24"}
    lost = next(each for each in listed if not each["is_this"])
    path = f"{SESSIONS}/{lost['public_id']}"
    assert stranger.delete(path).status_code == 404
    assert laptop.delete(path).status_code == 200
    assert laptop.delete(path).status_code == 404
    assert phone.get(ME).status_code == 401
    assert laptop.get(ME).status_code == 200


def test_one_signs_out_everywhere_else(app: OpenAPI, member: Actor) -> None:
    others = [client_of(app, member) for _ in range(2)]
    laptop = client_of(app, member)
    assert laptop.delete(SESSIONS).get_json()["data"] == {"ended": 2}
    assert [other.get(ME).status_code for other in others] == [401, 401]
    assert len(laptop.get(SESSIONS).get_json()["data"]) == 1


def test_sessions_are_for_who_is_signed_in(client: FlaskClient) -> None:
    assert client.get(SESSIONS).status_code == 401
    assert client.delete(SESSIONS).status_code == 401


def test_a_busy_database_does_not_keep_anybody_from_reading(
    app: OpenAPI, member: Actor, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop = client_of(app, member)

    def busy(_actor: Actor) -> None:
        raise OperationalError("UPDATE sessions", {}, Exception("database is locked"))

    monkeypatch.setattr(services.sessions, "note_presence", busy)
    assert laptop.get(ME).status_code == 200
