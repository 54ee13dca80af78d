"""What can go wrong with accounts."""

from typing import TYPE_CHECKING

from fairdatabase.kernel.errors import AuthenticationError, ConflictError, ValidationError

if TYPE_CHECKING:
    from fairdatabase.accounts.schemas.sessions import SecondStep


class EmailTakenError(ConflictError):
    """An account with this e-mail address exists already."""

    code = "email-taken"


class EmailUnverifiedError(AuthenticationError):
    """The password is right and the owner has not confirmed the address yet."""

    code = "email-unverified"


class TermsUnacceptedError(AuthenticationError):
    """The person is known elsewhere, and gets an account here after agreeing to the terms."""

    code = "terms-unaccepted"


class LinkInvalidError(ValidationError):
    """A link from a letter was used before, has expired or never was one."""

    code = "link-invalid"


class LastAdminError(ConflictError):
    """The change would leave the instance without an active admin."""

    code = "last-admin"


class ProviderError(AuthenticationError):
    """Another provider did not sign the person in, or its answer is not to be believed."""

    code = "provider-refused"


class IdentityTakenError(ConflictError):
    """An account at another provider is linked to somebody else's account here."""

    code = "identity-taken"


class LastWayInError(ConflictError):
    """Nobody could sign in to the account without this."""

    code = "last-way-in"


class SecondFactorRequiredError(AuthenticationError):
    """The password is right; a code or a passkey is needed as well.

    Args:
        step: What is asked for.
    """

    code = "second-factor-required"

    def __init__(self, step: "SecondStep") -> None:
        super().__init__(
            "Please send a code of your authenticator app, a recovery code or a passkey as well.",
            details=step.model_dump(mode="json"),
        )
        self.step = step


class SignInExpiredError(AuthenticationError):
    """A sign-in of two steps was not finished in time, or saw too many wrong codes."""

    code = "sign-in-expired"


class PasskeyRefusedError(AuthenticationError):
    """The passkey does not answer the question, or is not known here."""

    code = "passkey-refused"


class SessionEndedError(AuthenticationError):
    """The session was signed out, revoked or has expired, or its account is disabled."""

    code = "session-ended"
