"""The id of a request, and the line in the log."""

import logging

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from fairdatabase.authorization.schemas import Actor, Role
from fairdatabase.observability.logging import correlation_id
from fairdatabase.observability.tracing import HEADER, init_tracing, request_id
from tests.factories.accounts import ClientAs

TRACE = "0af7651916cd43dd8448eb211c80319c"


def test_a_well_formed_id_is_kept() -> None:
    assert request_id("abc-123_x.Y", f"00-{TRACE}-b7ad6b7169203331-01") == "abc-123_x.Y"


def test_the_trace_is_the_second_choice() -> None:
    assert request_id(None, f"00-{TRACE}-b7ad6b7169203331-01") == TRACE
    assert request_id("", f"cc-{TRACE}-b7ad6b7169203331-01-future") == TRACE


@pytest.mark.parametrize(
    "traceparent",
    [
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-b7ad6b7169203331-01",
        f"00-{TRACE.upper()}-b7ad6b7169203331-01",
        TRACE,
        "",
    ],
)
def test_a_malformed_trace_is_not_used(traceparent: str) -> None:
    made = request_id(None, traceparent)
    assert len(made) == 32
    assert made != TRACE


@given(st.text())
def test_an_id_is_always_harmless(given_id: str) -> None:
    made = request_id(given_id, given_id)
    assert 0 < len(made) <= 128
    assert made.isascii()
    assert made.replace("-", "").replace(".", "").replace("_", "").isalnum()


def test_every_answer_returns_the_id(client: FlaskClient) -> None:
    for path in ("/health/live", "/no/such/page", "/api/v1/jobs/unknown"):
        assert client.get(path, headers={HEADER: "mine-1"}).headers[HEADER] == "mine-1"
    assert len(client.get("/health/live", headers={HEADER: "x\ty"}).headers[HEADER]) == 32


def test_errors_name_the_id_in_their_body(client: FlaskClient) -> None:
    answer = client.get("/api/v1/jobs/unknown", headers={HEADER: "mine-1"})
    assert answer.json
    assert answer.json["request_id"] == "mine-1"


def test_nothing_of_a_request_is_left_behind(client: FlaskClient) -> None:
    client.get("/health/live", headers={HEADER: "mine-1"})
    assert correlation_id() is None


def test_a_request_is_one_line_without_its_address(
    client_as: ClientAs, member: Actor, caplog: pytest.LogCaptureFixture
) -> None:
    client = client_as(Role.MEMBER)
    with caplog.at_level(logging.INFO, "fairdatabase.observability.tracing"):
        client.get("/api/v1/jobs/private-name?token=hunter2")
    (record,) = (each for each in caplog.records if each.msg == "Request")
    line = vars(record)
    assert (line["method"], line["route"]) == ("GET", "/api/v1/jobs/<public_id>")
    assert line["ms"] >= 0
    assert line["actor"] == member.public_id
    assert "hunter2" not in str(line)
    assert "private-name" not in str(line)


def test_health_checks_do_not_fill_the_log(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        client.get("/health/live")
    assert not [each for each in caplog.records if each.msg == "Request"]


def test_requests_of_an_application_without_actors_are_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Flask("test")
    init_tracing(app)
    with caplog.at_level(logging.INFO):
        app.test_client().get("/nowhere")
    (record,) = (each for each in caplog.records if each.msg == "Request")
    assert vars(record)["actor"] is None
    assert vars(record)["route"] is None
