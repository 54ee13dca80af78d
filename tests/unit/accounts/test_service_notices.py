"""The owner of an account is told when what protects it changes."""

from collections.abc import Callable

from pydantic import HttpUrl, SecretStr

from fairdatabase.accounts.schemas.factors import PasskeyIn
from fairdatabase.accounts.schemas.sessions import PasswordChange
from fairdatabase.authorization.schemas import OPERATOR, Actor
from fairdatabase.kernel.config import Settings
from fairdatabase.mail.schemas import KeptLetter
from fairdatabase.services import Services
from tests.factories.accounts import PASSWORD, registration
from tests.factories.factors import with_app
from tests.factories.kernel import ManualClock
from tests.factories.passkeys import SoftPasskey

ORIGIN = "https://data.example.org"
Letters = Callable[[], list[KeptLetter]]


def change_password(services: Services, actor: Actor) -> None:
    change = PasswordChange(
        present_password=SecretStr(PASSWORD), new_password=SecretStr("two helices in a tea cup")
    )
    services.confirmation.change_password(actor, change)


def test_every_change_is_told_once(
    settings: Settings,
    services_of: Callable[[Settings], Services],
    member: Actor,
    clock: ManualClock,
    letters: Letters,
) -> None:
    services = services_of(settings.model_copy(update={"base_url": HttpUrl(ORIGIN)}))
    with_app(services, member, clock.now)
    services.factors.renew_recovery_codes(member)
    services.factors.disable(member)
    question = services.passkeys.begin(member)
    credential = SoftPasskey(ORIGIN).create(question.options)
    new = PasskeyIn(name="Call 555-0100", challenge=question.challenge, credential=credential)
    services.passkeys.remove(member, services.passkeys.add(member, new).public_id)
    change_password(services, member)
    with_app(services, member, clock.now)
    services.users.unprotect(OPERATOR, member.email)
    services.accounts.set_password(member.email, "a cup of tea in Lyme Regis")
    told = letters()
    assert {letter.to for letter in told} == {member.email}
    assert [letter.kind for letter in reversed(told)] == [
        "second-factor-on",
        "recovery-codes-renewed",
        "second-factor-off",
        "passkey-added",
        "passkey-removed",
        "password-changed",
        "second-factor-on",
        "second-factor-off",
        "password-changed",
    ]
    assert all(f"{ORIGIN}/account/security" in letter.text for letter in told[2:])
    assert not any("555" in letter.text for letter in told)


def test_an_address_that_nobody_confirmed_is_not_written_to(
    services: Services, letters: Letters
) -> None:
    services.admission.register(registration(email="ada@example.org"))
    [asked] = letters()
    change_password(services, services.accounts.actor_by_email("ada@example.org"))
    assert letters() == [asked]
