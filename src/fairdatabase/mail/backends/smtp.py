"""Letters to a mail server (RFC 5321), over TLS unless it is set otherwise."""

import smtplib
import ssl
from email.message import EmailMessage

from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.errors import UnavailableError
from fairdatabase.mail.errors import LetterRefusedError

_SECONDS = 20.0
_PERMANENT = 500


class SmtpBackend:
    """Sends each message over a connection of its own.

    With ``starttls`` and ``tls`` the certificate and the name of the server are verified, and
    nothing is sent where the server offers no TLS.

    Args:
        settings: Name the server, how to reach it and who we are.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def send(self, message: EmailMessage) -> None:
        """Hand the message to the server; see the protocol."""
        try:
            with self._connected() as server:
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code, reason = next(iter(error.recipients.values()))
            raise self._failed(code, reason) from error
        except smtplib.SMTPDataError as error:
            raise self._failed(error.smtp_code, error.smtp_error) from error
        except smtplib.SMTPAuthenticationError as error:
            raise UnavailableError(
                f"The mail server {self._server} does not accept smtp_username and smtp_password."
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            raise UnavailableError(
                f"The mail server {self._server} did not take the letter: {_in_words(error)}."
            ) from error

    @property
    def _server(self) -> str:
        return f"{self._settings.smtp_host}:{self._settings.smtp_port}"

    def _connected(self) -> smtplib.SMTP:
        """Return a connection, encrypted and signed in as the settings say."""
        settings = self._settings
        name = settings.base_url.host or "localhost"
        host, port = settings.smtp_host, settings.smtp_port
        if settings.smtp_security == "tls":
            context = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, port, local_hostname=name, timeout=_SECONDS, context=context
            )
        else:
            server = smtplib.SMTP(host, port, local_hostname=name, timeout=_SECONDS)
        try:
            if settings.smtp_security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if settings.smtp_username:
                server.login(settings.smtp_username, settings.smtp_password.get_secret_value())
        except (smtplib.SMTPException, OSError):
            server.close()
            raise
        return server

    def _failed(self, code: int, reason: bytes | str) -> UnavailableError | LetterRefusedError:
        """Return the error for an answer of the server to one letter."""
        words = reason.decode(errors="replace") if isinstance(reason, bytes) else reason
        said = f"The mail server {self._server} said {code} {words}."
        return LetterRefusedError(said) if code >= _PERMANENT else UnavailableError(said)


def _in_words(error: smtplib.SMTPException | OSError) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {error.smtp_error!r}"
    return str(error) or type(error).__name__
