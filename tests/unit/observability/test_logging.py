"""Log lines: one JSON object each, with the id, without secrets."""

import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairdatabase.kernel.config import Settings, load_settings
from fairdatabase.observability.logging import (
    REDACTED,
    configure_logging,
    correlation_id,
    log_context,
    new_correlation_id,
    redact,
)

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"


@pytest.fixture
def settings() -> Settings:
    secret = "s" * 32
    return load_settings(
        _env_file=None,
        secret_key=secret,
        jwt_secret_key=secret,
        data_key=secret,
        pseudonym_key=secret,
    )


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where log lines go; the logging of the test run is put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_a_json_object_with_everything_on_it(
    settings: Settings, stream: io.StringIO
) -> None:
    configure_logging(settings, stream=stream)
    with log_context(correlation_id="abc", job="j1"):
        logging.getLogger("some.module").warning("Row %d is odd", 3, extra={"file": "a.csv"})
    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "Row 3 is odd",
        "level": "warning",
        "logger": "some.module",
        "file": "a.csv",
        "correlation_id": "abc",
        "job": "j1",
    }


def test_a_traceback_stays_on_its_line(settings: Settings, stream: io.StringIO) -> None:
    configure_logging(settings, stream=stream)
    try:
        int("password=hunter2secret")
    except ValueError:
        logging.getLogger("x").exception("It broke")
    (line,) = lines(stream)
    assert "Traceback" in line["exception"]
    assert "hunter2secret" not in stream.getvalue()


def test_lines_below_the_level_are_left_out(settings: Settings, stream: io.StringIO) -> None:
    configure_logging(settings, stream=stream)
    logging.getLogger("x").debug("too detailed")
    assert lines(stream) == []


def test_warnings_of_libraries_are_logged(settings: Settings, stream: io.StringIO) -> None:
    configure_logging(settings, stream=stream)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old way", DeprecationWarning, stacklevel=1)
    assert "old way" in lines(stream)[0]["event"]


def test_configuring_twice_does_not_double_lines(settings: Settings, stream: io.StringIO) -> None:
    configure_logging(settings, stream=io.StringIO())
    configure_logging(settings, stream=stream)
    logging.getLogger("x").info("once")
    assert len(lines(stream)) == 1


def test_a_person_gets_readable_lines(settings: Settings, stream: io.StringIO) -> None:
    configure_logging(settings.model_copy(update={"log_format": "console"}), stream=stream)
    logging.getLogger("x").info("hello", extra={"password": "hunter2"})
    assert "hello" in stream.getvalue()
    assert "hunter2" not in stream.getvalue()


@pytest.mark.parametrize(
    "name",
    [
        "password", "new_password", "Authorization", "cookie", "Set-Cookie", "access_token",
        "refresh-token", "secret_key", "X-CSRF-TOKEN", "PSEUDONYM_KEY", "jwt",
    ],
)  # fmt: skip
def test_values_under_telling_names_are_redacted(name: str) -> None:
    assert redact(None, "", {name: "s3cr3t", "n": 1}) == {name: REDACTED, "n": 1}
    nested = redact(None, "", {"headers": {name: ["s3cr3t"]}, "list": [{name: "s3cr3t"}]})
    assert "s3cr3t" not in str(nested)


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {TOKEN}",
        f"got {TOKEN} from the client",
        "Basic dXNlcjpwYXNzd29yZA==",
        "cannot reach postgresql://fair:{}@db/fair".format("dXNlcjpwYXNzd29yZA=="),
        "POST password=dXNlcjpwYXNzd29yZA==&name=x",
        "{'new_password': 'dXNlcjpwYXNzd29yZA=='}",
        'pseudonym_key = "dXNlcjpwYXNzd29yZA=="',
    ],
)
def test_secrets_inside_texts_are_redacted(text: str) -> None:
    shown = str(redact(None, "", {"event": text})["event"])
    assert REDACTED in shown
    assert "dXNlcjpwYXNzd29yZA" not in shown
    assert "eyJ" not in shown


@given(st.sampled_from(["keyboard", "monkey", "tokenised", "event", "secretary"]), st.integers())
def test_harmless_names_stay(name: str, value: int) -> None:
    assert redact(None, "", {name: value}) == {name: value}


def test_the_id_holds_for_the_block_only() -> None:
    assert correlation_id() is None
    with log_context(correlation_id="outer"):
        with log_context(correlation_id="inner"):
            assert correlation_id() == "inner"
        assert correlation_id() == "outer"
    assert correlation_id() is None


def test_made_ids_differ() -> None:
    assert new_correlation_id() != new_correlation_id()
