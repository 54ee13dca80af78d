"""Who may do what, and what a registration has to look like."""

import pytest
from pydantic import ValidationError

from fairdatabase.accounts.schemas import Credentials, Registration


def test_an_address_is_kept_in_lower_case() -> None:
    assert Credentials(email="A.B@Example.ORG", password="x").email == "a.b@example.org"


@pytest.mark.parametrize(
    "change",
    [
        {"email": "nobody"},
        {"email": "a@" + "b" * 320 + ".org"},
        {"name": "  "},
        {"name": "n" * 201},
        {"password": "too short"},
        {"roles": ["admin"]},
        {"is_admin": True},
    ],
    ids=str,
)
def test_a_registration_that_does_not_fit_is_refused(change: dict[str, object]) -> None:
    valid = {"name": "R. Franklin", "email": "rf@example.org", "password": "two helices in a cup"}
    assert Registration.model_validate(valid).name == "R. Franklin"
    with pytest.raises(ValidationError):
        Registration.model_validate(valid | change)


def test_a_password_is_never_shown() -> None:
    credentials = Credentials(email="a@example.org", password="a well kept secret")
    assert "well kept" not in repr(credentials) + credentials.model_dump_json()
