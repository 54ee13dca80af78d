"""Codes of authenticator apps: each good once, for about a minute."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pyotp
import pytest

from fairdatabase.accounts.rules.codes import (
    Vault,
    matching_step,
    new_recovery_codes,
    new_secret,
    plain,
    setup_address,
    setup_image,
    step_of,
)
from fairdatabase.kernel.errors import ConfigurationError

NOW = datetime(2026, 3, 1, 12, 0, 10, tzinfo=UTC)
SECRET = new_secret()
STEP = timedelta(seconds=30)


def code(distance: int = 0) -> str:
    return pyotp.TOTP(SECRET).at(NOW + distance * STEP)


def test_the_test_vectors_of_the_standard_hold() -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    moment = datetime(2005, 3, 18, 1, 58, 29, tzinfo=UTC)
    assert matching_step(secret, "081804", moment, after=None) == 0x23523EC


@pytest.mark.parametrize("distance", [-1, 0, 1])
def test_a_code_of_a_neighbouring_step_is_taken(distance: int) -> None:
    assert matching_step(SECRET, code(distance), NOW, after=None) == step_of(NOW) + distance


@pytest.mark.parametrize("distance", [-2, 2])
def test_a_code_of_another_time_is_not(distance: int) -> None:
    assert matching_step(SECRET, code(distance), NOW, after=None) is None


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "12345a", "١٢٣٤٥٦", "²²²²²²"])
def test_what_is_no_code_is_not(typed: str) -> None:
    assert matching_step(SECRET, typed, NOW, after=None) is None


def test_blanks_do_not_matter() -> None:
    right = code()
    typed = f" {right[:3]} {right[3:]} "
    assert matching_step(SECRET, typed, NOW, after=None) == step_of(NOW)


def test_a_step_is_taken_once_and_none_before_it() -> None:
    assert matching_step(SECRET, code(), NOW, after=step_of(NOW)) is None
    assert matching_step(SECRET, code(-1), NOW, after=step_of(NOW)) is None
    assert matching_step(SECRET, code(1), NOW, after=step_of(NOW)) == step_of(NOW) + 1


def test_a_secret_opens_for_its_user_and_instance_alone() -> None:
    vault, mary, ada = Vault("s" * 32), uuid4(), uuid4()
    sealed = vault.seal(mary, SECRET)
    assert SECRET.encode() not in sealed
    assert vault.open(mary, sealed) == SECRET
    assert vault.seal(mary, SECRET) != sealed
    for other, user in ((vault, ada), (Vault("t" * 32), mary)):
        with pytest.raises(ConfigurationError, match="another data_key"):
            other.open(user, sealed)


def test_recovery_codes_are_known_however_they_are_typed() -> None:
    vault, mary = Vault("s" * 32), uuid4()
    codes = new_recovery_codes()
    assert len(set(codes)) == 10
    written = vault.recovery_hash(mary, codes[0])
    assert vault.recovery_hash(mary, codes[0].upper().replace("-", "  ")) == written
    assert vault.recovery_hash(uuid4(), codes[0]) != written
    assert Vault("t" * 32).recovery_hash(mary, codes[0]) != written
    assert plain(" ABC-12 ") == "abc12"


def test_an_app_is_set_up_by_an_address_or_its_picture() -> None:
    address = setup_address(SECRET, account="ada@example.org", site="The <Lab>")
    parsed = pyotp.parse_uri(address)
    assert (parsed.secret, parsed.issuer) == (SECRET, "The <Lab>")
    image = setup_image(address)
    assert image.startswith("data:image/svg+xml")
    assert SECRET not in image
