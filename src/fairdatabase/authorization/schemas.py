"""The words of the authorisation matrix, and the one who asks."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID


class Role(StrEnum):
    """What an account may do on the whole platform."""

    MEMBER = "member"
    CURATOR = "curator"
    ADMIN = "admin"
    SERVICE = "service"
    """A machine: it has tokens and no password."""


class Party(StrEnum):
    """Whom a rule of the matrix admits: a role, or a relation to the thing."""

    EVERYBODY = "everybody"
    """With or without an account."""
    OWNER = "owner"
    MEMBER = "member"
    CURATOR = "curator"
    ADMIN = "admin"
    SERVICE = "service"


class Resource(StrEnum):
    """What is acted on."""

    PLATFORM = "platform"
    ACCOUNT = "account"
    """One's own account; its owner is who is signed in."""
    TOKEN = "token"  # noqa: S105 - a kind of thing, not a secret
    SESSION = "session"
    USER = "user"
    INVITATION = "invitation"
    DATASET = "dataset"
    """A version of a dataset with its files and tables."""
    COMMUNITY = "community"
    KNOWLEDGE = "knowledge"
    """Sources of documents, and what was asked and not found."""
    JOB = "job"
    AUDIT = "audit"


class Action(StrEnum):
    """What is done."""

    READ = "read"
    READ_DATA = "read data"
    INSPECT = "inspect"
    """See what only those see who look after it: drafts, reports, recipes."""
    LIST = "list"
    CREATE = "create"
    EDIT = "edit"
    DISCARD = "discard"
    PUBLISH = "publish"
    OVERRIDE = "override"
    ROTATE_KEY = "rotate key"
    """Give a dataset a new key for its pseudonyms."""
    RELINK = "relink"
    """Learn which pseudonym an original value has."""
    WITHDRAW = "withdraw"
    REVISE = "revise"
    REGISTER = "register"
    SIGN_IN = "sign in"
    RECOVER = "recover"
    CONFIRM = "confirm"
    PROTECT = "protect"
    EXPORT = "export"
    DELETE = "delete"
    REVOKE = "revoke"
    ISSUE = "issue"
    """Give to somebody else."""
    CHANGE_ROLES = "change roles"
    DISABLE = "disable"
    ADD_FOLDER = "add folder"
    """Have the knowledge base read a folder of the server."""
    STATISTICS = "statistics"
    DASHBOARD = "dashboard"


class State(StrEnum):
    """In which state the thing is; ``ANY`` where it has none."""

    ANY = "any"
    DRAFT = "draft"
    OPEN = "open"
    RESTRICTED = "restricted"
    WITHDRAWN = "withdrawn"


class Scope(StrEnum):
    """What a personal access token may be limited to."""

    DATASETS_READ = "datasets:read"
    DATASETS_WRITE = "datasets:write"
    ACCOUNT_READ = "account:read"
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"
    AUDIT_READ = "audit:read"


IMPLIED: Final = {
    Scope.DATASETS_WRITE: Scope.DATASETS_READ,
    Scope.USERS_WRITE: Scope.USERS_READ,
}
"""Who may change things may read them."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is asking: handed to every use case as its first argument."""

    user_id: UUID | None = None
    public_id: str = ""
    name: str = ""
    email: str = ""
    roles: frozenset[Role] = field(default_factory=frozenset)
    session_id: UUID | None = None
    token_id: UUID | None = None
    """The personal access token that came instead of a session."""
    token_public_id: str = ""
    """How the log of events names that token."""
    scopes: frozenset[Scope] | None = None
    """What the token is limited to; None: a person in a session, not limited."""
    confirmed: bool = False
    """Whether the person proved a short while ago that it is them: see ``Rule.confirmed``."""
    last_seen_at: datetime | None = field(default=None, compare=False)
    """When the session or token was last known to be used; None: never."""

    @property
    def is_authenticated(self) -> bool:
        """Whether somebody proved who they are."""
        return self.user_id is not None


ANONYMOUS = Actor()
WORKER = Actor(name="worker")
"""The program that does jobs, in the audit log; nobody who may do anything."""
OPERATOR = Actor(
    user_id=UUID(int=0), name="command line", roles=frozenset({Role.ADMIN}), confirmed=True
)
"""Whoever has a shell on the machine of the instance; no account."""
