"""All wiring: which service is built from what, and who listens to which event."""

from dataclasses import dataclass
from functools import partial
from typing import TypedDict

from fairdatabase.accounts.service import Accounts
from fairdatabase.accounts.service.admission import Admission
from fairdatabase.accounts.service.confirmation import Confirmation
from fairdatabase.accounts.service.consents import Consents
from fairdatabase.accounts.service.factors import Factors
from fairdatabase.accounts.service.identities import Identities
from fairdatabase.accounts.service.newcomers import Newcomers
from fairdatabase.accounts.service.notices import Notices
from fairdatabase.accounts.service.passkeys import Passkeys
from fairdatabase.accounts.service.personal_data import PersonalData
from fairdatabase.accounts.service.recovery import Recovery
from fairdatabase.accounts.service.sessions import Sessions
from fairdatabase.accounts.service.supabase import Supabase
from fairdatabase.accounts.service.throttle import Throttle
from fairdatabase.accounts.service.tokens import Tokens
from fairdatabase.accounts.service.users import Users
from fairdatabase.audit.service import Audit
from fairdatabase.catalog.schemas import DraftChanged, VersionPublished, VersionWithdrawn
from fairdatabase.catalog.service import Catalog
from fairdatabase.catalog.service.communities import Communities
from fairdatabase.deposits.service import Deposits
from fairdatabase.interop.service import Interop
from fairdatabase.jobs.backends.base import Queue
from fairdatabase.jobs.backends.huey import HueyQueue
from fairdatabase.jobs.service import Jobs
from fairdatabase.kernel.clock import Clock, utc_now
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.events import Events
from fairdatabase.knowledge.service import Knowledge
from fairdatabase.mail.backends.folder import FolderBackend
from fairdatabase.mail.backends.smtp import SmtpBackend
from fairdatabase.mail.service import Mail
from fairdatabase.observability.health import Health, answering, disk
from fairdatabase.privacy.service import Privacy
from fairdatabase.privacy.service.details import Details
from fairdatabase.privacy.service.hierarchies import Hierarchies
from fairdatabase.privacy.service.keys import Pseudonyms
from fairdatabase.privacy.service.policies import Policies
from fairdatabase.privacy.service.recipes import Recipes
from fairdatabase.privacy.service.reports import Reports
from fairdatabase.privacy.service.versions import Versions
from fairdatabase.storage.backends.local import LocalBackend
from fairdatabase.storage.backends.scanner import Scanner
from fairdatabase.storage.service import Storage
from fairdatabase.tables.service import Tables


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the edges may call."""

    settings: Settings
    database: Database
    events: Events
    health: Health
    audit: Audit
    jobs: Jobs
    mail: Mail
    accounts: Accounts
    admission: Admission
    recovery: Recovery
    identities: Identities
    supabase: Supabase
    sessions: Sessions
    factors: Factors
    passkeys: Passkeys
    confirmation: Confirmation
    tokens: Tokens
    users: Users
    consents: Consents
    personal_data: PersonalData
    storage: Storage
    catalog: Catalog
    communities: Communities
    tables: Tables
    privacy: Privacy
    pseudonyms: Pseudonyms
    policies: Policies
    reports: Reports
    details: Details
    recipes: Recipes
    hierarchies: Hierarchies
    deposits: Deposits
    interop: Interop
    knowledge: Knowledge


def build_services(
    settings: Settings,
    database: Database | None = None,
    *,
    queue: Queue | None = None,
    clock: Clock = utc_now,
) -> Services:
    """Build every service once, for one process.

    Args:
        settings: Of this instance.
        database: Given by tests; otherwise opened from the settings.
        queue: Given by tests; otherwise Huey with the file or server of the settings.
        clock: Source of the present time.
    """
    database = database or Database(settings.sqlalchemy_url, pool_size=settings.database_pool_size)
    events = Events()
    queue = queue or HueyQueue(settings)
    audit = Audit(database, settings, clock)
    jobs = Jobs(database, queue, settings, clock)
    mail = _mail(jobs, settings)
    storage = _storage(database, settings, clock)
    data = _data(database, settings, clock, events=events, storage=storage, jobs=jobs, audit=audit)
    consents = Consents(database, settings, clock, audit=audit)
    knowledge = Knowledge(database, settings, clock, storage=storage, jobs=jobs, audit=audit)
    return Services(
        settings=settings,
        database=database,
        events=_subscribe(events, data["interop"], knowledge),
        health=_health(settings, database, queue, storage),
        audit=audit,
        jobs=jobs,
        mail=mail,
        storage=storage,
        knowledge=knowledge,
        consents=consents,
        personal_data=_personal_data(
            database, settings, clock, audit=audit, jobs=jobs, consents=consents, data=data
        ),
        **_people(database, settings, clock, audit=audit, jobs=jobs, mail=mail, consents=consents),
        **data,
    )


def _storage(database: Database, settings: Settings, clock: Clock) -> Storage:
    backend = LocalBackend(settings.storage_path, settings.work_path)
    scanner = Scanner(settings.scan_command, seconds=settings.scan_seconds)
    return Storage(database, backend, clock, scanner=scanner if settings.scan_command else None)


def _mail(jobs: Jobs, settings: Settings) -> Mail:
    backend = SmtpBackend(settings) if settings.smtp_host else FolderBackend(settings.mail_path)
    return Mail(jobs, backend, settings)


class _Factors(TypedDict):
    sessions: Sessions
    factors: Factors
    passkeys: Passkeys
    confirmation: Confirmation
    tokens: Tokens
    users: Users


class _Others(TypedDict):
    identities: Identities
    supabase: Supabase


def _others(
    database: Database,
    settings: Settings,
    clock: Clock,
    *,
    audit: Audit,
    mail: Mail,
    accounts: Accounts,
    notices: Notices,
    consents: Consents,
) -> _Others:
    newcomers = Newcomers(database, settings, clock, audit=audit, mail=mail, consents=consents)
    identities = Identities(
        database,
        settings,
        clock,
        audit=audit,
        accounts=accounts,
        newcomers=newcomers,
        notices=notices,
    )
    return {
        "identities": identities,
        "supabase": Supabase(database, settings, clock, newcomers=newcomers),
    }


class _People(_Factors, _Others):
    accounts: Accounts
    admission: Admission
    recovery: Recovery


def _people(
    database: Database,
    settings: Settings,
    clock: Clock,
    *,
    audit: Audit,
    jobs: Jobs,
    mail: Mail,
    consents: Consents,
) -> _People:
    throttle = Throttle(database, settings, clock)
    notices = Notices(database, settings, mail=mail)
    recovery = Recovery(
        database, settings, clock, audit=audit, jobs=jobs, mail=mail, throttle=throttle
    )
    accounts = Accounts(
        database, settings, clock, audit=audit, throttle=throttle, jobs=jobs, notices=notices
    )
    return {
        "accounts": accounts,
        "admission": Admission(
            database,
            settings,
            clock,
            audit=audit,
            jobs=jobs,
            mail=mail,
            recovery=recovery,
            consents=consents,
        ),
        "recovery": recovery,
        **_factors(database, settings, clock, audit=audit, throttle=throttle, notices=notices),
        **_others(
            database,
            settings,
            clock,
            audit=audit,
            mail=mail,
            accounts=accounts,
            notices=notices,
            consents=consents,
        ),
    }


def _factors(
    database: Database,
    settings: Settings,
    clock: Clock,
    *,
    audit: Audit,
    throttle: Throttle,
    notices: Notices,
) -> _Factors:
    sessions = Sessions(database, settings, clock, audit=audit)
    factors = Factors(database, settings, clock, audit=audit, notices=notices)
    passkeys = Passkeys(database, settings, clock, audit=audit, notices=notices)
    return {
        "sessions": sessions,
        "factors": factors,
        "passkeys": passkeys,
        "confirmation": Confirmation(
            database,
            settings,
            clock,
            audit=audit,
            sessions=sessions,
            factors=factors,
            passkeys=passkeys,
            throttle=throttle,
            notices=notices,
        ),
        "tokens": Tokens(database, clock, audit=audit),
        "users": Users(database, clock, audit=audit, notices=notices),
    }


class _Views(TypedDict):
    reports: Reports
    details: Details
    recipes: Recipes
    hierarchies: Hierarchies


def _views(
    database: Database,
    settings: Settings,
    clock: Clock,
    *,
    privacy: Privacy,
    policies: Policies,
    tables: Tables,
    catalog: Catalog,
    jobs: Jobs,
) -> _Views:
    recipes = Recipes(
        database,
        privacy=privacy,
        policies=policies,
        tables=tables,
        catalog=catalog,
        jobs=jobs,
        clock=clock,
    )
    return {
        "details": Details(tables=tables, catalog=catalog, policies=policies),
        "reports": Reports(
            privacy=privacy,
            tables=tables,
            catalog=catalog,
            settings=settings,
            clock=clock,
        ),
        "recipes": recipes,
        "hierarchies": Hierarchies(
            database,
            privacy=privacy,
            policies=policies,
            recipes=recipes,
            tables=tables,
            catalog=catalog,
            clock=clock,
        ),
    }


class _Screens(_Views):
    pseudonyms: Pseudonyms
    policies: Policies
    privacy: Privacy


def _screens(
    database: Database,
    settings: Settings,
    clock: Clock,
    *,
    tables: Tables,
    catalog: Catalog,
    communities: Communities,
    audit: Audit,
    jobs: Jobs,
) -> _Screens:
    pseudonyms = Pseudonyms(
        database, tables=tables, catalog=catalog, audit=audit, settings=settings, clock=clock
    )
    policies = Policies(
        database,
        catalog=catalog,
        communities=communities,
        audit=audit,
        settings=settings,
        clock=clock,
    )
    privacy = Privacy(
        database,
        tables=tables,
        catalog=catalog,
        jobs=jobs,
        pseudonyms=pseudonyms,
        policies=policies,
        versions=Versions(tables=tables, catalog=catalog),
        settings=settings,
        clock=clock,
    )
    views = _views(
        database,
        settings,
        clock,
        privacy=privacy,
        policies=policies,
        tables=tables,
        catalog=catalog,
        jobs=jobs,
    )
    return {"pseudonyms": pseudonyms, "policies": policies, "privacy": privacy, **views}


class _Data(_Screens):
    catalog: Catalog
    communities: Communities
    tables: Tables
    deposits: Deposits
    interop: Interop


def _data(
    database: Database,
    settings: Settings,
    clock: Clock,
    *,
    events: Events,
    storage: Storage,
    jobs: Jobs,
    audit: Audit,
) -> _Data:
    catalog = Catalog(database, events, settings, clock, audit=audit)
    tables = Tables(database, storage=storage, catalog=catalog, settings=settings, clock=clock)
    communities = Communities(database, clock, catalog=catalog, audit=audit)
    screens = _screens(
        database,
        settings,
        clock,
        tables=tables,
        catalog=catalog,
        communities=communities,
        audit=audit,
        jobs=jobs,
    )
    privacy = screens["privacy"]
    deposits = Deposits(
        database,
        storage=storage,
        catalog=catalog,
        tables=tables,
        privacy=privacy,
        jobs=jobs,
        audit=audit,
        settings=settings,
    )
    interop = Interop(database, catalog=catalog, tables=tables, privacy=privacy, settings=settings)
    return {
        "catalog": catalog,
        "communities": communities,
        "tables": tables,
        **screens,
        "deposits": deposits,
        "interop": interop,
    }


def _personal_data(
    database: Database,
    settings: Settings,
    clock: Clock,
    *,
    audit: Audit,
    jobs: Jobs,
    consents: Consents,
    data: _Data,
) -> PersonalData:
    """Say what each feature keeps about people: whoever adds to it adds a line here."""
    catalog = data["catalog"]
    return PersonalData(
        database,
        settings,
        clock,
        audit=audit,
        consents=consents,
        holdings=catalog.holdings_of,
        contributors={
            "datasets": catalog.versions_of,
            "jobs": jobs.of_owner,
            "recipes": data["recipes"].of_owner,
            "events": audit.of_account,
        },
        erasers=(catalog.discard_drafts_of, data["recipes"].erase_of),
    )


def _subscribe(events: Events, interop: Interop, knowledge: Knowledge) -> Events:
    events.subscribe(VersionPublished, interop.forget_pages)
    events.subscribe(VersionWithdrawn, interop.forget_pages)
    events.subscribe(DraftChanged, knowledge.datasets.changed)
    events.subscribe(VersionPublished, knowledge.datasets.changed)
    events.subscribe(VersionWithdrawn, knowledge.datasets.changed)
    return events


def _health(settings: Settings, database: Database, queue: Queue, storage: Storage) -> Health:
    return Health(
        {
            "database": partial(answering, database.ping),
            "queue": queue.check,
            "storage": storage.check,
            "disk": partial(disk, settings.instance_path),
        }
    )
