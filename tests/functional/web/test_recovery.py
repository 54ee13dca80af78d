"""Pages that letters lead to, in a browser without scripts."""

import pytest
from flask import Flask

from fairdatabase.app import create_app
from fairdatabase.authorization.schemas import Actor, Role
from fairdatabase.kernel.clock import utc_now
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.services import Services, build_services
from tests.factories.accounts import PASSWORD, make_actor
from tests.factories.deposits import Work
from tests.factories.factors import with_app
from tests.factories.mail import token_in
from tests.factories.web import Browser

NEW_PASSWORD = "an entirely new phrase"
ADA = {"name": "Ada", "email": "ada@example.org", "password": PASSWORD}


def newest_link(services: Services, work: Work, page: str) -> str:
    work()
    return f"/{page}/{token_in(services.mail.kept()[0])}"


@pytest.fixture
def boss(browser: Browser, admin: Actor) -> Browser:
    browser.sign_in(admin)
    return browser


def test_a_forgotten_password(
    browser: Browser, member: Actor, services: Services, work: Work
) -> None:
    assert "/forgotten" in browser.get("/sign-in").text
    assert browser.submit("/forgotten", email=member.email).location == "/sign-in"
    assert "a letter with a link is on its way" in browser.get("/sign-in").text
    link = newest_link(services, work, "reset")
    assert member.email in browser.get(link).text
    refused = browser.submit(link, password="mary anning's")
    assert (refused.status_code, "without your name" in refused.text) == (422, True)
    assert browser.submit(link, password=NEW_PASSWORD).location == "/sign-in"
    assert "Your password is changed" in browser.get("/sign-in").text
    gone = browser.get(link)
    assert (gone.status_code, "This link works no more" in gone.text) == (422, True)
    answer = browser.submit("/sign-in", email=member.email, password=NEW_PASSWORD)
    assert answer.location == "/"


def test_opening_a_link_changes_nothing_and_tells_no_other_site(
    browser: Browser, member: Actor, services: Services, work: Work
) -> None:
    browser.submit("/forgotten", email=member.email)
    link = newest_link(services, work, "reset")
    for _ in range(3):
        page = browser.get(link)
        assert page.status_code == 200
        assert browser.client.head(link).status_code == 200
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Robots-Tag"] == "noindex"
    assert browser.submit(link, password=NEW_PASSWORD).status_code == 303


@pytest.mark.parametrize("page", ["verify", "reset", "address", "invitation"])
def test_a_link_that_is_none_leads_on(browser: Browser, page: str) -> None:
    token = browser.csrf("/sign-in")
    for answer in (
        browser.get(f"/{page}/nonsense"),
        browser.client.post(f"/{page}/nonsense", data={"csrf_token": token}),
    ):
        assert answer.status_code == 422
        assert "/forgotten" in answer.text


@pytest.mark.parametrize("path", ["/forgotten", "/verification"])
def test_no_page_tells_who_has_an_account(browser: Browser, member: Actor, path: str) -> None:
    def shown(email: str) -> tuple[int, str | None, str]:
        answer = browser.submit(path, email=email)
        main = browser.get("/sign-in").text.partition("<main")[2].partition("</main>")[0]
        return answer.status_code, answer.location, main

    assert shown(member.email) == shown("nobody@example.org")
    assert browser.submit(path, email="no address").status_code == 422


def test_an_address_is_confirmed_by_its_password(
    browser: Browser, services: Services, work: Work
) -> None:
    browser.submit("/register", **ADA)
    work()
    browser.submit("/verification", email="ada@example.org")
    link = newest_link(services, work, "verify")
    assert "ada@example.org" in browser.get(link).text
    wrong = browser.submit(link, password="not the right one")
    assert (wrong.status_code, "The password is not right." in wrong.text) == (422, True)
    assert browser.submit(link, password=PASSWORD).location == "/"
    assert "Your address is confirmed." in browser.get("/users").text


def test_a_confirmed_address_is_no_way_around_the_second_factor(
    browser: Browser, services: Services, work: Work
) -> None:
    browser.submit("/register", **ADA)
    with_app(services, services.accounts.actor_by_email("ada@example.org"), utc_now())
    link = newest_link(services, work, "verify")
    answer = browser.submit(link, password=PASSWORD)
    assert answer.status_code == 303
    assert (answer.location or "").startswith("/sign-in/")
    assert browser.get("/users").status_code == 303


def test_who_is_signed_in_confirms_by_a_button(
    browser: Browser, services: Services, work: Work
) -> None:
    browser.submit("/register", **ADA)
    link = newest_link(services, work, "verify")
    assert 'type="password"' in browser.get(link).text
    browser.submit("/sign-in", email="ada@example.org", password=PASSWORD)
    assert 'type="password"' not in browser.get(link).text
    assert browser.submit(link).status_code == 303


def test_guesses_on_the_page_of_a_link_have_to_wait(
    browser: Browser, services: Services, work: Work
) -> None:
    browser.submit("/register", **ADA)
    link = newest_link(services, work, "verify")
    answers = [browser.submit(link, password="not the right one") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [422] * 5 + [429]
    assert answers[-1].headers["Retry-After"] == "1"
    assert "Please try again in 1 second." in answers[-1].text


def test_guesses_on_the_sign_in_page_have_to_wait(browser: Browser, member: Actor) -> None:
    fields = {"email": member.email, "password": "not the right one"}
    answers = [browser.submit("/sign-in", **fields) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [422] * 5 + [429]
    assert "Please try again in 1 second." in answers[-1].text
    assert answers[-1].headers["Retry-After"] == "1"


def test_an_address_is_changed_by_a_button(
    browser: Browser, member: Actor, services: Services, work: Work
) -> None:
    services.recovery.request_address(member, "new@example.org")
    link = newest_link(services, work, "address")
    assert "new@example.org" in browser.get(link).text
    assert browser.submit(link).location == "/sign-in"
    assert services.accounts.actor_by_email("new@example.org").public_id == member.public_id


def test_an_invitation_is_sent_accepted_and_revoked(
    boss: Browser, app: Flask, services: Services, work: Work
) -> None:
    assert "/admin/invitations" in boss.get("/users").text
    sent = boss.submit("/admin/invitations", email="ada@example.org", role="curator")
    assert sent.location == "/admin/invitations"
    assert "on its way to ada@example.org" in boss.get("/admin/invitations").text
    link = newest_link(services, work, "invitation")
    ada = Browser(app)
    assert "You were invited as ada@example.org" in ada.get(link).text
    refused = ada.submit(link, name="Adaline", password="adaline is my name")
    assert (refused.status_code, 'value="Adaline"' in refused.text) == (422, True)
    assert ada.submit(link, name="Ada", password=PASSWORD).location == "/sign-in"
    assert services.accounts.actor_by_email("ada@example.org").roles == {Role.CURATOR}

    taken = boss.submit("/admin/invitations", email="ada@example.org", role="member")
    assert (taken.status_code, "an account with this e-mail" in taken.text) == (422, True)
    boss.submit("/admin/invitations", email="grace@example.org", role="member")
    (waiting,) = services.admission.list_invitations(
        services.accounts.actor_by_email(_email_of(services, Role.ADMIN))
    )
    path = f"/admin/invitations/{waiting.public_id}/revoke"
    assert boss.submit(path, form_at="/admin/invitations").status_code == 303
    assert "No invitation waits" in boss.get("/admin/invitations").text


def _email_of(services: Services, role: Role) -> str:
    return make_actor(services.accounts, role).email


@pytest.mark.parametrize("role", ["service", "emperor", ""])
def test_nobody_is_invited_as_what_is_no_person(boss: Browser, role: str) -> None:
    answer = boss.submit("/admin/invitations", email="ada@example.org", role=role)
    assert answer.status_code == 422


def test_members_see_no_invitations(browser: Browser, member: Actor) -> None:
    browser.sign_in(member)
    assert browser.get("/admin/invitations").status_code == 403
    assert "/admin/invitations" not in browser.get("/users").text


def test_letters_are_shown_in_development(
    browser: Browser, member: Actor, services: Services, work: Work
) -> None:
    assert "No letters yet" in browser.get("/dev/mail").text
    browser.submit("/forgotten", email=member.email)
    link = newest_link(services, work, "reset")
    (letter,) = services.mail.kept()
    assert f"/dev/mail/{letter.id}" in browser.get("/dev/mail").text
    assert f'<a href="http://127.0.0.1:8000{link}"' in browser.get(f"/dev/mail/{letter.id}").text
    assert browser.get("/dev/mail/nonsense").status_code == 404


@pytest.mark.parametrize(
    "change",
    [{"environment": "production"}, {"base_url": "https://data.example.org"}],
    ids=["production", "another address"],
)
def test_letters_are_shown_nowhere_else(
    settings: Settings, database: Database, change: dict[str, str]
) -> None:
    values = settings.model_dump() | {"instance_path": settings.instance_path} | change
    app = create_app(services=build_services(Settings(_env_file=None, **values), database))
    host = str(change.get("base_url", "http://127.0.0.1:8000"))
    assert app.test_client().get("/dev/mail", base_url=host).status_code == 404
