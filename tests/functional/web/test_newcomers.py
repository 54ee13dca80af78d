"""People without an address, and identities that are linked and unlinked."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.exc import IntegrityError
from werkzeug.test import TestResponse

from fairdatabase.accounts.errors import ProviderError
from fairdatabase.accounts.models import Consent, User
from fairdatabase.app import create_app
from fairdatabase.audit.models import AuditEvent
from fairdatabase.authorization.schemas import Actor, Role
from fairdatabase.jobs.backends.memory import MemoryQueue
from fairdatabase.kernel.database import Database
from fairdatabase.services import Services
from tests.factories.accounts import make_actor
from tests.factories.providers import (
    PERSON_EMAIL,
    HostileProvider,
    address_in,
    back_from,
    link,
    path_of,
)
from tests.factories.web import Browser
from tests.functional.web.conftest import Connect

ORCID_ID = "0000-0002-1825-0097"
SECURITY = "/account/security"
TERMS = {"terms_version": "2026-11"}
_CODE = re.compile(r"\b[0-9]{4} [0-9]{4}\b")


def letter(services: Services, queue: MemoryQueue) -> str:
    queue.drain(services.jobs.run)
    return services.mail.kept()[0].text


def acts(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(AuditEvent.action).order_by(AuditEvent.sequence)))


# -- People without an address ----------------------------------------------------------------


@pytest.fixture
def orcid(connect: Connect, shady: HostileProvider) -> Services:
    """Services that know a provider of ORCID's kind, which tells no address."""
    shady.claims = {"email": None, "name": None, "given_name": "Marie", "family_name": "Curie"}
    return connect(kind="orcid", scopes=("openid",), trust_email=False)


def test_an_address_is_asked_for_once_and_proved_by_a_code(
    orcid: Services, shady: HostileProvider, queue: MemoryQueue, database: Database
) -> None:
    browser = Browser(create_app(services=orcid))
    assert back_from(shady, browser, "/users").location == "/sign-in/finish"
    page = browser.get("/sign-in/finish").text
    assert ORCID_ID in page
    assert 'value="Marie Curie"' in page
    assert browser.submit("/sign-in/finish", name="Marie Curie", email="no").status_code == 422
    sent = browser.submit("/sign-in/finish", name="Marie Curie", email="Marie@Example.org")
    assert sent.location == "/sign-in/finish"
    assert PERSON_EMAIL in browser.get("/sign-in/finish").text
    code = _CODE.findall(letter(orcid, queue))[0]

    wrong = browser.submit("/sign-in/finish/code", form_at="/sign-in/finish", code="0000 0000")
    assert wrong.status_code == 422
    assert "not the code" in wrong.text
    joined = browser.submit("/sign-in/finish/code", form_at="/sign-in/finish", code=code)
    assert joined.location == "/users"
    assert PERSON_EMAIL in browser.get("/users").text
    with database.reading() as session:
        assert session.scalars(select(User.email_verified_at)).one()
    assert back_from(shady, Browser(create_app(services=orcid)), "/users").location == "/users"


def test_newcomers_agree_to_the_terms_like_everybody(
    connect: Connect, shady: HostileProvider, database: Database
) -> None:
    browser = Browser(create_app(services=connect(instance=TERMS)))
    assert back_from(shady, browser, "/users").location == "/sign-in/finish"
    page = browser.get("/sign-in/finish").text
    assert "I agree to the" in page
    assert f'value="{PERSON_EMAIL}"' in page
    sent = {"name": "Marie Curie", "email": PERSON_EMAIL}
    refused = browser.submit("/sign-in/finish", **sent)
    assert (refused.status_code, "Please agree to the terms" in refused.text) == (422, True)
    joined = browser.submit("/sign-in/finish", **sent, accepted_terms="true")
    assert joined.location == "/users"
    assert PERSON_EMAIL in browser.get("/users").text
    with database.reading() as session:
        consent = session.scalars(select(Consent)).one()
    assert (consent.document, consent.version) == ("terms", "2026-11")


def test_an_address_that_nobody_vouches_for_is_proved_besides_the_terms(
    connect: Connect, shady: HostileProvider, queue: MemoryQueue, database: Database
) -> None:
    services = connect(trust_email=False, instance=TERMS)
    browser = Browser(create_app(services=services))
    back_from(shady, browser)
    sent = {"name": "Marie Curie", "email": PERSON_EMAIL, "accepted_terms": "true"}
    assert browser.submit("/sign-in/finish", **sent).location == "/sign-in/finish"
    code = _CODE.findall(letter(services, queue))[0]
    joined = browser.submit("/sign-in/finish/code", form_at="/sign-in/finish", code=code)
    assert joined.location == "/"
    with database.reading() as session:
        assert session.scalars(select(Consent.version)).all() == ["2026-11"]


def test_codes_cannot_be_guessed(
    orcid: Services, shady: HostileProvider, queue: MemoryQueue
) -> None:
    browser = Browser(create_app(services=orcid))
    back_from(shady, browser)
    browser.submit("/sign-in/finish", name="Marie", email=PERSON_EMAIL)
    code = _CODE.findall(letter(orcid, queue))[0]
    for _ in range(5):
        browser.submit("/sign-in/finish/code", form_at="/sign-in/finish", code="0000 0000")
    late = browser.submit("/sign-in/finish/code", form_at="/sign-in/finish", code=code)
    assert late.status_code == 422


def test_nobody_is_flooded_with_letters(
    orcid: Services, shady: HostileProvider, queue: MemoryQueue
) -> None:
    browser = Browser(create_app(services=orcid))
    back_from(shady, browser)
    answers = [
        browser.submit("/sign-in/finish", name="Marie", email=PERSON_EMAIL) for _ in range(4)
    ]
    assert [answer.status_code for answer in answers] == [303, 303, 303, 429]


def test_whether_an_address_has_an_account_is_not_told(
    orcid: Services, shady: HostileProvider, queue: MemoryQueue
) -> None:
    make_actor(orcid.accounts, name="Marie Curie", email=PERSON_EMAIL)
    browser = Browser(create_app(services=orcid))
    back_from(shady, browser)
    sent = browser.submit("/sign-in/finish", name="Marie", email=PERSON_EMAIL)
    assert (sent.status_code, sent.location) == (303, "/sign-in/finish")
    assert "Look into your mailbox" in browser.get("/sign-in/finish").text
    text = letter(orcid, queue)
    assert not _CODE.findall(text)
    assert "link Shady there" in text
    refused = browser.submit("/sign-in/finish/code", form_at="/sign-in/finish", code="0000 0000")
    assert refused.status_code == 422


def test_an_address_that_was_taken_meanwhile_makes_no_second_account(
    orcid: Services, shady: HostileProvider, queue: MemoryQueue
) -> None:
    browser = Browser(create_app(services=orcid))
    back_from(shady, browser)
    browser.submit("/sign-in/finish", name="Marie", email=PERSON_EMAIL)
    code = _CODE.findall(letter(orcid, queue))[0]
    make_actor(orcid.accounts, email=PERSON_EMAIL)
    answer = browser.submit("/sign-in/finish/code", form_at="/sign-in/finish", code=code)
    assert answer.status_code == 422
    assert "start again" in answer.text


def test_nothing_waits_for_a_browser_without_a_sign_in(site: Flask) -> None:
    browser = Browser(site)
    assert browser.get("/sign-in/finish").location == "/sign-in"


def test_an_identity_that_was_linked_meanwhile_makes_no_second_account(
    orcid: Services, shady: HostileProvider, queue: MemoryQueue
) -> None:
    site = create_app(services=orcid)
    codes = []
    browsers = [Browser(site), Browser(site)]
    for number, browser in enumerate(browsers):
        back_from(shady, browser)
        browser.submit("/sign-in/finish", name="Marie", email=f"marie{number}@example.org")
        codes.append(_CODE.findall(letter(orcid, queue))[0])
    first, second = (
        browser.submit("/sign-in/finish/code", form_at="/sign-in/finish", code=code)
        for browser, code in zip(browsers, codes, strict=True)
    )
    assert first.location == "/"
    assert second.status_code == 422


@pytest.mark.parametrize("pending_id", ["no id", "8f9e0b5c-7d52-4c44-a6a5-1f6f7f7e2c11"])
def test_a_question_that_nobody_asked_has_no_answer(connected: Services, pending_id: str) -> None:
    with pytest.raises(ProviderError):
        connected.identities.newcomers.pending(pending_id, browser="x")


@contextmanager
def somebody_is_faster(database: Database, table: str) -> Iterator[None]:
    """Let the next row of a table meet one that was written a moment before."""

    def refuse(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith(f"INSERT INTO {table} "):
            raise IntegrityError(statement, {}, Exception("duplicate key"))

    event.listen(database.engine, "before_cursor_execute", refuse)
    try:
        yield
    finally:
        event.remove(database.engine, "before_cursor_execute", refuse)


def test_of_two_first_visits_at_once_one_makes_the_account(
    site: Flask, shady: HostileProvider, database: Database
) -> None:
    browser = Browser(site)
    sent = browser.get("/sign-in/with/shady")
    with somebody_is_faster(database, "users"):
        assert browser.get(path_of(shady.answer_to(sent.location))).location == "/sign-in"
    assert back_from(shady, browser).location == "/"


def test_of_two_who_agree_at_once_one_gets_the_account(
    connect: Connect, shady: HostileProvider, database: Database
) -> None:
    browser = Browser(create_app(services=connect(instance=TERMS)))
    back_from(shady, browser)
    sent = {"name": "Marie", "email": PERSON_EMAIL, "accepted_terms": "true"}
    with somebody_is_faster(database, "users"):
        assert browser.submit("/sign-in/finish", **sent).status_code == 422
    assert browser.submit("/sign-in/finish", **sent).location == "/"


def test_of_two_links_at_once_one_holds(
    site: Flask, shady: HostileProvider, owner: Actor, database: Database
) -> None:
    browser = Browser(site)
    browser.sign_in(owner)
    with somebody_is_faster(database, "identities"):
        assert link(browser, shady).location == SECURITY
    assert "signs in to another account here" in browser.get(SECURITY).text


# -- Linking and unlinking --------------------------------------------------------------------


def unlink(browser: Browser) -> TestResponse:
    path = re.findall(r'action="([^"]+/unlink)"', browser.get(SECURITY).text)[0]
    return browser.submit(path, form_at=SECURITY)


def test_a_provider_is_linked_used_to_confirm_and_unlinked(
    site: Flask, shady: HostileProvider, owner: Actor, database: Database
) -> None:
    browser = Browser(site)
    browser.sign_in(owner)
    assert link(browser, shady).location == SECURITY
    assert "You can sign in by Shady" in browser.get(SECURITY).text
    assert link(browser, shady).location == SECURITY
    assert acts(database)[-2:] == ["identity.linked", "user.confirmed"]
    assert unlink(browser).location == SECURITY
    assert acts(database)[-1] == "identity.unlinked"
    assert "You have linked none yet" in browser.get(SECURITY).text


def test_what_signs_in_somebody_else_is_not_linked(
    site: Flask, shady: HostileProvider, connected: Services
) -> None:
    back_from(shady, Browser(site))
    browser = Browser(site)
    browser.sign_in(make_actor(connected.accounts))
    assert link(browser, shady).location == SECURITY
    assert "signs in to another account here" in browser.get(SECURITY).text


def test_a_link_belongs_to_who_began_it(
    site: Flask, shady: HostileProvider, owner: Actor, connected: Services
) -> None:
    browser = Browser(site)
    browser.sign_in(owner)
    page = browser.submit("/account/identities/with/shady", form_at=SECURITY)
    browser.submit("/sign-out", form_at="/")
    assert browser.get(path_of(shady.answer_to(address_in(page)))).location == "/sign-in"


def test_the_last_way_in_stays(site: Flask, shady: HostileProvider) -> None:
    browser = Browser(site)
    back_from(shady, browser)
    assert unlink(browser).location == SECURITY
    assert "could not sign in any more" in browser.get(SECURITY).text


def test_the_identities_of_others_are_not_there(
    site: Flask, shady: HostileProvider, owner: Actor, connected: Services
) -> None:
    browser = Browser(site)
    browser.sign_in(owner)
    link(browser, shady)
    path = re.findall(r'action="([^"]+/unlink)"', browser.get(SECURITY).text)[0]
    other = Browser(site)
    other.sign_in(make_actor(connected.accounts, Role.ADMIN))
    assert other.submit(path, form_at=SECURITY).status_code == 404


def test_over_rest_and_told_by_letters(
    site: Flask, shady: HostileProvider, owner: Actor, connected: Services, queue: MemoryQueue
) -> None:
    client = site.test_client()
    named = client.get("/api/v1/auth/providers").get_json()["data"]
    assert named[1] == {"name": "shady", "label": "Shady"}
    assert client.get("/api/v1/auth/identities").status_code == 401
    browser = Browser(site)
    browser.sign_in(owner)
    link(browser, shady)
    found = browser.client.get("/api/v1/auth/identities").get_json()["data"]["identities"][0]
    assert (found["provider"], found["subject"]) == ("Shady", ORCID_ID)
    gone = browser.client.delete(
        f"/api/v1/auth/identities/{found['public_id']}",
        headers={"X-CSRF-TOKEN": browser.csrf(SECURITY)},
    )
    assert gone.status_code == 200
    assert browser.client.get("/api/v1/auth/identities").get_json()["data"]["identities"] == []
    queue.drain(connected.jobs.run)
    assert [each.subject for each in connected.mail.kept()] == [
        "Shady was unlinked from your account at FAIRDatabase",
        "Shady was linked to your account at FAIRDatabase",
    ]
