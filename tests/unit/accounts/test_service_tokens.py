"""Personal access tokens: less than the account may do, and worthless when they should be."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from fairdatabase.accounts.errors import SessionEndedError
from fairdatabase.accounts.models import PersonalToken
from fairdatabase.accounts.rules.tokens import new_token
from fairdatabase.accounts.schemas.tokens import NewToken, ServiceAccountIn, TokenIn
from fairdatabase.authorization.errors import ConfirmationRequiredError, ScopeError
from fairdatabase.authorization.rules import require, useful_scopes
from fairdatabase.authorization.schemas import (
    ANONYMOUS,
    OPERATOR,
    Action,
    Actor,
    Resource,
    Role,
    Scope,
)
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import (
    AuthenticationError,
    LimitExceededError,
    NotFoundError,
    PermissionDeniedError,
    ValidationError,
)
from fairdatabase.services import Services
from tests.factories.factors import unconfirmed
from tests.factories.kernel import ManualClock, recorded_statements

READ = frozenset({Scope.DATASETS_READ})


def wanted(scopes: frozenset[Scope] = READ, days: int = 90) -> TokenIn:
    return TokenIn(name="nightly upload", scopes=scopes, days=days)


def make(services: Services, actor: Actor, scopes: frozenset[Scope] = READ) -> NewToken:
    return services.tokens.create(actor, wanted(scopes))


def test_a_token_is_its_owner_within_its_scopes(services: Services, member: Actor) -> None:
    made = make(services, member)
    actor = services.tokens.actor_for(made.token)
    assert (actor.user_id, actor.roles, actor.scopes) == (member.user_id, member.roles, READ)
    assert (actor.session_id, actor.confirmed) == (None, False)
    assert actor.token_id is not None


def test_the_token_itself_is_kept_nowhere(
    services: Services, member: Actor, database: Database
) -> None:
    made = make(services, member)
    with database.reading() as session:
        row = session.scalars(select(PersonalToken)).one()
        assert made.token not in str(vars(row))
        assert made.token.endswith(row.hint)
        assert len(row.token_hash) == 64


def test_asking_who_comes_costs_one_statement(
    services: Services, member: Actor, database: Database
) -> None:
    made = make(services, member)
    with recorded_statements(database) as statements:
        services.tokens.actor_for(made.token)
    assert len(statements) == 1


@pytest.mark.parametrize("text", ["fdb_", "fdb_" + "0" * 46, "eyJ.x.y"])
def test_what_is_no_token_does_not_reach_the_database(
    services: Services, database: Database, text: str
) -> None:
    with (
        recorded_statements(database) as statements,
        pytest.raises(AuthenticationError, match="not whole"),
    ):
        services.tokens.actor_for(text)
    assert not statements


def test_a_token_that_was_never_made_is_refused(services: Services) -> None:
    with pytest.raises(SessionEndedError):
        services.tokens.actor_for(new_token())


def test_a_token_ends_with_its_time(services: Services, member: Actor, clock: ManualClock) -> None:
    made = services.tokens.create(member, wanted(days=1))
    clock.advance(hours=23, minutes=59)
    services.tokens.actor_for(made.token)
    clock.advance(minutes=1)
    with pytest.raises(SessionEndedError):
        services.tokens.actor_for(made.token)
    assert services.tokens.listed(member)[0].is_expired


def test_a_revoked_token_is_worthless_at_once(services: Services, member: Actor) -> None:
    made = make(services, member)
    services.tokens.revoke(unconfirmed(member), made.public_id)
    with pytest.raises(SessionEndedError):
        services.tokens.actor_for(made.token)
    assert services.tokens.listed(member) == ()
    with pytest.raises(NotFoundError):
        services.tokens.revoke(member, made.public_id)


def test_tokens_of_others_are_not_there(
    services: Services, member: Actor, curator: Actor, admin: Actor
) -> None:
    made = make(services, member)
    with pytest.raises(NotFoundError):
        services.tokens.revoke(curator, made.public_id)
    with pytest.raises(AuthenticationError):
        services.tokens.revoke(ANONYMOUS, made.public_id)
    assert services.tokens.listed(curator) == ()
    services.tokens.revoke(admin, made.public_id)
    with pytest.raises(SessionEndedError):
        services.tokens.actor_for(made.token)


def test_a_token_makes_and_revokes_no_token(services: Services, admin: Actor) -> None:
    made = make(services, admin, useful_scopes(admin.roles))
    token = replace(services.tokens.actor_for(made.token), confirmed=True)
    with pytest.raises(ScopeError, match="No access token"):
        services.tokens.create(token, wanted())
    with pytest.raises(ScopeError):
        services.tokens.issue(token, admin.email, wanted())
    with pytest.raises(ScopeError):
        services.tokens.listed(token)
    with pytest.raises(NotFoundError):
        services.tokens.revoke(token, made.public_id)


def test_making_one_has_to_be_confirmed(services: Services, member: Actor) -> None:
    with pytest.raises(ConfirmationRequiredError):
        make(services, unconfirmed(member))
    with pytest.raises(AuthenticationError):
        make(services, ANONYMOUS)


def test_a_scope_that_is_of_no_use_is_refused(
    services: Services, member: Actor, admin: Actor
) -> None:
    with pytest.raises(ValidationError, match="audit:read, users:write"):
        make(services, member, READ | {Scope.AUDIT_READ, Scope.USERS_WRITE})
    make(services, admin, frozenset({Scope.AUDIT_READ}))


def test_a_token_never_has_more_than_its_owner_has_now(
    services: Services, admin: Actor, curator: Actor
) -> None:
    made = make(services, admin, frozenset({Scope.AUDIT_READ}))
    require(services.tokens.actor_for(made.token), Resource.AUDIT, Action.READ)
    services.accounts.change_roles(OPERATOR, curator.public_id, frozenset({Role.ADMIN}))
    services.accounts.change_roles(OPERATOR, admin.public_id, frozenset({Role.MEMBER}))
    with pytest.raises(PermissionDeniedError):
        require(services.tokens.actor_for(made.token), Resource.AUDIT, Action.READ)


def test_an_account_has_so_many_tokens(services: Services, member: Actor) -> None:
    for _ in range(50):
        make(services, member)
    with pytest.raises(LimitExceededError, match="at most 50"):
        make(services, member)


def test_the_last_use_is_noted_once_a_minute(
    services: Services, member: Actor, database: Database, clock: ManualClock
) -> None:
    made = make(services, member)

    def use() -> int:
        actor = services.tokens.actor_for(made.token)
        with recorded_statements(database) as statements:
            services.sessions.note_presence(actor)
        return len(statements)

    assert services.tokens.listed(member)[0].last_used_at is None
    assert (use(), use()) == (1, 0)
    clock.advance(seconds=59)
    assert use() == 0
    clock.advance(seconds=1)
    assert use() == 1
    assert services.tokens.listed(member)[0].last_used_at == clock.now


def test_a_service_account_has_tokens_alone(services: Services, admin: Actor) -> None:
    bot = ServiceAccountIn(name="Robot", email="Bot@example.org")
    services.users.create_service(admin, bot, roles=frozenset({Role.CURATOR}))
    made = services.tokens.issue(OPERATOR, "bot@example.org", wanted())
    actor = services.tokens.actor_for(made.token)
    assert actor.roles == {Role.SERVICE, Role.CURATOR}
    assert [each.public_id for each in services.tokens.issued(admin, "BOT@example.org")] == [
        made.public_id
    ]
    with pytest.raises(PermissionDeniedError):
        services.tokens.issued(replace(admin, roles=frozenset()), "bot@example.org")
    with pytest.raises(NotFoundError):
        services.tokens.issue(OPERATOR, "nobody@example.org", wanted())


def test_only_admins_issue_tokens(services: Services, curator: Actor) -> None:
    with pytest.raises(PermissionDeniedError):
        services.tokens.issue(curator, curator.email, wanted())
