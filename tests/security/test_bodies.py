"""Bodies, forms, addresses and headers that are none: refused in few words, never an accident."""

import gzip
import json
import random
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from tests.factories.accounts import PASSWORD
from tests.factories.world import World

LOGIN = "/api/v1/auth/login"


def deep(size: int) -> str:
    return "[" * size + "]" * size


BODIES = {
    "deep lists": deep(100_000),
    "deep objects": '{"email":' * 100_000 + "1" + "}" * 100_000,
    "a deep field": f'{{"email":"a@example.org","password":{deep(90_000)}}}',
    "a long number": f'{{"email":"a@example.org","password":{"1" * 100_000}}}',
    "numbers that are none": '{"email":NaN,"password":Infinity}',
    "half of a character": '{"email":"a@example.org","password":"\\ud800"}',
    "half of a character in a name": '{"email":"a@example.org","\\udfff":"x"}',
    "a NUL": '{"email":"a@example.org\\u0000","password":"x"}',
    "a long text": json.dumps({"email": "a@example.org", "password": "x" * 1_900_000}),
    "a long address": json.dumps({"email": "a." * 900_000 + "@example.org", "password": "x"}),
    "many fields": json.dumps({f"k{n}": 1 for n in range(100_000)}),
    "too many bytes": json.dumps({"email": "a" * 3_000_000}),
    "another encoding": '{"email":"a","password":"b"}'.encode("utf-16"),
    "no encoding": b'{"email":"\xff\xfe"}',
    "compressed": gzip.compress(b'{"email":"a@example.org","password":"x"}'),
    "nothing": "",
    "no object": '"text"',
    "random bytes": random.Random(1).randbytes(10_000),
}


@pytest.fixture
def client(world: World) -> FlaskClient:
    return world.app.test_client()


@pytest.mark.parametrize("kind", BODIES)
def test_a_body_that_is_none_is_refused_shortly(client: FlaskClient, kind: str) -> None:
    answer = client.post(LOGIN, data=BODIES[kind], content_type="application/json")
    assert answer.status_code in {400, 413, 422}
    assert len(answer.data) < 5_000
    assert answer.get_json()["status"] == "error"


def test_a_body_that_is_one_is_read(client: FlaskClient) -> None:
    """The control, with characters beyond the first plane written as pairs."""
    known = {"email": "a@example.org", "password": PASSWORD + "\U0001f9ec"}
    assert "\\ud83e" in json.dumps(known)
    assert client.post(LOGIN, json=known).status_code == 401


def parts(count: int, name: str = "a") -> bytes:
    one = '--x\r\nContent-Disposition: form-data; name="{}{}"\r\n\r\n1\r\n'
    return "".join(one.format(name, n) for n in range(count)).encode() + b"--x--\r\n"


FORMS = {
    "many parts": ("multipart/form-data; boundary=x", parts(20_000)),
    "a long name": ("multipart/form-data; boundary=x", parts(1, "a" * 1_000_000)),
    "no parts": ("multipart/form-data; boundary=x", b"--x\r\n" * 200_000),
    "a long boundary": (f"multipart/form-data; boundary={'x' * 50_000}", b"a\r\n" * 200_000),
    "no boundary": ("multipart/form-data", b"--x\r\n"),
    "many fields": ("application/x-www-form-urlencoded", b"&".join([b"a=1"] * 100_000)),
    "a large field": ("application/x-www-form-urlencoded", b"email=" + b"a" * 3_000_000),
}


@pytest.mark.parametrize("kind", FORMS)
def test_a_form_that_is_none_is_refused_shortly(client: FlaskClient, kind: str) -> None:
    media_type, body = FORMS[kind]
    answer = client.post(
        "/sign-in", data=body, content_type=media_type, headers={"Accept": "text/html"}
    )
    assert answer.status_code in {400, 403, 413, 422}
    assert len(answer.data) < 20_000


def addresses() -> Iterator[tuple[str, dict[str, str]]]:
    """Yield requests with long parameters and headers."""
    yield "/datasets?" + "&".join(["q=a"] * 100_000), {}
    yield "/api/v1/datasets?q=" + "a%20" * 30_000, {}
    yield "/api/v1/datasets?q=" + "%22a%22%20" * 10_000, {}
    yield "/api/v1/datasets?page=" + "9" * 10_000, {}
    yield "/" + "a/" * 30_000, {}
    yield "/", {"Accept": ",".join(f"a/b{n};q=0.{n % 10}" for n in range(5000))}
    yield "/", {"Accept-Language": "a," * 30_000}
    yield "/", {"Cookie": "; ".join(f"a{n}=b" for n in range(8000))}
    yield "/static/js/app.js", {"Range": "bytes=" + ",".join(["0-"] * 20_000)}
    yield "/datasets/x", {"If-None-Match": ",".join(['"a"'] * 15_000)}
    yield "/api/v1/auth/me", {"Authorization": "Bearer " + "a" * 60_000}
    yield "/api/v1/auth/me", {"Authorization": "Bearer " + "." * 60_000}


def test_long_addresses_and_headers_are_no_accident(client: FlaskClient) -> None:
    for path, headers in addresses():
        with client.get(path, headers=headers) as answer:
            assert answer.status_code < 500, (path[:80], list(headers))
            assert len(answer.get_data()) < 200_000, (path[:80], list(headers))
