"""Signing in, staying signed in and signing out."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from fairdatabase.accounts.errors import SessionEndedError
from fairdatabase.accounts.models import RefreshToken, Session, User
from fairdatabase.accounts.schemas import Credentials, Grant
from fairdatabase.accounts.schemas.sessions import Device
from fairdatabase.accounts.service import Accounts
from fairdatabase.authorization.schemas import ANONYMOUS, Actor, Role
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import AuthenticationError
from fairdatabase.kernel.identifiers import new_uuid
from fairdatabase.services import Services
from tests.factories.accounts import PASSWORD, make_actor
from tests.factories.kernel import ManualClock, recorded_statements

TEN_SECONDS = timedelta(seconds=10)


@pytest.fixture
def user(accounts: Accounts) -> Actor:
    return make_actor(accounts, name="Mary Anning", email="mary@example.org")


def sign_in(
    accounts: Accounts,
    password: str = PASSWORD,
    *,
    email: str = "mary@example.org",
    user_agent: str = "",
) -> Grant:
    credentials = Credentials(email=email, password=SecretStr(password))
    return accounts.sign_in(credentials, device=Device(user_agent=user_agent))


def disable(database: Database, actor: Actor) -> None:
    with database.transaction() as session:
        session.execute(
            update(User).where(User.id == actor.user_id).values(disabled_at=User.created_at)
        )


def reasons(database: Database) -> list[str | None]:
    with database.reading() as session:
        return list(session.scalars(select(Session.revoked_reason)))


def test_the_right_password_opens_a_session(
    accounts: Accounts, user: Actor, database: Database, clock: ManualClock
) -> None:
    clock.advance(days=1)
    grant = sign_in(accounts, user_agent="Firefox" * 100)
    assert grant.actor == accounts.actor_for(user.public_id, grant.session_id)
    assert grant.actor.name == "Mary Anning"
    assert grant.expires_at == clock.now + timedelta(days=30)
    with database.reading() as session:
        stored = session.scalars(select(Session)).one()
        assert len(stored.user_agent) == 300
        assert session.scalars(select(User.last_login_at)).one() == clock.now


def test_an_unknown_address_and_a_wrong_password_are_answered_alike(
    accounts: Accounts, user: Actor
) -> None:
    with pytest.raises(AuthenticationError) as wrong:
        sign_in(accounts, password="not the right one")
    with pytest.raises(AuthenticationError) as unknown:
        sign_in(accounts, email="nobody@example.org")
    assert wrong.value.message == unknown.value.message
    assert type(wrong.value) is type(unknown.value) is AuthenticationError


def test_a_disabled_account_is_told_so_only_with_its_password(
    accounts: Accounts, user: Actor, database: Database
) -> None:
    disable(database, user)
    with pytest.raises(AuthenticationError, match="disabled"):
        sign_in(accounts)
    with pytest.raises(AuthenticationError, match="not right"):
        sign_in(accounts, password="not the right one")


def test_a_hash_follows_the_settings(
    accounts: Accounts,
    user: Actor,
    database: Database,
    settings: Settings,
    services_of: Callable[[Settings], Services],
) -> None:
    def stored() -> str:
        with database.reading() as session:
            return session.scalars(select(User.password_hash)).one() or ""

    before = stored()
    sign_in(accounts)
    assert stored() == before
    stricter = services_of(settings.model_copy(update={"argon2_time_cost": 2}))
    sign_in(stricter.accounts)
    assert "t=2" in stored()
    sign_in(accounts)


def test_no_transaction_is_open_while_a_password_is_hashed(
    accounts: Accounts, user: Actor, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify = accounts._passwords.verify

    def watched(stored: str | None, password: str) -> bool:
        with pytest.raises(RuntimeError, match="no transaction"):
            _ = database.session
        return verify(stored, password)

    monkeypatch.setattr(accounts._passwords, "verify", watched)
    assert sign_in(accounts).actor.public_id == user.public_id


def test_an_actor_costs_one_statement(accounts: Accounts, database: Database, user: Actor) -> None:
    make_actor(accounts, Role.CURATOR, Role.MEMBER, email="both@example.org")
    grant = sign_in(accounts, email="both@example.org")
    with recorded_statements(database) as statements:
        actor = accounts.actor_for(grant.actor.public_id, grant.session_id)
    assert len(statements) == 1
    assert actor.roles == {Role.CURATOR, Role.MEMBER}


def test_a_session_is_its_users_alone(accounts: Accounts, user: Actor) -> None:
    stranger = make_actor(accounts)
    grant = sign_in(accounts)
    with pytest.raises(SessionEndedError):
        accounts.actor_for(stranger.public_id, grant.session_id)


def test_a_session_ends_with_its_time(accounts: Accounts, user: Actor, clock: ManualClock) -> None:
    grant = sign_in(accounts)
    clock.advance(days=29)
    grant = accounts.refresh(grant.session_id, grant.refresh_id)
    clock.advance(days=1)
    for attempt in (
        lambda: accounts.actor_for(user.public_id, grant.session_id),
        lambda: accounts.refresh(grant.session_id, grant.refresh_id),
    ):
        with pytest.raises(SessionEndedError, match="ended"):
            attempt()


def test_a_disabled_account_has_no_session(
    accounts: Accounts, user: Actor, database: Database
) -> None:
    grant = sign_in(accounts)
    disable(database, user)
    with pytest.raises(SessionEndedError):
        accounts.actor_for(user.public_id, grant.session_id)


def test_refreshing_gives_the_next_token_and_todays_roles(
    accounts: Accounts, user: Actor, clock: ManualClock
) -> None:
    admin = make_actor(accounts, Role.ADMIN)
    first = sign_in(accounts)
    accounts.change_roles(admin, user.public_id, frozenset({Role.CURATOR}))
    clock.advance(minutes=20)
    second = accounts.refresh(first.session_id, first.refresh_id)
    assert second.refresh_id != first.refresh_id
    assert (second.session_id, second.expires_at) == (first.session_id, first.expires_at)
    assert second.actor.roles == {Role.CURATOR}
    third = accounts.refresh(second.session_id, second.refresh_id)
    assert third.session_id == first.session_id


@pytest.mark.parametrize("grace", [timedelta(0), TEN_SECONDS])
def test_a_used_token_that_comes_back_ends_the_session(
    accounts: Accounts, user: Actor, clock: ManualClock, database: Database, grace: timedelta
) -> None:
    first = sign_in(accounts)
    second = accounts.refresh(first.session_id, first.refresh_id)
    clock.advance(seconds=10)
    with pytest.raises(SessionEndedError, match="used before"):
        accounts.refresh(first.session_id, first.refresh_id, grace=grace)
    assert reasons(database) == ["refresh token reused"]
    with pytest.raises(SessionEndedError):
        accounts.refresh(second.session_id, second.refresh_id)
    with pytest.raises(SessionEndedError):
        accounts.actor_for(user.public_id, first.session_id)


def test_two_tabs_are_served_within_the_grace(
    accounts: Accounts, user: Actor, clock: ManualClock
) -> None:
    first = sign_in(accounts)
    one = accounts.refresh(first.session_id, first.refresh_id, grace=TEN_SECONDS)
    clock.advance(seconds=9.9)
    other = accounts.refresh(first.session_id, first.refresh_id, grace=TEN_SECONDS)
    assert one.refresh_id != other.refresh_id
    assert accounts.refresh(other.session_id, other.refresh_id).session_id == one.session_id


def test_a_token_nobody_issued_ends_the_session(accounts: Accounts, user: Actor) -> None:
    grant = sign_in(accounts)
    with pytest.raises(SessionEndedError, match="used before"):
        accounts.refresh(grant.session_id, new_uuid(), grace=TEN_SECONDS)
    with pytest.raises(SessionEndedError):
        accounts.actor_for(user.public_id, grant.session_id)


def test_a_token_is_worthless_in_another_session(
    accounts: Accounts, user: Actor, database: Database
) -> None:
    first, second = sign_in(accounts), sign_in(accounts)
    with pytest.raises(SessionEndedError):
        accounts.refresh(second.session_id, first.refresh_id)
    assert sorted(map(str, reasons(database))) == ["None", "refresh token reused"]
    with pytest.raises(SessionEndedError):
        accounts.refresh(new_uuid(), first.refresh_id)


def test_of_simultaneous_requests_with_one_token_one_is_served(
    accounts: Accounts, user: Actor, database: Database
) -> None:
    grant = sign_in(accounts)

    def attempt(_number: int) -> bool:
        try:
            return bool(accounts.refresh(grant.session_id, grant.refresh_id))
        except SessionEndedError:
            return False

    with ThreadPoolExecutor(4) as pool:
        served = list(pool.map(attempt, range(4)))
    assert sum(served) == 1
    with database.reading() as session:
        assert len(session.scalars(select(RefreshToken)).all()) == 2


def test_an_ended_session_cannot_be_refreshed_and_keeps_its_reason(
    accounts: Accounts, user: Actor, database: Database
) -> None:
    grant = sign_in(accounts)
    accounts.sign_out(grant.actor)
    with pytest.raises(SessionEndedError):
        accounts.refresh(grant.session_id, grant.refresh_id)
    with database.reading() as session:
        assert session.scalars(select(RefreshToken.used_at)).one() is None
    accounts.sign_out(grant.actor)
    assert reasons(database) == ["signed out"]


def test_signing_out_ends_this_session_only(accounts: Accounts, user: Actor) -> None:
    phone, laptop = sign_in(accounts), sign_in(accounts)
    accounts.sign_out(phone.actor)
    with pytest.raises(SessionEndedError):
        accounts.actor_for(user.public_id, phone.session_id)
    assert accounts.actor_for(user.public_id, laptop.session_id) == laptop.actor


def test_who_has_no_session_has_none_to_end(accounts: Accounts, user: Actor) -> None:
    accounts.sign_out(user)
    with pytest.raises(AuthenticationError):
        accounts.sign_out(ANONYMOUS)


def test_a_new_password_ends_all_sessions(accounts: Accounts, user: Actor) -> None:
    grant = sign_in(accounts)
    accounts.set_password("Mary@example.org", "an entirely new phrase")
    with pytest.raises(SessionEndedError):
        accounts.actor_for(user.public_id, grant.session_id)
    with pytest.raises(AuthenticationError):
        sign_in(accounts)
    assert sign_in(accounts, password="an entirely new phrase").actor.name == "Mary Anning"


def test_a_password_changed_while_signing_in_stays(
    accounts: Accounts, user: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hash read before is not written back over the new one."""
    outdated = accounts._passwords.outdated

    def change_meanwhile(stored: str) -> bool:
        accounts.set_password("mary@example.org", "an entirely new phrase")
        return outdated(stored)

    monkeypatch.setattr(accounts._passwords, "outdated", change_meanwhile)
    sign_in(accounts)
    monkeypatch.undo()
    assert sign_in(accounts, password="an entirely new phrase").actor.name == "Mary Anning"
