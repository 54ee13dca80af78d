"""Registering and being invited, on both databases."""

from collections.abc import Callable

import pytest
from pydantic import SecretStr
from pydantic import ValidationError as PydanticValidationError
from sqlalchemy import delete, select, update

from fairdatabase.accounts.errors import EmailTakenError, LinkInvalidError
from fairdatabase.accounts.models import AccountLink, User, UserRole
from fairdatabase.accounts.schemas import AcceptanceIn, Credentials, InvitationIn, ResetIn
from fairdatabase.accounts.service.admission import Admission
from fairdatabase.audit.models import AuditEvent
from fairdatabase.authorization.errors import ConfirmationRequiredError
from fairdatabase.authorization.schemas import OPERATOR, Actor, Role
from fairdatabase.jobs.models import Job
from fairdatabase.jobs.schemas import JobState
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import (
    AuthenticationError,
    NotFoundError,
    PermissionDeniedError,
    ValidationError,
)
from fairdatabase.mail.schemas import KeptLetter
from fairdatabase.services import Services
from tests.factories.accounts import PASSWORD, make_actor, registration
from tests.factories.kernel import ManualClock, recorded_statements
from tests.factories.mail import token_in

ADA = "ada@example.org"
Letters = Callable[[], list[KeptLetter]]


@pytest.fixture
def admission(services: Services) -> Admission:
    return services.admission


@pytest.fixture
def strict(settings: Settings, services_of: Callable[[Settings], Services]) -> Services:
    """Services of an instance where addresses are confirmed before anything else."""
    return services_of(settings.model_copy(update={"email_verification": "required"}))


def sign_in(services: Services, email: str = ADA, password: str = PASSWORD) -> Actor:
    credentials = Credentials(email=email, password=SecretStr(password))
    return services.accounts.sign_in(credentials).actor


def invitation(email: str = ADA, *roles: Role) -> InvitationIn:
    return InvitationIn.model_validate({"email": email, "roles": roles or [Role.MEMBER]})


def acceptance(token: str, *, name: str = "Ada", password: str = PASSWORD) -> AcceptanceIn:
    return AcceptanceIn(token=SecretStr(token), name=name, password=SecretStr(password))


def users(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(User.email).order_by(User.email)))


def test_who_registers_is_a_member_and_is_written_to(
    services: Services, letters: Letters, database: Database
) -> None:
    services.admission.register(registration(name=" Ada ", email="Ada@Example.org"))
    actor = sign_in(services)
    assert (actor.name, actor.roles) == ("Ada", frozenset({Role.MEMBER}))
    assert [letter.kind for letter in letters()] == ["confirm-address"]
    with database.reading() as session:
        events = session.scalars(select(AuditEvent).order_by(AuditEvent.sequence)).all()
    assert (events[0].action, events[0].actor, events[0].subject) == (
        "user.created",
        "",
        actor.public_id,
    )


def test_the_request_is_the_same_for_every_address(
    strict: Services, letters: Letters, database: Database
) -> None:
    make_actor(strict.accounts, name="Ada Lovelace", email=ADA)

    def statements(email: str) -> list[str]:
        with recorded_statements(database) as found:
            strict.admission.register(registration(name="Somebody", email=email))
        return found

    assert statements(ADA) == statements("grace@example.org")
    assert users(database) == [ADA]
    grace, ada = letters()
    assert users(database) == [ADA, "grace@example.org"]
    assert (ada.to, ada.kind) == (ADA, "address-taken")
    assert (grace.to, grace.kind) == ("grace@example.org", "confirm-address")
    assert "Hello Ada Lovelace," in ada.text
    assert "Somebody" not in ada.text + grace.text


def test_the_owner_of_a_taken_address_gets_a_way_in(strict: Services, letters: Letters) -> None:
    make_actor(strict.accounts, email=ADA)
    strict.admission.register(registration(email=ADA, password="an entirely new phrase"))
    new = ResetIn(
        token=SecretStr(token_in(letters()[0])), password=SecretStr("two helices in a cup")
    )
    with pytest.raises(AuthenticationError):
        sign_in(strict, password="an entirely new phrase")
    strict.recovery.reset(new)
    sign_in(strict, password="two helices in a cup")


def test_an_application_that_is_handled_twice_makes_one_account(
    strict: Services, letters: Letters, database: Database
) -> None:
    strict.admission.register(registration(email=ADA))
    with database.reading() as session:
        job = session.scalars(select(Job)).one()
        payload = dict(job.payload)
    strict.admission.admit(payload)
    assert [letter.kind for letter in letters()] == ["confirm-address"]
    with database.reading() as session:
        jobs = session.scalars(select(Job)).all()
    assert {(job.state, str(job.payload)) for job in jobs} == {(JobState.DONE, "{}")}


def test_registration_may_be_closed(
    settings: Settings, services_of: Callable[[Settings], Services], letters: Letters
) -> None:
    closed = services_of(settings.model_copy(update={"registration_open": False}))
    with pytest.raises(PermissionDeniedError, match="closed"):
        closed.admission.register(registration())
    closed.admission.invite(OPERATOR, invitation())
    closed.admission.accept(acceptance(token_in(letters()[0])))
    sign_in(closed)


def test_a_weak_password_is_refused_before_anything_happens(
    strict: Services, letters: Letters
) -> None:
    with pytest.raises(ValidationError) as error:
        strict.admission.register(registration(name="Rosalind F", password="rosalind's password"))
    assert error.value.details == [{"field": "password", "message": error.value.message}]
    assert letters() == []


def test_an_invitation_makes_an_account_with_its_roles(
    services: Services, letters: Letters, database: Database
) -> None:
    admin = make_actor(services.accounts, Role.ADMIN, name="Grace Hopper")
    made = services.admission.invite(admin, invitation(ADA, Role.CURATOR, Role.MEMBER))
    assert (made.email, set(made.roles)) == (ADA, {Role.CURATOR, Role.MEMBER})
    (letter,) = letters()
    assert (letter.to, letter.kind) == (ADA, "invitation")
    assert "Grace Hopper invited you" in letter.text
    token = token_in(letter)
    assert services.admission.invitation(token) == made
    assert services.admission.list_invitations(admin) == [made]
    assert services.admission.accept(acceptance(token)) == ADA
    actor = sign_in(services)
    assert (actor.name, actor.roles) == ("Ada", frozenset({Role.CURATOR, Role.MEMBER}))
    assert services.admission.list_invitations(admin) == []
    with database.reading() as session:
        verified = session.scalars(select(User.email_verified_at).where(User.email == ADA)).one()
        events = session.scalars(select(AuditEvent.action).order_by(AuditEvent.sequence)).all()
    assert verified is not None
    assert {"invitation.created", "invitation.accepted", "user.created"} <= set(events)


def test_an_invitation_works_once(admission: Admission, letters: Letters) -> None:
    admission.invite(OPERATOR, invitation())
    token = token_in(letters()[0])
    admission.accept(acceptance(token))
    with pytest.raises(LinkInvalidError):
        admission.accept(acceptance(token))


def test_a_password_with_ones_own_name_does_not_use_an_invitation(
    admission: Admission, letters: Letters
) -> None:
    admission.invite(OPERATOR, invitation())
    token = token_in(letters()[0])
    with pytest.raises(ValidationError):
        admission.accept(acceptance(token, name="Adaline", password="adaline is my name"))
    admission.accept(acceptance(token))


def test_a_new_invitation_replaces_the_earlier_one(admission: Admission, letters: Letters) -> None:
    admission.invite(OPERATOR, invitation(ADA, Role.ADMIN))
    admission.invite(OPERATOR, invitation())
    second, first = letters()
    with pytest.raises(LinkInvalidError):
        admission.invitation(token_in(first))
    assert admission.invitation(token_in(second)).roles == (Role.MEMBER,)


def test_an_invitation_is_revoked(
    admission: Admission, letters: Letters, clock: ManualClock
) -> None:
    made = admission.invite(OPERATOR, invitation())
    admission.revoke_invitation(OPERATOR, made.public_id)
    with pytest.raises(LinkInvalidError):
        admission.invitation(token_in(letters()[0]))
    with pytest.raises(NotFoundError, match="no invitation"):
        admission.revoke_invitation(OPERATOR, made.public_id)
    late = admission.invite(OPERATOR, invitation())
    clock.advance(days=14)
    assert admission.list_invitations(OPERATOR) == []
    with pytest.raises(NotFoundError):
        admission.revoke_invitation(OPERATOR, late.public_id)


def test_an_invitation_of_somebody_who_is_no_admin_any_more_works_no_more(
    services: Services, letters: Letters, database: Database
) -> None:
    admin = make_actor(services.accounts, Role.ADMIN)
    services.admission.invite(admin, invitation(ADA, Role.ADMIN))
    token = token_in(letters()[0])
    services.admission.invitation(token)
    with database.transaction() as session:
        session.execute(delete(UserRole).where(UserRole.user_id == admin.user_id))
    with pytest.raises(LinkInvalidError):
        services.admission.invitation(token)
    with pytest.raises(LinkInvalidError):
        services.admission.accept(acceptance(token))
    with database.transaction() as session:
        session.execute(update(AccountLink).values(invited_by=None))
    services.admission.accept(acceptance(token))


def test_only_admins_who_confirmed_it_invite(
    services: Services, clock: ManualClock, letters: Letters
) -> None:
    for role in (Role.MEMBER, Role.CURATOR):
        actor = make_actor(services.accounts, role)
        with pytest.raises(PermissionDeniedError):
            services.admission.invite(actor, invitation())
        with pytest.raises(PermissionDeniedError):
            services.admission.list_invitations(actor)
        with pytest.raises(PermissionDeniedError):
            services.admission.revoke_invitation(actor, "00000000000")
    admin = make_actor(services.accounts, Role.ADMIN, email=ADA)
    grant = services.accounts.sign_in(Credentials(email=ADA, password=SecretStr(PASSWORD)))
    clock.advance(minutes=11)
    stale = services.accounts.actor_for(admin.public_id, grant.session_id)
    with pytest.raises(ConfirmationRequiredError):
        services.admission.invite(stale, invitation("new@example.org"))
    assert letters() == []


def test_who_has_an_account_is_not_invited(services: Services, letters: Letters) -> None:
    make_actor(services.accounts, email=ADA)
    for invite in (services.admission.invite, services.admission.invitation_link):
        with pytest.raises(EmailTakenError) as error:
            invite(OPERATOR, invitation())
        assert error.value.details == [{"field": "email", "message": error.value.message}]
    services.admission.invite(OPERATOR, invitation("grace@example.org"))
    token = token_in(letters()[0])
    make_actor(services.accounts, email="grace@example.org")
    with pytest.raises(EmailTakenError):
        services.admission.accept(acceptance(token))


def test_the_command_line_may_pass_on_the_link_itself(
    admission: Admission, letters: Letters
) -> None:
    link = admission.invitation_link(OPERATOR, invitation())
    assert link.startswith("http://127.0.0.1:8000/invitation/")
    assert letters() == []
    admission.accept(acceptance(link.rpartition("/")[2]))


def test_a_machine_is_not_invited() -> None:
    with pytest.raises(PydanticValidationError):
        invitation(ADA, Role.SERVICE)
