"""Records and inputs of personal access tokens."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from fairdatabase.accounts.schemas import Email, Name
from fairdatabase.authorization.schemas import Scope
from fairdatabase.kernel.records import Closed, Record

DEFAULT_DAYS = 90
LONGEST_DAYS = 365
TokenName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
TokenDays = Annotated[int, Field(ge=1, le=LONGEST_DAYS)]


class TokenIn(Closed):
    """What a personal access token shall be."""

    name: TokenName = Field(description="What it is for.", examples=["nightly upload of the lab"])
    scopes: frozenset[Scope] = Field(
        min_length=1,
        description="What it may be used for; never more than the account may do.",
        examples=[["datasets:read"]],
    )
    days: TokenDays = Field(default=DEFAULT_DAYS, description="How long it is good for.")


class TokenForm(Closed):
    """The same, as a page asks for it: with one box for each scope."""

    name: TokenName
    days: TokenDays = DEFAULT_DAYS
    datasets_read: bool = False
    datasets_write: bool = False
    account_read: bool = False
    users_read: bool = False
    users_write: bool = False
    audit_read: bool = False

    @property
    def scopes(self) -> frozenset[Scope]:
        """The scopes whose boxes are ticked."""
        return frozenset(scope for scope in Scope if getattr(self, scope.value.replace(":", "_")))

    @model_validator(mode="after")
    def _has_scopes(self) -> "TokenForm":
        if not self.scopes:
            raise ValueError("please choose what the token may be used for")
        return self

    def wanted(self) -> TokenIn:
        """Return what the token shall be."""
        return TokenIn(name=self.name, scopes=self.scopes, days=self.days)


class ServiceAccountIn(Closed):
    """An account for a machine."""

    name: Name
    email: Email = Field(description="To tell it apart; nothing is sent to it.")


class TokenPath(Closed):
    """Which token is meant."""

    public_id: str = Field(max_length=16, json_schema_extra={"example": "5k9z2m4xqvb"})


class TokenRecord(Record):
    """A personal access token, without the token itself."""

    public_id: str = Field(examples=["5k9z2m4xqvb"])
    name: str = Field(examples=["nightly upload of the lab"])
    hint: str = Field(description="How it ends.", examples=["x7Qa"])
    scopes: tuple[Scope, ...] = Field(examples=[["datasets:read"]])
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    is_expired: bool


class NewToken(TokenRecord):
    """A personal access token that was just made."""

    token: str = Field(
        description="Shown this once; it is kept nowhere.",
        examples=["fdb_<46 characters>"],
    )
