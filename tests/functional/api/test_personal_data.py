"""A copy of what is kept about a person, and the end of an account."""

import io
import json
import zipfile
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from fairdatabase.accounts.models import Consent, Session, User
from fairdatabase.app import create_app
from fairdatabase.authorization.schemas import Actor, Role
from fairdatabase.jobs.backends.memory import MemoryQueue
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.services import Services, build_services
from tests.factories.accounts import PASSWORD, ClientAs, client_of, make_actor
from tests.factories.cohorts import harmless
from tests.factories.deposits import Work, ok, open_deposit, published, screened
from tests.factories.web import Browser

HARMLESS = {"sex": "quasi_identifier", "arm": "insensitive", "score": "insensitive"}


def unpacked(archive: bytes) -> dict[str, Any]:
    """Return the documents of a copy by the name of their file."""
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        assert files.testzip() is None
        assert "README.txt" in files.namelist()
        return {
            name.removesuffix(".json"): json.loads(files.read(name))
            for name in files.namelist()
            if name.endswith(".json")
        }


@pytest.fixture
def owner(client_as: ClientAs) -> FlaskClient:
    return client_as(Role.MEMBER)


def test_a_copy_holds_everything_but_secrets(
    owner: FlaskClient, work: Work, member: Actor, database: Database
) -> None:
    deposit, _ = screened(owner, work, harmless(), HARMLESS)
    answer = owner.get("/api/v1/account/export")
    assert answer.mimetype == "application/zip"
    found = unpacked(answer.data)
    assert set(found) >= {
        "profile", "sessions", "personal_tokens", "passkeys", "authenticators", "identities",
        "consents", "datasets", "jobs", "events",
    }  # fmt: skip
    assert found["profile"][0]["email"] == member.email
    assert len(found["sessions"]) == 1
    assert [version["public_id"] for version in found["datasets"]] == [deposit]
    assert {job["kind"] for job in found["jobs"]} >= {"deposits.validate"}
    assert found["events"][-1]["action"] == "user.created"
    with database.reading() as session:
        secret = session.scalars(select(User.password_hash)).one()
    assert secret is not None
    assert secret not in json.dumps(found)


def test_an_account_goes_and_what_is_published_stays(
    app: Flask, owner: FlaskClient, work: Work, member: Actor, client_as: ClientAs
) -> None:
    client = app.test_client()
    dataset, _ = published(owner, work, harmless(), HARMLESS)
    draft = open_deposit(owner)
    ok(owner.post(f"/api/v1/datasets/{dataset}/deposits"), 201)
    told = ok(owner.delete("/api/v1/account"))
    assert "your drafts" in told["gone"][-1]
    assert "Published datasets" in told["kept"][0]

    assert owner.get("/api/v1/auth/me").status_code == 401
    login = {"email": member.email, "password": PASSWORD}
    assert client.post("/api/v1/auth/login", json=login).status_code == 401
    assert ok(client.get(f"/api/v1/datasets/{dataset}"))["state"] == "published"
    sloane = client_as(Role.CURATOR)
    assert sloane.get(f"/api/v1/deposits/{draft}").status_code == 404
    assert len(ok(sloane.get(f"/api/v1/datasets/{dataset}/versions"))) == 1
    assert sloane.post(f"/api/v1/datasets/{dataset}/deposits").status_code == 201


def test_an_address_can_be_used_again(
    app: Flask, owner: FlaskClient, member: Actor, services: Services, database: Database
) -> None:
    ok(owner.delete("/api/v1/account"))
    with database.reading() as session:
        user = session.get_one(User, member.user_id)
    assert user.name == "Deleted account"
    assert user.email.endswith("@deleted.invalid")
    assert user.password_hash is None
    assert not user.is_active

    again = make_actor(services.accounts, name="Mary Anning", email=member.email)
    assert again.public_id != member.public_id
    assert ok(client_of(app, again).get("/api/v1/auth/me"))["email"] == member.email


def test_what_was_done_stays_in_the_log_without_the_person(
    owner: FlaskClient, member: Actor, client_as: ClientAs
) -> None:
    ok(owner.delete("/api/v1/account"))
    query = {"subject": member.public_id}
    events = ok(client_as(Role.ADMIN).get("/api/v1/audit", query_string=query))
    assert events[0]["action"] == "user.deleted"
    assert member.email not in json.dumps(events)
    assert member.name not in json.dumps(events)


def test_both_have_to_be_confirmed(owner: FlaskClient, database: Database) -> None:
    with database.transaction() as session:
        session.execute(update(Session).values(confirmed_at=None))
    for answer in (owner.get("/api/v1/account/export"), owner.delete("/api/v1/account")):
        assert answer.status_code == 403
        assert answer.get_json()["code"] == "confirmation-required"


def test_the_last_admin_stays(client_as: ClientAs) -> None:
    admin = client_as(Role.ADMIN)
    answer = admin.delete("/api/v1/account")
    assert answer.status_code == 409
    assert answer.get_json()["code"] == "last-admin"


@pytest.fixture
def strict(settings: Settings, database: Database, queue: MemoryQueue) -> Flask:
    """An instance that has terms."""
    wanted = {"terms_version": "2026-11", "terms_url": "https://example.org/terms"}
    wanted["privacy_contact"] = "privacy@example.org"
    chosen = settings.model_copy(update=wanted)
    chosen.instance_path.mkdir(parents=True, exist_ok=True)
    return create_app(services=build_services(chosen, database, queue=queue))


def person(**more: object) -> dict[str, object]:
    return {"name": "Ada", "email": "new@example.org", "password": PASSWORD, **more}


def test_who_registers_agrees_to_the_terms(strict: Flask, database: Database) -> None:
    client = strict.test_client()
    refused = client.post("/api/v1/auth/register", json=person())
    assert refused.status_code == 422
    assert refused.get_json()["details"][0]["field"] == "accepted_terms"
    assert client.post("/api/v1/auth/register", json=person(accepted_terms=True)).status_code < 300
    with database.reading() as session:
        consent = session.scalars(select(Consent)).one()
    assert (consent.document, consent.version) == ("terms", "2026-11")


def test_an_agreement_can_be_given_and_taken_back(strict: Flask, services: Services) -> None:
    owner = client_of(strict, make_actor(services.accounts))
    address = "/api/v1/account/consents"
    assert ok(owner.get(address)) == []
    assert owner.delete(address).status_code == 409
    ok(owner.post(address), 201)
    assert owner.post(address).status_code == 409
    ok(owner.delete(address))
    (consent,) = ok(owner.get(address))
    assert consent["version"] == "2026-11"
    assert consent["withdrawn_at"] is not None
    ok(owner.post(address), 201)
    assert len(ok(owner.get(address))) == 2


def test_without_terms_there_is_nothing_to_agree_to(owner: FlaskClient) -> None:
    assert owner.post("/api/v1/account/consents").status_code == 409


def test_the_pages_of_terms(strict: Flask, services: Services) -> None:
    visitor = Browser(strict)
    assert "I agree to the" in visitor.get("/register").text
    sent = {"name": "Ada", "email": "new@example.org", "password": PASSWORD}
    refused = visitor.submit("/register", **sent)
    assert refused.status_code == 422
    assert "Please agree to the terms" in refused.text
    assert visitor.submit("/register", accepted_terms="true", **sent).status_code == 303
    notice = visitor.get("/privacy").text
    assert "mailto:privacy@example.org" in notice
    assert "https://example.org/terms" in notice

    browser = Browser(strict)
    browser.sign_in(make_actor(services.accounts))
    assert "I agree to version 2026-11" in browser.get("/account/data").text
    assert browser.submit("/account/data/consents", form_at="/account/data").status_code == 303
    page = browser.get("/account/data").text
    assert "Take my agreement back" in page
    assert "Terms, version 2026-11" in page
    browser.submit("/account/data/consents/withdrawal", form_at="/account/data")
    assert "taken back on" in browser.get("/account/data").text


def test_the_page_says_what_goes_and_what_stays(
    app: Flask, member: Actor, owner: FlaskClient, work: Work
) -> None:
    published(owner, work, harmless(), HARMLESS)
    open_deposit(owner)
    browser = Browser(app)
    browser.sign_in(member)
    page = browser.get("/account/data").text
    assert "1 published version" in page
    assert "your drafts, with their files and tables (1)" in page
    assert unpacked(browser.get("/account/data/export").data)
    deletion = {"path": "/account/data/deletion", "form_at": "/account/data"}
    refused = browser.submit(**deletion)
    assert refused.status_code == 422
    assert "Please tick" in refused.text
    assert browser.submit(**deletion, understood="true").headers["Location"] == "/"
    assert "Your account is deleted" in browser.get("/").text
    assert browser.get("/account/data").status_code == 303


def test_the_page_tells_the_last_admin_why_not(app: Flask, admin: Actor, curator: Actor) -> None:
    browser = Browser(app)
    browser.sign_in(admin)
    assert "last active admin" in browser.get("/account/data").text
    token = browser.csrf("/account/data")
    sent = {"csrf_token": token, "understood": "true"}
    answer = browser.client.post("/account/data/deletion", data=sent)
    assert answer.status_code == 422
    assert "last active admin" in answer.text


def test_everybody_can_read_what_is_kept(client: FlaskClient, member: Actor, app: Flask) -> None:
    page = client.get("/privacy").text
    assert "What you may ask for" in page
    assert "who runs this site" in page
    assert 'href="/privacy"' in client.get("/").text
    browser = Browser(app)
    browser.sign_in(member)
    assert 'href="/account/data"' in browser.get("/privacy").text
