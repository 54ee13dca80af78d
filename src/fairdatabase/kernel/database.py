"""One database object for web, worker, CLI and async callers.

``Database.transaction()`` is re-entrant: a use case that calls another joins its transaction,
only the outermost commits, and what was registered by ``after_commit`` runs last. Repositories
use ``Database.session`` and never open or commit anything.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import (
    JSON,
    DateTime,
    Engine,
    Enum,
    MetaData,
    TypeDecorator,
    create_engine,
    event,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import URL, Connection, Dialect, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Session

logger = logging.getLogger(__name__)

T = TypeVar("T")
_READ_ONLY = {"fairdatabase_read_only": True}
_BUSY_TIMEOUT_MS = 15_000


class UtcDateTime(TypeDecorator[datetime]):
    """Aware datetimes in, aware datetimes in UTC out, on every database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Refuse naive datetimes and convert the others to UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = f"a naive datetime cannot be stored: {value!r}"
            raise ValueError(message)
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Mark what the database returned as UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


JsonDocument = JSON().with_variant(JSONB(), "postgresql")


class Base(DeclarativeBase):
    """Declarative base of all models; constraint names are stable for the migrations."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads a plain class attribute
        datetime: UtcDateTime,
        dict[str, Any]: JsonDocument,
        list[dict[str, Any]]: JsonDocument,
        list[str]: JsonDocument,
        StrEnum: Enum(
            StrEnum,
            native_enum=False,
            create_constraint=False,
            length=32,
            values_callable=lambda members: [member.value for member in members],
        ),
    }


@dataclass
class _Scope:
    session: Session
    writable: bool
    last_steps: list[Callable[[], object]] = field(default_factory=list)
    hooks: list[Callable[[], object]] = field(default_factory=list)

    def commit(self) -> None:
        """Take the last steps, in the order they were asked for, and commit."""
        for step in self.last_steps:
            step()
        self.session.commit()


class Database:
    """Engines, sessions and transactions of one database.

    Args:
        url: SQLAlchemy URL with the ``sqlite`` or ``postgresql`` backend.
        pool_size: Connections kept open per process; as many again may be opened at a peak.
    """

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self._url = _with_driver(make_url(url), asynchronous=False)
        self._pool_size = pool_size
        self._scope: ContextVar[_Scope | None] = ContextVar(f"scope-{id(self)}", default=None)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is a SQLite file, for the few statements that differ."""
        return self._url.get_backend_name() == "sqlite"

    @cached_property
    def engine(self) -> Engine:
        """The engine of synchronous callers."""
        engine = create_engine(self._url, **self._pool_options())
        _prepare(engine)
        return engine

    @cached_property
    def async_engine(self) -> AsyncEngine:
        """The engine behind :meth:`run_sync`."""
        url = _with_driver(self._url, asynchronous=True)
        engine = create_async_engine(url, **self._pool_options())
        _prepare(engine.sync_engine)
        return engine

    @property
    def session(self) -> Session:
        """The session of the present transaction.

        Raises:
            RuntimeError: No transaction is open, which is a mistake in the calling service.
        """
        scope = self._scope.get()
        if scope is None:
            message = "no transaction is open: wrap the use case in `with database.transaction():`"
            raise RuntimeError(message)
        return scope.session

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Open a transaction or join the present one.

        Commits when the outermost block ends, rolls everything back when it raises.
        """
        with self._enter(writable=True) as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a read-only transaction or join the present one, whatever its kind."""
        with self._enter(writable=False) as session:
            yield session

    def before_commit(self, step: Callable[[], object]) -> None:
        """Call ``step`` as the last thing inside the outermost transaction.

        For what takes a lock that everybody wants, so that it is held as briefly as can be. A
        step that raises undoes the transaction.

        Raises:
            RuntimeError: No transaction is open.
        """
        self._require_scope("before_commit").last_steps.append(step)

    def after_commit(self, hook: Callable[[], object]) -> None:
        """Call ``hook`` once the outermost transaction has committed, and never otherwise.

        A hook that fails is logged: what was committed stands, and callers see success.

        Raises:
            RuntimeError: No transaction is open.
        """
        self._require_scope("after_commit").hooks.append(hook)

    async def run_sync(self, work: Callable[[], T], *, writable: bool = True) -> T:
        """Run synchronous services and repositories from async code without a thread.

        Args:
            work: Called once inside one transaction on an async driver's connection.
            writable: False opens a read-only transaction.

        Returns:
            What ``work`` returned, after the commit.
        """
        async with AsyncSession(self.async_engine, expire_on_commit=False) as session:
            result, hooks = await session.run_sync(self._work_in, work, writable=writable)
        for hook in hooks:
            await asyncio.to_thread(_run_hook, hook)
        return result

    def ping(self) -> None:
        """Ask the database for one row.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: It does not answer.
        """
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def dispose(self) -> None:
        """Close all pooled connections of synchronous callers."""
        self.engine.dispose()

    def _require_scope(self, name: str) -> _Scope:
        scope = self._scope.get()
        if scope is None:
            message = f"{name} needs an open transaction"
            raise RuntimeError(message)
        return scope

    @contextmanager
    def _enter(self, *, writable: bool) -> Iterator[Session]:
        outer = self._scope.get()
        if outer is not None:
            if writable and not outer.writable:
                message = "a transaction cannot be opened inside a read-only one"
                raise RuntimeError(message)
            yield outer.session
            return
        with Session(self.engine, expire_on_commit=False) as session:
            scope = _Scope(session, writable)
            with self._active(scope):
                yield session
                scope.commit()
        for hook in scope.hooks:
            _run_hook(hook)

    def _work_in(
        self, session: Session, work: Callable[[], T], *, writable: bool
    ) -> tuple[T, list[Callable[[], object]]]:
        scope = _Scope(session, writable)
        with self._active(scope):
            result = work()
            scope.commit()
        return result, scope.hooks

    @contextmanager
    def _active(self, scope: _Scope) -> Iterator[None]:
        if not scope.writable:
            options = _READ_ONLY if self.is_sqlite else {"postgresql_readonly": True}
            scope.session.connection(execution_options=options)
        token = self._scope.set(scope)
        try:
            yield
        except BaseException:
            scope.session.rollback()
            raise
        finally:
            self._scope.reset(token)

    def _pool_options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"pool_size": self._pool_size, "max_overflow": self._pool_size}
        if not self.is_sqlite:
            options |= {"pool_pre_ping": True, "pool_recycle": 1800}
        return options


M = TypeVar("M", bound=Base)


class Repository(Generic[M]):
    """What every repository has; each adds its questions as named methods.

    Args:
        database: Whose present session all statements run in.
    """

    model: type[M]

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def _session(self) -> Session:
        return self._database.session

    def add(self, instance: M) -> M:
        """Store a new row and return it with its defaults filled."""
        self._session.add(instance)
        self._session.flush()
        return instance

    def put(self, instance: M) -> None:
        """Store a row in the place of the one that has its primary key."""
        self._session.merge(instance)
        self._session.flush()

    def get(self, identity: UUID) -> M | None:
        """Return the row with this primary key."""
        return self._session.get(self.model, identity)


def _with_driver(url: URL, *, asynchronous: bool) -> URL:
    drivers = {
        "sqlite": "sqlite+aiosqlite" if asynchronous else "sqlite",
        "postgresql": "postgresql+psycopg",
        "postgres": "postgresql+psycopg",
    }
    backend = url.get_backend_name()
    if backend not in drivers:
        message = f"database_url must be sqlite or postgresql, not {backend}"
        raise ValueError(message)
    return url.set(drivername=drivers[backend])


def _prepare(engine: Engine) -> None:
    """Make SQLite wait for its turn, keep foreign keys and take write locks at the start.

    A transaction that begins by reading and writes later fails at once with "database is
    locked" when another wrote in between, whatever the busy timeout; so writers begin IMMEDIATE.
    """
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:  # noqa: ANN401 - two drivers
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout = {_BUSY_TIMEOUT_MS}",
            "journal_mode = WAL",
            "foreign_keys = ON",
            "synchronous = FULL",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        read_only = connection.get_execution_options().get("fairdatabase_read_only", False)
        connection.exec_driver_sql(f"PRAGMA query_only = {read_only:d}")
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _run_hook(hook: Callable[[], object]) -> None:
    try:
        hook()
    except Exception:
        logger.exception("An effect after the commit failed", extra={"hook": repr(hook)})
