"""User enumeration: neither the words of an answer nor the work behind it tell who has an account.

Time is not measured, as it would say more about the machine. What takes time is counted instead:
password hashes, statements to the database and jobs, over many tries with every kind of account.
The same work in the same order has the same distribution of times.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from sqlalchemy import func, select, update

from fairdatabase.accounts import rules
from fairdatabase.accounts.models import User
from fairdatabase.accounts.schemas.tokens import ServiceAccountIn
from fairdatabase.app import create_app
from fairdatabase.authorization.schemas import OPERATOR, Role
from fairdatabase.jobs.backends.memory import MemoryQueue
from fairdatabase.jobs.models import Job
from fairdatabase.kernel.clock import utc_now
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.services import Services, build_services
from tests.factories.accounts import PASSWORD, make_actor
from tests.factories.kernel import ManualClock, recorded_statements
from tests.factories.web import Browser

WRONG = "not the right one at all"
TRIES = 4
"""Of each kind; with the fifth failure in a row an account has to wait, known or not."""
_WORDS_OF_ONE_ANSWER: Final = re.compile(
    r'"(timestamp|request_id)":"[^"]*"|nonce[-=]"?[\w-]+|name="csrf_token" value="[^"]*"'
    r"|user\d+@example\.org|[\w.-]+@example\.org"
)


class CountingHasher(PasswordHasher):
    """The real hasher, which notes each hash that it computes."""

    computed: Final[list[str]] = []

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        """Compute a hash."""
        self.computed.append("hash")
        return super().hash(password, salt=salt)

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
        """Compute a hash to compare it."""
        self.computed.append("verify")
        return super().verify(hash, password)


@dataclass
class Work:
    """What an answer took."""

    hashes: tuple[str, ...]
    statements: tuple[str, ...]
    jobs: int


@pytest.fixture
def services(
    settings: Settings, database: Database, queue: MemoryQueue, monkeypatch: pytest.MonkeyPatch
) -> Services:
    """Services of an instance that counts its hashes and has addresses confirmed."""
    monkeypatch.setattr(rules, "PasswordHasher", CountingHasher)
    settings.instance_path.mkdir(parents=True, exist_ok=True)
    confirming = settings.model_copy(update={"email_verification": "required"})
    # Nobody's wait ends while the next is asked, however slow the machine is.
    clock = ManualClock()
    clock.now = utc_now()
    return build_services(confirming, database, queue=queue, clock=clock)


@pytest.fixture
def app(services: Services) -> OpenAPI:
    return create_app(services=services)


@pytest.fixture
def addresses(services: Services, database: Database) -> dict[str, Callable[[int], str]]:
    """Addresses of every kind of account, one for each try."""

    def made(kind: str, **changes: Any) -> Callable[[int], str]:  # noqa: ANN401 - columns
        for number in range(TRIES + 1):
            email = f"{kind}{number}@example.org"
            if kind == "machine":
                wanted = ServiceAccountIn(name="Bot", email=email)
                services.users.create_service(OPERATOR, wanted)
            else:
                make_actor(services.accounts, Role.MEMBER, email=email)
            with database.transaction() as session:
                session.execute(update(User).where(User.email == email).values(**changes))
        return lambda number: f"{kind}{number}@example.org"

    return {
        "unknown": lambda number: f"nobody{number}@example.org",
        "active": made("active", email_verified_at=utc_now()),
        "unconfirmed": made("fresh", email_verified_at=None),
        "disabled": made("gone", email_verified_at=utc_now(), disabled_at=utc_now()),
        "machine": made("machine", email_verified_at=utc_now()),
    }


@contextmanager
def counted(database: Database) -> Iterator[Callable[[], Work]]:
    """Count the work of a block."""
    CountingHasher.computed.clear()
    with database.reading() as session:
        jobs = session.scalar(select(func.count()).select_from(Job)) or 0
    with recorded_statements(database) as statements:

        def work() -> Work:
            done = tuple(_shape(each) for each in statements)
            with database.reading() as session:
                now = session.scalar(select(func.count()).select_from(Job)) or 0
            return Work(tuple(CountingHasher.computed), done, now - jobs)

        yield work


def _shape(statement: str) -> str:
    """Return verb and table of a statement."""
    verb, _, rest = statement.partition(" ")
    table = re.search(r"(?:FROM|INTO|UPDATE)\s+(\w+)", statement)
    return f"{verb} {table[1] if table else rest[:20]}"


def words(text: str) -> str:
    """Return an answer without what differs from one to the next by itself."""
    return _WORDS_OF_ONE_ANSWER.sub("", text)


def api(path: str, **body: Any) -> Callable[[OpenAPI, str], Any]:  # noqa: ANN401 - JSON
    """Return a request to the API about an address."""

    def ask(app: OpenAPI, email: str) -> Any:  # noqa: ANN401 - a response
        return app.test_client().post(f"/api/v1{path}", json={"email": email, **body})

    return ask


def page(path: str, **fields: str) -> Callable[[OpenAPI, str], Any]:
    """Return a form about an address."""

    def ask(app: OpenAPI, email: str) -> Any:  # noqa: ANN401 - a response
        return Browser(app).submit(path, email=email, **fields)

    return ask


ENTRANCES = {
    "sign in": api("/auth/login", password=WRONG),
    "sign in by page": page("/sign-in", password=WRONG),
    "register": api("/auth/register", name="Ada", password=PASSWORD),
    "register by page": page("/register", name="Ada", password=PASSWORD),
    "forgotten": api("/auth/password/forgotten"),
    "forgotten by page": page("/forgotten"),
    "confirm": api("/auth/verification"),
    "confirm by page": page("/verification"),
}


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_no_answer_tells_who_has_an_account(
    app: OpenAPI, addresses: dict[str, Callable[[int], str]], entrance: str
) -> None:
    answers = {}
    for kind, address in addresses.items():
        answer = ENTRANCES[entrance](app, address(0))
        headers = {name: None for name, _ in answer.headers}
        answers[kind] = (answer.status_code, answer.location, words(answer.text), headers)
    assert all(answer == answers["unknown"] for answer in answers.values())


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_no_work_tells_who_has_an_account(
    app: OpenAPI,
    database: Database,
    addresses: dict[str, Callable[[int], str]],
    entrance: str,
) -> None:
    """Not even on average: each single try of each kind takes the same hashes and statements."""
    seen: dict[str, set[tuple[Any, ...]]] = {}
    for number in range(TRIES):
        for kind, address in addresses.items():
            with counted(database) as work:
                ENTRANCES[entrance](app, address(number))
                done = work()
            seen.setdefault(kind, set()).add((done.hashes, done.statements, done.jobs))
    assert seen["unknown"], entrance
    for kind, works in seen.items():
        assert works == seen["unknown"], kind


def test_a_right_password_is_different(
    app: OpenAPI, database: Database, addresses: dict[str, Callable[[int], str]]
) -> None:
    """The control: what does differ is noticed in words and in work."""
    right, wrong = api("/auth/login", password=PASSWORD), api("/auth/login", password=WRONG)
    with counted(database) as work:
        assert right(app, addresses["active"](4)).status_code == 200
        good = work()
    with counted(database) as work:
        assert wrong(app, addresses["active"](4)).status_code == 401
        bad = work()
    assert good.statements != bad.statements
    assert good.hashes == bad.hashes == ("verify",)


def test_a_wait_tells_nothing_either(
    app: OpenAPI, addresses: dict[str, Callable[[int], str]]
) -> None:
    """After as many failures an unknown address waits as long as a known one."""
    told = {}
    for kind in ("unknown", "active", "disabled", "machine"):
        answers = [ENTRANCES["sign in"](app, addresses[kind](0)) for _ in range(12)]
        told[kind] = [(each.status_code, words(each.text)) for each in answers]
    assert 429 in {status for status, _ in told["unknown"]}
    assert all(each == told["unknown"] for each in told.values())


def test_other_entrances_say_nothing_about_an_address(client: FlaskClient) -> None:
    """Passkeys are asked for without a name, and links are tokens without one."""
    first = client.post("/api/v1/auth/passkey/options").get_json()["data"]
    assert "allowCredentials" not in str(first) or "'allowCredentials': []" in str(first)
    for path, body in (
        ("/auth/password/reset", {"token": "x" * 43, "password": PASSWORD}),
        ("/auth/verification/confirm", {"token": "x" * 43}),
        ("/invitations/accept", {"token": "x" * 43, "name": "Ada", "password": PASSWORD}),
    ):
        answers = {client.post(f"/api/v1{path}", json=body).status_code for _ in range(3)}
        assert len(answers) == 1
        assert answers <= {401, 404, 410, 422}
