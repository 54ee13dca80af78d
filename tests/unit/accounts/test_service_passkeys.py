"""Passkeys: made for this site, answered once, and useless to anybody else."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import HttpUrl
from sqlalchemy import update

from fairdatabase.accounts.errors import LastWayInError, PasskeyRefusedError
from fairdatabase.accounts.models import Identity, User
from fairdatabase.accounts.schemas.factors import PasskeyIn, PasskeyRecord
from fairdatabase.accounts.schemas.sessions import PasskeyAnswer
from fairdatabase.authorization.errors import ConfirmationRequiredError
from fairdatabase.authorization.rules import require_user
from fairdatabase.authorization.schemas import ANONYMOUS, Actor
from fairdatabase.kernel.clock import utc_now
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import (
    AuthenticationError,
    ConflictError,
    LimitExceededError,
    NotFoundError,
)
from fairdatabase.kernel.providers import Provider
from fairdatabase.services import Services
from tests.factories.accounts import make_actor
from tests.factories.factors import unconfirmed
from tests.factories.kernel import ManualClock
from tests.factories.passkeys import SoftPasskey

ORIGIN = "https://data.example.org"
PURPOSE = "a test"
ORCID = Provider.model_validate({"kind": "orcid", "client_id": "APP-1"})


@pytest.fixture
def services(settings: Settings, services_of: Callable[[Settings], Services]) -> Services:
    return services_of(settings.model_copy(update={"base_url": HttpUrl(ORIGIN)}))


def add(
    services: Services, actor: Actor, key: SoftPasskey, *, verified: bool = True
) -> PasskeyRecord:
    question = services.passkeys.begin(actor)
    credential = key.create(question.options, verified=verified)
    new = PasskeyIn(name="Laptop", challenge=question.challenge, credential=credential)
    return services.passkeys.add(actor, new)


@pytest.fixture
def key(services: Services, member: Actor) -> SoftPasskey:
    """The member's passkey."""
    key = SoftPasskey(ORIGIN)
    add(services, member, key)
    return key


def answer(
    services: Services, key: SoftPasskey, *, verified: bool = True, uses: int | None = None
) -> PasskeyAnswer:
    question = services.passkeys.ask(PURPOSE)
    credential = key.get(question.options, verified=verified, uses=uses)
    return PasskeyAnswer(challenge=question.challenge, credential=credential)


def test_a_passkey_says_whose_it_is(
    services: Services, member: Actor, key: SoftPasskey, clock: ManualClock
) -> None:
    clock.advance(days=1)
    assert services.passkeys.owner(PURPOSE, answer(services, key)) == member.user_id
    [listed] = services.passkeys.listed(member)
    assert (listed.name, listed.last_used_at) == ("Laptop", clock.now)


def test_what_the_browser_is_asked(services: Services, member: Actor, key: SoftPasskey) -> None:
    made = services.passkeys.begin(member).options
    assert made["rp"] == {"name": "FAIRDatabase", "id": "data.example.org"}
    assert made["authenticatorSelection"]["residentKey"] == "required"
    assert made["authenticatorSelection"]["userVerification"] == "required"
    assert len(made["excludeCredentials"]) == 1
    anybody = services.passkeys.ask(PURPOSE).options
    assert (anybody["rpId"], anybody["allowCredentials"]) == ("data.example.org", [])
    assert anybody["userVerification"] == "required"
    mine = services.passkeys.ask(PURPOSE, require_user(member)).options
    assert len(mine["allowCredentials"]) == 1


def test_an_answer_is_taken_once(services: Services, key: SoftPasskey) -> None:
    given = answer(services, key)
    services.passkeys.owner(PURPOSE, given)
    with pytest.raises(PasskeyRefusedError):
        services.passkeys.owner(PURPOSE, given)


def test_a_wrong_answer_uses_the_question_up(services: Services, key: SoftPasskey) -> None:
    question = services.passkeys.ask(PURPOSE)
    wrong = PasskeyAnswer(challenge=question.challenge, credential={})
    right = PasskeyAnswer(challenge=question.challenge, credential=key.get(question.options))
    for each in (wrong, right):
        with pytest.raises(PasskeyRefusedError):
            services.passkeys.owner(PURPOSE, each)


def test_a_question_waits_five_minutes(
    services: Services, key: SoftPasskey, clock: ManualClock
) -> None:
    given = answer(services, key)
    clock.advance(minutes=5)
    with pytest.raises(PasskeyRefusedError):
        services.passkeys.owner(PURPOSE, given)


def test_a_question_is_for_one_purpose_and_one_person(
    services: Services, member: Actor, key: SoftPasskey
) -> None:
    user_id = require_user(member)
    other = require_user(make_actor(services.accounts))
    with pytest.raises(PasskeyRefusedError):
        services.passkeys.owner("another purpose", answer(services, key))
    with pytest.raises(PasskeyRefusedError):
        services.passkeys.owner(PURPOSE, answer(services, key), user_id)
    asked = services.passkeys.ask(PURPOSE, other)
    given = PasskeyAnswer(challenge=asked.challenge, credential=key.get(asked.options))
    with pytest.raises(PasskeyRefusedError):
        services.passkeys.owner(PURPOSE, given, other)


@pytest.mark.parametrize(
    ("verified", "uses"), [(False, 2), (True, 0), (True, 1)], ids=["no PIN", "reset", "copy"]
)
def test_an_answer_that_proves_too_little_is_refused(
    services: Services,
    key: SoftPasskey,
    verified: bool,
    uses: int,
) -> None:
    services.passkeys.owner(PURPOSE, answer(services, key, uses=1))
    with pytest.raises(PasskeyRefusedError):
        services.passkeys.owner(PURPOSE, answer(services, key, verified=verified, uses=uses))
    services.passkeys.owner(PURPOSE, answer(services, key, uses=2))


def test_a_passkey_that_does_not_count_is_taken_again_and_again(
    services: Services, member: Actor
) -> None:
    key = SoftPasskey(ORIGIN, counts=False)
    add(services, member, key)
    for _ in range(2):
        assert services.passkeys.owner(PURPOSE, answer(services, key)) == member.user_id


def test_an_answer_from_another_site_is_refused(services: Services, key: SoftPasskey) -> None:
    key.origin = "https://data.example.org.evil.example"
    with pytest.raises(PasskeyRefusedError):
        services.passkeys.owner(PURPOSE, answer(services, key))


def test_the_passkey_of_one_does_not_speak_for_another(
    services: Services, member: Actor, key: SoftPasskey
) -> None:
    mine, handle = key.handle, SoftPasskey(ORIGIN)
    add(services, make_actor(services.accounts), handle)
    key.handle = handle.handle
    with pytest.raises(PasskeyRefusedError):
        services.passkeys.owner(PURPOSE, answer(services, key))
    key.handle = mine
    key.credential_id = handle.credential_id
    with pytest.raises(PasskeyRefusedError):
        services.passkeys.owner(PURPOSE, answer(services, key))


def test_an_unknown_passkey_is_refused(services: Services) -> None:
    stranger = SoftPasskey(ORIGIN)
    with pytest.raises(PasskeyRefusedError):
        services.passkeys.owner(PURPOSE, answer(services, stranger))


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"id": 7},
        {"id": "é"},
        {"response": None},
        {"response": {}},
        {"response": {"userHandle": 7}},
        {"response": {"userHandle": "%"}},
        {"type": "other"},
        {"rawId": "AAAA"},
    ],
    ids=str,
)
def test_what_no_browser_sends_is_refused(
    services: Services, key: SoftPasskey, change: dict[str, Any]
) -> None:
    question = services.passkeys.ask(PURPOSE)
    credential = key.get(question.options) | change if change else {}
    with pytest.raises(PasskeyRefusedError):
        services.passkeys.owner(
            PURPOSE, PasskeyAnswer(challenge=question.challenge, credential=credential)
        )
    with pytest.raises(PasskeyRefusedError):
        services.passkeys.owner(PURPOSE, PasskeyAnswer(challenge="no id", credential=credential))


def test_a_new_passkey_has_to_answer_our_question(services: Services, member: Actor) -> None:
    with pytest.raises(PasskeyRefusedError):
        add(services, member, SoftPasskey(ORIGIN), verified=False)
    with pytest.raises(PasskeyRefusedError):
        add(services, member, SoftPasskey("https://evil.example"))
    question = services.passkeys.begin(member)
    made = SoftPasskey(ORIGIN).create(question.options)
    other = make_actor(services.accounts)
    with pytest.raises(PasskeyRefusedError):
        services.passkeys.add(
            other, PasskeyIn(name="x", challenge=question.challenge, credential=made)
        )
    with pytest.raises(PasskeyRefusedError):
        services.passkeys.add(member, PasskeyIn(name="x", challenge="x", credential={}))
    assert services.passkeys.listed(member) == ()


def test_a_passkey_is_one_account_s(services: Services, member: Actor, key: SoftPasskey) -> None:
    with pytest.raises(ConflictError, match="known already"):
        add(services, make_actor(services.accounts), key)


def test_an_account_has_so_many_passkeys(services: Services, member: Actor) -> None:
    for _ in range(20):
        add(services, member, SoftPasskey(ORIGIN))
    with pytest.raises(LimitExceededError, match="at most 20"):
        services.passkeys.begin(member)


def test_passkeys_are_renamed_and_removed_by_their_owner_alone(
    services: Services, member: Actor, key: SoftPasskey
) -> None:
    other = make_actor(services.accounts)
    [mine] = services.passkeys.listed(member)
    with pytest.raises(NotFoundError):
        services.passkeys.rename(other, mine.public_id, "Mine")
    with pytest.raises(NotFoundError):
        services.passkeys.remove(other, mine.public_id)
    assert services.passkeys.listed(other) == ()
    services.passkeys.rename(unconfirmed(member), mine.public_id, "Old laptop")
    assert services.passkeys.listed(member)[0].name == "Old laptop"
    services.passkeys.remove(member, mine.public_id)
    with pytest.raises(PasskeyRefusedError):
        services.passkeys.owner(PURPOSE, answer(services, key))


def test_the_last_way_in_stays(
    settings: Settings,
    services_of: Callable[[Settings], Services],
    member: Actor,
    database: Database,
) -> None:
    here = settings.model_copy(update={"base_url": HttpUrl(ORIGIN)})
    services, user_id = services_of(here), require_user(member)
    first, second = (add(services, member, SoftPasskey(ORIGIN)).public_id for _ in range(2))
    linked = Identity(
        user_id=user_id, provider="orcid", issuer=ORCID.issuer, subject="1", linked_at=utc_now()
    )
    with database.transaction() as session:
        session.execute(update(User).values(password_hash=None))
        session.add(linked)
    services.passkeys.remove(member, first)
    # Nobody comes by a provider that the instance does not know any more.
    with pytest.raises(LastWayInError, match="Set a password, or add a passkey"):
        services.passkeys.remove(member, second)
    assert len(services.passkeys.listed(member)) == 1
    knowing = services_of(here.model_copy(update={"oidc_providers": (ORCID,)}))
    knowing.passkeys.remove(member, second)
    with pytest.raises(LastWayInError):
        knowing.identities.unlink(member, linked.public_id)
    assert len(knowing.identities.overview(member).identities) == 1


def test_adding_and_removing_has_to_be_confirmed(
    services: Services, member: Actor, key: SoftPasskey
) -> None:
    late = unconfirmed(member)
    [mine] = services.passkeys.listed(late)
    new = PasskeyIn(name="x", challenge="x", credential={})
    for act in (
        services.passkeys.begin,
        lambda actor: services.passkeys.add(actor, new),
        lambda actor: services.passkeys.remove(actor, mine.public_id),
    ):
        with pytest.raises(ConfirmationRequiredError):
            act(late)
        with pytest.raises(AuthenticationError):
            act(ANONYMOUS)
    with pytest.raises(AuthenticationError):
        services.passkeys.listed(ANONYMOUS)


@pytest.mark.parametrize(
    ("address", "possible"),
    [
        ("https://data.example.org:8443", True),
        ("http://localhost:8000", True),
        ("http://127.0.0.1:8000", False),
        ("http://[::1]:8000", False),
    ],
)
def test_passkeys_need_a_name(
    settings: Settings,
    services_of: Callable[[Settings], Services],
    address: str,
    possible: bool,
) -> None:
    services = services_of(settings.model_copy(update={"base_url": HttpUrl(address)}))
    assert services.passkeys.site.can_have_passkeys is possible
    assert services.passkeys.site.origin == address
