"""``fairdatabase audit verify`` says whether the log holds."""

from tests.functional.cli.conftest import Run


def test_the_log_is_verified(instance: Run) -> None:
    done = instance("audit", "verify")
    assert done.exit_code == 0, done.output
    assert "The audit log holds: 1 events." in done.output
    head = done.output.rsplit(maxsplit=1)[-1]
    assert instance("audit", "verify", "--expect", head).exit_code == 0


def test_a_log_that_does_not_hold_ends_with_1(instance: Run) -> None:
    other = instance("audit", "verify", "--expect", f"1:{'0' * 64}")
    assert other.exit_code == 1
    assert "does not hold" in other.output
    later = instance("audit", "verify", "--expect", f"7:{'0' * 64}")
    assert later.exit_code == 1
    assert "removed" in later.output


def test_what_was_noted_has_a_form(instance: Run) -> None:
    done = instance("audit", "verify", "--expect", "yesterday")
    assert done.exit_code == 1
    assert "a number, a colon and 64" in done.output
