"""Records and inputs of sessions, and of the two steps to get one."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, Json, SecretStr, StringConstraints, model_validator

from fairdatabase.accounts.rules import PASSWORD_MAX
from fairdatabase.accounts.schemas import NewPassword
from fairdatabase.kernel.records import Closed, Record

Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=32)]


class Proof(StrEnum):
    """How somebody proves who they are."""

    PASSWORD = "password"  # noqa: S105 - a kind of proof
    CODE = "code"
    RECOVERY_CODE = "recovery code"
    PASSKEY = "passkey"


@dataclass(frozen=True, slots=True)
class Device:
    """What is known of the device that somebody signs in with."""

    user_agent: str = ""
    """What it calls itself."""
    network: str = ""
    """About where it is: see ``rules.devices.shortened``."""


class SecondStep(Record):
    """The password was right; now a second factor is asked for."""

    ticket: str = Field(examples=["0194b7c2-e1f0-7c3a-8d55-a4c1f0e2b9d7"])
    methods: tuple[Proof, ...] = Field(
        description="What may be sent to `POST /api/v1/auth/login/second-factor`.",
        examples=[["code", "recovery code"]],
    )
    expires_in: int = Field(description="Seconds the ticket is good for.", examples=[300])


class PasskeyAnswer(Closed):
    """What a browser says to a question for a passkey."""

    challenge: str = Field(
        max_length=64,
        description="The `challenge` of the options that it answers.",
        examples=["0194b7c2-e1f0-7c3a-8d55-a4c1f0e2b9d7"],
    )
    credential: dict[str, Any] = Field(
        description="`PublicKeyCredential.toJSON()` of the browser's answer.",
        examples=[{"id": "...", "rawId": "...", "type": "public-key", "response": {}}],
    )


class PasskeyForm(Closed):
    """The same, as the form of a page sends it."""

    challenge: str = Field(max_length=64)
    credential: Json[dict[str, Any]]

    def answer(self) -> PasskeyAnswer:
        """Return what the browser says."""
        return PasskeyAnswer(challenge=self.challenge, credential=self.credential)


class PasskeyQuestion(Record):
    """A question for a passkey, good for one answer."""

    challenge: str = Field(examples=["0194b7c2-e1f0-7c3a-8d55-a4c1f0e2b9d7"])
    options: dict[str, Any] = Field(
        description="For `PublicKeyCredential.parseCreationOptionsFromJSON` or"
        " `parseRequestOptionsFromJSON`.",
        examples=[{"challenge": "...", "rpId": "data.example.org"}],
    )


class SecondFactorAnswer(Closed):
    """The ticket of the first step, and one second factor."""

    ticket: str = Field(max_length=64, examples=["0194b7c2-e1f0-7c3a-8d55-a4c1f0e2b9d7"])
    code: Code | None = Field(
        default=None,
        description="Of the authenticator app, or a recovery code.",
        examples=["123456"],
    )
    passkey: PasskeyAnswer | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "SecondFactorAnswer":
        if (self.code is None) == (self.passkey is None):
            raise ValueError("send either a code or a passkey")
        return self


class Ticket(Closed):
    """The ticket of the first step."""

    ticket: str = Field(max_length=64, examples=["0194b7c2-e1f0-7c3a-8d55-a4c1f0e2b9d7"])


class ConfirmationAnswer(Closed):
    """One proof that it is still the same person."""

    password: SecretStr | None = Field(default=None, max_length=PASSWORD_MAX)
    code: Code | None = Field(
        default=None,
        description="Of the authenticator app, or a recovery code.",
        examples=["123456"],
    )
    passkey: PasskeyAnswer | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "ConfirmationAnswer":
        sent = [each for each in (self.password, self.code, self.passkey) if each is not None]
        if len(sent) != 1:
            raise ValueError("send a password, a code or a passkey")
        return self


class ConfirmationForm(Closed):
    """A password or a code, as a page asks for it."""

    password: SecretStr | None = Field(default=None, max_length=PASSWORD_MAX)
    code: Code | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "ConfirmationForm":
        if (self.password is None) == (self.code is None):
            raise ValueError("please enter your password or a code")
        return self

    def answer(self) -> ConfirmationAnswer:
        """Return the one proof."""
        return ConfirmationAnswer(password=self.password, code=self.code)


class PasswordChange(Closed):
    """The present password, and the one from now on."""

    present_password: SecretStr | None = Field(
        default=None,
        max_length=PASSWORD_MAX,
        description="Left out by accounts that have none yet.",
    )
    new_password: NewPassword


class SessionPath(Closed):
    """Which session is meant."""

    public_id: str = Field(max_length=16, json_schema_extra={"example": "5k9z2m4xqvb"})


class SessionRecord(Record):
    """A device that is signed in, as its owner sees it."""

    public_id: str = Field(examples=["5k9z2m4xqvb"])
    device: str = Field(examples=["Firefox on Windows"])
    network: str = Field(description="Shortened address.", examples=["192.0.2.0/24"])
    signed_in_at: datetime
    last_seen_at: datetime | None
    expires_at: datetime
    is_this: bool = Field(description="Whether this request belongs to it.")


class Revoked(Record):
    """How many sessions were ended."""

    ended: int = Field(examples=[2])
