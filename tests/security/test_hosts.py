"""Host headers: nothing that is answered or sent by letter is made from what a request says."""

import re

import pytest

from fairdatabase.authorization.schemas import State
from tests.factories.accounts import make_actor
from tests.factories.world import World, undone
from tests.security.addresses import address_of

EVIL = "evil.example"
HEADERS = (
    {"Host": EVIL},
    {"Host": "127.0.0.1:8000.evil.example"},
    {"Host": "127.0.0.1:8000@evil.example"},
    {"X-Forwarded-Host": EVIL},
    {"X-Host": EVIL},
    {"X-Original-Host": EVIL},
    {"Forwarded": f"host={EVIL};proto=https"},
    {"X-Forwarded-Host": f"{EVIL}, localhost", "X-Forwarded-Proto": "https"},
    {"X-Original-URL": "/admin/audit", "X-Rewrite-URL": "/admin/audit"},
    {"X-HTTP-Method-Override": "DELETE", "X-Forwarded-Prefix": f"//{EVIL}"},
    {"Host": "localhost", "X-Forwarded-Server": EVIL, "X-Forwarded-Port": "6666"},
    {"Origin": f"https://{EVIL}", "Referer": f"https://{EVIL}/page"},
)


TOGETHER = (
    {"Host": EVIL},
    {name: value for headers in HEADERS for name, value in headers.items() if name != "Host"},
)


def test_no_answer_repeats_a_host(world: World) -> None:
    found = []
    for address in world.app.url_map.iter_rules():
        if "GET" not in (address.methods or set()):
            continue
        path = address_of(world, address, State.OPEN)
        for headers in TOGETHER:
            with undone(world.database):
                answer = world.visitors["owner"].client.get(path, headers=headers)
                content = answer.get_data()
            answer.close()
            if EVIL.encode() in content or EVIL in str(answer.headers):
                found.append(f"{path} with {headers}")
    assert not found, "\n".join(found)


def test_a_host_that_is_repeated_would_be_noticed(world: World) -> None:
    """The control: the same request with the name in its path, which an error may repeat."""
    answer = world.visitors["owner"].client.get(f"/api/v1/datasets/{EVIL}")
    assert EVIL in answer.text


@pytest.mark.parametrize("headers", HEADERS, ids=str)
def test_letters_hold_links_to_this_instance_alone(world: World, headers: dict[str, str]) -> None:
    """A link to reset a password that leads to somebody else gives the account away."""
    person = make_actor(world.services.accounts)
    client = world.app.test_client()
    sent = client.post(
        "/api/v1/auth/password/forgotten", json={"email": person.email}, headers=headers
    )
    if sent.status_code == 421:
        return
    assert sent.status_code == 202
    world.work()
    letter = next(each for each in world.services.mail.kept() if each.to == person.email)
    addresses = re.findall(r"https?://[^\s\"'<>)]+", letter.text)
    assert addresses
    assert all(each.startswith("http://127.0.0.1:8000/") for each in addresses), addresses
