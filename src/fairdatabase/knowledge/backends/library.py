"""The library's knowledge base: opened when it is first needed, and fed from where it may be."""

import ipaddress
import socket
import threading
import weakref
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import URL, create_engine, make_url

from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.errors import UnavailableError
from fairdatabase.knowledge.errors import LocationRefusedError
from fairdatabase.knowledge.rules import FOLDER
from knowledge_base.embedding.choice import embedder_of
from knowledge_base.errors import KnowledgeBaseError, UnreachableError
from knowledge_base.knowledge import KnowledgeBase
from knowledge_base.loading import Loaded, load
from knowledge_base.settings import Settings as LibrarySettings
from knowledge_base.store import Store

_SCHEMA = "knowledge"
_ALONE = "SELECT pg_advisory_xact_lock(7235418)"


class Library:
    """Gives the services of this process one knowledge base.

    Args:
        settings: Where it is kept, what embeds, and which folder may be read.
        clock: Source of the present time.
    """

    def __init__(self, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._opened: KnowledgeBase | None = None

    @property
    def knowledge(self) -> KnowledgeBase:
        """The knowledge base.

        Raises:
            UnavailableError: It was made by another version, or its embedder is set wrongly.
        """
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    @property
    def store(self) -> Store:
        """Where it keeps everything; raises as :attr:`knowledge`."""
        return self.knowledge.store

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            if self._opened is not None:
                self._opened.store.close()
            self._opened = None

    def folder(self, location: str) -> Path:
        """Return the folder or file that a location names, below the one that is set.

        Raises:
            LocationRefusedError: None is set, the location leads out of it, or nothing is there.
        """
        root = self._settings.knowledge_folder
        if root is None:
            raise LocationRefusedError(
                "No folder may be read. Set knowledge_folder, and put the documents below it."
            )
        path = (root / location.removeprefix(FOLDER).strip("/ ")).resolve()
        if not path.is_relative_to(root.resolve()) or not path.exists():
            raise LocationRefusedError("There is no such folder below knowledge_folder.")
        return path

    def load(self, location: str, source_id: str) -> Loaded:
        """Find the documents at a location.

        Raises:
            LocationRefusedError: It is a folder that may not be read.
            KnowledgeBaseError: Of the library: nothing is there, or it cannot be reached.
        """
        if location.startswith(FOLDER):
            return load(str(self.folder(location)), source_id=source_id)
        if location.startswith("git:"):
            _require_public(location.removeprefix("git:"))
        return load(location, source_id=source_id)

    def _open(self) -> KnowledgeBase:
        settings = self._settings
        wanted = LibrarySettings(
            embedder=settings.knowledge_embedder,
            embedder_key=settings.knowledge_embedder_key,
            cache=settings.instance_path / "models",
        )
        try:
            store = Store(_store_url(settings).render_as_string(hide_password=False))
            # Whoever forgets to close leaves no connection open.
            weakref.finalize(self, store.close)
            return KnowledgeBase(store, embedder_of(wanted), clock=self._clock)
        except KnowledgeBaseError as error:
            raise UnavailableError(f"The knowledge base cannot be opened: {error}") from error


def _store_url(settings: Settings) -> URL:
    """Return where the store is: a schema of the platform's PostgreSQL, or a file of its own."""
    url = make_url(settings.sqlalchemy_url)
    if url.get_backend_name() == "sqlite":
        settings.instance_path.mkdir(parents=True, exist_ok=True)
        return make_url(f"sqlite:///{settings.instance_path.resolve()}/knowledge.db")
    url = url.set(drivername="postgresql+psycopg")
    engine = create_engine(url)
    with engine.begin() as connection:
        # Processes that start together wait for the first.
        connection.exec_driver_sql(_ALONE)
        connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {_SCHEMA}")
    engine.dispose()
    before = url.query.get("options", ())
    said = (before,) if isinstance(before, str) else before
    options = " ".join((*said, f"-csearch_path={_SCHEMA}"))
    return url.update_query_dict({"options": options})


def _require_public(address: str) -> None:
    """Keep git, which looks names up itself, from places inside this network.

    Raises:
        UnreachableError: The host is not known, or has an address that is not public.
    """
    host = urlsplit(address).hostname or ""
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(host, 443)}
    except OSError as error:
        raise UnreachableError(f"{host} is not known: {error}") from error
    if not all(ipaddress.ip_address(each.partition("%")[0]).is_global for each in found):
        raise UnreachableError(f"{host} is inside this network.")
