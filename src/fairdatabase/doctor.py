"""What can be wrong with an instance, and how to mend it."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import log2
from pathlib import Path

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask.helpers import get_debug_flag
from sqlalchemy.exc import SQLAlchemyError

from fairdatabase.authorization.schemas import OPERATOR, Role
from fairdatabase.kernel.clock import utc_now
from fairdatabase.kernel.config import (
    ROTATED,
    SECRET_NAMES,
    SECRETS_FILE,
    Settings,
    retired_until,
)
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import ConfigurationError
from fairdatabase.migrations import configuration
from fairdatabase.services import Services, build_services

_OTHERS = 0o077
_LEAST_ARGON2_KIB = 19 * 1024
_LEAST_ARGON2_TIME = 2
"""Least cost of Argon2id by the OWASP Password Storage Cheat Sheet."""
_LEAST_BITS = 100
_TEST_NAAN = "99999"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was looked at.

    Args:
        subject: What it was.
        message: How it is.
        ok: True where it is fine, False where it is a problem, None where it deserves a thought.
        fix: What to do about it.
    """

    subject: str
    message: str
    ok: bool | None = True
    fix: str = ""


def revisions(settings: Settings) -> tuple[str | None, str | None]:
    """Return the revision that the database has, and the one that this program needs.

    Raises:
        SQLAlchemyError: The database does not answer.
    """
    head = ScriptDirectory.from_config(configuration(settings.sqlalchemy_url)).get_current_head()
    if _is_missing_file(settings):
        return None, head
    database = Database(settings.sqlalchemy_url)
    try:
        with database.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision(), head
    finally:
        database.dispose()


def _is_missing_file(settings: Settings) -> bool:
    """Tell whether the database is a file that does not exist; opening would create it."""
    scheme, _, path = settings.sqlalchemy_url.partition(":///")
    return scheme.startswith("sqlite") and not Path(path).exists()


def require_migrated(settings: Settings) -> None:
    """Raise where the database is not in the state that this program needs.

    Raises:
        ConfigurationError: It has to be migrated, or this program is too old for it.
    """
    current, head = revisions(settings)
    if current != head:
        raise ConfigurationError(
            f"The database is at revision {current or 'nothing'} and this program needs {head}."
            " Run `fairdatabase migrate` (after a backup) first."
        )


def examine(settings: Callable[[], Settings], *, fixity: int = 0) -> Iterator[Finding]:
    """Look at everything, the most basic things first.

    Args:
        settings: Reads them; may fail.
        fixity: How many stored files to read and hash again.
    """
    try:
        found = settings()
    except ConfigurationError as error:
        yield Finding("settings", error.message, ok=False, fix="Correct what is named there.")
        return
    yield Finding("settings", f"valid, for {found.environment}")
    yield from _secrets(found)
    yield from _weak_settings(found)
    database = list(_database(found))
    yield from database
    if all(finding.ok for finding in database):
        services = build_services(found)
        try:
            yield from _parts(services)
            yield from _admins(services)
            yield from _fixity(services, fixity)
        finally:
            services.database.dispose()


def _secrets(settings: Settings) -> Iterator[Finding]:
    path = settings.instance_path / SECRETS_FILE
    if not path.exists():
        yield Finding("secrets", "come from the environment")
    elif path.stat().st_mode & _OTHERS:
        yield Finding("secrets", "others may read them", ok=False, fix=f"chmod 600 {path}")
    else:
        yield Finding("secrets", "readable by their owner only")
    secrets = {name: getattr(settings, name).get_secret_value() for name in SECRET_NAMES}
    if len(set(secrets.values())) < len(secrets):
        yield Finding(
            "secrets",
            "one is used for two purposes",
            ok=False,
            fix=f"Give each of {', '.join(secrets)} a value of its own.",
        )
    for name, secret in secrets.items():
        if _bits(secret) < _LEAST_BITS:
            yield Finding(
                "secrets",
                f"{name} is not random enough: it could be guessed",
                ok=False,
                fix="Take 43 random characters or more, as `fairdatabase init` does.",
            )
    yield from _retired(settings)


def _bits(secret: str) -> float:
    """Return how many bits of entropy the frequencies of its characters give a text at most."""
    shares = [count / len(secret) for count in Counter(secret).values()]
    return len(secret) * -sum(share * log2(share) for share in shares)


def _retired(settings: Settings) -> Iterator[Finding]:
    today = utc_now().date()
    for name in ROTATED.values():
        for key in getattr(settings, name):
            if retired_until(settings, key) < today:
                yield Finding(
                    "secrets",
                    f"a key in {name}, retired on {key.retired_on}, is of no use any more",
                    ok=None,
                    fix="Remove it, or run `fairdatabase secrets rotate`.",
                )


def _weak_settings(settings: Settings) -> Iterator[Finding]:
    local = settings.is_local
    weak = {
        "environment is development on a public address": (
            settings.environment == "development" and not local,
            "Set environment to production.",
        ),
        "sign-in attempts are not limited": (
            not settings.rate_limits_enabled,
            "Set rate_limits_enabled to true.",
        ),
        "passwords are hashed too cheaply": (
            settings.argon2_memory_kib < _LEAST_ARGON2_KIB
            or settings.argon2_time_cost < _LEAST_ARGON2_TIME,
            f"Set argon2_memory_kib to {_LEAST_ARGON2_KIB} and argon2_time_cost to 2, or more.",
        ),
        "every website may read from a browser what the API shows to everybody": (
            "*" in settings.cors_origins,
            "Name the websites in cors_origins.",
        ),
        "no proxy is trusted, so all visitors share its address and its limits": (
            settings.https and settings.trusted_proxies == 0,
            "Set trusted_proxies to the number of proxies in front.",
        ),
        "a proxy is trusted on a local address, so visitors may invent theirs": (
            local and settings.trusted_proxies > 0,
            "Set trusted_proxies to 0, or base_url to the address that visitors see.",
        ),
        "people register with addresses that nobody verifies": (
            settings.registration_open and not settings.verifies_email and not local,
            "Set email_verification to required, or registration_open to false.",
        ),
        "production is served without HTTPS": (
            settings.environment == "production" and not settings.https,
            "Put a proxy with HTTPS in front and set base_url to its address.",
        ),
        "Flask shows its debugger to visitors": (
            bool(get_debug_flag()),
            "Remove FLASK_DEBUG from the environment.",
        ),
        "identifiers are made with the NAAN for tests": (
            not local and settings.naan == _TEST_NAAN,
            "Ask for a NAAN at https://arks.org and set naan.",
        ),
    }
    for message, (present, fix) in weak.items():
        if present:
            yield Finding("settings", message, ok=None, fix=fix)
    yield from _mail(settings)


def _mail(settings: Settings) -> Iterator[Finding]:
    if not settings.smtp_host and settings.environment == "production":
        yield Finding(
            "mail",
            f"no mail server is set, so letters stay in {settings.mail_path}",
            ok=None,
            fix="Set smtp_host, or pass on the letters by hand.",
        )
    if settings.smtp_username and settings.smtp_security == "none":
        yield Finding(
            "mail",
            "the password of the mail account is sent unencrypted",
            ok=None,
            fix="Set smtp_security to starttls or tls.",
        )


def _database(settings: Settings) -> Iterator[Finding]:
    try:
        current, head = revisions(settings)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).strip().splitlines()[0]
        yield Finding(
            "database",
            f"does not answer: {reason}",
            ok=False,
            fix="Start it, or correct database_url.",
        )
        return
    if current == head:
        yield Finding("database", f"answers, at revision {head}")
    else:
        yield Finding(
            "database",
            f"is at revision {current or 'nothing'}, needed is {head}",
            ok=False,
            fix="Make a backup, then run `fairdatabase migrate`.",
        )


def _parts(services: Services) -> Iterator[Finding]:
    fixes = {
        "queue": "Start Redis, or correct redis_url; leave it empty to use a file instead.",
        "storage": f"Let this user write to {services.settings.storage_path}.",
        "disk": "Make space, or move the instance to a larger disk.",
    }
    for part in services.health.report().parts:
        if part.name != "database":
            fix = "" if part.ready else fixes[part.name]
            yield Finding(part.name, part.detail, ok=part.ready, fix=fix)


def _admins(services: Services) -> Iterator[Finding]:
    admins = services.accounts.statistics(OPERATOR).by_role[Role.ADMIN]
    yield Finding(
        "admins",
        str(admins),
        ok=True if admins else None,
        fix="" if admins else "fairdatabase user create you@example.org --role admin",
    )


def _fixity(services: Services, limit: int) -> Iterator[Finding]:
    if not limit:
        return
    report = services.storage.verify(limit=limit)
    yield Finding("stored files", f"{report.checked} read again", ok=not report.damaged)
    for sha256 in report.damaged:
        yield Finding(
            "stored files",
            f"{sha256} is missing or not what was stored",
            ok=False,
            fix="Put it back from the backup; depositing the same file again does as well.",
        )
