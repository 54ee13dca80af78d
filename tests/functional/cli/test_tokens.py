"""Service accounts, access tokens and closed accounts on the command line."""

import re
from dataclasses import replace

from fairdatabase.kernel.clock import utc_now
from fairdatabase.kernel.config import load_settings
from fairdatabase.services import build_services
from tests.factories.factors import with_app
from tests.functional.cli.conftest import Run


def made_token(instance: Run, *options: str) -> str:
    made = instance("token", "create", "bot@example.org", "--scope", "datasets:write", *options)
    assert made.exit_code == 0, made.output
    assert re.fullmatch(r"fdb_\w{46}\n", made.stdout)
    found = re.match(r"(\w{11}), good until ", made.stderr)
    assert found
    return found[1]


def test_a_service_gets_a_token_and_loses_it(instance: Run) -> None:
    created = instance("user", "create", "bot@example.org", "--role", "service")
    assert created.exit_code == 0, created.output
    assert "is service." in created.output
    assert "Password" not in created.output
    public_id = made_token(instance, "--days", "7", "--name", "nightly upload")
    listed = instance("token", "list", "BOT@example.org").output
    assert public_id in listed
    assert "datasets:write" in listed
    assert "used never  nightly upload" in listed
    assert instance("token", "revoke", public_id).exit_code == 0
    assert instance("token", "list", "bot@example.org").output == ""
    assert "no access token" in instance("token", "revoke", public_id).output


def test_what_cannot_be_is_explained(instance: Run) -> None:
    assert instance("token", "create", "ada@example.org").exit_code == 2
    assert instance("token", "create", "ada@example.org", "--scope", "root").exit_code == 2
    useless = instance("token", "create", "ada@example.org", "--scope", "audit:read")
    assert (useless.exit_code, "cannot do" in useless.output) == (1, True)
    nobody = instance("token", "create", "x@example.org", "--scope", "datasets:read")
    assert (nobody.exit_code, "no active user" in nobody.output) == (1, True)
    assert instance("user", "create", "ada@example.org", "--role", "service").exit_code == 1


def test_an_account_is_closed_and_opened(instance: Run) -> None:
    instance("user", "create", "bot@example.org", "--role", "service", "--name", "Robot")
    made_token(instance)
    assert instance("user", "close", "bot@example.org").exit_code == 0
    assert "Robot  (disabled)" in instance("user", "list").output
    assert instance("token", "list", "bot@example.org").exit_code == 1
    assert instance("user", "open", "bot@example.org").exit_code == 0
    assert instance("token", "list", "bot@example.org").output == ""
    assert instance("user", "close", "nobody@example.org").exit_code == 1


def test_an_app_is_taken_off(instance: Run) -> None:
    services = build_services(load_settings())
    ada = replace(services.accounts.actor_by_email("ada@example.org"), confirmed=True)
    with_app(services, ada, utc_now())
    services.database.dispose()
    taken = instance("user", "unprotect", "ada@example.org")
    assert (taken.exit_code, "takes the password alone" in taken.output) == (0, True)
    answer = instance("user", "unprotect", "ada@example.org")
    assert (answer.exit_code, "no authenticator app" in answer.output) == (1, True)
