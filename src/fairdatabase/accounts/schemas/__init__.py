"""Records and inputs of the accounts feature."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    EmailStr,
    Field,
    SecretStr,
    StringConstraints,
    model_validator,
)

from fairdatabase.accounts.rules import PASSWORD_MAX, PASSWORD_MIN
from fairdatabase.authorization.schemas import Actor, Role
from fairdatabase.kernel.records import Closed, PageQuery, Record


class LinkPurpose(StrEnum):
    """What a link in a letter is for."""

    VERIFY_EMAIL = "verify email"
    CHANGE_EMAIL = "change email"
    RESET_PASSWORD = "reset password"  # noqa: S105 - a purpose
    INVITATION = "invitation"

    @property
    def lifetime(self) -> timedelta:
        """How long a link works: the more it gives, the shorter."""
        return _LIFETIMES[self]

    @property
    def path(self) -> str:
        """The page that a link leads to; its token follows."""
        return _PATHS[self]


_LIFETIMES: Final = {
    LinkPurpose.VERIFY_EMAIL: timedelta(days=3),
    LinkPurpose.CHANGE_EMAIL: timedelta(days=1),
    LinkPurpose.RESET_PASSWORD: timedelta(hours=1),
    LinkPurpose.INVITATION: timedelta(days=14),
}
_PATHS: Final = {
    LinkPurpose.VERIFY_EMAIL: "/verify/",
    LinkPurpose.CHANGE_EMAIL: "/address/",
    LinkPurpose.RESET_PASSWORD: "/reset/",
    LinkPurpose.INVITATION: "/invitation/",
}


@dataclass(frozen=True, slots=True)
class Grant:
    """A session somebody may go on with: what its tokens are made from."""

    actor: Actor
    session_id: UUID
    refresh_id: UUID
    """The ``jti`` of the one refresh token that is valid next."""
    expires_at: datetime
    """End of the session; no token of it outlives it."""


Email = Annotated[EmailStr, AfterValidator(str.lower), Field(max_length=320)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
NewPassword = Annotated[SecretStr, Field(min_length=PASSWORD_MIN, max_length=PASSWORD_MAX)]


class Terms(Closed):
    """Whether a person agrees to the terms, where the instance has any."""

    accepted_terms: bool = Field(
        default=False, description="Needed where the instance has terms; see its page /privacy."
    )


class Registration(Terms):
    """What a person says to get an account."""

    name: Name = Field(description="As it is shown to others.", examples=["Rosalind Franklin"])
    email: Email = Field(examples=["r.franklin@example.org"])
    password: NewPassword = Field(
        description=f"At least {PASSWORD_MIN} characters; must not contain the name or e-mail.",
        examples=["two helices in a tea cup"],
    )


class Credentials(Closed):
    """What a person says to sign in."""

    email: Email = Field(examples=["r.franklin@example.org"])
    password: SecretStr = Field(max_length=PASSWORD_MAX, examples=["two helices in a tea cup"])


LinkToken = Annotated[
    SecretStr, Field(max_length=200, description="The last part of the link in the letter.")
]


class AddressIn(Closed):
    """To whom a letter shall go."""

    email: Email = Field(examples=["r.franklin@example.org"])


class LinkIn(Closed):
    """A link that was followed."""

    token: LinkToken


class VerificationIn(LinkIn):
    """What a person says to confirm an address."""

    password: SecretStr | None = Field(
        default=None,
        max_length=PASSWORD_MAX,
        description="Of the account; not needed where its owner is signed in.",
    )


class ResetIn(LinkIn):
    """What a person says to get a new password."""

    password: NewPassword = Field(examples=["two helices in a tea cup"])


class AcceptanceIn(ResetIn, Terms):
    """What a person says to accept an invitation."""

    name: Name = Field(description="As it is shown to others.", examples=["Rosalind Franklin"])


PersonalRole = Literal[Role.MEMBER, Role.CURATOR, Role.ADMIN]
"""What a person may be; a service account has tokens and no password, and is not invited."""


class InvitationIn(AddressIn):
    """Who is invited, and as what."""

    roles: frozenset[PersonalRole] = Field(
        default=frozenset({Role.MEMBER}), min_length=1, examples=[["member", "curator"]]
    )


class InvitationForm(AddressIn):
    """The same, as a page asks for it: with one role."""

    role: PersonalRole


class InvitationPath(Closed):
    """Which invitation is meant."""

    public_id: str = Field(max_length=16, json_schema_extra={"example": "5k9z2m4xqvb"})


class InvitationRecord(Record):
    """An invitation that waits."""

    public_id: str = Field(examples=["5k9z2m4xqvb"])
    email: str = Field(examples=["r.franklin@example.org"])
    roles: tuple[Role, ...] = Field(examples=[["member"]])
    created_at: datetime
    expires_at: datetime


LETTER_SENT: Final = "If there is somebody to write to, a letter is on its way to this address."


class Sent(Record):
    """That a letter is on its way, if there is anybody to write to."""

    message: str = Field(examples=[LETTER_SENT])


class Address(Record):
    """An address that was proved to be its owner's."""

    email: str = Field(examples=["r.franklin@example.org"])


class RefreshRequest(Closed):
    """The refresh token that is given for a new pair."""

    refresh_token: SecretStr = Field(max_length=4096, examples=["eyJhbGciOiJIUzI1NiIs..."])


class RolesChange(Closed):
    """The roles a user shall have from now on."""

    roles: frozenset[Role] = Field(min_length=1, examples=[["member", "curator"]])


class RolesForm(Closed):
    """The same, as a page asks for it: with one box for each role."""

    member: bool = False
    curator: bool = False
    admin: bool = False
    service: bool = False
    """Kept where it is held: the page makes no person a machine, nor the other way round."""

    @property
    def roles(self) -> frozenset[Role]:
        """The roles whose boxes are ticked."""
        return frozenset(role for role in Role if getattr(self, role.value))

    @model_validator(mode="after")
    def _has_roles(self) -> "RolesForm":
        if not self.roles:
            raise ValueError("please choose at least one role")
        return self


class UserPath(Closed):
    """Whose account is meant."""

    public_id: str = Field(max_length=16, json_schema_extra={"example": "5k9z2m4xqvb"})


class UserQuery(PageQuery):
    """Which users are asked for."""

    search: str = Field(default="", max_length=200, description="Part of the name or e-mail.")


class UserRecord(Record):
    """A user, as users are shown to those who may see them."""

    public_id: str = Field(examples=["5k9z2m4xqvb"])
    name: str = Field(examples=["Rosalind Franklin"])
    email: str = Field(examples=["r.franklin@example.org"])
    roles: tuple[Role, ...] = Field(examples=[["member"]])
    is_active: bool
    is_deleted: bool = Field(description="Whether nothing but the identifier is left, for good.")
    created_at: datetime
    last_login_at: datetime | None = None


class UserPage(Record):
    """A page of users."""

    users: tuple[UserRecord, ...]
    total: int


class Tokens(Record):
    """A pair of tokens for the ``Authorization: Bearer`` header."""

    access_token: str = Field(examples=["eyJhbGciOiJIUzI1NiIs..."])
    refresh_token: str = Field(
        description="Good for one use at `POST /api/v1/auth/refresh`.",
        examples=["eyJhbGciOiJIUzI1NiIs..."],
    )
    token_type: str = Field(default="Bearer", examples=["Bearer"])
    expires_in: int = Field(description="Seconds the access token is good for.", examples=[900])


class Statistics(Record):
    """How many users there are, for those who run the platform."""

    total: int
    active: int
    new_this_month: int = Field(description="Registered in the last 30 days.")
    seen_this_month: int = Field(description="Signed in during the last 30 days.")
    by_role: dict[Role, int]
