"""Settings of other providers."""

import pytest

from fairdatabase.kernel.config import SECRET_NAMES, Settings, load_settings
from fairdatabase.kernel.errors import ConfigurationError
from fairdatabase.kernel.providers import Provider, is_permitted

SECRETS = {name: name[0] * 40 for name in SECRET_NAMES}
CAMPUS = {"name": "campus", "issuer": "https://login.example.org/a", "client_id": "fd"}


def settings(**changes: object) -> Settings:
    return load_settings(_env_file=None, **SECRETS, **changes)


def test_orcid_needs_a_client_alone() -> None:
    (orcid,) = settings(oidc_providers=[{"kind": "orcid", "client_id": "APP-1"}]).oidc_providers
    assert (orcid.name, orcid.label, orcid.issuer) == ("orcid", "ORCID", "https://orcid.org")
    assert (orcid.scopes, orcid.trust_email, orcid.create_accounts) == (("openid",), False, None)


def test_the_sandbox_is_another_issuer() -> None:
    orcid = Provider.model_validate(
        {"kind": "orcid", "client_id": "x", "issuer": "https://sandbox.orcid.org"}
    )
    assert orcid.issuer == "https://sandbox.orcid.org"


def test_other_providers_are_known_by_their_name_and_asked_for_an_address() -> None:
    campus = Provider.model_validate(CAMPUS)
    assert (campus.label, campus.scopes) == ("campus", ("openid", "email", "profile"))
    assert Provider.model_validate(campus) is campus


@pytest.mark.parametrize(
    "change",
    [
        {"name": "../up"},
        {"name": "Campus"},
        {"issuer": "http://login.example.org"},
        {"issuer": "https://login.example.org/?a=b"},
        {"issuer": "https://login.example.org/#a"},
        {"issuer": "https://me:secret@login.example.org"},  # pragma: allowlist secret
        {"issuer": "https://[::1"},
        {"issuer": ""},
        {"client_id": ""},
        {"scopes": ["email"]},
        {"kind": "saml"},
        {"unknown": 1},
    ],
    ids=str,
)
def test_a_provider_that_cannot_work_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="oidc_providers"):
        settings(oidc_providers=[CAMPUS | change])


def test_names_are_given_once() -> None:
    with pytest.raises(ConfigurationError, match="a name of its own"):
        settings(oidc_providers=[CAMPUS, CAMPUS])


def test_this_machine_is_asked_in_development_alone() -> None:
    local = {"oidc_providers": [CAMPUS | {"issuer": "http://127.0.0.1:9000"}]}
    assert settings(environment="development", **local).asks_loopback
    with pytest.raises(ConfigurationError, match="https:// in production"):
        settings(**local)
    with pytest.raises(ConfigurationError, match="https:// in production"):
        settings(supabase_url="http://localhost:54321")


def test_supabase_is_known_by_its_address() -> None:
    project = settings(supabase_url="https://abc.supabase.co/")
    assert project.supabase_authority == "https://abc.supabase.co/auth/v1"
    assert project.supabase_keys == "https://abc.supabase.co/auth/v1/.well-known/jwks.json"
    assert settings().supabase_authority == ""


@pytest.mark.parametrize(
    ("address", "loopback", "allowed"),
    [
        ("https://example.org/a", False, True),
        ("http://127.0.0.1:8000", True, True),
        ("http://[::1]:8000", True, True),
        ("http://127.0.0.1:8000", False, False),
        ("http://127.0.0.1.example.org", True, False),
        ("http://10.0.0.1", True, False),
        ("https://example.org:99999", True, False),
        ("https://", True, False),
        ("ftp://localhost", True, False),
    ],
)
def test_where_this_program_may_ask(address: str, loopback: bool, allowed: bool) -> None:
    assert is_permitted(address, loopback=loopback) is allowed
