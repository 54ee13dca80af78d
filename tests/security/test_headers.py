"""Framing, sniffing and leaking: what every answer of every route says against them."""

import re
from itertools import product

from werkzeug.test import TestResponse

from fairdatabase.authorization.schemas import State
from tests.factories.world import World, undone
from tests.security.addresses import address_of

BROWSER = {"Accept": "text/html"}
_UNSAFE = re.compile(r"unsafe-|strict-dynamic|https?:|\*")


def faults(answer: TestResponse) -> list[str]:
    """Return what an answer lacks."""
    headers = answer.headers
    wanted = {
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "X-Permitted-Cross-Domain-Policies": "none",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    found = [name for name, value in wanted.items() if headers.get(name) != value]
    if headers.get("Referrer-Policy") not in {"same-origin", "no-referrer"}:
        found.append("Referrer-Policy")
    policy = headers.get("Content-Security-Policy", "")
    if answer.status_code != 304:
        directives = ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'")
        found += [directive for directive in directives if directive not in policy]
    if _UNSAFE.search(policy):
        found.append(f"unsafe: {policy}")
    if answer.mimetype == "text/html":
        found += [
            name
            for name in ("Permissions-Policy", "Cross-Origin-Opener-Policy")
            if name not in headers
        ]
    elif answer.status_code != 304 and "sandbox" not in policy:
        found.append("sandbox")
    if "Server" in headers or "X-Powered-By" in headers:
        found.append("tells what it is made of")
    return found


def test_every_answer_of_every_route_is_secured(world: World) -> None:
    """Pages, documents, files, errors and redirects, for people, owners and nobody."""
    wrong, kinds = [], set()
    for address in world.app.url_map.iter_rules():
        states = (State.OPEN, State.DRAFT) if address.arguments else (State.OPEN,)
        methods = sorted((address.methods or set()) & {"GET", "POST"})
        for state, name, method in product(states, ("anonymous", "owner"), methods):
            path = address_of(world, address, state)
            with undone(world.database):
                answer = world.visitors[name].client.open(path, method=method, headers=BROWSER)
                answer.get_data()
            answer.close()
            kinds.add((answer.status_code // 100, answer.mimetype))
            if found := faults(answer):
                wrong.append(f"{name}: {method} {path} {answer.status_code}: {found}")
    assert not wrong, "\n".join(wrong)
    assert {(2, "text/html"), (2, "application/json"), (2, "text/csv"), (3, "text/html"),
            (4, "text/html"), (4, "application/json")} <= kinds  # fmt: skip


def test_what_does_not_exist_is_secured_as_well(world: World) -> None:
    client = world.app.test_client()
    for method, path in (
        ("GET", "/nowhere"),
        ("GET", "/api/v1/nowhere"),
        ("DELETE", "/"),
        ("OPTIONS", "/api/v1/datasets"),
        ("GET", "/static/nothing"),
        ("GET", "/static/../app.py"),
    ):
        answer = client.open(path, method=method, headers={"Accept": "text/html"})
        assert not faults(answer), f"{method} {path}"


def test_an_answer_without_its_headers_would_be_noticed(world: World) -> None:
    """The control."""
    answer = world.app.test_client().get("/about")
    assert not faults(answer)
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; script-src 'unsafe-inline'"
    assert {"X-Frame-Options", "frame-ancestors 'none'"} <= set(faults(answer))
    assert any(fault.startswith("unsafe") for fault in faults(answer))


def test_what_somebody_sees_is_in_no_cache_of_others(world: World) -> None:
    owner = world.visitors["owner"].client
    for path in ("/api/v1/auth/me", "/dashboard", f"/datasets/{world.datasets[State.OPEN]}"):
        answer = owner.get(path)
        assert answer.headers["Cache-Control"] == "private, no-store", path
        assert {"Authorization", "Cookie"} <= set(answer.vary), path
