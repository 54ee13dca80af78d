"""Records and inputs of second factors and passkeys."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from fairdatabase.accounts.schemas.sessions import Code, PasskeyAnswer, PasskeyForm
from fairdatabase.kernel.records import Closed, Record

PasskeyName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class CodeIn(Closed):
    """A code of the authenticator app."""

    code: Code = Field(examples=["123456"])


class Enrolment(Record):
    """An authenticator app that is being set up."""

    secret: str = Field(description="To type into the app.", examples=["JBSWY3DPEHPK3PXP"])
    address: str = Field(
        description="The same for the app to read, as a QR code.",
        examples=["otpauth://totp/FAIRDatabase:ada@example.org?secret=JBSWY3DPEHPK3PXP"],
    )


class RecoveryCodes(Record):
    """New recovery codes; earlier ones work no more."""

    recovery_codes: tuple[str, ...] = Field(
        description="Shown this once. Each works once, instead of a code of the app.",
        examples=[["b3x9k-40fzt"]],
    )


class FactorsRecord(Record):
    """How an account is protected."""

    has_password: bool
    authenticator_since: datetime | None = Field(
        description="Since when signing in asks for a code; null: it does not."
    )
    recovery_codes_left: int = Field(examples=[10])


class PasskeyIn(PasskeyAnswer):
    """A new passkey, as the browser made it."""

    name: PasskeyName = Field(description="To tell it apart.", examples=["Laptop"])


class PasskeyInForm(PasskeyForm):
    """The same, as the form of a page sends it."""

    name: PasskeyName

    def new(self) -> PasskeyIn:
        """Return the new passkey."""
        return PasskeyIn(name=self.name, challenge=self.challenge, credential=self.credential)


class PasskeyChange(Closed):
    """Another name for a passkey."""

    name: PasskeyName = Field(examples=["Old laptop"])


class PasskeyPath(Closed):
    """Which passkey is meant."""

    public_id: str = Field(max_length=16, json_schema_extra={"example": "5k9z2m4xqvb"})


class PasskeyRecord(Record):
    """A passkey, as its owner sees it."""

    public_id: str = Field(examples=["5k9z2m4xqvb"])
    name: str = Field(examples=["Laptop"])
    created_at: datetime
    last_used_at: datetime | None
