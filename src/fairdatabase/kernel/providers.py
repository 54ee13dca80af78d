"""Settings of the other sites by which people may sign in."""

from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    model_validator,
)

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_OPENID = "openid"
_PRESETS: Final[dict[str, dict[str, Any]]] = {
    "oidc": {"scopes": (_OPENID, "email", "profile")},
    "orcid": {
        "name": "orcid",
        "label": "ORCID",
        "issuer": "https://orcid.org",
        "scopes": (_OPENID,),
    },
}


def is_permitted(address: str, *, loopback: bool) -> bool:
    """Tell whether this program may ask at an address: encrypted, or on this machine.

    Args:
        address: Where to.
        loopback: Whether this machine counts without encryption, as it does in development.
    """
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.password is not None:
        return False
    return parts.scheme == "https" or (loopback and parts.scheme == "http" and host in _LOOPBACK)


def _is_address(text: str) -> str:
    if not is_permitted(text, loopback=True):
        message = "must be an address that begins with https://"
        raise ValueError(message)
    parts = urlsplit(text)
    if parts.query or parts.fragment:
        message = "must not have a query or a fragment"
        raise ValueError(message)
    return text


Address = Annotated[str, AfterValidator(_is_address)]


class Provider(BaseModel):
    """A site by which people may sign in (OpenID Connect); see ``docs/how-to``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["oidc", "orcid"] = "oidc"
    """``orcid`` brings name, label, issuer and scopes with it."""
    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    """Part of addresses, such as the one to register with the provider."""
    label: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    """As people know it."""
    issuer: Address
    """Exactly as the provider writes it in its tokens."""
    client_id: str = Field(min_length=1)
    client_secret: SecretStr = SecretStr("")
    """Empty: a public client, which PKCE alone protects."""
    scopes: tuple[str, ...]
    trust_email: bool = False
    """Whether the provider checks addresses, so that ours need not."""
    create_accounts: bool | None = None
    """Whether people get accounts by it; None: where registration is open."""

    @model_validator(mode="before")
    @classmethod
    def _with_preset(cls, values: Any) -> Any:  # noqa: ANN401 - not validated yet
        if not isinstance(values, dict):
            return values
        preset = _PRESETS.get(str(values.get("kind", "oidc")), {})
        return {"label": values.get("name", ""), **preset, **values}

    @model_validator(mode="after")
    def _asks_for_an_id_token(self) -> "Provider":
        if _OPENID not in self.scopes:
            message = f"scopes must contain {_OPENID}"
            raise ValueError(message)
        return self
