"""The authenticator app: set up, used at signing in, lost."""

from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest
from sqlalchemy import select

from fairdatabase.accounts.models import Authenticator, RecoveryCode
from fairdatabase.accounts.schemas.sessions import Proof
from fairdatabase.authorization.errors import ConfirmationRequiredError
from fairdatabase.authorization.rules import require_user
from fairdatabase.authorization.schemas import ANONYMOUS, Actor
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import (
    AuthenticationError,
    ConflictError,
    NotFoundError,
    ValidationError,
)
from fairdatabase.services import Services
from tests.factories.accounts import make_actor
from tests.factories.factors import unconfirmed, with_app
from tests.factories.kernel import ManualClock


def test_setting_up_an_app_takes_its_first_code(
    services: Services, member: Actor, clock: ManualClock
) -> None:
    begun = services.factors.enrol(member)
    assert services.factors.enrol(member) == begun
    assert services.factors.overview(member).authenticator_since is None
    assert services.factors.methods(require_user(member)) == ()
    with pytest.raises(ValidationError, match="not right"):
        services.factors.activate(member, "12345")
    codes = services.factors.activate(member, pyotp.TOTP(begun.secret).at(clock.now))
    assert len(set(codes.recovery_codes)) == 10
    overview = services.factors.overview(member)
    assert (overview.authenticator_since, overview.recovery_codes_left) == (clock.now, 10)
    assert overview.has_password
    assert services.factors.methods(require_user(member)) == (Proof.CODE, Proof.RECOVERY_CODE)


def test_a_secret_waits_a_quarter_of_an_hour(
    services: Services, member: Actor, clock: ManualClock
) -> None:
    seen = services.factors.enrol(member)
    clock.advance(minutes=15)
    assert services.factors.enrol(member).secret != seen.secret


def test_neither_secret_nor_recovery_codes_can_be_read_in_the_database(
    services: Services, member: Actor, clock: ManualClock, database: Database
) -> None:
    app = with_app(services, member, clock.now)
    with database.reading() as session:
        sealed = session.scalars(select(Authenticator.secret)).one()
        hashes = session.scalars(select(RecoveryCode.code_hash)).all()
    assert app.secret.encode() not in sealed
    assert not set(hashes) & set(app.recovery_codes)


def test_a_code_is_good_once(services: Services, member: Actor, clock: ManualClock) -> None:
    user_id = require_user(member)
    app = with_app(services, member, clock.now)
    assert services.factors.use(user_id, app.code(clock.now)) is None
    clock.advance(seconds=30)
    assert services.factors.use(user_id, app.code(clock.now)) is Proof.CODE
    assert services.factors.use(user_id, app.code(clock.now)) is None


def test_of_simultaneous_uses_of_a_code_one_succeeds(
    services: Services, member: Actor, clock: ManualClock
) -> None:
    user_id = require_user(member)
    app = with_app(services, member, clock.now)
    clock.advance(seconds=30)
    code, recovery = app.code(clock.now), app.recovery_codes[0]
    for typed in (code, recovery):
        with ThreadPoolExecutor(4) as pool:
            used = list(
                pool.map(lambda _, typed=typed: services.factors.use(user_id, typed), range(4))
            )
        assert len([proof for proof in used if proof]) == 1


def test_a_recovery_code_is_good_once_and_for_its_owner_alone(
    services: Services, member: Actor, clock: ManualClock
) -> None:
    user_id, other = require_user(member), make_actor(services.accounts)
    app = with_app(services, member, clock.now)
    with_app(services, other, clock.now)
    code = app.recovery_codes[3]
    assert services.factors.use(require_user(other), code) is None
    assert services.factors.use(user_id, code.upper().replace("-", " ")) is Proof.RECOVERY_CODE
    assert services.factors.use(user_id, code) is None
    assert services.factors.overview(member).recovery_codes_left == 9


def test_who_has_no_app_has_no_code(services: Services, member: Actor, clock: ManualClock) -> None:
    user_id = require_user(member)
    assert services.factors.use(user_id, "123456") is None
    begun = services.factors.enrol(member)
    assert services.factors.use(user_id, pyotp.TOTP(begun.secret).at(clock.now)) is None


def test_new_recovery_codes_replace_the_old_ones(
    services: Services, member: Actor, clock: ManualClock
) -> None:
    user_id = require_user(member)
    app = with_app(services, member, clock.now)
    renewed = services.factors.renew_recovery_codes(member).recovery_codes
    assert services.factors.use(user_id, app.recovery_codes[0]) is None
    assert services.factors.use(user_id, renewed[0]) is Proof.RECOVERY_CODE


def test_an_app_is_removed_with_its_recovery_codes(
    services: Services, member: Actor, clock: ManualClock
) -> None:
    app = with_app(services, member, clock.now)
    services.factors.disable(member)
    assert services.factors.use(require_user(member), app.recovery_codes[0]) is None
    assert services.factors.overview(member).recovery_codes_left == 0
    for act in (services.factors.disable, services.factors.renew_recovery_codes):
        with pytest.raises(NotFoundError):
            act(member)


def test_of_simultaneous_first_codes_one_is_taken(
    services: Services, member: Actor, clock: ManualClock
) -> None:
    code = pyotp.TOTP(services.factors.enrol(member).secret).at(clock.now)

    def attempt(_number: int) -> bool:
        try:
            return bool(services.factors.activate(member, code))
        except ConflictError:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(attempt, range(4))) == 1


def test_one_app_at_a_time(services: Services, member: Actor, clock: ManualClock) -> None:
    with pytest.raises(NotFoundError, match="begin anew"):
        services.factors.activate(member, "123456")
    app = with_app(services, member, clock.now)
    with pytest.raises(ConflictError):
        services.factors.enrol(member)
    clock.advance(minutes=1)
    with pytest.raises(ConflictError):
        services.factors.activate(member, app.code(clock.now))


def test_all_of_it_has_to_be_confirmed(services: Services, member: Actor) -> None:
    late = unconfirmed(member)
    for act in (
        services.factors.enrol,
        services.factors.disable,
        services.factors.renew_recovery_codes,
        lambda actor: services.factors.activate(actor, "123456"),
    ):
        with pytest.raises(ConfirmationRequiredError):
            act(late)
        with pytest.raises(AuthenticationError):
            act(ANONYMOUS)
    services.factors.overview(late)
