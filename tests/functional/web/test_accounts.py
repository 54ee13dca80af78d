"""Signing in by page: cookies, forms, and what an attacker would send."""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import HttpUrl
from sqlalchemy import update

from fairdatabase.accounts.models import RefreshToken, Session
from fairdatabase.app import create_app
from fairdatabase.authorization.schemas import Actor
from fairdatabase.jobs.backends.memory import MemoryQueue
from fairdatabase.kernel.clock import utc_now
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.services import Services, build_services
from tests.factories.accounts import PASSWORD, client_of
from tests.factories.kernel import recorded_statements
from tests.factories.web import Browser

ACCESS, REFRESH = "fairdatabase-access", "fairdatabase-refresh"


@pytest.fixture
def mary(browser: Browser, member: Actor) -> Browser:
    """A browser that the member signed in on."""
    assert browser.sign_in(member).status_code == 303
    return browser


def drop_access_token(browser: Browser) -> None:
    """Do what the browser does when the access token's time is over."""
    browser.client.delete_cookie(ACCESS)


def signed_in(browser: Browser) -> bool:
    return browser.get("/users").status_code == 200


def test_signing_in_sets_cookies_that_scripts_cannot_read(browser: Browser, member: Actor) -> None:
    answer = browser.sign_in(member, next="/users?search=mary")
    assert (answer.status_code, answer.location) == (303, "/users?search=mary")
    cookies = {line.partition("=")[0]: line for line in answer.headers.getlist("Set-Cookie")}
    assert {ACCESS, REFRESH} <= set(cookies)
    for name in (ACCESS, REFRESH):
        assert "HttpOnly" in cookies[name]
        assert "SameSite=Lax" in cookies[name]
        assert "Path=/" in cookies[name]
    page = browser.get("/users")
    assert "Mary Anning" in page.text
    assert page.headers["Cache-Control"] == "private, no-store"
    assert browser.get("/sign-in?next=/users").location == "/users"


def test_over_https_cookies_are_pinned_to_the_host(
    settings: Settings, database: Database, queue: MemoryQueue, member: Actor
) -> None:
    secure = settings.model_copy(update={"base_url": HttpUrl("https://data.example.org")})
    app = create_app(services=build_services(secure, database, queue=queue))
    browser = Browser(app)
    browser.client.environ_base |= {"wsgi.url_scheme": "https", "HTTP_HOST": "data.example.org"}
    page = app.test_client().get("/sign-in", base_url="https://data.example.org")
    assert page.headers["Strict-Transport-Security"].startswith("max-age=")
    answer = browser.client.post(
        "/sign-in", base_url="https://data.example.org", data={"email": member.email}
    )
    assert answer.status_code == 403
    session = page.headers["Set-Cookie"]
    assert session.startswith("__Host-session=")
    assert "Secure" in session


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "evil",
        "",
    ],
)
def test_nobody_is_sent_elsewhere(browser: Browser, member: Actor, target: str) -> None:
    assert browser.sign_in(member, next=target).location == "/"


@pytest.mark.parametrize("email", ["mary@fossils.example.org", "nobody@example.org"])
def test_a_failed_attempt_keeps_the_address_and_tells_nothing(
    browser: Browser, member: Actor, email: str
) -> None:
    answer = browser.submit("/sign-in", email=email, password="wrong <b>one</b>", next="/users")
    assert answer.status_code == 422
    assert "The e-mail address or the password is not right." in answer.text
    assert f'value="{email}"' in answer.text
    assert 'value="/users"' in answer.text
    assert "wrong" not in answer.text
    assert browser.cookie(ACCESS) is None


def test_a_form_says_what_is_missing(browser: Browser) -> None:
    answer = browser.submit("/sign-in", email="nobody")
    assert answer.status_code == 422
    assert answer.text.count("field-error") == 2


def test_an_account_promises_no_access(browser: Browser) -> None:
    page = browser.get("/register").text
    assert "ask for access" not in page
    assert "their owner and the curators" in page


def test_who_registered_signs_in(browser: Browser) -> None:
    fields = {"name": "Ada", "email": "ada@example.org", "password": PASSWORD}
    answer = browser.submit("/register", **fields)
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert "You can sign in right away." in browser.get("/sign-in").text
    assert not signed_in(browser)
    del fields["name"]
    assert browser.submit("/sign-in", **fields).location == "/"
    assert signed_in(browser)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"password": "too short"}, "at least 12"),
        ({"password": "ada by the silver river", "name": "Adaline"}, None),
        ({"password": "adaline is my name", "name": "Adaline"}, "without your name"),
        ({"email": "taken@example.org"}, None),
        ({"roles": "admin"}, "There is no such field."),
    ],
)
def test_a_registration_that_cannot_be_keeps_what_was_typed(
    browser: Browser, change: dict[str, str], complaint: str | None
) -> None:
    fields = {"name": "Ada", "email": "ada@example.org", "password": PASSWORD}
    browser.submit("/register", **fields | {"email": "taken@example.org"})
    answer = browser.submit("/register", **fields | change)
    if complaint is None:
        assert answer.status_code == 303
    else:
        assert answer.status_code == 422
        assert complaint in answer.text
        assert f'value="{(fields | change)["email"]}"' in answer.text


def test_signing_out_ends_the_session_and_forgets_the_cookies(
    mary: Browser, services: Services
) -> None:
    refresh = mary.cookie(REFRESH) or ""
    answer = mary.submit("/sign-out", form_at="/users")
    assert answer.status_code == 303
    assert (mary.cookie(ACCESS), mary.cookie(REFRESH)) == (None, None)
    mary.client.set_cookie(REFRESH, refresh)
    assert not signed_in(mary)


def test_who_is_not_signed_in_comes_back_after_signing_in(browser: Browser, member: Actor) -> None:
    answer = browser.get("/users?search=a%26b")
    assert answer.status_code == 303
    parts = urlsplit(answer.location)
    assert parts.path == "/sign-in"
    target = parse_qs(parts.query)["next"][0]
    assert browser.sign_in(member, next=target).location == "/users?search=a%26b"


@pytest.mark.parametrize("token", [None, "", "wrong", "\u00e9"])
@pytest.mark.parametrize("path", ["/sign-in", "/register", "/sign-out"])
def test_a_form_from_elsewhere_is_refused(
    browser: Browser, member: Actor, path: str, token: str | None
) -> None:
    browser.csrf("/sign-in")
    data = {"email": member.email, "password": PASSWORD, "name": "Ada"}
    if token is not None:
        data["csrf_token"] = token
    assert browser.client.post(path, data=data).status_code == 403
    assert browser.cookie(ACCESS) is None


@pytest.mark.parametrize("token", [None, "wrong"])
def test_a_signed_in_browser_needs_the_csrf_token_too(mary: Browser, token: str | None) -> None:
    data = {"csrf_token": token} if token else {}
    assert mary.client.post("/sign-out", data=data).status_code == 403
    assert signed_in(mary)


def test_the_csrf_token_of_another_session_is_wrong(
    mary: Browser, new_browser: Callable[[], Browser], curator: Actor
) -> None:
    other = new_browser()
    other.sign_in(curator)
    data = {"csrf_token": other.csrf("/users")}
    assert mary.client.post("/sign-out", data=data).status_code == 403


def test_the_api_takes_cookies_with_the_csrf_header(mary: Browser) -> None:
    assert mary.client.get("/api/v1/auth/me").status_code == 200
    assert mary.client.post("/api/v1/auth/logout").status_code == 403
    header = {"X-CSRF-TOKEN": mary.csrf("/users")}
    assert mary.client.post("/api/v1/auth/logout", headers=header).status_code == 200
    assert not signed_in(mary)


def test_tokens_travel_only_as_they_were_meant_to(mary: Browser, member: Actor) -> None:
    app = mary.client.application
    stolen = {"Authorization": f"Bearer {mary.cookie(ACCESS)}"}
    assert app.test_client().get("/api/v1/auth/me", headers=stolen).status_code == 401
    refresh = {"refresh_token": mary.cookie(REFRESH)}
    assert app.test_client().post("/api/v1/auth/refresh", json=refresh).status_code == 401
    header = client_of(app, member).environ_base["HTTP_AUTHORIZATION"]
    planted = app.test_client()
    planted.set_cookie(ACCESS, header.removeprefix("Bearer "))
    assert planted.get("/api/v1/auth/me").status_code == 401


def test_an_expired_access_token_is_renewed_on_the_way(mary: Browser) -> None:
    before = mary.cookie(REFRESH)
    drop_access_token(mary)
    assert mary.get("/users").status_code == 200
    assert mary.cookie(ACCESS)
    assert mary.cookie(REFRESH) != before
    assert signed_in(mary)


def test_a_form_opened_before_the_renewal_can_be_sent_after_it(mary: Browser) -> None:
    token = mary.csrf("/users")
    drop_access_token(mary)
    signed_in(mary)
    drop_access_token(mary)
    answer = mary.client.post("/sign-out", data={"csrf_token": token})
    assert answer.status_code == 303
    assert (mary.cookie(ACCESS), mary.cookie(REFRESH)) == (None, None)


def test_a_form_from_elsewhere_renews_nothing(mary: Browser) -> None:
    before = mary.cookie(REFRESH)
    drop_access_token(mary)
    assert mary.client.post("/sign-out").status_code == 403
    assert mary.cookie(REFRESH) == before
    assert signed_in(mary)


def test_two_tabs_may_renew_at_once(mary: Browser, new_browser: Callable[[], Browser]) -> None:
    tab = new_browser()
    tab.client.set_cookie(REFRESH, mary.cookie(REFRESH) or "")
    drop_access_token(mary)
    assert signed_in(mary)
    assert signed_in(tab)
    assert signed_in(mary)


def test_a_copied_cookie_that_comes_back_later_ends_the_session(
    mary: Browser, new_browser: Callable[[], Browser], database: Database
) -> None:
    thief = new_browser()
    thief.client.set_cookie(REFRESH, mary.cookie(REFRESH) or "")
    drop_access_token(mary)
    assert signed_in(mary)
    with database.transaction() as session:
        used = RefreshToken.used_at.is_not(None)
        minute_ago = utc_now() - timedelta(minutes=1)
        session.execute(update(RefreshToken).where(used).values(used_at=minute_ago))
    assert not signed_in(thief)
    assert thief.cookie(REFRESH) is None
    assert not signed_in(mary)


def test_a_browser_whose_session_ended_reads_on_as_nobody(
    mary: Browser, database: Database
) -> None:
    token = mary.csrf("/users")
    with database.transaction() as session:
        session.execute(update(Session).values(revoked_at=utc_now(), revoked_reason="test"))
    posted = mary.client.post("/sign-out", data={"csrf_token": token})
    assert (posted.status_code, urlsplit(posted.location).path) == (303, "/sign-in")
    assert (mary.cookie(ACCESS), mary.cookie(REFRESH)) == (None, None)
    assert mary.get("/sign-in").status_code == 200


def test_a_cookie_that_is_no_token_is_nobody(browser: Browser) -> None:
    browser.client.set_cookie(ACCESS, "a.b.c")
    assert browser.get("/sign-in").status_code == 200
    assert not signed_in(browser)


def test_health_and_static_files_ask_the_database_nothing(
    mary: Browser, database: Database
) -> None:
    with recorded_statements(database) as statements:
        assert mary.get("/health/live").status_code == 200
        with mary.get("/static/css/fairdatabase.css") as style:
            assert style.status_code == 200
    assert not statements
