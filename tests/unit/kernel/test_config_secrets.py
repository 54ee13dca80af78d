"""Secrets in their file: made, added to, rotated."""

import stat
import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from fairdatabase.kernel.config import (
    SECRET_NAMES,
    SECRETS_FILE,
    Settings,
    load_settings,
    rotate_secrets,
    write_secrets,
)
from fairdatabase.kernel.errors import ConfigurationError

TODAY = date(2026, 3, 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of an instance with an administrator's additions."""
    made = write_secrets(tmp_path)
    assert made
    made.write_text(f'{made.read_text()}# of the mail server\nsmtp_password = "a = \\"b\\""\n')
    return made


def settings_of(path: Path) -> Settings:
    return load_settings(_env_file=None, instance_path=path.parent)


def read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text())


def test_the_old_secrets_retire_and_the_rest_stays(path: Path) -> None:
    before = read(path)
    assert rotate_secrets(settings_of(path), TODAY) == path
    after = read(path)
    for name, retired in (
        ("jwt_secret_key", "jwt_retired_keys"),
        ("secret_key", "retired_secret_keys"),
    ):
        assert after[name] != before[name]
        assert after[retired] == [{"secret": before[name], "retired_on": TODAY}]
    for name in ("data_key", "pseudonym_key", "smtp_password"):
        assert after[name] == before[name]
    assert "# of the mail server" in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == [SECRETS_FILE]


def test_retired_secrets_are_dropped_when_nothing_needs_them(path: Path) -> None:
    settings = settings_of(path)
    first = read(path)["jwt_secret_key"]
    rotate_secrets(settings, TODAY)
    second = read(path)["jwt_secret_key"]
    last_day = TODAY + timedelta(days=settings.refresh_token_days)
    rotate_secrets(settings_of(path), last_day)
    assert [key["secret"] for key in read(path)["jwt_retired_keys"]] == [second, first]
    third = read(path)["jwt_secret_key"]
    rotate_secrets(settings_of(path), last_day + timedelta(days=1))
    assert [key["secret"] for key in read(path)["jwt_retired_keys"]] == [third, second]


def test_forgotten_secrets_leave_nothing(path: Path) -> None:
    before = path.read_text()
    rotate_secrets(settings_of(path), TODAY)
    rotate_secrets(settings_of(path), TODAY, forget=True)
    assert read(path)["jwt_retired_keys"] == read(path)["retired_secret_keys"] == []
    assert tomllib.loads(before)["jwt_secret_key"] not in path.read_text()


def test_secrets_of_the_environment_are_not_ours_to_rotate(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = {name: name[0] * 40 for name in SECRET_NAMES}
    settings = load_settings(_env_file=None, instance_path=tmp_path, **secrets)
    path.write_text('secret_key = "from here, thirty-two characters"\n')
    with pytest.raises(ConfigurationError, match="jwt_secret_key is not in"):
        rotate_secrets(settings, TODAY)
    path.unlink()
    with pytest.raises(ConfigurationError, match="come from the environment"):
        rotate_secrets(settings, TODAY)


@pytest.mark.parametrize(
    "layout", ["jwt_retired_keys = [\n]\n", "'retired_secret_keys' = []\n"], ids=["lines", "quotes"]
)
def test_a_layout_that_cannot_be_edited_is_left_alone(path: Path, layout: str) -> None:
    path.write_text(layout + path.read_text())
    before = path.read_text()
    with pytest.raises(ConfigurationError, match="cannot be edited safely"):
        rotate_secrets(settings_of(path), TODAY)
    assert path.read_text() == before


def test_a_file_that_cannot_be_replaced_leaves_nothing_behind(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(path)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    before = path.read_text()
    with pytest.raises(OSError, match="No space left"):
        rotate_secrets(settings, TODAY)
    assert path.read_text() == before
    assert [each.name for each in path.parent.iterdir()] == [SECRETS_FILE]


def test_a_newer_version_adds_the_secrets_it_needs(path: Path) -> None:
    older = {name: text for name, text in read(path).items() if name != "data_key"}
    lines = [line for line in path.read_text().splitlines() if not line.startswith("data_key")]
    path.write_text("\n".join(lines))
    assert write_secrets(path.parent) == path
    assert read(path) == older | {"data_key": read(path)["data_key"]}
    assert write_secrets(path.parent) is None
