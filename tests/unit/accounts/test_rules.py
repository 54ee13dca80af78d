"""Passwords: which are refused, and how they are hashed."""

from typing import Literal

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError
from hypothesis import given, settings
from hypothesis import strategies as st

from fairdatabase.accounts.rules import PASSWORD_MAX, PASSWORD_MIN, Passwords, password_problem

GOOD = "kT9$mQ2!vX7z"
PASSWORDS = Passwords(memory_kib=8, time_cost=1, parallelism=1)


def problem(password: str) -> str | None:
    return password_problem(password, name="Rosalind Ann F.", email="dark.lady@kcl.example.org")


@pytest.mark.parametrize(
    ("password", "complaint"),
    [
        (GOOD[: PASSWORD_MIN - 1], "at least 12"),
        (GOOD * 100, "at most 1000"),
        ("my name is rosalind", "without your name"),
        ("ROSALIND-is-my-name", "without your name"),
        ("the lady with the lamp", "without your name"),
        ("written at example street", "without your name"),
        ("\uff32\uff2f\uff33\uff21\uff2c\uff29\uff2e\uff24 in wide letters", "without your name"),
        ("xxxxxxxxxxxx", "It repeats itself."),
        ("x" * PASSWORD_MAX, "It repeats itself."),
        ("trustno1trustno1", "It repeats itself."),
        ("Password12345!", "a common password"),
        ("P@$$w0rd1234", "a common password"),
        (
            "\uff30\uff21\uff33\uff33\uff37\uff2f\uff32\uff24\uff11\uff12\uff13\uff14",
            "a common password",
        ),
        ("1q2w3e4r5t6y", "a common password"),
        ("let me in please", "common words"),
        ("asdfghjkl;'1", "neighbouring keys"),
        ("abcdefghijkl", "follows the alphabet"),
        ("01/01/1990 01", "a date"),
        ("FAIRDatabase", "not the name of this site"),
        ("FAIR-database 2026", "little more than the name"),
    ],
)
def test_a_weak_password_is_refused(password: str, complaint: str) -> None:
    assert complaint in (problem(password) or "")


@pytest.mark.parametrize(
    "password",
    [
        GOOD[:PASSWORD_MIN],
        (GOOD * 100)[:PASSWORD_MAX],
        "two helices in a tea cup",
        "an ann f. kcl org",
    ],
    ids=len,
)
def test_length_is_enough_and_short_parts_tell_nothing(password: str) -> None:
    assert problem(password) is None


def test_the_name_of_the_site_may_be_anything() -> None:
    def problem(password: str, site: str) -> str:
        return password_problem(password, name="", email="a@b.org", site=site) or ""

    assert "name of this site" in problem("t.r.e.a.s.u.r.y 12", "The Treasury!"[4:])
    assert "name of this site" in problem("the  [treasury]", "The (Treasury")
    assert not problem("two helices and a treasury", "Treasury")
    assert not problem("two helices in a tea cup", "")


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_only_the_password_itself_verifies(password: str, other: str) -> None:
    stored = PASSWORDS.hash(password)
    assert PASSWORDS.verify(stored, password)
    assert stored != PASSWORDS.hash(password)
    if password != other:
        assert PASSWORDS.verify(stored, other) == PASSWORDS.verify(PASSWORDS.hash(other), password)


def test_a_wrong_password_does_not_verify() -> None:
    assert not PASSWORDS.verify(PASSWORDS.hash("two helices"), "two helixes")


def test_the_keyboard_does_not_matter() -> None:
    composed, decomposed = "caf\u00e9 au lait noir", "cafe\u0301 au lait noir"
    assert PASSWORDS.verify(PASSWORDS.hash(composed), decomposed)


def test_what_is_no_hash_verifies_nothing() -> None:
    assert not PASSWORDS.verify("plain text", "plain text")


def test_nobody_costs_as_much_as_somebody() -> None:
    """Where there is no account, a hash with the parameters of a real one is computed."""
    computed: list[str | bytes] = []

    class Watched(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
            assert not super().check_needs_rehash(hash)
            try:
                return super().verify(hash, password)
            except VerifyMismatchError:
                computed.append(hash)
                raise

    passwords = Passwords(memory_kib=64, time_cost=2, parallelism=2)
    real = passwords.hash("two helices")
    passwords._hasher = Watched(time_cost=2, memory_cost=64, parallelism=2)
    assert not passwords.verify(None, "anything")
    assert not passwords.verify(real, "anything")
    assert computed[1] == real
    assert extract_parameters(str(computed[0])) == extract_parameters(real)


def test_a_hash_of_other_parameters_is_outdated() -> None:
    stored = PASSWORDS.hash("anything")
    assert not PASSWORDS.outdated(stored)
    assert Passwords(memory_kib=16, time_cost=1, parallelism=1).outdated(stored)


def test_a_gate_is_passed_by_each_hash_and_left_after_it() -> None:
    class Gate:
        def __init__(self) -> None:
            self.inside = self.passed = 0

        def __enter__(self) -> None:
            self.inside += 1

        def __exit__(self, *_error: object) -> None:
            self.inside -= 1
            self.passed += 1

    gate = Gate()
    guarded = Passwords(memory_kib=8, time_cost=1, parallelism=1, gate=gate)
    stored = guarded.hash(GOOD)
    assert guarded.verify(stored, GOOD)
    assert not guarded.verify(stored, "wrong")
    assert not guarded.verify(None, GOOD)
    assert (gate.inside, gate.passed) == (0, 4)
