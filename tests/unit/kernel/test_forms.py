"""Forms keep what was typed and say what is wrong with it."""

from flask import Flask

from fairdatabase.kernel.errors import ConflictError, ValidationError
from fairdatabase.kernel.forms import Form
from fairdatabase.kernel.records import Closed


class Person(Closed):
    """Somebody."""

    name: str
    age: int


def test_a_form_that_fits_becomes_a_record() -> None:
    form = Form({"name": "Ada", "age": "36", "next": "/"})
    assert form.parse(Person, ignoring=["next"]) == Person(name="Ada", age=36)
    assert form.errors == {}
    assert form.value("next") == form.values["next"] == "/"


def test_a_form_that_does_not_fit_keeps_everything() -> None:
    form = Form({"age": "old", "surname": "Lovelace"})
    assert form.parse(Person) is None
    assert set(form.errors) == {"name", "age", "surname"}
    assert form.error("age") == "Please enter a whole number."
    assert form.error("name") == "This is needed."
    assert form.value("age") == "old"
    assert (form.value("name"), form.error("city")) == ("", None)


def test_what_a_service_refuses_stands_at_its_field() -> None:
    form = Form()
    form.refuse(ValidationError("No.", details=[{"field": "age", "message": "Too young."}]))
    assert form.errors == {"age": "Too young."}


def test_what_concerns_no_field_stands_at_the_top() -> None:
    form = Form()
    form.refuse(ConflictError("Somebody was first."))
    form.refuse(ConflictError("Really.", details={"who": "Ada"}))
    form.refuse(ConflictError("Indeed.", details=[{"who": "Ada"}]))
    assert form.errors == {"": "Indeed."}


def test_the_csrf_token_is_not_a_value() -> None:
    with Flask("example").test_request_context(
        "/", method="POST", data={"name": "Ada", "csrf_token": "t"}
    ):
        form = Form.submitted()
    assert (form.value("name"), form.value("csrf_token")) == ("Ada", "")
