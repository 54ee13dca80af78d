"""Answers of the kernel: file downloads with ranges and conditions."""

from collections.abc import Iterator

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.http import parse_options_header

from fairdatabase.kernel.http import WholeTextJson, attachment, byte_range, disposition, download

BYTES = bytes(range(256))
ETAG = '"' + "ab" * 32 + '"'


class Source:
    """Streams a range and notes whether it was closed."""

    def __init__(self) -> None:
        self.closed = 0

    def read(self, start: int, end: int) -> "Source":
        self._chunks = iter([BYTES[start:end]])
        return self

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def client(source: Source) -> FlaskClient:
    app = Flask("test")

    @app.get("/file")
    def file() -> Response:
        name = 'été "1"\r\n.csv'
        return download(source.read, name, "text/csv", size=len(BYTES), sha256=ETAG.strip('"'))

    return app.test_client()


def test_a_whole_file_is_sent_as_an_attachment(client: FlaskClient, source: Source) -> None:
    answer = client.get("/file")
    answer.get_data()
    answer.close()
    assert answer.status_code == 200
    assert answer.data == BYTES
    assert answer.headers["Content-Length"] == "256"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["ETag"] == ETAG
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    assert answer.headers["Content-Security-Policy"].endswith("; sandbox")
    assert source.closed == 1


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("text/html", "application/octet-stream"),
        ("TEXT/HTML; charset=utf-8", "application/octet-stream"),
        ("image/svg+xml", "application/octet-stream"),
        ("application/xhtml+xml", "application/octet-stream"),
        ("text/xml", "application/octet-stream"),
        ("text/xsl", "application/octet-stream"),
        ("text/javascript", "application/octet-stream"),
        ("application/x-javascript", "application/octet-stream"),
        ("multipart/x-mixed-replace", "application/octet-stream"),
        ("text/csv", "text/csv"),
        ("application/pdf", "application/pdf"),
        (
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
    ],
)
def test_what_a_browser_would_run_is_unknown_bytes(given: str, sent: str) -> None:
    with Flask("test").test_request_context():
        answer = attachment([b"x"], "a.html", given)
    assert answer.mimetype == sent
    answer.close()


@pytest.mark.parametrize(
    ("header", "expected", "content_range"),
    [
        ("bytes=0-9", BYTES[:10], "bytes 0-9/256"),
        ("bytes=250-", BYTES[250:], "bytes 250-255/256"),
        ("bytes=-6", BYTES[-6:], "bytes 250-255/256"),
        ("bytes=-9999", BYTES, "bytes 0-255/256"),
        ("bytes=250-9999", BYTES[250:], "bytes 250-255/256"),
        ("Bytes=7-7", BYTES[7:8], "bytes 7-7/256"),
    ],
)
def test_one_range_is_sent_alone(
    client: FlaskClient, source: Source, header: str, expected: bytes, content_range: str
) -> None:
    answer = client.get("/file", headers={"Range": header})
    answer.get_data()
    answer.close()
    assert answer.status_code == 206
    assert answer.data == expected
    assert answer.headers["Content-Range"] == content_range
    assert answer.headers["Content-Length"] == str(len(expected))
    assert source.closed == 1


@pytest.mark.parametrize(
    "header", ["", "bytes=-", "bytes=9-3", "bytes=a-b", "rows=0-1", "bytes=0-1,5-6", "bytes=٣-٤"]
)
def test_what_is_not_one_range_of_bytes_is_ignored(header: str) -> None:
    assert byte_range(header, 256) is None


@pytest.mark.parametrize(
    ("header", "size"),
    [("bytes=256-", 256), ("bytes=999-1000", 256), ("bytes=-0", 256), ("bytes=0-", 0)],
)
def test_a_range_without_any_byte_is_refused(header: str, size: int) -> None:
    with pytest.raises(RequestedRangeNotSatisfiable) as caught:
        byte_range(header, size)
    assert caught.value.length == size


@given(st.integers(0, 400), st.integers(0, 400), st.integers(1, 300))
def test_a_range_is_the_slice_that_it_names(first: int, last: int, size: int) -> None:
    whole = list(range(size))
    expected = whole[first : last + 1] if first <= last else None
    try:
        span = byte_range(f"bytes={first}-{last}", size)
    except RequestedRangeNotSatisfiable:
        assert expected == []
    else:
        assert (whole[slice(*span)] if span else None) == expected


def test_a_client_that_has_the_file_is_told_so(client: FlaskClient, source: Source) -> None:
    answer = client.get("/file", headers={"If-None-Match": ETAG, "Range": "bytes=0-1"})
    answer.get_data()
    answer.close()
    assert answer.status_code == 304
    assert answer.data == b""
    assert "Content-Range" not in answer.headers
    assert source.closed == 1


def test_a_file_that_is_not_the_expected_one_is_not_sent(client: FlaskClient) -> None:
    assert client.get("/file", headers={"If-Match": '"other"'}).status_code == 412


@pytest.mark.parametrize(("tag", "status"), [(ETAG, 206), ('"other"', 200), ("W/" + ETAG, 200)])
def test_a_range_of_another_state_of_the_file_is_not_sent(
    client: FlaskClient, tag: str, status: int
) -> None:
    answer = client.get("/file", headers={"Range": "bytes=0-1", "If-Range": tag})
    answer.get_data()
    answer.close()
    assert answer.status_code == status
    assert len(answer.data) == (2 if status == 206 else 256)


def test_head_has_no_body_and_closes_the_file(client: FlaskClient, source: Source) -> None:
    answer = client.head("/file", headers={"Range": "bytes=0-1"})
    answer.get_data()
    answer.close()
    assert answer.status_code == 200
    assert answer.data == b""
    assert answer.headers["Content-Length"] == "256"
    assert source.closed == 1


@given(st.text(min_size=1))
def test_no_file_name_breaks_the_header(name: str) -> None:
    header = disposition(name)
    assert header.isascii()
    assert header.isprintable()
    kind, options = parse_options_header(header)
    assert kind == "attachment"
    assert set(options) == {"filename"}


@pytest.mark.parametrize(
    "whole", ['"\\ud83e\\uddec"', '["\\\\ud800"]', '{"a": [1, null, "\\u00e9"]}']
)
def test_whole_texts_are_read(whole: str) -> None:
    provider = WholeTextJson(Flask("test"))
    assert provider.loads(whole) == provider.loads(whole.encode())


@pytest.mark.parametrize("half", ['"\\ud800"', '{"\\udc00": 1}', '[[{"a": "x\\ud83e"}]]'])
def test_half_of_a_character_is_none(half: str) -> None:
    provider = WholeTextJson(Flask("test"))
    with pytest.raises(ValueError, match="surrogates"):
        provider.loads(half)
