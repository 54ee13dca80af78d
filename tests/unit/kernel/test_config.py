"""Settings: read once, checked, never without secrets."""

import stat
from pathlib import Path

import pytest

from fairdatabase.kernel.config import (
    SECRET_NAMES,
    instance_folder,
    load_settings,
    write_secrets,
)
from fairdatabase.kernel.errors import ConfigurationError


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_secrets_nothing_starts() -> None:
    with pytest.raises(ConfigurationError, match="fairdatabase init") as caught:
        load_settings()
    details = caught.value.details
    assert isinstance(details, list)
    assert {item["setting"] for item in details} == set(SECRET_NAMES)


def test_init_writes_secrets_that_only_the_owner_reads(tmp_path: Path) -> None:
    path = write_secrets(tmp_path / "instance")
    assert path is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    settings = load_settings()
    secrets = {getattr(settings, name).get_secret_value() for name in SECRET_NAMES}
    assert len(secrets) == len(SECRET_NAMES)


def test_secrets_are_never_overwritten(tmp_path: Path) -> None:
    path = write_secrets(tmp_path / "instance")
    assert path is not None
    before = path.read_text()
    assert write_secrets(tmp_path / "instance") is None
    assert path.read_text() == before


def test_secrets_do_not_show_in_texts(tmp_path: Path) -> None:
    write_secrets(tmp_path / "instance")
    settings = load_settings()
    assert settings.secret_key.get_secret_value() not in repr(settings)


def test_short_secrets_are_refused_without_showing_them() -> None:
    with pytest.raises(ConfigurationError, match="at least 32 characters") as caught:
        load_settings(secret_key="short-and-secret")
    assert "short-and-secret" not in str(caught.value)
    assert "short-and-secret" not in str(caught.value.details)


def test_the_environment_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_secrets(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "fairdatabase.toml").write_text(
        'site_name = "From the file"\npublisher = "File"\n'
    )
    monkeypatch.setenv("FAIRDATABASE_INSTANCE_PATH", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("FAIRDATABASE_SITE_NAME", "From the environment")
    settings = load_settings()
    assert settings.site_name == "From the environment"
    assert settings.publisher == "File"
    assert settings.instance_path == tmp_path / "elsewhere"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cors_origins", "https://lab.example.org/"),
        ("cors_origins", "lab.example.org"),
        ("cors_origins", "https://*.example.org"),
        ("cors_origins", "null"),
        ("allowed_hosts", "https://data.lan"),
        ("allowed_hosts", "data.lan:8000"),
        ("allowed_hosts", "*"),
    ],
)
def test_a_list_of_addresses_holds_exact_ones(tmp_path: Path, name: str, value: str) -> None:
    write_secrets(tmp_path / "instance")
    with pytest.raises(ConfigurationError, match=name):
        load_settings(**{name: (value,)})


def test_the_hosts_of_an_instance_are_its_address_and_what_is_added(tmp_path: Path) -> None:
    write_secrets(tmp_path / "instance")
    settings = load_settings(base_url="https://Data.example.org:8443", allowed_hosts=("data.lan",))
    here = {"127.0.0.1", "localhost", "[::1]"}
    assert settings.known_hosts == {"data.example.org", "data.lan"} | here
    assert not settings.is_local
    assert load_settings(base_url="http://[::1]:8000").is_local


def test_unknown_settings_are_refused(tmp_path: Path) -> None:
    write_secrets(tmp_path / "instance")
    (tmp_path / "instance" / "fairdatabase.toml").write_text("sitename = 'typo'\n")
    with pytest.raises(ConfigurationError, match="sitename"):
        load_settings()


def test_foreign_names_in_the_env_file_are_not_read(tmp_path: Path) -> None:
    write_secrets(tmp_path / "instance")
    (tmp_path / ".env").write_text("FOO=1\nSITE_NAME=Foreign\nfairdatabase_publisher=Ours\n")
    settings = load_settings()
    assert settings.site_name == "FAIRDatabase"
    assert settings.publisher == "Ours"


def test_unknown_settings_in_the_env_file_are_refused(tmp_path: Path) -> None:
    write_secrets(tmp_path / "instance")
    (tmp_path / ".env").write_text("FAIRDATABASE_BASEURL=http://localhost:8000\n")
    with pytest.raises(ConfigurationError, match=r"no setting of this name.* mean base_url\?"):
        load_settings()


def test_the_env_file_names_the_folder_of_the_other_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "second", "third"):
        write_secrets(tmp_path / name)
        (tmp_path / name / "fairdatabase.toml").write_text(f"publisher = '{name}'\n")
    (tmp_path / ".env").write_text("FAIRDATABASE_INSTANCE_PATH=third\n")
    assert instance_folder() == Path("third")
    assert load_settings().publisher == "third"
    monkeypatch.setenv("FAIRDATABASE_INSTANCE_PATH", "second")
    assert instance_folder() == Path("second")
    assert load_settings().publisher == "second"
    assert load_settings(instance_path=tmp_path / "first").publisher == "first"


def test_production_needs_https_beyond_this_machine(tmp_path: Path) -> None:
    write_secrets(tmp_path / "instance")
    with pytest.raises(ConfigurationError, match="https"):
        load_settings(base_url="http://data.example.org")
    assert load_settings(base_url="https://data.example.org/").https
    assert load_settings(base_url="http://localhost:8000").public_url == "http://localhost:8000"


def test_paths_lie_in_the_instance_folder(tmp_path: Path) -> None:
    write_secrets(tmp_path / "instance")
    settings = load_settings()
    assert settings.sqlalchemy_url == f"sqlite:///{tmp_path}/instance/fairdatabase.db"
    assert settings.storage_path.parent == settings.instance_path
    assert settings.work_path.parent == settings.instance_path
    assert load_settings(database_url="postgresql:///x").sqlalchemy_url == "postgresql:///x"


def test_a_list_that_is_no_json_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_secrets(tmp_path / "instance")
    monkeypatch.setenv("FAIRDATABASE_CORS_ORIGINS", "https://a.example")
    with pytest.raises(ConfigurationError, match=r"cors_origins.*written as JSON"):
        load_settings()
