"""A real mail server on this machine, and letters."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from fairdatabase.mail.schemas import KeptLetter, Letter
from tests.factories.serving import free_port

ACCOUNT = ("mary", "fossils on the beach")


def letter(**changes: str) -> Letter:
    """Return a letter."""
    values = {
        "to": "ada@example.org",
        "subject": "A sign of life",
        "text": "Dear Ada,\n\nit works.\n",
        "kind": "greeting",
    }
    return Letter.model_validate(values | changes)


def token_in(kept: KeptLetter) -> str:
    """Return the token of the link in a letter."""
    (link,) = (line for line in kept.text.splitlines() if line.startswith("http"))
    return link.rpartition("/")[2]


@dataclass
class Inbox:
    """What a mail server was sent, and what it says to the next letters."""

    messages: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    rcpt: str = "250 OK"
    data: str = "250 OK"
    port: int = 0

    async def handle_RCPT(  # noqa: N802 - as the server calls it
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: object
    ) -> str:
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(  # noqa: N802 - as the server calls it
        self, _server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.data.startswith("250"):
            content = envelope.original_content or b""
            message = message_from_bytes(content, policy=SMTP_POLICY)
            self.messages.append(message)
            self.recipients += envelope.rcpt_tos
            self.encrypted.append(session.ssl is not None)
        return self.data


def _authenticate(
    _server: object, _session: object, _envelope: object, _mechanism: object, data: LoginPassword
) -> AuthResult:
    given = (data.login.decode(), data.password.decode())
    return AuthResult(success=given == ACCOUNT, handled=False)


@contextmanager
def mail_server(
    certificate: Path | None = None, *, implicit: bool = False, accounts: bool = False
) -> Iterator[Inbox]:
    """Run a mail server inside the block.

    Args:
        certificate: File with key and certificate; it offers STARTTLS with it, or speaks TLS.
        implicit: Whether TLS begins with the connection.
        accounts: Whether one has to sign in first; the server allows that after STARTTLS only.
    """
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    inbox = Inbox(port=free_port())
    options: dict[str, Any] = {"enable_SMTPUTF8": False}
    if implicit:
        options["ssl_context"] = context
    elif context:
        options |= {"tls_context": context, "require_starttls": True}
    if accounts:
        options |= {"authenticator": _authenticate, "auth_required": True}
    controller = Controller(inbox, hostname="127.0.0.1", port=inbox.port, **options)
    controller.start()
    try:
        yield inbox
    finally:
        controller.stop()


def certificate_of(folder: Path, *, name: str = "localhost") -> Path:
    """Write a key and a certificate of its own, for this machine by default; return the file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    address = [x509.IPAddress(ip_address("127.0.0.1"))] if name == "localhost" else []
    names: list[x509.GeneralName] = [x509.DNSName(name), *address]
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    path = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + built.public_bytes(serialization.Encoding.PEM))
    return path
