"""Letters to a real mail server on this machine."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from fairdatabase.kernel.config import Settings, load_settings
from fairdatabase.kernel.errors import UnavailableError
from fairdatabase.mail.backends.smtp import SmtpBackend
from fairdatabase.mail.errors import LetterRefusedError
from fairdatabase.mail.rules import compose
from tests.factories.mail import ACCOUNT, Inbox, certificate_of, letter, mail_server
from tests.factories.serving import free_port
from tests.unit.mail.test_rules import MOMENT


def settings_for(inbox: Inbox, **changes: Any) -> Settings:  # noqa: ANN401
    values = {
        "smtp_host": "127.0.0.1",
        "smtp_port": inbox.port,
        "smtp_security": "none",
        "secret_key": "t" * 32,
        "jwt_secret_key": "j" * 64,
        "data_key": "d" * 32,
        "pseudonym_key": "p" * 32,
    }
    return load_settings(_env_file=None, **values | changes)


def send(settings: Settings, **changes: str) -> None:
    message = compose(
        letter(**changes), sender="noreply@localhost", site="Data", number="1", written_at=MOMENT
    )
    SmtpBackend(settings).send(message)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return certificate_of(tmp_path)


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return certificate


def test_a_letter_arrives() -> None:
    with mail_server() as inbox:
        send(settings_for(inbox), subject="Grüße", text="Schöne Grüße\n")
    (message,) = inbox.messages
    assert (message["Subject"], inbox.recipients) == ("Grüße", ["ada@example.org"])
    assert message.get_content() == "Schöne Grüße\r\n"
    assert inbox.encrypted == [False]


def test_a_letter_arrives_encrypted_and_signed_in(trusted: Path) -> None:
    login, password = ACCOUNT
    with mail_server(trusted, accounts=True) as inbox:
        account = {"smtp_username": login, "smtp_password": SecretStr(password)}
        send(settings_for(inbox, smtp_security="starttls", **account))
    assert inbox.encrypted == [True]


def test_a_letter_arrives_over_tls(trusted: Path) -> None:
    with mail_server(trusted, implicit=True) as inbox:
        send(settings_for(inbox, smtp_security="tls"))
    assert len(inbox.messages) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_that_nobody_vouches_for_gets_nothing(certificate: Path, security: str) -> None:
    with (
        mail_server(certificate, implicit=security == "tls") as inbox,
        pytest.raises(UnavailableError, match="certificate verify failed"),
    ):
        send(settings_for(inbox, smtp_security=security))
    assert not inbox.messages


def test_a_server_of_another_name_gets_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = certificate_of(tmp_path, name="mail.example.org")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with mail_server(certificate) as inbox, pytest.raises(UnavailableError, match="mismatch"):
        send(settings_for(inbox, smtp_security="starttls"))
    assert not inbox.messages


def test_a_server_without_encryption_gets_nothing() -> None:
    with mail_server() as inbox, pytest.raises(UnavailableError, match="STARTTLS"):
        send(settings_for(inbox, smtp_security="starttls"))
    assert not inbox.messages


def test_a_wrong_password_is_named_as_what_it_is(trusted: Path) -> None:
    wrong = {"smtp_username": "mary", "smtp_password": SecretStr("wrong")}
    with (
        mail_server(trusted, accounts=True) as inbox,
        pytest.raises(UnavailableError, match="does not accept smtp_username"),
    ):
        send(settings_for(inbox, smtp_security="starttls", **wrong))
    assert not inbox.messages


def test_a_server_that_wants_a_password_says_so(trusted: Path) -> None:
    with mail_server(trusted, accounts=True) as inbox, pytest.raises(UnavailableError, match="530"):
        send(settings_for(inbox, smtp_security="starttls"))


@pytest.mark.parametrize("step", ["rcpt", "data"])
@pytest.mark.parametrize(
    ("answer", "error"),
    [("550 no such mailbox", LetterRefusedError), ("451 come back later", UnavailableError)],
)
def test_a_refusal_is_for_good_or_for_now(step: str, answer: str, error: type[Exception]) -> None:
    with mail_server() as inbox:
        setattr(inbox, step, answer)
        with pytest.raises(error, match=answer):
            send(settings_for(inbox))
        setattr(inbox, step, "250 OK")
        send(settings_for(inbox))
    assert len(inbox.messages) == 1


def test_an_address_that_the_server_cannot_write_is_not_lost_silently() -> None:
    with mail_server() as inbox, pytest.raises(UnavailableError, match="SMTPUTF8"):
        send(settings_for(inbox), to="jörg@example.org")


def test_nobody_there_is_tried_again() -> None:
    inbox = Inbox(port=free_port())
    with pytest.raises(UnavailableError, match="refused"):
        send(settings_for(inbox))
