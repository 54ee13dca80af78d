"""An instance with a thing of every kind in every state, and everybody who may come to it."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from fairdatabase.accounts.models import Session
from fairdatabase.accounts.schemas.tokens import ServiceAccountIn, TokenIn
from fairdatabase.app import create_app
from fairdatabase.authorization.rules.matrix import Rule
from fairdatabase.authorization.schemas import (
    IMPLIED,
    OPERATOR,
    Party,
    Role,
    Scope,
    State,
)
from fairdatabase.catalog.schemas import CommunityIn
from fairdatabase.jobs.backends.memory import MemoryQueue
from fairdatabase.kernel.config import load_settings
from fairdatabase.kernel.database import Database
from fairdatabase.services import Services, build_services
from fairdatabase.worker import register_tasks
from tests.factories.accounts import client_of, make_actor
from tests.factories.cohorts import harmless
from tests.factories.deposits import Work, ok, published, screened
from tests.factories.web import Browser

HARMLESS = {"sex": "quasi_identifier", "arm": "insensitive", "score": "insensitive"}
STATES = (State.DRAFT, State.OPEN, State.RESTRICTED, State.WITHDRAWN)
NOTHING = "00000000000"
USEFUL = (Scope.DATASETS_WRITE, Scope.ACCOUNT_READ, Scope.USERS_READ)


class Undone(Exception):  # noqa: N818 - nothing went wrong
    """Ends a transaction without keeping anything of it."""


@dataclass
class Visitor:
    """Somebody who asks for everything."""

    client: FlaskClient
    roles: frozenset[Role] = frozenset()
    scopes: frozenset[Scope] | None = None
    confirmed: bool = True
    is_owner: bool = False
    signed_in: bool = True
    headers: dict[str, str] = field(default_factory=dict)

    def parties(self, *, owns: bool) -> set[Party]:
        """Return what the visitor is, with or without being the owner of the thing."""
        found = {Party.EVERYBODY, *(Party(role) for role in self.roles)}
        return found | {Party.OWNER} if owns else found

    def refusal(self, rule: Rule, *, owns: bool) -> str | None:
        """Return why a rule does not admit the visitor, by the words of the matrix alone."""
        if Party.EVERYBODY in rule.parties:
            return None
        if not self.signed_in:
            return "sign in"
        if not rule.parties & self.parties(owns=owns):
            return "denied"
        if self.scopes is not None:
            implied = {IMPLIED[scope] for scope in self.scopes if scope in IMPLIED}
            if rule.scope not in self.scopes | implied:
                return "scope"
        return "confirm" if rule.confirmed and not self.confirmed else None


@dataclass
class World:
    """An instance with a thing of every kind in every state."""

    app: Flask
    services: Services
    work: Work
    visitors: dict[str, Visitor]
    versions: dict[State, str]
    datasets: dict[State, str]
    files: dict[State, str]
    user: str
    community: str
    job: str

    @property
    def database(self) -> Database:
        """Where everything is kept."""
        return self.services.database


@contextmanager
def empty_instance(folder: Path, sqlite_template: Path) -> Iterator[tuple[Flask, Services, Work]]:
    """Make an instance with nobody in it, on SQLite, and what does its waiting jobs."""
    shutil.copy(sqlite_template, folder / "test.db")
    settings = load_settings(
        _env_file=None, environment="development", instance_path=folder / "instance",
        database_url=f"sqlite:///{folder / 'test.db'}", secret_key="t" * 32, data_key="d" * 32,
        jwt_secret_key="j" * 64, pseudonym_key="p" * 32, argon2_memory_kib=8, argon2_time_cost=1,
        argon2_parallelism=1, rate_limits_enabled=False,
    )  # fmt: skip
    settings.instance_path.mkdir()
    queue, database = MemoryQueue(), Database(settings.sqlalchemy_url)
    services = build_services(settings, database, queue=queue)
    register_tasks(services)
    app = create_app(services=services)

    def work() -> None:
        queue.drain(services.jobs.run)

    yield app, services, work
    database.dispose()


@contextmanager
def inhabited(folder: Path, sqlite_template: Path) -> Iterator[World]:
    """Make the instance in a folder, on SQLite."""
    with empty_instance(folder, sqlite_template) as (app, services, work):
        yield _inhabited(app, services, work)


def _inhabited(app: Flask, services: Services, work: Work) -> World:
    owner = make_actor(services.accounts, name="Mary Anning")
    mary = client_of(app, owner)
    datasets, files = {}, {}
    for state, access in ((State.OPEN, "open"), (State.RESTRICTED, "restricted")):
        datasets[state], files[state] = published(mary, work, harmless(), HARMLESS, access=access)
    datasets[State.WITHDRAWN], files[State.WITHDRAWN] = published(mary, work, harmless(), HARMLESS)
    versions = {
        state: ok(mary.get(f"/api/v1/datasets/{dataset}"))["public_id"]
        for state, dataset in datasets.items()
    }
    gone = f"/api/v1/versions/{versions[State.WITHDRAWN]}/withdrawal"
    ok(mary.post(gone, json={"reason": "Taken back."}), 201)
    draft, files[State.DRAFT] = screened(mary, work, harmless(), HARMLESS)
    deposit = ok(mary.get(f"/api/v1/deposits/{draft}"))
    versions[State.DRAFT] = draft
    datasets[State.DRAFT] = deposit["version"]["dataset_public_id"]
    return World(
        app=app,
        services=services,
        work=work,
        visitors=_visitors(app, services, mary, owner.email),
        versions=versions,
        datasets=datasets,
        files=files,
        user=owner.public_id,
        community=services.communities.create(
            OPERATOR, CommunityIn(slug="gut-microbiome", name="Gut microbiome")
        ).slug,
        job=deposit["files"][0]["job"]["public_id"],
    )


def _visitors(app: Flask, services: Services, mary: FlaskClient, email: str) -> dict[str, Visitor]:
    def person(role: Role) -> Visitor:
        made = make_actor(services.accounts, role)
        return Visitor(client_of(app, made), frozenset({role}))

    def token(address: str, role: Role, scopes: Iterable[Scope], *, owns: bool = False) -> Visitor:
        wanted = TokenIn(name="test", scopes=frozenset(scopes))
        secret = services.tokens.issue(OPERATOR, address, wanted).token
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
        return Visitor(client, frozenset({role}), wanted.scopes, confirmed=False, is_owner=owns)

    with services.database.reading() as session:
        confirmed = set(session.scalars(select(Session.id)))
    visitors = {
        "anonymous": Visitor(app.test_client(), signed_in=False),
        "hesitant owner": Visitor(
            client_of(app, services.accounts.actor_by_email(email)),
            frozenset({Role.MEMBER}), confirmed=False, is_owner=True,
        ),
        "hesitant admin": person(Role.ADMIN),
    }  # fmt: skip
    visitors["hesitant admin"].confirmed = False
    with services.database.transaction() as session:
        fresh = update(Session).where(Session.id.not_in(confirmed))
        session.execute(fresh.values(confirmed_at=None))
    browser = Browser(app)
    visitors["anonymous"].client = browser.client
    visitors["anonymous"].headers["X-CSRF-TOKEN"] = browser.csrf("/sign-in")
    services.users.create_service(OPERATOR, ServiceAccountIn(name="Bot", email="bot@example.org"))
    return visitors | {
        "owner": Visitor(mary, frozenset({Role.MEMBER}), is_owner=True),
        "stranger": person(Role.MEMBER),
        "curator": person(Role.CURATOR),
        "admin": person(Role.ADMIN),
        "service": token("bot@example.org", Role.SERVICE, USEFUL),
        "small token": token(email, Role.MEMBER, [Scope.ACCOUNT_READ], owns=True),
        "large token": token(email, Role.MEMBER, USEFUL, owns=True),
    }


@contextmanager
def undone(database: Database) -> Iterator[None]:
    """Undo whatever the block does to the database."""
    try:
        with database.transaction():
            yield
            raise Undone  # noqa: TRY301 - that is how a transaction is left
    except Undone:
        pass
