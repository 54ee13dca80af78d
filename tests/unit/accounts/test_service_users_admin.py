"""What admins do with accounts: close them, open them, make them for machines."""

import pytest
from sqlalchemy import select

from fairdatabase.accounts.errors import EmailTakenError, LastAdminError, SessionEndedError
from fairdatabase.accounts.models import User
from fairdatabase.accounts.schemas.tokens import ServiceAccountIn, TokenIn
from fairdatabase.authorization.errors import ConfirmationRequiredError
from fairdatabase.authorization.rules import require_user
from fairdatabase.authorization.schemas import OPERATOR, Actor, Role, Scope
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import AuthenticationError, NotFoundError, PermissionDeniedError
from fairdatabase.services import Services
from tests.factories.accounts import make_actor
from tests.factories.factors import LAPTOP, sign_in, unconfirmed, with_app
from tests.factories.kernel import ManualClock

TOKEN = TokenIn(name="x", scopes=frozenset({Scope.DATASETS_READ}))


def test_a_closed_account_has_no_sessions_and_no_tokens(
    services: Services, member: Actor, admin: Actor
) -> None:
    grant = sign_in(services, member)
    token = services.tokens.create(member, TOKEN).token
    services.users.disable(admin, member.public_id)
    with pytest.raises(SessionEndedError):
        services.accounts.actor_for(member.public_id, grant.session_id)
    with pytest.raises(SessionEndedError):
        services.tokens.actor_for(token)
    with pytest.raises(AuthenticationError):
        sign_in(services, member)
    with pytest.raises(SessionEndedError):
        services.sessions.enter(require_user(member), LAPTOP, method="passkey")


def test_what_was_revoked_stays_so(services: Services, member: Actor, admin: Actor) -> None:
    grant = sign_in(services, member)
    token = services.tokens.create(member, TOKEN).token
    services.users.disable(admin, member.public_id)
    services.users.disable(admin, member.public_id)
    services.users.enable(admin, member.public_id)
    services.users.enable(admin, member.public_id)
    with pytest.raises(SessionEndedError):
        services.accounts.actor_for(member.public_id, grant.session_id)
    with pytest.raises(SessionEndedError):
        services.tokens.actor_for(token)
    assert sign_in(services, member).actor.name == member.name


def test_the_last_admin_stays_open(services: Services, admin: Actor) -> None:
    with pytest.raises(LastAdminError):
        services.users.disable(OPERATOR, admin.public_id)
    make_actor(services.accounts, Role.ADMIN)
    services.users.disable(OPERATOR, admin.public_id)


def test_it_is_for_admins_who_confirmed(
    services: Services, member: Actor, curator: Actor, admin: Actor
) -> None:
    with pytest.raises(PermissionDeniedError):
        services.users.disable(curator, member.public_id)
    with pytest.raises(PermissionDeniedError):
        services.users.enable(curator, member.public_id)
    with pytest.raises(PermissionDeniedError):
        services.users.unprotect(curator, member.email)
    with pytest.raises(ConfirmationRequiredError):
        services.users.disable(unconfirmed(admin), member.public_id)
    with pytest.raises(NotFoundError):
        services.users.disable(admin, "00000000000")
    assert services.users.identifier(admin, member.email.upper()) == member.public_id


def test_a_service_account_cannot_sign_in(
    services: Services, admin: Actor, database: Database
) -> None:
    bot = ServiceAccountIn(name="Robot", email="bot@example.org")
    public_id = services.users.create_service(admin, bot)
    with database.reading() as session:
        user = session.scalars(select(User).where(User.public_id == public_id)).one()
    assert user.password_hash is None
    with pytest.raises(AuthenticationError, match="has tokens"):
        services.sessions.enter(user.id, LAPTOP, method="passkey")
    with pytest.raises(EmailTakenError):
        services.users.create_service(admin, bot)


def test_a_lost_app_is_taken_off(
    services: Services, member: Actor, admin: Actor, clock: ManualClock
) -> None:
    with_app(services, member, clock.now)
    services.users.unprotect(admin, member.email.upper())
    assert sign_in(services, member).actor.name == member.name
    with pytest.raises(NotFoundError, match="no authenticator"):
        services.users.unprotect(admin, member.email)
    with pytest.raises(NotFoundError, match="no user"):
        services.users.unprotect(admin, "nobody@example.org")
