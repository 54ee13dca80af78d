"""Rate limits: who tries passwords is counted, whatever requests say about where they come from."""

from collections.abc import Callable, Iterable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from fairdatabase.app import create_app
from fairdatabase.authorization.schemas import Actor
from fairdatabase.jobs.backends.memory import MemoryQueue
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.services import build_services

LOGIN = "/api/v1/auth/login"
TRIES = 6
HERE = "192.0.2.1"
MakeApp = Callable[..., Flask]


@pytest.fixture
def limited(settings: Settings, database: Database, queue: MemoryQueue) -> MakeApp:
    """Return a maker of applications that take three attempts a minute."""

    def make(**changes: object) -> Flask:
        strict = {"rate_limits_enabled": True, "login_rate_limit": "3 per minute", **changes}
        changed = settings.model_copy(update=strict)
        return create_app(services=build_services(changed, database, queue=queue))

    return make


def attempt(
    app: Flask, number: int, *, email: str = "", address: str = HERE, **headers: str
) -> TestResponse:
    """Try a password for an account, of its own unless told."""
    return app.test_client().post(
        LOGIN,
        json={"email": email or f"user{number}@example.org", "password": "not the right one"},
        environ_base={"REMOTE_ADDR": address},
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def stopped(answers: Iterable[TestResponse]) -> bool:
    """Tell whether the last of some attempts was refused for their number."""
    return [answer.status_code for answer in answers][-1] == 429


HEADERS = (
    "X-Forwarded-For",
    "X-Real-IP",
    "X-Client-IP",
    "X-Originating-IP",
    "X-Remote-Addr",
    "X-Cluster-Client-IP",
    "True-Client-IP",
    "CF-Connecting-IP",
    "Fastly-Client-IP",
    "Client-IP",
    "Via",
)


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("proxies", [0, 1])
def test_a_header_of_the_client_makes_no_new_client(
    limited: MakeApp, header: str, proxies: int
) -> None:
    """Behind a proxy, what the client wrote stands left of what the proxy adds."""
    app = limited(trusted_proxies=proxies)

    def sent(number: int) -> dict[str, str]:
        forged = {header.replace("-", "_"): f"198.51.100.{number}"}
        added = ", 203.0.113.7" if header == "X-Forwarded-For" and proxies else ""
        return {name: value + added for name, value in forged.items()}

    assert stopped(attempt(app, number, **sent(number)) for number in range(TRIES))


@pytest.mark.parametrize(
    "forged",
    [
        "198.51.100.{n}, 198.51.100.{n}, 203.0.113.7",
        "for=198.51.100.{n}, 203.0.113.7",
        "198.51.100.{n}\t, 203.0.113.7",
        "198.51.100.{n},,203.0.113.7",
        '"198.51.100.{n}, 203.0.113.7',
        "2001:db8::{n}, 203.0.113.7",
        "unknown{n}, 203.0.113.7",
        "{n}' OR 1=1, 203.0.113.7",
    ],
)
def test_nothing_left_of_the_proxy_counts(limited: MakeApp, forged: str) -> None:
    app = limited(trusted_proxies=1)
    tries = (attempt(app, n, X_Forwarded_For=forged.replace("{n}", str(n))) for n in range(TRIES))
    assert stopped(tries)


def test_the_forwarded_header_of_the_standard_is_not_read(limited: MakeApp) -> None:
    app = limited(trusted_proxies=1)
    tries = (
        attempt(app, n, Forwarded=f"for=198.51.100.{n};proto=https", X_Forwarded_For="203.0.113.7")
        for n in range(TRIES)
    )
    assert stopped(tries)


def test_honest_clients_behind_a_proxy_are_told_apart(limited: MakeApp) -> None:
    """The control: what the trusted proxy itself adds does count."""
    app = limited(trusted_proxies=1)
    tries = [attempt(app, n, X_Forwarded_For=f"198.51.100.{n}") for n in range(TRIES)]
    assert {each.status_code for each in tries} == {401}
    two = limited(trusted_proxies=2)
    forged = (attempt(two, n, X_Forwarded_For=f"10.0.0.{n}, 198.51.100.1, 203.0.113.7")
              for n in range(TRIES))  # fmt: skip
    assert stopped(forged)


@pytest.mark.parametrize(
    "address", ["2001:db8:0:7::{n}", "2001:db8:0:7:{n}::1", "2001:0db8:0000:0007::{n}"]
)
def test_an_ipv6_network_is_one_client(limited: MakeApp, address: str) -> None:
    app = limited()
    tries = (attempt(app, n, address=address.replace("{n}", str(n))) for n in range(1, TRIES))
    assert stopped(tries)


@pytest.mark.parametrize(
    "spelling",
    ["{e}", "{E}", " {e}", "{e} ", "\t{e}\n", "{C}"],
)
def test_an_account_is_one_account_however_it_is_written(
    limited: MakeApp, member: Actor, spelling: str
) -> None:
    """From as many networks as one likes."""
    app = limited()
    email = member.email
    other = (
        spelling.replace("{e}", email).replace("{E}", email.upper()).replace("{C}", email.title())
    )
    statuses = [
        attempt(app, n, email=other if n % 2 else email, address=f"198.51.100.{n}").status_code
        for n in range(2 * TRIES)
    ]
    assert statuses.count(401) <= 3, statuses
    assert set(statuses) <= {401, 422, 429}


def test_page_and_api_are_one_entrance(limited: MakeApp) -> None:
    app = limited()
    for number in range(3):
        assert attempt(app, number).status_code == 401
    client = app.test_client()
    with client.session_transaction() as session:
        session["csrf_token"] = "known"
    form = {"csrf_token": "known", "email": "a@example.org", "password": "x"}
    here = {"environ_base": {"REMOTE_ADDR": HERE}}
    assert client.post("/sign-in", data=form, **here).status_code == 429
    for body in (b"{", b'{"email": ["a"]}', b"[]", b""):
        sent = client.post(LOGIN, data=body, content_type="application/json", **here)
        assert sent.status_code in {400, 422, 429}, "what is no attempt is none"
    assert attempt(app, 4).status_code == 429


def test_who_is_refused_is_told_how_long(limited: MakeApp) -> None:
    app = limited()
    answers = [attempt(app, number) for number in range(TRIES)]
    refused = answers[-1]
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert refused.get_json()["code"] == "rate-limited"


def test_letters_and_registrations_are_counted_as_well(limited: MakeApp) -> None:
    """Nobody floods an inbox, or the database, by changing a header."""
    for path, body in (
        ("/auth/register", {"name": "Ada", "password": "a long walk by the sea"}),
        ("/auth/password/forgotten", {}),
        ("/auth/verification", {}),
    ):
        client = limited().test_client()
        answers = [
            client.post(
                f"/api/v1{path}",
                json=body | {"email": f"user{n}@example.org"},
                headers={"X-Forwarded-For": f"198.51.100.{n}"},
            )
            for n in range(TRIES)
        ]
        assert stopped(answers), path
        assert answers[0].status_code == 202
