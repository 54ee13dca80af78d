"""Tables of the accounts feature."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.sql import ColumnElement

from fairdatabase.accounts.schemas import LinkPurpose
from fairdatabase.accounts.schemas.personal import DELETED_HOST
from fairdatabase.authorization.schemas import Role, Scope
from fairdatabase.kernel.database import Base
from fairdatabase.kernel.identifiers import new_public_id, new_uuid


class User(Base):
    """A person (or service) with an account."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_uuid)
    public_id: Mapped[str] = mapped_column(String(16), unique=True, default=new_public_id)
    email: Mapped[str] = mapped_column(String(320), unique=True)
    """In lower case: two accounts never differ in the case of their address alone."""
    name: Mapped[str] = mapped_column(String(200))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    """None: the user comes by another provider, a passkey or tokens alone."""
    created_at: Mapped[datetime]
    last_login_at: Mapped[datetime | None]
    email_verified_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    roles: Mapped[list["UserRole"]] = relationship(
        cascade="all, delete-orphan", lazy="raise", order_by="UserRole.role"
    )

    @property
    def confirmed_name(self) -> str:
        """The name as it may stand in a letter; empty until its owner confirmed the address."""
        return self.name if self.email_verified_at else ""

    @property
    def is_deleted(self) -> bool:
        """Whether nothing but the identifiers is left of the account, for good."""
        return self.email.endswith(f"@{DELETED_HOST}")

    @hybrid_property
    def is_active(self) -> bool:
        """Whether the account may sign in."""
        return self.disabled_at is None

    @is_active.inplace.expression
    @classmethod
    def _is_active_sql(cls) -> ColumnElement[bool]:
        return cls.disabled_at.is_(None)


class UserRole(Base):
    """A role that a user holds."""

    __tablename__ = "user_roles"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[Role] = mapped_column(primary_key=True)


class Session(Base):
    """A signed-in device: the family that rotated refresh tokens belong to."""

    __tablename__ = "sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_uuid)
    public_id: Mapped[str] = mapped_column(String(16), unique=True, default=new_public_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_reason: Mapped[str | None] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(300), default="")
    network: Mapped[str] = mapped_column(String(64), default="")
    """Shortened address of the device, enough to recognise it by."""
    last_seen_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    """When the person last proved that it is them."""


class RefreshToken(Base):
    """One refresh token, known by its ``jti``; using it twice ends the session."""

    __tablename__ = "refresh_tokens"

    jti: Mapped[UUID] = mapped_column(primary_key=True, default=new_uuid)
    session_id: Mapped[UUID] = mapped_column(
        ForeignKey("sessions.id", ondelete="CASCADE"), index=True
    )
    issued_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SignInFailures(Base):
    """Failed attempts in a row on one address, whether an account has it or not."""

    __tablename__ = "sign_in_failures"

    account: Mapped[str] = mapped_column(String(64), primary_key=True)
    """HMAC-SHA-256 of the address, so that the table lists nobody."""
    failures: Mapped[int]
    last_failed_at: Mapped[datetime]


class AccountLink(Base):
    """A link that was sent by mail: good once, and known here by its hash only."""

    __tablename__ = "account_links"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_uuid)
    public_id: Mapped[str] = mapped_column(String(16), unique=True, default=new_public_id)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    purpose: Mapped[LinkPurpose]
    email: Mapped[str] = mapped_column(String(320), index=True)
    user_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    """Whose link it is; None: an invitation."""
    roles: Mapped[list[str]] = mapped_column(default=list)
    """What an invitation gives."""
    invited_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class PersonalToken(Base):
    """A personal access token, known here by its hash only."""

    __tablename__ = "personal_tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_uuid)
    public_id: Mapped[str] = mapped_column(String(16), unique=True, default=new_public_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    hint: Mapped[str] = mapped_column(String(16))
    """The last characters, for telling tokens apart."""
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    @property
    def scope_set(self) -> frozenset[Scope]:
        """The scopes as they are asked for."""
        return frozenset(map(Scope, self.scopes))


class Authenticator(Base):
    """An authenticator app (TOTP, RFC 6238) of a user."""

    __tablename__ = "authenticators"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    """Encrypted with a key of the instance."""
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    """When the first code proved that the app has the secret; None: not in use yet."""
    last_step: Mapped[int | None]
    """Time step of the last code that was taken: each is good once."""


class RecoveryCode(Base):
    """A code on paper for who lost the second factor; good once."""

    __tablename__ = "recovery_codes"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_uuid)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime | None]


class Passkey(Base):
    """A WebAuthn credential of a user."""

    __tablename__ = "passkeys"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_uuid)
    public_id: Mapped[str] = mapped_column(String(16), unique=True, default=new_public_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int]
    transports: Mapped[list[str]]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


class Challenge(Base):
    """A question that has one answer: of a passkey ceremony, a second step or a provider.

    Kept here, not in a cookie, so that no answer is taken twice.
    """

    __tablename__ = "challenges"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_uuid)
    purpose: Mapped[str] = mapped_column(String(32))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    particulars: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Identity(Base):
    """An account at another provider by which a user signs in."""

    __tablename__ = "identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_uuid)
    public_id: Mapped[str] = mapped_column(String(16), unique=True, default=new_public_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    provider: Mapped[str] = mapped_column(String(64))
    issuer: Mapped[str] = mapped_column(String(300))
    subject: Mapped[str] = mapped_column(String(300))
    email: Mapped[str | None] = mapped_column(String(320))
    linked_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


class Consent(Base):
    """What a user agreed to, when, and until when."""

    __tablename__ = "consents"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_uuid)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    document: Mapped[str] = mapped_column(String(64))
    version: Mapped[str] = mapped_column(String(32))
    given_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
