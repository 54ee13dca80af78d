"""What the doctor finds, on both databases."""

from datetime import timedelta
from io import BytesIO
from secrets import token_urlsafe

import pytest
from pydantic import SecretStr

from fairdatabase.authorization.schemas import Actor
from fairdatabase.doctor import Finding, examine, require_migrated, revisions
from fairdatabase.kernel.clock import utc_now
from fairdatabase.kernel.config import (
    SECRET_NAMES,
    SECRETS_FILE,
    RetiredSecret,
    Settings,
    load_settings,
)
from fairdatabase.kernel.errors import ConfigurationError
from fairdatabase.migrations import downgrade, upgrade
from fairdatabase.services import Services


@pytest.fixture
def strong(settings: Settings) -> Settings:
    """Settings without any weakness, of an instance whose folder exists."""
    settings.instance_path.mkdir(exist_ok=True)
    secrets = {name: SecretStr(token_urlsafe(48)) for name in SECRET_NAMES}
    costs = {"argon2_memory_kib": 65536, "argon2_time_cost": 3, "rate_limits_enabled": True}
    return settings.model_copy(update=secrets | costs)


def found(settings: Settings, *, fixity: int = 0) -> dict[str, list[Finding]]:
    """Return the findings that are not fine, by subject."""
    bad: dict[str, list[Finding]] = {}
    for finding in examine(lambda: settings, fixity=fixity):
        if finding.ok is not True:
            bad.setdefault(finding.subject, []).append(finding)
    return bad


def test_a_sound_instance_has_no_findings(strong: Settings, admin: Actor) -> None:
    assert found(strong) == {}


def test_every_problem_comes_with_a_way_out(strong: Settings) -> None:
    (strong.instance_path / SECRETS_FILE).touch(mode=0o644)
    strong.storage_path.write_text("a file where the folder should be")
    weak = strong.model_copy(
        update={
            "base_url": load_settings(
                _env_file=None,
                base_url="https://data.example.org",
                secret_key="x" * 32,
                jwt_secret_key="x" * 32,
                data_key="x" * 32,
                pseudonym_key="x" * 32,
            ).base_url,
            "jwt_secret_key": strong.secret_key,
            "argon2_time_cost": 1,
            "cors_origins": ("*",),
            "rate_limits_enabled": False,
        }
    )
    bad = found(weak)
    assert len(bad["secrets"]) == 2
    assert len(bad["settings"]) == 7
    (origins,) = (each for each in bad["settings"] if "cors_origins" in each.fix)
    assert "what the API shows to everybody" in origins.message
    assert set(bad) == {"secrets", "settings", "storage", "admins"}
    assert all(finding.fix for findings in bad.values() for finding in findings)


def test_settings_that_cannot_be_read_are_the_only_finding() -> None:
    def broken() -> Settings:
        raise ConfigurationError("The settings are not valid: naan: too short.")

    (finding,) = examine(broken)
    assert finding.ok is False
    assert "naan" in finding.message


def test_a_database_that_is_away_is_a_problem(strong: Settings) -> None:
    away = strong.model_copy(update={"database_url": "postgresql://127.0.0.1:1/none"})
    (finding,) = found(away)["database"]
    assert finding.message.startswith("does not answer: ")


def test_looking_does_not_create_a_database(strong: Settings) -> None:
    path = strong.instance_path / "new.db"
    new = strong.model_copy(update={"database_url": f"sqlite:///{path}"})
    current, head = revisions(new)
    assert current is None
    assert head
    assert "nothing" in found(new)["database"][0].message
    assert not path.exists()


def test_an_old_database_is_a_problem_and_stops_other_commands(
    strong: Settings, database_url: str
) -> None:
    require_migrated(strong)
    downgrade(database_url, "0001")
    try:
        assert "fairdatabase migrate" in found(strong)["database"][0].fix
        with pytest.raises(ConfigurationError, match="at revision 0001"):
            require_migrated(strong)
    finally:
        upgrade(database_url)


def test_damaged_files_are_found_when_they_are_looked_at(
    strong: Settings, services: Services, admin: Actor
) -> None:
    good = services.storage.store(BytesIO(b"good"), limit=9)
    bad = services.storage.store(BytesIO(b"bad"), limit=9)
    services.storage.path(bad.sha256).unlink()
    assert found(strong) == {}
    findings = found(strong, fixity=10)["stored files"]
    assert any(bad.sha256 in finding.message for finding in findings)
    assert not any(good.sha256 in finding.message for finding in findings)


def test_letters_that_do_not_leave_and_open_passwords_are_noticed(strong: Settings) -> None:
    weak = strong.model_copy(
        update={"environment": "production", "smtp_username": "mary", "smtp_security": "none"}
    )
    assert [finding.message.partition(",")[0] for finding in found(weak)["mail"]] == [
        "no mail server is set",
        "the password of the mail account is sent unencrypted",
    ]
    assert "mail" not in found(strong)


def test_a_secret_without_chance_in_it_is_a_problem(strong: Settings, admin: Actor) -> None:
    bad = found(strong.model_copy(update={"data_key": SecretStr("ab" * 40)}))
    (finding,) = bad["secrets"]
    assert finding.ok is False
    assert finding.message == "data_key is not random enough: it could be guessed"


def test_retired_keys_are_named_once_they_are_of_no_use(strong: Settings, admin: Actor) -> None:
    today = utc_now().date()
    keys = [
        RetiredSecret(secret=SecretStr("r" * 40), retired_on=today - timedelta(days=days))
        for days in (strong.refresh_token_days, strong.refresh_token_days + 1)
    ]
    (finding,) = found(strong.model_copy(update={"jwt_retired_keys": tuple(keys)}))["secrets"]
    assert f"retired on {keys[1].retired_on}" in finding.message


def test_settings_that_are_weak_only_together(
    strong: Settings, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "1")
    update = {"environment": "production", "trusted_proxies": 1, "smtp_host": "mail.example.org"}
    messages = [each.message for each in found(strong.model_copy(update=update))["settings"]]
    assert [message.partition(",")[0] for message in messages] == [
        "a proxy is trusted on a local address",
        "production is served without HTTPS",
        "Flask shows its debugger to visitors",
    ]
