"""The exception tree and its mapping to status codes."""

import inspect
from http import HTTPStatus

import pytest

from fairdatabase.api.problems import STATUS, status_of
from fairdatabase.kernel import errors

ALL = [
    value
    for _, value in inspect.getmembers(errors, inspect.isclass)
    if issubclass(value, errors.FAIRDatabaseError)
]


@pytest.mark.parametrize("error_type", ALL)
def test_every_error_says_what_is_wrong(error_type: type[errors.FAIRDatabaseError]) -> None:
    error = error_type("The box is full. Empty it.", details={"box": 1})
    assert str(error) == error.message == "The box is full. Empty it."
    assert error.details == {"box": 1}
    assert error.title
    assert error.code == error.code.lower()


def test_codes_are_unique() -> None:
    assert len({error_type.code for error_type in ALL}) == len(ALL)


def test_every_class_stands_in_the_drawing_of_the_tree() -> None:
    assert errors.__doc__ is not None
    assert [item.__name__ for item in ALL if item.__name__ not in errors.__doc__] == []


def test_every_class_but_the_base_has_a_status() -> None:
    assert set(STATUS) == set(ALL) - {errors.FAIRDatabaseError}
    assert status_of(errors.FAIRDatabaseError("x")) == HTTPStatus.INTERNAL_SERVER_ERROR


def test_a_feature_s_error_takes_the_status_of_its_parent() -> None:
    class FeatureError(errors.ConflictError):
        pass

    assert status_of(FeatureError("x")) == HTTPStatus.CONFLICT
