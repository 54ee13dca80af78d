"""Confirming addresses, new passwords and new addresses, by links in letters."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from fairdatabase.accounts.errors import EmailTakenError, EmailUnverifiedError, LinkInvalidError
from fairdatabase.accounts.models import AccountLink, User
from fairdatabase.accounts.schemas import Credentials, LinkPurpose, ResetIn, VerificationIn
from fairdatabase.accounts.service import Accounts
from fairdatabase.accounts.service.recovery import Recovery
from fairdatabase.audit.models import AuditEvent
from fairdatabase.authorization.errors import ConfirmationRequiredError
from fairdatabase.authorization.schemas import ANONYMOUS, Actor, Role
from fairdatabase.jobs.models import Job
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import AuthenticationError, RateLimitError, ValidationError
from fairdatabase.mail.schemas import KeptLetter
from fairdatabase.services import Services
from tests.factories.accounts import PASSWORD, make_actor, registration
from tests.factories.kernel import ManualClock, recorded_statements
from tests.factories.mail import token_in

NEW_PASSWORD = "an entirely new phrase"
MARY = "mary@example.org"
Letters = Callable[[], list[KeptLetter]]


@pytest.fixture
def mary(accounts: Accounts) -> Actor:
    return make_actor(accounts, name="Mary Anning", email=MARY)


@pytest.fixture
def recovery(services: Services) -> Recovery:
    return services.recovery


@pytest.fixture
def strict(settings: Settings, services_of: Callable[[Settings], Services]) -> Services:
    """Services of an instance where addresses are confirmed before anything else."""
    return services_of(settings.model_copy(update={"email_verification": "required"}))


def sign_in(accounts: Accounts, password: str = PASSWORD, email: str = MARY) -> None:
    accounts.sign_in(Credentials(email=email, password=SecretStr(password)))


def reset_in(token: str, password: str = NEW_PASSWORD) -> ResetIn:
    return ResetIn(token=SecretStr(token), password=SecretStr(password))


def verification(token: str, password: str | None = PASSWORD) -> VerificationIn:
    return VerificationIn(
        token=SecretStr(token), password=SecretStr(password) if password else None
    )


def actions(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(AuditEvent.action).order_by(AuditEvent.sequence)))


def test_a_forgotten_password_is_replaced_by_a_letter(
    recovery: Recovery, accounts: Accounts, mary: Actor, letters: Letters, database: Database
) -> None:
    sign_in(accounts)
    recovery.request_reset(MARY)
    (letter,) = letters()
    assert (letter.to, letter.kind) == (MARY, "reset-password")
    assert "Hello Mary Anning," in letter.text
    assert "1 hour" in letter.text
    recovery.reset(reset_in(token_in(letter)))
    with pytest.raises(AuthenticationError):
        sign_in(accounts)
    sign_in(accounts, NEW_PASSWORD)
    assert letters()[0].kind == "password-changed"
    assert actions(database)[-3:] == [
        "user.password-changed",
        "user.sign-in-failed",
        "user.signed-in",
    ]


def test_a_new_password_ends_all_sessions_and_every_wait(
    recovery: Recovery, accounts: Accounts, mary: Actor, letters: Letters
) -> None:
    grant = accounts.sign_in(Credentials(email=MARY, password=SecretStr(PASSWORD)))
    for _ in range(5):
        with pytest.raises(AuthenticationError):
            sign_in(accounts, "not the right one")
    with pytest.raises(RateLimitError):
        sign_in(accounts)
    recovery.request_reset(MARY)
    recovery.reset(reset_in(token_in(letters()[0])))
    with pytest.raises(AuthenticationError):
        accounts.actor_for(mary.public_id, grant.session_id)
    sign_in(accounts, NEW_PASSWORD)


def test_the_database_knows_no_link(
    recovery: Recovery, mary: Actor, letters: Letters, database: Database
) -> None:
    recovery.request_reset(MARY)
    token = token_in(letters()[0])
    assert len(token) == 43
    with database.reading() as session:
        link = session.scalars(select(AccountLink)).one()
        jobs = session.scalars(select(Job)).all()
    assert token not in str([vars(link), *(vars(job) for job in jobs)])
    assert [job.payload for job in jobs] == [{}, {}]


def test_an_unknown_address_costs_as_much_and_gets_nothing(
    recovery: Recovery, mary: Actor, letters: Letters, database: Database
) -> None:
    def statements(email: str) -> list[str]:
        with recorded_statements(database) as found:
            recovery.request_reset(email)
        return found

    assert statements(MARY) == statements("nobody@example.org")
    assert [letter.to for letter in letters()] == [MARY]


@pytest.mark.parametrize("state", ["disabled", "machine"])
def test_who_cannot_sign_in_gets_no_letter(
    recovery: Recovery, accounts: Accounts, letters: Letters, database: Database, state: str
) -> None:
    roles = {Role.SERVICE} if state == "machine" else {Role.MEMBER}
    actor = make_actor(accounts, *roles)
    if state == "disabled":
        with database.transaction() as session:
            session.execute(update(User).values(disabled_at=User.created_at))
    recovery.request_reset(actor.email)
    recovery.request_verification(actor.email)
    recovery.write_taken(actor.email)
    recovery.write_warning(actor.email)
    assert letters() == []


def test_a_link_works_once_and_only_the_newest_does(
    recovery: Recovery, mary: Actor, letters: Letters
) -> None:
    recovery.request_reset(MARY)
    first = token_in(letters()[0])
    recovery.request_reset(MARY)
    second = token_in(letters()[0])
    with pytest.raises(LinkInvalidError):
        recovery.reset(reset_in(first))
    recovery.reset(reset_in(second))
    with pytest.raises(LinkInvalidError, match="used before"):
        recovery.reset(reset_in(second, PASSWORD))


def test_of_two_requests_with_one_link_one_is_served(
    recovery: Recovery, mary: Actor, letters: Letters
) -> None:
    recovery.request_reset(MARY)
    token = token_in(letters()[0])

    def attempt(number: int) -> bool:
        try:
            recovery.reset(reset_in(token, f"an entirely new phrase, number {number}"))
        except LinkInvalidError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(attempt, range(4))) == 1


def test_looking_at_a_link_does_not_use_it(
    recovery: Recovery, mary: Actor, letters: Letters
) -> None:
    recovery.request_reset(MARY)
    token = token_in(letters()[0])
    for _ in range(3):
        assert recovery.look_at(LinkPurpose.RESET_PASSWORD, token) == MARY
    with pytest.raises(LinkInvalidError):
        recovery.look_at(LinkPurpose.VERIFY_EMAIL, token)
    recovery.reset(reset_in(token))


def test_a_link_expires(
    recovery: Recovery, mary: Actor, letters: Letters, clock: ManualClock
) -> None:
    recovery.request_reset(MARY)
    token = token_in(letters()[0])
    clock.advance(hours=1)
    with pytest.raises(LinkInvalidError):
        recovery.reset(reset_in(token))


def test_a_password_that_is_not_good_enough_does_not_use_the_link(
    recovery: Recovery, mary: Actor, letters: Letters
) -> None:
    recovery.request_reset(MARY)
    token = token_in(letters()[0])
    with pytest.raises(ValidationError, match="without your name"):
        recovery.reset(reset_in(token, "anning by the sea"))
    recovery.reset(reset_in(token))


def test_a_password_set_elsewhere_ends_the_link(
    recovery: Recovery, accounts: Accounts, mary: Actor, letters: Letters
) -> None:
    recovery.request_reset(MARY)
    token = token_in(letters()[0])
    accounts.set_password(MARY, "two helices in a cup")
    with pytest.raises(LinkInvalidError):
        recovery.reset(reset_in(token))


def test_an_address_that_was_changed_ends_the_link(
    recovery: Recovery, mary: Actor, letters: Letters, database: Database
) -> None:
    recovery.request_reset(MARY)
    token = token_in(letters()[0])
    with database.transaction() as session:
        session.execute(update(User).values(email="other@example.org"))
    with pytest.raises(LinkInvalidError):
        recovery.reset(reset_in(token))


def test_nobody_floods_a_mailbox(
    recovery: Recovery, mary: Actor, letters: Letters, clock: ManualClock
) -> None:
    for _ in range(9):
        recovery.request_reset(MARY)
    assert len(letters()) == 5
    clock.advance(hours=1)
    recovery.request_reset(MARY)
    assert len(letters()) == 6


def test_an_address_is_confirmed_by_letter_and_password(strict: Services, letters: Letters) -> None:
    strict.admission.register(registration(name="Mary", email=MARY))
    letter = letters()[0]
    assert (letter.kind, letter.to) == ("confirm-address", MARY)
    assert "Mary" not in letter.text
    with pytest.raises(EmailUnverifiedError, match="confirm your address"):
        sign_in(strict.accounts)
    wrong = verification(token_in(letter), "not the right one")
    for attempt in (wrong, verification(token_in(letter), None)):
        with pytest.raises(AuthenticationError, match="not right"):
            strict.recovery.verify(ANONYMOUS, attempt)
    assert strict.recovery.verify(ANONYMOUS, verification(token_in(letter))) == MARY
    sign_in(strict.accounts)
    with pytest.raises(LinkInvalidError):
        strict.recovery.verify(ANONYMOUS, verification(token_in(letter)))


def test_the_password_of_a_confirmation_is_not_tried_without_end(
    strict: Services, letters: Letters
) -> None:
    strict.admission.register(registration(name="Mary", email=MARY))
    wrong = verification(token_in(letters()[0]), "not the right one")
    for _ in range(5):
        with pytest.raises(AuthenticationError):
            strict.recovery.verify(ANONYMOUS, wrong)
    with pytest.raises(RateLimitError):
        strict.recovery.verify(ANONYMOUS, wrong)


def test_who_is_signed_in_confirms_without_a_password(
    services: Services, letters: Letters, database: Database
) -> None:
    services.admission.register(registration(name="Mary", email=MARY))
    sign_in(services.accounts)
    token = token_in(letters()[0])
    other = make_actor(services.accounts)
    with pytest.raises(AuthenticationError):
        services.recovery.verify(other, verification(token, None))
    mary = services.accounts.actor_by_email(MARY)
    services.recovery.verify(mary, verification(token, None))
    with database.reading() as session:
        assert session.scalars(select(User.email_verified_at)).all().count(None) == 0
    assert "user.address-confirmed" in actions(database)


def test_the_letter_of_a_confirmation_is_written_again_while_it_waits(
    strict: Services, letters: Letters
) -> None:
    strict.admission.register(registration(name="Mary", email=MARY))
    strict.recovery.request_verification(MARY)
    second, first = letters()
    with pytest.raises(LinkInvalidError):
        strict.recovery.verify(ANONYMOUS, verification(token_in(first)))
    strict.recovery.verify(ANONYMOUS, verification(token_in(second)))
    strict.recovery.request_verification(MARY)
    strict.recovery.request_verification("nobody@example.org")
    assert len(letters()) == 2


def test_a_new_password_by_letter_confirms_the_address(strict: Services, letters: Letters) -> None:
    strict.admission.register(registration(name="Mary", email=MARY))
    strict.recovery.request_reset(MARY)
    reset, _ = letters()
    assert reset.text.startswith("Hello,\n")
    strict.recovery.reset(reset_in(token_in(reset)))
    sign_in(strict.accounts, NEW_PASSWORD)


def test_an_address_is_changed_by_a_letter_to_the_new_one(
    recovery: Recovery, accounts: Accounts, mary: Actor, letters: Letters, database: Database
) -> None:
    recovery.request_reset(MARY)
    old_link = token_in(letters()[0])
    recovery.request_address(mary, "anning@example.org")
    letter = letters()[0]
    assert (letter.to, letter.kind) == ("anning@example.org", "confirm-new-address")
    assert recovery.change_address(token_in(letter)) == "anning@example.org"
    told = letters()[0]
    assert (told.to, told.kind) == (MARY, "address-changed")
    sign_in(accounts, email="anning@example.org")
    with pytest.raises(AuthenticationError):
        sign_in(accounts)
    with pytest.raises(LinkInvalidError):
        recovery.reset(reset_in(old_link))
    with pytest.raises(LinkInvalidError):
        recovery.change_address(token_in(letter))
    assert "user.address-changed" in actions(database)


def test_the_owner_of_a_wanted_address_is_told_and_nobody_else(
    recovery: Recovery, accounts: Accounts, mary: Actor, letters: Letters
) -> None:
    other = make_actor(accounts, name="Ada Lovelace")
    recovery.request_address(mary, other.email)
    (letter,) = letters()
    assert (letter.to, letter.kind) == (other.email, "address-taken")
    assert "http" not in letter.text


def test_an_address_of_a_disabled_account_is_taken_silently(
    recovery: Recovery, accounts: Accounts, mary: Actor, letters: Letters, database: Database
) -> None:
    other = make_actor(accounts)
    with database.transaction() as session:
        disabled = update(User).where(User.id == other.user_id)
        session.execute(disabled.values(disabled_at=User.created_at))
    recovery.request_address(mary, other.email)
    assert letters() == []


def test_an_address_that_was_taken_meanwhile_stays_whose_it_is(
    recovery: Recovery, accounts: Accounts, mary: Actor, letters: Letters
) -> None:
    recovery.request_address(mary, "ada@example.org")
    token = token_in(letters()[0])
    make_actor(accounts, email="ada@example.org")
    with pytest.raises(EmailTakenError):
        recovery.change_address(token)
    sign_in(accounts)


def test_no_mailbox_is_flooded_with_new_addresses(
    recovery: Recovery, mary: Actor, letters: Letters
) -> None:
    for _ in range(9):
        recovery.request_address(mary, "new@example.org")
    assert len(letters()) == 5


def test_an_address_is_changed_by_its_owner_after_confirming(
    recovery: Recovery, accounts: Accounts, mary: Actor, letters: Letters, clock: ManualClock
) -> None:
    with pytest.raises(AuthenticationError):
        recovery.request_address(ANONYMOUS, "new@example.org")
    grant = accounts.sign_in(Credentials(email=MARY, password=SecretStr(PASSWORD)))
    clock.advance(minutes=11)
    actor = accounts.actor_for(mary.public_id, grant.session_id)
    with pytest.raises(ConfirmationRequiredError):
        recovery.request_address(actor, "new@example.org")
    assert letters() == []


def test_who_is_disabled_meanwhile_changes_nothing(
    recovery: Recovery, mary: Actor, letters: Letters, database: Database
) -> None:
    recovery.request_address(mary, "new@example.org")
    token = token_in(letters()[0])
    with database.transaction() as session:
        session.execute(update(User).values(disabled_at=User.created_at))
    with pytest.raises(LinkInvalidError):
        recovery.change_address(token)
    recovery.request_address(mary, "newer@example.org")
    assert len(letters()) == 1


def test_an_account_that_is_guessed_waits_and_its_owner_is_told(
    accounts: Accounts, mary: Actor, letters: Letters, clock: ManualClock, database: Database
) -> None:
    def guess(email: str) -> list[type[Exception]]:
        seen: list[type[Exception]] = []
        for _ in range(12):
            with pytest.raises((AuthenticationError, RateLimitError)) as error:
                sign_in(accounts, "not the right one", email)
            seen.append(error.type)
            clock.advance(minutes=15)
        return seen

    assert guess(MARY) == guess("nobody@example.org") == [AuthenticationError] * 12
    (letter,) = letters()
    assert (letter.to, letter.kind) == (MARY, "sign-ins-failing")
    assert "10 times in a row" in letter.text
    assert actions(database).count("user.sign-in-slowed") == 1
    sign_in(accounts)
    sign_in(accounts)


def test_the_right_password_waits_as_well_and_is_answered_the_same(
    accounts: Accounts, mary: Actor, clock: ManualClock
) -> None:
    def answers(email: str) -> list[str]:
        messages = []
        for password in [*["not the right one"] * 5, PASSWORD]:
            with pytest.raises((AuthenticationError, RateLimitError)) as error:
                sign_in(accounts, password, email)
            messages.append(error.value.message)
        return messages

    assert answers(MARY) == answers("nobody@example.org")
    clock.advance(seconds=1)
    sign_in(accounts)


def test_what_is_old_is_removed(
    strict: Services, letters: Letters, clock: ManualClock, database: Database
) -> None:
    def counts() -> tuple[int, int]:
        with database.reading() as session:
            links = session.scalars(select(AccountLink.id)).all()
            return len(session.scalars(select(User.id)).all()), len(links)

    make_actor(strict.accounts)
    strict.admission.register(registration(name="Mary", email=MARY))
    strict.admission.register(registration(name="Ada", email="ada@example.org"))
    ada = letters()[0]
    strict.recovery.verify(ANONYMOUS, verification(token_in(ada)))
    clock.advance(days=7)
    strict.recovery.sweep()
    assert counts() == (3, 2)
    clock.advance(seconds=1)
    strict.recovery.sweep()
    assert counts() == (2, 1)
    clock.advance(days=33)
    strict.recovery.sweep()
    assert counts() == (2, 0)
