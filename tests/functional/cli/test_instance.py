"""Making an instance, looking after it, and its users, on the command line."""

import stat
import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from sqlalchemy import text

from fairdatabase.accounts.rules.keys import key_id
from fairdatabase.cli import main
from fairdatabase.kernel.database import Database
from fairdatabase.migrations import downgrade
from tests.functional.cli.conftest import Run

COMMANDS = [
    path
    for name, command in main.commands.items()
    for path in (
        [[name, below] for below in command.commands]
        if isinstance(command, click.Group)
        else [[name]]
    )
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_by_an_example(command: list[str]) -> None:
    shown = CliRunner().invoke(main, [*command, "--help"])
    assert shown.exit_code == 0
    assert command[-1] in shown.output.partition("Example:")[2]


def test_init_makes_private_secrets_once(cli: Run) -> None:
    first = cli("init")
    assert first.exit_code == 0, first.output
    assert "for your eyes only" in first.output
    secrets = Path("instance/secrets.toml")
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    assert stat.S_IMODE(Path("instance").stat().st_mode) == 0o700
    before = secrets.read_text()
    second = cli("init")
    assert second.exit_code == 0
    assert "for your eyes only" not in second.output
    assert secrets.read_text() == before


def test_init_goes_to_the_folder_that_the_env_file_names(cli: Run) -> None:
    Path(".env").write_text("FOO=1\nFAIRDATABASE_INSTANCE_PATH=elsewhere\n")
    assert cli("init").exit_code == 0
    assert Path("elsewhere/secrets.toml").exists()
    assert not Path("instance").exists()
    assert cli("search").exit_code == 0


@pytest.mark.parametrize("command", ["serve", "worker", "search", "migrate"])
def test_without_secrets_nothing_starts(cli: Run, command: str) -> None:
    refused = cli(command)
    assert refused.exit_code == 1
    assert "fairdatabase init" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert refused.stdout == ""


def test_a_mistyped_command_is_another_error(cli: Run) -> None:
    assert cli("serv").exit_code == 2
    assert cli("serve", "--port", "eighty").exit_code == 2


def test_errors_of_input_are_one_line(instance: Run) -> None:
    refused = instance("user", "create", "no-address", "--generate")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: email: ")
    assert "Traceback" not in refused.stderr


def test_debug_shows_where_an_error_happened(instance: Run) -> None:
    refused = instance("--debug", "user", "password", "nobody@example.org", "--generate")
    assert type(refused.exception).__name__ == "NotFoundError"


def test_a_database_that_does_not_answer_is_one_line(
    instance: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIRDATABASE_DATABASE_URL", "postgresql://127.0.0.1:1/none")
    refused = instance("search")
    assert refused.exit_code == 1
    assert refused.stderr == (
        "Error: The database does not answer as it should. `fairdatabase doctor` says more.\n"
    )


def test_errors_of_the_system_are_one_line(cli: Run) -> None:
    Path("instance").write_text("a file where the folder should be")
    refused = cli("init")
    assert refused.exit_code == 1
    assert "instance" in refused.stderr


def test_an_old_database_is_refused_and_migrated(instance: Run, database_url: str) -> None:
    assert "up to date" in instance("migrate").output
    downgrade(database_url, "0001")
    for command in ("search", "serve", "worker"):
        refused = instance(command)
        assert refused.exit_code == 1
        assert "fairdatabase migrate" in refused.stderr
    migrated = instance("migrate")
    assert migrated.exit_code == 0
    assert "went from 0001 to" in migrated.output
    assert instance("search").exit_code == 0


def test_the_doctor_finds_a_new_instance_well_but_for_an_admin(instance: Run) -> None:
    found = instance("doctor")
    assert found.exit_code == 0, found.output
    assert "warning  admins: 0" in found.output
    assert "PROBLEM" not in found.output
    for subject in ("settings", "secrets", "database", "queue", "storage", "disk"):
        assert f"ok       {subject}: " in found.output


def test_the_doctor_says_how_to_mend_what_it_finds(instance: Run) -> None:
    Path("instance/secrets.toml").chmod(0o644)
    found = instance("doctor")
    assert found.exit_code == 1
    assert "PROBLEM  secrets: others may read them" in found.output
    assert "chmod 600" in found.output
    assert found.stderr == "Error: 1 problem found.\n"


def test_users_are_made_listed_and_changed(instance: Run) -> None:
    made = instance("user", "create", "Eve@Example.org", "--role", "curator", "--role", "member",
                    given="a long enough pass phrase\na long enough pass phrase\n")  # fmt: skip
    assert made.exit_code == 0, made.output
    assert "curator, member" in made.output
    assert "pass phrase" not in made.output
    listed = instance("user", "list").output
    assert "eve@example.org  curator,member  Eve" in listed
    assert "Ada Lovelace" in listed
    assert "Ada" not in instance("user", "list", "--search", "eve").output
    assert instance("user", "role", "eve@example.org", "admin").output == (
        "eve@example.org is admin.\n"
    )
    refused = instance("user", "role", "eve@example.org", "member")
    assert refused.exit_code == 1
    assert "last active admin" in refused.stderr


def test_a_name_is_the_address_up_to_its_at_by_default(instance: Run) -> None:
    made = instance("user", "create", "eve@example.org", "--generate")
    assert made.exit_code == 0, made.output
    assert "eve@example.org  member  eve\n" in instance("user", "list").output
    assert "up to its @" in instance("user", "create", "--help").output


def test_two_passwords_that_differ_are_not_taken(instance: Run) -> None:
    refused = instance("user", "password", "ada@example.org", given="one passphrase 1\nother\n")
    assert refused.exit_code == 1


def test_a_typed_password_is_not_printed(instance: Run) -> None:
    changed = instance("user", "password", "ada@example.org", given="tea and helices\n" * 2)
    assert changed.exit_code == 0
    assert "helices" not in changed.output


def test_a_new_password_is_made_and_printed(instance: Run) -> None:
    changed = instance("user", "password", "ada@example.org", "--generate")
    assert changed.exit_code == 0
    assert len(changed.output.partition("Password: ")[2].strip()) == 20


def test_nobody_is_listed_twice(instance: Run, database_url: str) -> None:
    database = Database(database_url)
    with database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO users (id, public_id, email, name, password_hash, created_at)"
                " VALUES (:id, :public_id, :email, :name, 'x', '2026-01-01 00:00:00+00:00')"
            ),
            [
                {"id": f"{n:032x}", "public_id": f"u{n}", "email": f"u{n}@example.org", "name": "U"}
                for n in range(150)
            ],
        )
    database.dispose()
    lines = instance("user", "list").output.splitlines()
    assert len(lines) == len(set(lines)) == 151


def test_keys_are_rotated_and_listed_without_being_shown(instance: Run) -> None:
    secrets = tomllib.loads(Path("instance/secrets.toml").read_text())
    rotated = instance("secrets", "rotate")
    assert "for 30 more days" in rotated.output
    listed = instance("secrets", "list").output.splitlines()
    assert [line.split("  ")[0] for line in listed][1] == key_id(secrets["jwt_secret_key"])
    assert [line.split("  ")[2].partition(" on ")[0] for line in listed] == [
        "in use",
        "retired",
    ] * 2
    assert not any(secret in "".join(listed) for secret in secrets.values())
    assert "everybody has to sign in again" in instance("secrets", "rotate", "--forget").output
    assert len(instance("secrets", "list").output.splitlines()) == 2


def test_people_are_invited(instance: Run) -> None:
    invited = instance("user", "invite", "Eve@Example.org", "--role", "curator")
    assert invited.output.startswith("A letter to eve@example.org waits to be sent")
    link = instance("user", "invite", "eve@example.org", "--link").output.strip()
    assert link.startswith("http://127.0.0.1:8000/invitation/")
    refused = instance("user", "invite", "ada@example.org")
    assert refused.exit_code == 1
    assert "There is an account with this e-mail address already." in refused.output
    assert instance("user", "invite", "eve@example.org", "--role", "service").exit_code == 2
