"""Records of what is kept about a person."""

from datetime import datetime
from typing import Final

from pydantic import Field

from fairdatabase.authorization.schemas import Role
from fairdatabase.kernel.records import Closed, Record

TERMS: Final = "terms"
"""The document that an instance may ask people to agree to."""
DELETED_HOST: Final = "deleted.invalid"
"""Host of the addresses that stand in for those of deleted accounts; nobody has one (RFC 2606)."""
GONE_AT_ONCE: Final = (
    "your name, e-mail address, password and roles",
    "sessions, access tokens, passkeys, authenticator apps and linked identities",
    "what you agreed to",
    "your drafts, with their files and tables",
)
KEPT: Final = (
    (
        "Published datasets with the creators they name: they are cited, and a citation has to "
        "lead somewhere. Curators look after them. To have data withdrawn, ask before you delete "
        "the account."
    ),
    (
        "Events of the audit log. They hold the identifier of your account, which then leads to "
        "nobody: without them nobody could show how data about people were handled."
    ),
)


class ConsentRecord(Record):
    """What somebody agreed to."""

    document: str = Field(examples=[TERMS])
    version: str = Field(examples=["2026-11"])
    given_at: datetime
    withdrawn_at: datetime | None


class DeletionIn(Closed):
    """A person's word that the account shall go."""

    understood: bool = Field(description="That nobody can bring it back.")


class Deletion(Record):
    """What went with an account, and what stays and why."""

    gone: tuple[str, ...] = GONE_AT_ONCE
    kept: tuple[str, ...] = KEPT


class Profile(Record):
    """An account, for its owner."""

    public_id: str
    name: str
    email: str
    roles: tuple[Role, ...]
    created_at: datetime
    last_login_at: datetime | None
    email_verified_at: datetime | None


class PersonalOverview(Record):
    """What the page about personal data shows."""

    drafts: int
    published: int
    consents: tuple[ConsentRecord, ...]
    terms_version: str = Field(description="Of the document that is in force; empty: there is none")
    agreed: bool = Field(description="Whether the person agreed to this version.")
    is_last_admin: bool


class SessionCopy(Record):
    """A session, for its owner."""

    created_at: datetime
    expires_at: datetime
    last_seen_at: datetime | None
    revoked_at: datetime | None
    revoked_reason: str | None
    user_agent: str
    network: str


class TokenCopy(Record):
    """An access token, for its owner: never the token."""

    name: str
    hint: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class PasskeyCopy(Record):
    """A passkey, for its owner: never the key."""

    name: str
    created_at: datetime
    last_used_at: datetime | None


class AuthenticatorCopy(Record):
    """An authenticator app, for its owner: never the secret."""

    created_at: datetime
    confirmed_at: datetime | None


class IdentityCopy(Record):
    """An account elsewhere by which the owner signs in."""

    provider: str
    issuer: str
    subject: str
    email: str | None
    linked_at: datetime
    last_used_at: datetime | None
