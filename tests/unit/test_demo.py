"""The demonstration: its data, its stories, its second start."""

import stat
import sys
from importlib import metadata
from pathlib import Path

import pytest

from fairdatabase.accounts.schemas import Credentials
from fairdatabase.authorization.schemas import ANONYMOUS, Role
from fairdatabase.catalog.schemas import AccessClass, SearchQuery
from fairdatabase.demo import EMAIL, STORIES, Source, located, prepare, settings_for
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import ConfigurationError, PermissionDeniedError
from fairdatabase.kernel.records import PageQuery
from fairdatabase.services import Services, build_services
from fairdatabase.tables.schemas import ExportFormat, ExportQuery, RowsQuery

REFUSED, RESTRICTED = STORIES[1], STORIES[2]


def _is_installed(package: str) -> bool:
    try:
        metadata.distribution(package)
    except metadata.PackageNotFoundError:
        return False
    return True


needs_data = pytest.mark.skipif(
    not all(_is_installed(story.source.package) for story in STORIES),
    reason="the packages of the demonstration are not installed",
)


@pytest.fixture
def instance(settings: Settings) -> Settings:
    settings.instance_path.mkdir()
    return settings


@pytest.fixture
def services(instance: Settings, database: Database) -> Services:
    return build_services(instance, database)


@needs_data
def test_the_data_are_found_without_importing_their_packages() -> None:
    before = {"skbio", "statsmodels"} & set(sys.modules)
    for story in STORIES:
        assert located(story.source).is_file()
    assert {"skbio", "statsmodels"} & set(sys.modules) == before


def test_a_missing_package_is_explained() -> None:
    with pytest.raises(ConfigurationError, match=r"needs the package no-such-package.*make demo"):
        located(Source("no-such-package", "x.csv", ""))


def test_other_data_than_expected_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="has no file"):
        located(Source("click", "click/no-such-file.csv", ""))
    with pytest.raises(ConfigurationError, match="is not the expected file"):
        located(Source("click", "click/__init__.py", "0" * 64))


@needs_data
def test_three_datasets_show_three_ways(instance: Settings, services: Services) -> None:
    told: list[str] = []
    login = prepare(instance, tell=told.append)
    found = services.catalog.search(SearchQuery())
    by_title = {item.title: item for item in found.items}
    assert set(by_title) == {story.metadata.title for story in STORIES}

    refused = by_title[REFUSED.metadata.title]
    assert any("refused" in line for line in told)
    file = services.catalog.resolve(ANONYMOUS, refused.dataset_public_id).files[0]
    assert file.withheld
    with pytest.raises(PermissionDeniedError):
        services.catalog.require_download(ANONYMOUS, file.public_id)
    export = services.tables.export(ANONYMOUS, file.public_id, ExportQuery(format=ExportFormat.CSV))
    assert b"Sample-1" not in b"".join(export.chunks)

    restricted = by_title[RESTRICTED.metadata.title]
    assert restricted.access is AccessClass.RESTRICTED

    (password,) = (line.split()[1] for line in login.splitlines() if line.startswith("Password"))
    grant = services.accounts.sign_in(Credentials(email=EMAIL, password=password))
    assert Role.ADMIN in grant.actor.roles
    file = services.catalog.resolve(grant.actor, restricted.dataset_public_id).files[0]
    assert services.tables.rows(grant.actor, file.public_id, RowsQuery(limit=1)).rows


@needs_data
def test_a_second_start_changes_nothing(instance: Settings, services: Services) -> None:
    first = prepare(instance, tell=lambda _: None)
    told: list[str] = []
    assert prepare(instance, tell=told.append) == first
    assert told == []
    assert services.catalog.search(SearchQuery()).total == len(STORIES)
    password = instance.instance_path / "demo-password.txt"
    assert stat.S_IMODE(password.stat().st_mode) == 0o600
    password.unlink()
    assert "user password" in prepare(instance, tell=lambda _: None)


@needs_data
def test_a_start_that_was_interrupted_is_completed(instance: Settings, services: Services) -> None:
    class StoppedError(Exception):
        pass

    def interrupt(line: str) -> None:
        if "refused" in line:
            raise StoppedError

    with pytest.raises(StoppedError):
        prepare(instance, tell=interrupt)
    prepare(instance, tell=lambda _: None)
    assert services.catalog.search(SearchQuery()).total == len(STORIES)
    admin = services.accounts.actor_by_email(EMAIL)
    assert services.catalog.my_drafts(admin, PageQuery())[1] == 0


def test_the_settings_are_of_an_instance_with_secrets_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = settings_for(None, "http://127.0.0.1:9000")
    assert settings.public_url == "http://127.0.0.1:9000"
    assert settings.instance_path == Path("instance/demo")
    again = settings_for(None, "http://127.0.0.1:9000")
    assert again.secret_key == settings.secret_key
