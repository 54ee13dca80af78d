"""The scripts of the how-to guides do what the guides say, against a running instance."""

import os
import subprocess
from pathlib import Path

import pytest

from fairdatabase.authorization.schemas import Role
from fairdatabase.services import build_services
from tests.factories.accounts import PASSWORD, registration
from tests.factories.cohorts import cohort, harmless
from tests.factories.serving import instance_settings, running

SCRIPT = Path(__file__).parents[2] / "docs" / "how-to" / "deposit-by-api.sh"


@pytest.mark.parametrize(
    ("content", "passes"), [(cohort(), "false"), (harmless(), "true")], ids=["risky", "harmless"]
)
def test_the_api_guide_s_script_takes_a_table_the_whole_way(
    tmp_path: Path, sqlite_template: Path, content: bytes, passes: str
) -> None:
    settings = instance_settings(tmp_path / "instance", sqlite_template)
    services = build_services(settings)
    user = registration()
    services.accounts.create_user(user, roles=frozenset({Role.MEMBER}))
    table = tmp_path / "people.csv"
    table.write_bytes(content)

    with running(settings, with_worker=True, log=tmp_path / "log") as server:
        environment = os.environ | {
            "FAIRDATABASE_URL": server.url,
            "FAIRDATABASE_EMAIL": user.email,
            "FAIRDATABASE_PASSWORD": PASSWORD,
            "TMPDIR": str(tmp_path),
        }
        done = subprocess.run(
            [SCRIPT, table], env=environment, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr + done.stdout
    assert f"passes the policy: {passes}" in done.stdout
    assert "found: 1" in done.stdout
    (saved,) = set(tmp_path.glob("*.csv")) - {table}
    assert len(saved.read_text().splitlines()) > 100
    assert "S0001" not in saved.read_text()


def test_the_script_shows_what_the_server_says(tmp_path: Path, sqlite_template: Path) -> None:
    settings = instance_settings(tmp_path / "instance", sqlite_template)
    table = tmp_path / "people.csv"
    table.write_bytes(harmless())
    with running(settings, log=tmp_path / "log") as server:
        environment = os.environ | {
            "FAIRDATABASE_URL": server.url,
            "FAIRDATABASE_EMAIL": "nobody@example.org",
            "FAIRDATABASE_PASSWORD": PASSWORD,
        }
        done = subprocess.run(
            [SCRIPT, table], env=environment, capture_output=True, text=True, check=False
        )
    assert done.returncode != 0
    assert "password" in done.stderr
