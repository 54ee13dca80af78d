"""Settings: typed, frozen, read once.

Sources, strongest first: arguments, environment (``FAIRDATABASE_*``), ``.env`` (of which only the
names with that prefix are read), the TOML file ``fairdatabase.toml`` in the instance folder, and
the secrets that ``fairdatabase init`` wrote beside it. Secrets have no defaults: an instance
without them does not start.
"""

import difflib
import os
import re
import secrets
import tempfile
import tomllib
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    EmailStr,
    Field,
    HttpUrl,
    SecretStr,
    model_validator,
)
from pydantic import ValidationError as PydanticValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from fairdatabase.kernel.errors import ConfigurationError
from fairdatabase.kernel.providers import Address, Provider, is_permitted

CONFIG_FILE = "fairdatabase.toml"
SECRETS_FILE = "secrets.toml"
SECRET_NAMES = ("secret_key", "jwt_secret_key", "data_key", "pseudonym_key")
ROTATED = {"jwt_secret_key": "jwt_retired_keys", "secret_key": "retired_secret_keys"}
"""Secrets that are changed from time to time, and where the old ones wait for their end."""
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_ORIGIN = re.compile(r"\*|https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?")
_HOST = re.compile(r"[a-z0-9.-]+|\[[0-9a-f:.]+\]")
_SECRET_BYTES = 48
_MINIMUM_SECRET_LENGTH = 32


def _long_enough(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < _MINIMUM_SECRET_LENGTH:
        message = f"must have at least {_MINIMUM_SECRET_LENGTH} characters"
        raise ValueError(message)
    return secret


def _an_origin(origin: str) -> str:
    if not _ORIGIN.fullmatch(origin):
        message = (
            "an origin is scheme, host and port in lower case, such as https://lab.example.org"
        )
        raise ValueError(message)
    return origin


def _a_host(host: str) -> str:
    if not _HOST.fullmatch(host):
        message = "a host is a name or an address in lower case, without scheme, port and slash"
        raise ValueError(message)
    return host


Secret = Annotated[SecretStr, AfterValidator(_long_enough)]


class RetiredSecret(BaseModel):
    """A secret that makes nothing new, and still verifies what it made."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    secret: Secret
    retired_on: date


class Settings(BaseSettings):
    """Everything that differs between instances."""

    model_config = SettingsConfigDict(
        env_prefix="FAIRDATABASE_",
        env_file=".env",
        dotenv_filtering="match_prefix",
        extra="forbid",
        frozen=True,
    )

    environment: Literal["development", "production"] = "production"
    instance_path: Path = Path("instance")
    site_name: str = "FAIRDatabase"
    base_url: HttpUrl = HttpUrl("http://127.0.0.1:8000")
    """Address that visitors see; identifiers and links are built from it."""
    naan: str = Field(default="99999", pattern=r"^\d{5,9}$")
    """Name assigning authority number of the ARKs; 99999 is reserved for tests."""
    publisher: str = "FAIRDatabase"

    secret_key: Secret
    """For what lasts hours: cookies of visitors, letters that wait."""
    jwt_secret_key: Secret
    data_key: Secret
    """Master key of what is kept: the chain of the audit log, encrypted columns. It stays."""
    pseudonym_key: Secret
    """Master key that the keys of all pseudonyms are derived from; back it up apart."""
    jwt_retired_keys: tuple[RetiredSecret, ...] = ()
    retired_secret_keys: tuple[RetiredSecret, ...] = ()

    database_url: str = ""
    """SQLAlchemy URL; empty: a SQLite file in the instance folder."""
    database_pool_size: int = Field(default=10, ge=1)
    redis_url: str = ""
    """Used by queue and rate limits when set; empty: both are embedded."""

    access_token_minutes: int = Field(default=15, ge=1)
    refresh_token_days: int = Field(default=30, ge=1)
    confirmation_minutes: int = Field(default=10, ge=1)
    """How long after signing in or confirming it a person may do dangerous things."""
    argon2_memory_kib: int = Field(default=65536, ge=8)
    argon2_time_cost: int = Field(default=3, ge=1)
    argon2_parallelism: int = Field(default=4, ge=1)
    registration_open: bool = True
    email_verification: Literal["auto", "required", "off"] = "auto"
    """Whether an address has to be confirmed before its account can be used; ``auto``: in
    production, where letters are sent."""
    oidc_providers: tuple[Provider, ...] = ()
    """Other sites by which people may sign in."""
    supabase_url: Address | Literal[""] = ""
    """Project whose Supabase Auth tokens the API accepts; empty: none."""
    supabase_issuer: Address | Literal[""] = ""
    supabase_jwks_url: Address | Literal[""] = ""
    supabase_audience: str = Field(default="authenticated", min_length=1)
    supabase_create_accounts: bool = False
    allowed_hosts: tuple[Annotated[str, AfterValidator(_a_host)], ...] = ()
    """Hosts that addresses may name besides that of ``base_url`` and the loopback ones."""
    cors_origins: tuple[Annotated[str, AfterValidator(_an_origin)], ...] = ()
    trusted_proxies: int = Field(default=0, ge=0)
    """How many reverse proxies in front set ``X-Forwarded-*``; 0: those headers are ignored."""
    rate_limit: str = "600 per minute"
    login_rate_limit: str = "10 per minute"
    rate_limits_enabled: bool = True

    max_upload_bytes: int = Field(default=5 * 2**30, ge=1)
    max_form_bytes: int = Field(default=2 * 2**20, ge=1024)
    engine_memory_mib: int = Field(default=1024, ge=64)
    """Memory one table operation may take before it spills to disk."""
    scan_command: tuple[str, ...] = ()
    """Virus scanner that is run with the path of each file people send; empty: none."""
    scan_seconds: float = Field(default=120.0, gt=0)
    ingest_memory_mib: int = Field(default=4096, ge=256)
    """Memory that the reading of one workbook or Parquet file may take, in a process of its own."""
    engine_threads: int = Field(default=2, ge=1)
    query_seconds: float = Field(default=20.0, gt=0)
    """Time after which a table query is interrupted."""
    job_lease_seconds: float = Field(default=30.0, gt=0)
    """A running job that gives no sign of life for this long is taken to be dead."""
    job_max_attempts: int = Field(default=3, ge=1)
    worker_threads: int = Field(default=2, ge=1)
    knowledge_folder: Path | None = None
    """Folder below which admins may add folders of documents; none: no folder is read."""
    knowledge_embedder: str = "bundled"
    """What makes vectors: ``bundled`` where the extra is installed, ``none``, or a server."""
    knowledge_embedder_key: SecretStr = SecretStr("")
    privacy_contact: str = ""
    """Address that the privacy page names for questions about personal data."""
    terms_version: str = Field(default="", max_length=32)
    """Version of the terms that people agree to when they register; empty: there are none."""
    terms_url: str = ""
    """Where the terms can be read."""
    policy_minimum_k: int = Field(default=5, ge=1)
    """Smallest group an openly published table may contain."""
    policy_minimum_l: int | None = Field(default=None, ge=1)
    """Fewest different values of a sensitive column in a group; none: it is measured only."""
    policy_maximum_t: float | None = Field(default=None, ge=0, le=1)
    """Greatest distance of a group from the whole table; none: it is measured only."""
    policy_maximum_alpha: float | None = Field(default=None, gt=0, le=1)
    """Greatest share of one sensitive value in a group; none: it is measured only."""
    policy_maximum_beta: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """Greatest relative gain of a sensitive value in a group; none: it is measured only."""
    policy_maximum_delta: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """Greatest difference of likelihoods, as |ln(q / p)|; none: it is measured only."""
    policy_minimum_p29: float | None = Field(default=None, ge=0, le=1)
    """Smallest P29 score; none: it is measured only."""
    policy_maximum_missing: float | None = Field(default=None, ge=0, le=1)
    """Greatest share of missing values in a quasi-identifier or sensitive column."""
    policy_version_differences: Literal["stop", "warn"] = "stop"
    """What few people who came or left since an earlier open version do to a publication."""
    smtp_host: str = ""
    """Mail server; empty: letters are written to the folder ``mail`` of the instance."""
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_security: Literal["none", "starttls", "tls"] = "starttls"
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    mail_from: EmailStr | Literal[""] = ""
    """Address that letters come from; empty: ``noreply`` at the host of ``base_url``."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"

    @model_validator(mode="after")
    def _production_is_https(self) -> Self:
        if self.environment == "production" and not (self.https or self.is_local):
            message = "base_url must begin with https:// in production"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _providers_are_sound(self) -> Self:
        names = [provider.name for provider in self.oidc_providers]
        if len(set(names)) < len(names):
            message = "oidc_providers: each needs a name of its own"
            raise ValueError(message)
        addresses = [
            *(provider.issuer for provider in self.oidc_providers),
            *filter(None, (self.supabase_url, self.supabase_issuer, self.supabase_jwks_url)),
        ]
        if not all(is_permitted(each, loopback=self.asks_loopback) for each in addresses):
            message = "the addresses of other providers must begin with https:// in production"
            raise ValueError(message)
        return self

    @property
    def asks_loopback(self) -> bool:
        """Whether other servers may be asked on this machine without encryption."""
        return self.environment == "development"

    @property
    def supabase_authority(self) -> str:
        """Issuer of the Supabase tokens that the API accepts; empty: none."""
        return self.supabase_issuer or (
            self.supabase_url and f"{self.supabase_url.rstrip('/')}/auth/v1"
        )

    @property
    def supabase_keys(self) -> str:
        """Where the keys are that verify those tokens."""
        return self.supabase_jwks_url or f"{self.supabase_authority}/.well-known/jwks.json"

    @property
    def sqlalchemy_url(self) -> str:
        """The database to use, with the SQLite file of the instance as the default."""
        return self.database_url or f"sqlite:///{self.instance_path.resolve()}/fairdatabase.db"

    @property
    def storage_path(self) -> Path:
        """Folder of the local blob store."""
        return self.instance_path / "storage"

    @property
    def work_path(self) -> Path:
        """Folder for files that are being made; on the same file system as the blobs."""
        return self.instance_path / "work"

    @property
    def verifies_email(self) -> bool:
        """Whether nobody signs in before confirming the address."""
        if self.email_verification == "auto":
            return self.environment == "production" and bool(self.smtp_host)
        return self.email_verification == "required"

    @property
    def mail_path(self) -> Path:
        """Folder of the letters that no server is there for."""
        return self.instance_path / "mail"

    @property
    def mail_sender(self) -> str:
        """Address that letters come from."""
        return self.mail_from or f"noreply@{self.base_url.host}"

    @property
    def is_local(self) -> bool:
        """Whether visitors come from this machine alone, by the address they see."""
        return self.base_url.host in _LOOPBACK

    @property
    def known_hosts(self) -> frozenset[str]:
        """Hosts that the address of a request may name."""
        return frozenset((str(self.base_url.host), *_LOOPBACK, *self.allowed_hosts))

    @property
    def public_url(self) -> str:
        """``base_url`` without a closing slash."""
        return str(self.base_url).rstrip("/")

    @property
    def https(self) -> bool:
        """Whether visitors come over HTTPS, so that cookies may be marked secure."""
        return self.base_url.scheme == "https"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - fixed signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Add the instance folder's two TOML files below the environment."""
        instance = _first_path(init_settings, env_settings, dotenv_settings)
        return (
            init_settings,
            env_settings,
            dotenv_settings,
            TomlConfigSettingsSource(settings_cls, instance / CONFIG_FILE),
            TomlConfigSettingsSource(settings_cls, instance / SECRETS_FILE),
        )


def _first_path(*sources: Callable[[], dict[str, Any]]) -> Path:
    named = (source().get("instance_path") for source in sources)
    return Path(next(filter(None, named), Settings.model_fields["instance_path"].default))


def instance_folder() -> Path:
    """Return the folder that environment or ``.env`` name, which may not exist yet."""
    return _first_path(EnvSettingsSource(Settings), DotEnvSettingsSource(Settings))


def load_settings(**overrides: Any) -> Settings:  # noqa: ANN401 - checked by Pydantic
    """Read the settings of this process.

    Args:
        **overrides: Settings that win over every other source.

    Raises:
        ConfigurationError: A setting is missing or wrong; each is named in ``details``.
    """
    try:
        return Settings(**overrides)
    except SettingsError as error:
        message = f'The settings are not valid: {error}. Lists are written as JSON, such as ["a"].'
        raise ConfigurationError(message) from None
    except PydanticValidationError as error:
        problems = [
            {"setting": ".".join(map(str, item["loc"])), "problem": _problem(item)}
            for item in error.errors(include_url=False, include_input=False)
        ]
        raise ConfigurationError(_explain(problems), details=problems) from None


def _problem(item: ErrorDetails) -> str:
    if item["type"] != "extra_forbidden":
        return item["msg"]
    near = difflib.get_close_matches(str(item["loc"][0]), Settings.model_fields, n=1)
    hint = f"did you mean {near[0]}?" if near else "remove it, or correct its name"
    return f"there is no setting of this name; {hint}"


def _explain(problems: list[dict[str, str]]) -> str:
    missing = {problem["setting"] for problem in problems} & set(SECRET_NAMES)
    lines = [f"{problem['setting']}: {problem['problem']}" for problem in problems]
    advice = " Run `fairdatabase init` to create the secrets." if missing else ""
    return f"The settings are not valid: {'; '.join(lines)}.{advice}"


def write_secrets(instance_path: Path) -> Path | None:
    """Create the instance folder's secrets, readable by their owner only.

    Those that a newer version needs besides are added; none is ever overwritten.

    Returns:
        The file, or None where it has every secret already.
    """
    instance_path.mkdir(parents=True, exist_ok=True)
    path = instance_path / SECRETS_FILE
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    known = tomllib.loads(text)
    missing = {
        name: secrets.token_urlsafe(_SECRET_BYTES) for name in SECRET_NAMES if name not in known
    }
    if not missing:
        return None
    lines = (f'{name} = "{secret}"\n' for name, secret in missing.items())
    _replace(path, "".join(lines) + text, known | missing)
    return path


def rotate_secrets(settings: Settings, today: date, *, forget: bool = False) -> Path:
    """Replace the secrets that are changed from time to time, in the instance folder's file.

    The old ones go on verifying what they signed, for as long as a session may last; those that
    have waited longer are dropped. Everything else in the file stays as it was written, and at no
    moment is there a file that is half written or that others may read.

    Args:
        settings: Of the instance.
        today: The day from which the old ones count as retired.
        forget: Whether the old ones are worthless at once, because somebody else has them.

    Raises:
        ConfigurationError: The secrets do not come from the file, or it is laid out in a way
            that this function cannot edit.
    """
    path = settings.instance_path / SECRETS_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigurationError(
            f"There is no file {path}: the secrets come from the environment. Set them there: the"
            f" new one, and the old one in {' or '.join(ROTATED.values())}."
        ) from None
    wanted = tomllib.loads(text)
    for name, retired_name in ROTATED.items():
        if name not in wanted:
            raise ConfigurationError(f"{name} is not in {path}. Rotate it where it is set.")
        retired = [] if forget else _still_needed(settings, name, today)
        new = secrets.token_urlsafe(_SECRET_BYTES)
        wanted |= {name: new, retired_name: retired}
        text = _with_line(text, retired_name, None)
        text = _with_line(text, name, f'{name} = "{new}"\n{_retired_line(retired_name, retired)}')
    _replace(path, text, wanted)
    return path


def retired_until(settings: Settings, key: RetiredSecret) -> date:
    """Return the last day on which a retired secret can be of use."""
    return key.retired_on + timedelta(days=settings.refresh_token_days)


def _still_needed(settings: Settings, name: str, today: date) -> list[dict[str, Any]]:
    """Return the retired secrets that something signed may still need, the newest first."""
    kept = [
        key for key in getattr(settings, ROTATED[name]) if retired_until(settings, key) >= today
    ]
    newest = RetiredSecret(secret=getattr(settings, name), retired_on=today)
    return [
        {"secret": key.secret.get_secret_value(), "retired_on": key.retired_on}
        for key in (newest, *kept)
    ]


def _retired_line(name: str, retired: list[dict[str, Any]]) -> str:
    entries = (
        f'{{ secret = "{key["secret"]}", retired_on = {key["retired_on"]} }}' for key in retired
    )
    return f"{name} = [{', '.join(entries)}]"


def _with_line(text: str, name: str, line: str | None) -> str:
    """Return a TOML document in which the line of a name is replaced, or removed."""
    pattern = re.compile(rf"^{name}[ \t]*=.*(?:\n|\Z)", re.MULTILINE)
    return pattern.sub(lambda _: f"{line}\n" if line else "", text)


def _replace(path: Path, text: str, wanted: dict[str, Any]) -> None:
    """Put a new file in the place of the secrets, if it says what is wanted."""
    try:
        as_wanted = tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        as_wanted = False
    if not as_wanted:
        raise ConfigurationError(
            f"{path} is laid out in a way that cannot be edited safely. Write each of"
            f" {', '.join((*ROTATED, *ROTATED.values()))} on one line."
        )
    # mkstemp makes the file with mode 600.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{SECRETS_FILE}-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink()
        raise
