"""Other providers of identities: a real one as a process, and one that lies as it is told."""

import base64
import hashlib
import html
import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry
from werkzeug.serving import make_server
from werkzeug.test import TestResponse
from werkzeug.wrappers import Request, Response

from fairdatabase.kernel.providers import Provider
from tests.factories.web import Browser

CLIENT_ID = "fairdatabase"
CLIENT_SECRET = "a secret between two sites"
PERSON = "marie"
PERSON_PASSWORD = "radium and polonium"
PERSON_EMAIL = "marie@example.org"
_CLIENT = ("client_id", "client_secret")
_HIDDEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def path_of(address: str) -> str:
    """Return an address of ours without the host, as a test client asks for it."""
    return urlsplit(address)._replace(scheme="", netloc="").geturl()


def answer_of(address: str) -> dict[str, str]:
    """Return the parameters that a provider sent the browser back with."""
    return {name: texts[0] for name, texts in parse_qs(urlsplit(address).query).items()}


@dataclass(frozen=True)
class RealProvider:
    """Canaille, an identity provider, in a process of its own."""

    issuer: str

    def settings(self, **changes: object) -> Provider:
        """Return it as a provider of the settings."""
        return Provider.model_validate(
            {
                "name": "campus",
                "label": "Campus",
                "issuer": self.issuer,
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                "trust_email": True,
            }
            | changes
        )

    def sign_in(self, address: str) -> str:
        """Sign in there as a person would; return where the browser is sent back to."""
        client = httpx2.Client(base_url=self.issuer, follow_redirects=False)
        answer = client.get(address)
        for _ in range(10):
            target = answer.headers.get("location", "")
            if target and not target.startswith(("/", self.issuer)):
                client.close()
                return target
            if target:
                answer = client.get(target)
                continue
            form = {"csrf_token": _HIDDEN.findall(answer.text)[0]}
            if 'name="login"' in answer.text:
                form["login"] = PERSON
            if 'type="password"' in answer.text:
                form["password"] = PERSON_PASSWORD
            if 'value="accept"' in answer.text:
                form["answer"] = "accept"
            answer = client.post(str(answer.url), data=form)
        pytest.fail(f"Canaille asks for more: {answer.text[:2000]}")


@contextmanager
def real_provider(*redirect_uris: str, log: Path) -> Iterator[RealProvider]:
    """Start Canaille with one person and one client."""
    port = free_port()
    program = Path(__file__).with_name("canaille_server.py")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(program), str(port), *redirect_uris],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_for(port, process, log)
            yield RealProvider(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()
            process.wait(30)


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(1200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            pytest.fail(f"Canaille did not start: {log.read_text()[-2000:]}")
        time.sleep(0.05)
    pytest.fail("Canaille did not start in a minute")


@cache
def first_key() -> RSAKey:
    """Return the key that every provider here begins with; making one takes a while."""
    return RSAKey.generate_key(2048, auto_kid=True)


@cache
def second_key() -> RSAKey:
    """Return another one."""
    return RSAKey.generate_key(2048, auto_kid=True)


def compact(header: dict[str, Any], claims: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """Return a token with any header and any signature, also those that no library would make."""

    def part(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).decode().rstrip("=")

    text = ".".join(part(json.dumps(each).encode()) for each in (header, claims))
    return f"{text}.{part(sign(text.encode()))}"


@dataclass
class HostileProvider:
    """A provider that does everything right, but for what a test changes.

    Attributes:
        key: Signs its tokens.
        published: What stands in its key set.
        claims: Replaced in its ID tokens; None removes one.
        header: Replaced in the header of its ID tokens.
        metadata: Replaced in its description of itself.
        answers: Whole answers by path, instead of its own.
        tokens: Replaced in its answer to a code.
        userinfo: What it says about the person besides.
        callback: Replaced in what the browser brings back.
        sign: Makes tokens, instead of its own way.
        asked: Paths that were asked for.
        redeemed: How we showed who we are: the header and the fields of the form.
    """

    issuer: str = ""
    key: RSAKey | ECKey = field(default_factory=first_key)
    published: list[dict[str, Any]] | None = None
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Callable[[], Response]] = field(default_factory=dict)
    tokens: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] | None = None
    callback: dict[str, str] = field(default_factory=dict)
    sign: Callable[[dict[str, Any], dict[str, Any]], str] | None = None
    asked: list[str] = field(default_factory=list)
    redeemed: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    _questions: dict[str, dict[str, str]] = field(default_factory=dict)

    def settings(self, **changes: object) -> Provider:
        """Return it as a provider of the settings."""
        return Provider.model_validate(
            {
                "name": "shady",
                "label": "Shady",
                "issuer": self.issuer,
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                "trust_email": True,
            }
            | changes
        )

    def answer_to(self, address: str) -> str:
        """Return where the browser is sent back to, for a request that was begun."""
        question = answer_of(address)
        code = hashlib.sha256(question["state"].encode()).hexdigest()
        self._questions[code] = question
        parameters = {"code": code, "state": question["state"]} | self.callback
        kept = {name: text for name, text in parameters.items() if text}
        return f"{question['redirect_uri']}?{urlencode(kept)}"

    def signed(self, claims: dict[str, Any]) -> str:
        """Return a token with these claims, as the test wants it to be signed."""
        header = {"alg": _algorithm(self.key), "kid": self.key.kid} | self.header
        header = {name: value for name, value in header.items() if value is not None}
        if self.sign:
            return self.sign(header, claims)
        registry = JWSRegistry(strict_check_header=False)
        return jwt.encode(header, claims, self.key, registry=registry)

    def __call__(self, environ: Any, start_response: Any) -> Any:  # noqa: ANN401 - WSGI
        """Answer a request."""
        request = Request(environ)
        self.asked.append(request.path)
        own = {
            "/.well-known/openid-configuration": self._describe,
            "/keys": self.keys_as_published,
            "/token": lambda: self._redeem(request),
            "/userinfo": lambda: _json(self.userinfo),
        }
        answer = self.answers.get(request.path) or own[request.path]
        return answer()(environ, start_response)

    def _describe(self) -> Response:
        own = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }
        return _json({k: v for k, v in (own | self.metadata).items() if v is not None})

    def keys_as_published(self) -> Response:
        """Return the answer of its key set."""
        published = self.published
        if published is None:
            published = [dict(self.key.as_dict(private=False))]
        return _json({"keys": published})

    def _redeem(self, request: Request) -> Response:
        shown = {name: request.form[name] for name in _CLIENT if name in request.form}
        self.redeemed.append((request.headers.get("Authorization", ""), shown))
        question = self._questions.pop(request.form["code"], None)
        if question is None:
            return _json({"error": "invalid_grant"}, status=400)
        digest = hashlib.sha256(request.form["code_verifier"].encode()).digest()
        assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == question["code_challenge"]
        assert request.form["redirect_uri"] == question["redirect_uri"]
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": "0000-0002-1825-0097",
            "iat": now,
            "exp": now + 300,
            "nonce": question["nonce"],
            "name": "Marie Curie",
            "email": PERSON_EMAIL,
        } | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        answer = {"access_token": "at", "token_type": "Bearer", "id_token": self.signed(claims)}
        return _json({k: v for k, v in (answer | self.tokens).items() if v is not None})


def _algorithm(key: RSAKey | ECKey) -> str:
    return "RS256" if isinstance(key, RSAKey) else "ES256"


def _json(document: object, *, status: int = 200) -> Response:
    return Response(json.dumps(document), status=status, mimetype="application/json")


@contextmanager
def hostile_provider() -> Iterator[HostileProvider]:
    """Serve a provider that does as it is told."""
    provider = HostileProvider()
    server = make_server("127.0.0.1", 0, provider, threaded=True)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def back_from(shady: HostileProvider, browser: Browser, path: str = "/") -> TestResponse:
    """Sign in by a provider; return our answer to what it sends the browser back with."""
    sent = browser.get(f"/sign-in/with/shady?next={path}")
    assert sent.status_code == 302, sent.text
    return browser.get(path_of(shady.answer_to(sent.location)))


def link(browser: Browser, shady: HostileProvider) -> TestResponse:
    """Link a provider to the account that is signed in; return our answer in the end."""
    page = browser.submit("/account/identities/with/shady", form_at="/account/security")
    assert page.status_code == 200, page.text
    return browser.get(path_of(shady.answer_to(address_in(page))))


def address_in(page: TestResponse) -> str:
    """Return where a page of ours sends the browser to ask a provider."""
    found = re.findall(r'href="([^"]+/authorize[^"]+)"', page.text)
    return html.unescape(found[0])
