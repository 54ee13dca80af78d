"""Sessions as their owner sees them: devices, when they were seen, and their end."""

import pytest
from sqlalchemy import select

from fairdatabase.accounts.errors import SessionEndedError
from fairdatabase.accounts.models import Challenge, RefreshToken, Session
from fairdatabase.accounts.schemas.tokens import TokenIn
from fairdatabase.authorization.errors import ScopeError
from fairdatabase.authorization.schemas import ANONYMOUS, Actor, Scope
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import AuthenticationError, NotFoundError
from fairdatabase.services import Services
from tests.factories.factors import sign_in
from tests.factories.kernel import ManualClock, recorded_statements


def test_each_device_is_listed_the_last_seen_first(
    services: Services, member: Actor, clock: ManualClock
) -> None:
    phone = sign_in(services, member)
    clock.advance(hours=1)
    laptop = sign_in(services, member).actor
    clock.advance(hours=1)
    services.sessions.note_presence(phone.actor)
    first, second = services.sessions.listed(laptop)
    assert (first.is_this, second.is_this) == (False, True)
    assert (first.last_seen_at, first.device) == (clock.now, "Firefox on Linux")
    assert (first.network, first.expires_at) == ("192.0.2.0/24", phone.expires_at)


def test_being_seen_is_noted_every_five_minutes(
    services: Services, member: Actor, clock: ManualClock, database: Database
) -> None:
    grant = sign_in(services, member)

    def look() -> int:
        actor = services.accounts.actor_for(member.public_id, grant.session_id)
        with recorded_statements(database) as statements:
            services.sessions.note_presence(actor)
        return len(statements)

    assert look() == 0
    clock.advance(minutes=5)
    assert (look(), look()) == (1, 0)


def test_of_two_requests_one_notes_it(
    services: Services, member: Actor, clock: ManualClock
) -> None:
    actor = sign_in(services, member).actor
    clock.advance(minutes=6)
    services.sessions.note_presence(actor)
    seen = clock.now
    clock.advance(minutes=1)
    services.sessions.note_presence(actor)
    assert services.sessions.listed(actor)[0].last_seen_at == seen


def test_nobody_and_the_command_line_are_not_seen(services: Services, member: Actor) -> None:
    services.sessions.note_presence(ANONYMOUS)
    services.sessions.note_presence(member)


def test_a_revoked_session_is_worthless_at_once(services: Services, member: Actor) -> None:
    phone, laptop = sign_in(services, member), sign_in(services, member).actor
    listed = services.sessions.listed(laptop)
    other = next(each for each in listed if not each.is_this)
    services.sessions.revoke(laptop, other.public_id)
    with pytest.raises(SessionEndedError):
        services.accounts.actor_for(member.public_id, phone.session_id)
    with pytest.raises(NotFoundError):
        services.sessions.revoke(laptop, other.public_id)
    assert len(services.sessions.listed(laptop)) == 1


def test_sessions_of_others_are_not_there(
    services: Services, member: Actor, curator: Actor
) -> None:
    mine = sign_in(services, member).actor
    public_id = services.sessions.listed(mine)[0].public_id
    with pytest.raises(NotFoundError):
        services.sessions.revoke(curator, public_id)
    assert services.sessions.revoke_others(curator) == 0
    assert len(services.sessions.listed(mine)) == 1


def test_all_others_end_at_once(services: Services, member: Actor) -> None:
    others = [sign_in(services, member) for _ in range(3)]
    this = sign_in(services, member).actor
    assert services.sessions.revoke_others(this) == 3
    for other in others:
        with pytest.raises(SessionEndedError):
            services.accounts.refresh(other.session_id, other.refresh_id)
    assert [each.is_this for each in services.sessions.listed(this)] == [True]


def test_sessions_are_for_people(services: Services, member: Actor) -> None:
    wanted = TokenIn(name="x", scopes=frozenset({Scope.ACCOUNT_READ}))
    token = services.tokens.actor_for(services.tokens.create(member, wanted).token)
    for act in (
        services.sessions.listed,
        services.sessions.revoke_others,
        lambda actor: services.sessions.revoke(actor, "x"),
    ):
        with pytest.raises(ScopeError):
            act(token)
        with pytest.raises(AuthenticationError):
            act(ANONYMOUS)


def test_what_is_over_is_swept_up(
    services: Services, member: Actor, clock: ManualClock, database: Database
) -> None:
    def counts() -> list[int]:
        with database.reading() as session:
            tables = (Session, RefreshToken, Challenge)
            return [len(session.scalars(select(each)).all()) for each in tables]

    old = sign_in(services, member)
    services.passkeys.ask("a test")
    services.accounts.refresh(old.session_id, old.refresh_id)
    services.sessions.sweep()
    assert counts() == [1, 2, 1]
    clock.advance(days=2)
    services.sessions.sweep()
    assert counts() == [1, 1, 0]
    with pytest.raises(SessionEndedError):
        services.accounts.refresh(old.session_id, old.refresh_id)
    clock.advance(days=28)
    sign_in(services, member)
    services.sessions.sweep()
    assert counts() == [1, 1, 0]
