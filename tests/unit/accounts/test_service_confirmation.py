"""The second step of signing in, and confirming that it is still the same person."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from pydantic import HttpUrl, SecretStr
from sqlalchemy import select, update

from fairdatabase.accounts.errors import (
    PasskeyRefusedError,
    SecondFactorRequiredError,
    SessionEndedError,
    SignInExpiredError,
)
from fairdatabase.accounts.models import Session, User
from fairdatabase.accounts.schemas import Grant
from fairdatabase.accounts.schemas.factors import PasskeyIn
from fairdatabase.accounts.schemas.sessions import (
    ConfirmationAnswer,
    PasskeyAnswer,
    PasskeyQuestion,
    PasswordChange,
    Proof,
    SecondFactorAnswer,
)
from fairdatabase.accounts.schemas.tokens import TokenIn
from fairdatabase.audit.models import AuditEvent
from fairdatabase.authorization.errors import ConfirmationRequiredError, ScopeError
from fairdatabase.authorization.schemas import ANONYMOUS, Actor, Scope
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import (
    AuthenticationError,
    RateLimitError,
    ValidationError,
)
from fairdatabase.services import Services
from tests.factories.accounts import PASSWORD, make_actor
from tests.factories.factors import LAPTOP, App, sign_in, unconfirmed, with_app
from tests.factories.kernel import ManualClock
from tests.factories.passkeys import SoftPasskey

ORIGIN = "https://data.example.org"
NEW_PASSWORD = "an entirely new phrase"


@pytest.fixture
def services(settings: Settings, services_of: Callable[[Settings], Services]) -> Services:
    return services_of(settings.model_copy(update={"base_url": HttpUrl(ORIGIN)}))


@pytest.fixture
def app(services: Services, member: Actor, clock: ManualClock) -> App:
    """The member's authenticator app, its first code used up."""
    app = with_app(services, member, clock.now)
    clock.advance(minutes=1)
    return app


@pytest.fixture
def key(services: Services, member: Actor) -> SoftPasskey:
    """The member's passkey."""
    key, question = SoftPasskey(ORIGIN), services.passkeys.begin(member)
    credential = key.create(question.options)
    new = PasskeyIn(name="Laptop", challenge=question.challenge, credential=credential)
    services.passkeys.add(member, new)
    return key


def ticket(services: Services, actor: Actor, password: str = PASSWORD) -> str:
    with pytest.raises(SecondFactorRequiredError) as asked:
        sign_in(services, actor, password)
    return asked.value.step.ticket


def finish(services: Services, ticket: str, code: str) -> Grant:
    answer = SecondFactorAnswer(ticket=ticket, code=code)
    return services.confirmation.finish(answer, device=LAPTOP)


def answered(key: SoftPasskey, question: PasskeyQuestion) -> PasskeyAnswer:
    credential = key.get(question.options)
    return PasskeyAnswer(challenge=question.challenge, credential=credential)


def events(database: Database) -> list[tuple[str, Any]]:
    with database.reading() as session:
        rows = session.scalars(select(AuditEvent).order_by(AuditEvent.sequence)).all()
        return [(row.action, row.after) for row in rows]


def test_the_password_alone_gives_a_ticket(
    services: Services, member: Actor, app: App, database: Database
) -> None:
    with pytest.raises(SecondFactorRequiredError) as asked:
        sign_in(services, member)
    step = asked.value.step
    assert step.methods == (Proof.CODE, Proof.RECOVERY_CODE)
    assert services.confirmation.methods(step.ticket) == step.methods
    assert step.expires_in == 300
    assert asked.value.details == step.model_dump(mode="json")
    with database.reading() as session:
        assert session.scalars(select(Session)).all() == []
        assert session.scalars(select(User.last_login_at)).all() == [None]


def test_ticket_and_code_open_a_session(
    services: Services, member: Actor, app: App, clock: ManualClock, database: Database
) -> None:
    grant = finish(services, ticket(services, member), app.code(clock.now))
    assert grant.actor.public_id == member.public_id
    assert grant.actor.confirmed
    action, after = events(database)[-1]
    assert (action, after["method"]) == ("user.signed-in", "password, code")


def test_a_recovery_code_stands_in(services: Services, member: Actor, app: App) -> None:
    grant = finish(services, ticket(services, member), app.recovery_codes[0])
    assert grant.actor.public_id == member.public_id
    with pytest.raises(AuthenticationError, match="code is not right"):
        finish(services, ticket(services, member), app.recovery_codes[0])


def test_a_passkey_stands_in(services: Services, member: Actor, app: App, key: SoftPasskey) -> None:
    held = ticket(services, member)
    assert Proof.PASSKEY in services.confirmation.methods(held)
    question = services.confirmation.question_for_second_step(held)
    answer = SecondFactorAnswer(ticket=held, passkey=answered(key, question))
    assert services.confirmation.finish(answer, device=LAPTOP).actor.name == member.name


def test_a_ticket_is_good_for_one_session(
    services: Services, member: Actor, app: App, clock: ManualClock
) -> None:
    held = ticket(services, member)
    finish(services, held, app.code(clock.now))
    with pytest.raises(SignInExpiredError):
        finish(services, held, app.recovery_codes[0])
    assert services.factors.overview(member).recovery_codes_left == 10


def test_a_code_that_was_used_opens_no_second_session(
    services: Services, member: Actor, app: App, clock: ManualClock
) -> None:
    code = app.code(clock.now)
    finish(services, ticket(services, member), code)
    with pytest.raises(AuthenticationError, match="not right"):
        finish(services, ticket(services, member), code)


def test_a_ticket_waits_five_minutes(
    services: Services, member: Actor, app: App, clock: ManualClock
) -> None:
    held = ticket(services, member)
    clock.advance(minutes=5)
    with pytest.raises(SignInExpiredError):
        finish(services, held, app.code(clock.now))
    for worthless in (held, "no id", "01a207a3-8ff0-7cef-b59a-206530dae7d7"):
        with pytest.raises(SignInExpiredError):
            services.confirmation.methods(worthless)


def test_a_ticket_takes_five_codes(
    services: Services, member: Actor, app: App, clock: ManualClock
) -> None:
    held = ticket(services, member)
    for _ in range(5):
        with pytest.raises(AuthenticationError, match="not right"):
            finish(services, held, "000000x")
    clock.advance(seconds=10)
    with pytest.raises(SignInExpiredError):
        finish(services, held, app.code(clock.now))


def test_more_tickets_do_not_help_a_guesser(
    services: Services, member: Actor, app: App, clock: ManualClock
) -> None:
    for _ in range(5):
        with pytest.raises(AuthenticationError, match="not right"):
            finish(services, ticket(services, member), "000000x")
    with pytest.raises(RateLimitError):
        finish(services, ticket(services, member), app.code(clock.now))
    clock.advance(seconds=2)
    finish(services, ticket(services, member), app.code(clock.now))


def test_a_ticket_ends_with_the_password_and_the_account(
    services: Services, member: Actor, app: App, admin: Actor, clock: ManualClock
) -> None:
    held = ticket(services, member)
    services.accounts.set_password(member.email, NEW_PASSWORD)
    with pytest.raises(SignInExpiredError):
        finish(services, held, app.code(clock.now))
    held = ticket(services, member, NEW_PASSWORD)
    services.users.disable(admin, member.public_id)
    with pytest.raises(SignInExpiredError):
        finish(services, held, app.code(clock.now))


def test_the_passkey_of_another_finishes_nothing(
    services: Services, member: Actor, app: App, clock: ManualClock, key: SoftPasskey
) -> None:
    other = make_actor(services.accounts)
    with_app(services, other, clock.now)
    held = ticket(services, other)
    for asked in (held, ticket(services, member)):
        question = services.confirmation.question_for_second_step(asked)
        answer = SecondFactorAnswer(ticket=held, passkey=answered(key, question))
        with pytest.raises(PasskeyRefusedError):
            services.confirmation.finish(answer, device=LAPTOP)


def test_a_session_that_was_opened_meanwhile_uses_the_ticket_up(
    services: Services,
    member: Actor,
    app: App,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two answers at the same moment, both right: one of them opens a session."""
    held, use = ticket(services, member), services.factors.use
    code, other = app.code(clock.now), app.recovery_codes[0]

    def meanwhile(user_id: UUID, typed: str) -> Proof | None:
        proof = use(user_id, typed)
        if typed == code:
            finish(services, held, other)
        return proof

    monkeypatch.setattr(services.factors, "use", meanwhile)
    with pytest.raises(SignInExpiredError):
        finish(services, held, code)


def test_a_passkey_signs_in_without_a_password(
    services: Services, member: Actor, app: App, key: SoftPasskey, database: Database
) -> None:
    question = services.confirmation.question_to_sign_in()
    grant = services.confirmation.sign_in(answered(key, question), device=LAPTOP)
    assert grant.actor.public_id == member.public_id
    assert events(database)[-1][1]["method"] == "passkey"


def test_an_answer_for_the_second_step_signs_nobody_in(
    services: Services, member: Actor, app: App, key: SoftPasskey
) -> None:
    question = services.confirmation.question_for_second_step(ticket(services, member))
    with pytest.raises(PasskeyRefusedError):
        services.confirmation.sign_in(answered(key, question), device=LAPTOP)


def test_a_disabled_account_has_no_use_for_its_passkey(
    services: Services, member: Actor, admin: Actor, key: SoftPasskey
) -> None:
    services.users.disable(admin, member.public_id)
    question = services.confirmation.question_to_sign_in()
    with pytest.raises(SessionEndedError):
        services.confirmation.sign_in(answered(key, question), device=LAPTOP)


def late(services: Services, actor: Actor, clock: ManualClock) -> Actor:
    """Return the holder of a session that was confirmed a long time ago."""
    grant = sign_in(services, actor)
    clock.advance(hours=1)
    return services.accounts.actor_for(actor.public_id, grant.session_id)


def now(services: Services, actor: Actor) -> Actor:
    assert actor.session_id
    return services.accounts.actor_for(actor.public_id, actor.session_id)


def test_a_password_confirms_for_ten_minutes(
    services: Services, member: Actor, clock: ManualClock, database: Database
) -> None:
    actor = late(services, member, clock)
    assert not actor.confirmed
    assert services.confirmation.ways(actor) == (Proof.PASSWORD,)
    services.confirmation.confirm(actor, ConfirmationAnswer(password=SecretStr(PASSWORD)))
    assert now(services, actor).confirmed
    assert events(database)[-1] == ("session.confirmed", {"method": "password"})
    clock.advance(minutes=10)
    assert not now(services, actor).confirmed


def test_a_code_or_a_passkey_confirms(
    services: Services, member: Actor, clock: ManualClock, key: SoftPasskey
) -> None:
    actor = late(services, member, clock)
    app = with_app(services, member, clock.now)
    assert services.confirmation.ways(actor) == (
        Proof.PASSWORD,
        Proof.CODE,
        Proof.RECOVERY_CODE,
        Proof.PASSKEY,
    )
    for answer in (
        ConfirmationAnswer(code=app.recovery_codes[0]),
        ConfirmationAnswer(passkey=answered(key, services.confirmation.question_to_confirm(actor))),
    ):
        clock.advance(hours=1)
        assert not now(services, actor).confirmed
        if answer.passkey:
            question = services.confirmation.question_to_confirm(actor)
            answer = ConfirmationAnswer(passkey=answered(key, question))  # noqa: PLW2901
        services.confirmation.confirm(actor, answer)
        assert now(services, actor).confirmed


def test_the_passkey_of_another_confirms_nothing(
    services: Services, member: Actor, clock: ManualClock, key: SoftPasskey
) -> None:
    other = late(services, make_actor(services.accounts), clock)
    question = services.confirmation.question_to_confirm(other)
    with pytest.raises(PasskeyRefusedError):
        services.confirmation.confirm(other, ConfirmationAnswer(passkey=answered(key, question)))
    assert not now(services, other).confirmed


def test_who_guesses_has_to_wait(
    services: Services, member: Actor, clock: ManualClock, database: Database
) -> None:
    actor = late(services, member, clock)
    for _ in range(3):
        with pytest.raises(AuthenticationError, match="password is not right"):
            services.confirmation.confirm(actor, ConfirmationAnswer(password=SecretStr("x")))
    for _ in range(2):
        with pytest.raises(AuthenticationError, match="code is not right"):
            services.confirmation.confirm(actor, ConfirmationAnswer(code="123456"))
    right = ConfirmationAnswer(password=SecretStr(PASSWORD))
    with pytest.raises(RateLimitError):
        services.confirmation.confirm(actor, right)
    assert events(database)[-1][0] == "user.second-step-failed"
    clock.advance(seconds=2)
    services.confirmation.confirm(actor, right)
    services.confirmation.confirm(actor, right)


def test_only_a_session_is_confirmed(services: Services, member: Actor) -> None:
    wanted = TokenIn(name="x", scopes=frozenset({Scope.ACCOUNT_READ}))
    token = services.tokens.actor_for(services.tokens.create(member, wanted).token)
    right = ConfirmationAnswer(password=SecretStr(PASSWORD))
    for act in (
        services.confirmation.ways,
        services.confirmation.question_to_confirm,
        lambda actor: services.confirmation.confirm(actor, right),
    ):
        with pytest.raises(ScopeError):
            act(token)
        with pytest.raises(AuthenticationError):
            act(ANONYMOUS)
    with pytest.raises(AuthenticationError, match="no session"):
        services.confirmation.confirm(member, right)


def without_password(database: Database, actor: Actor) -> None:
    with database.transaction() as session:
        session.execute(update(User).where(User.id == actor.user_id).values(password_hash=None))


def test_who_has_no_password_confirms_by_signing_in_anew(
    services: Services, member: Actor, clock: ManualClock, database: Database
) -> None:
    actor = late(services, member, clock)
    without_password(database, member)
    assert services.confirmation.ways(actor) == ()
    with pytest.raises(AuthenticationError):
        services.confirmation.confirm(actor, ConfirmationAnswer(password=SecretStr(PASSWORD)))


def change(new: str = NEW_PASSWORD, present: str | None = PASSWORD) -> PasswordChange:
    return PasswordChange(
        present_password=None if present is None else SecretStr(present),
        new_password=SecretStr(new),
    )


def test_a_new_password_ends_all_other_sessions(
    services: Services, member: Actor, clock: ManualClock
) -> None:
    other = sign_in(services, member)
    actor = late(services, member, clock)
    services.confirmation.change_password(actor, change())
    assert now(services, actor) == actor
    with pytest.raises(SessionEndedError):
        services.accounts.actor_for(member.public_id, other.session_id)
    with pytest.raises(AuthenticationError):
        sign_in(services, member)
    sign_in(services, member, NEW_PASSWORD)


@pytest.mark.parametrize(
    ("new", "present", "words"),
    [
        (NEW_PASSWORD, "wrong", "not your present password"),
        (NEW_PASSWORD, None, "not your present password"),
        ("mary anning is my name", PASSWORD, "without your name"),
    ],
)
def test_a_password_is_changed_only_rightly(
    services: Services, member: Actor, new: str, present: str | None, words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        services.confirmation.change_password(member, change(new, present))
    sign_in(services, member)


def test_who_has_no_password_sets_one_after_confirming(
    services: Services, member: Actor, database: Database
) -> None:
    without_password(database, member)
    with pytest.raises(ConfirmationRequiredError):
        services.confirmation.change_password(unconfirmed(member), change(present=None))
    services.confirmation.change_password(member, change(present=None))
    sign_in(services, member, NEW_PASSWORD)


def test_guessing_the_present_password_has_to_wait(services: Services, member: Actor) -> None:
    for _ in range(5):
        with pytest.raises(ValidationError):
            services.confirmation.change_password(member, change(present="wrong"))
    with pytest.raises(RateLimitError):
        services.confirmation.change_password(member, change())


def test_nobody_has_no_password_to_change(services: Services) -> None:
    with pytest.raises(AuthenticationError):
        services.confirmation.change_password(ANONYMOUS, change())
