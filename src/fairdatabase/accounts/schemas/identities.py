"""Records and inputs of identities: accounts at other providers, by which people sign in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from fairdatabase.accounts.schemas import Email, Grant, Name, Terms
from fairdatabase.kernel.records import Closed, Record

_Parameter = Annotated[str, StringConstraints(max_length=4096)]


class ProvenIdentity(Record):
    """Who somebody is to a provider, as far as its token proves it."""

    provider: str
    issuer: str
    subject: str
    name: str = ""
    email: str | None = None
    is_email_verified: bool = False
    """Whether the provider vouches for the address, and is trusted to."""


class ProviderAnswer(BaseModel):
    """What a provider sends back by the browser.

    Other parameters may come along and mean nothing (RFC 6749, section 4.1.2).
    """

    model_config = ConfigDict(extra="ignore")

    state: _Parameter
    code: _Parameter | None = None
    error: _Parameter | None = None
    iss: _Parameter | None = None


class ProviderPath(Closed):
    """Which provider is meant."""

    provider: str = Field(max_length=64)


class IdentityPath(Closed):
    """Which identity is meant."""

    public_id: str = Field(max_length=16, json_schema_extra={"example": "5k9z2m4xqvb"})


class ApplicantIn(Terms):
    """What a person says to get an account who comes by a provider."""

    name: Name
    email: Email


class SupabaseApplicant(Terms):
    """A user of Supabase who wants an account."""

    token: SecretStr = Field(
        max_length=8192,
        description="The access token of Supabase Auth.",
        examples=["eyJhbGciOiJFUzI1NiIs..."],
    )


class AddressCode(Closed):
    """The code from the letter."""

    code: Annotated[
        str, StringConstraints(strip_whitespace=True, pattern=r"^[0-9]{4} ?[0-9]{4}$")
    ] = Field(examples=["1234 5678"])


class ProviderRecord(Record):
    """A provider by which one may sign in."""

    name: str = Field(examples=["orcid"])
    label: str = Field(examples=["ORCID"])


class IdentityRecord(Record):
    """An account at another provider, as its owner sees it here."""

    public_id: str = Field(examples=["5k9z2m4xqvb"])
    provider: str = Field(examples=["ORCID"])
    subject: str = Field(
        description="Who you are to the provider.", examples=["0000-0002-1825-0097"]
    )
    email: str | None = Field(examples=["r.franklin@example.org"])
    linked_at: datetime
    last_used_at: datetime | None


class IdentityOverview(Record):
    """The identities of an account, and the providers that it could have others of."""

    identities: tuple[IdentityRecord, ...]
    providers: tuple[ProviderRecord, ...]


class PendingIdentity(Record):
    """An identity that belongs to no account yet, and what is missing."""

    provider: ProviderRecord
    subject: str
    name: str
    email: str
    needs_account: bool
    """Whether it can only be linked to an account that exists."""
    is_sure: bool
    """Whether the provider vouches for the address, so that no code is needed."""
    is_code_sent: bool
    target: str


@dataclass(frozen=True, slots=True)
class Departure:
    """Where to send a browser, so that a provider says who is using it."""

    address: str
    label: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """What came of a provider's answer: a session, a linked identity, or an open question."""

    target: str
    """Where the person wanted to go."""
    grant: Grant | None = None
    pending: str = ""
    """Id of the question that has to be answered first."""
    linked: str = ""
    """Label of the provider that was linked."""
