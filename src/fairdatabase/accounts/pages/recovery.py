"""Pages that links in letters lead to, and those on which letters are asked for.

Opening a link changes nothing, because programs that scan mail open links too: each page has a
button. No page tells the next one where the visitor came from: the address holds the link.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar

from flask import Blueprint, Response, flash, make_response, render_template, url_for
from pydantic import BaseModel, SecretStr

from fairdatabase.accounts.authentication import device, limit_letters, limit_sign_in
from fairdatabase.accounts.errors import LinkInvalidError, SecondFactorRequiredError
from fairdatabase.accounts.pages import ask_second_factor, see, signed_in
from fairdatabase.accounts.rules import PASSWORD_MIN
from fairdatabase.accounts.schemas import (
    AcceptanceIn,
    AddressIn,
    Credentials,
    InvitationForm,
    InvitationIn,
    LinkPurpose,
    ResetIn,
    VerificationIn,
)
from fairdatabase.authorization.schemas import Role
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.errors import (
    AuthenticationError,
    ConflictError,
    RateLimitError,
    ValidationError,
)
from fairdatabase.kernel.forms import Form

pages = Blueprint("recovery_pages", __name__)
M = TypeVar("M", bound=BaseModel)


@pages.after_request
def _keep_to_oneself(response: Response) -> Response:
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@pages.errorhandler(LinkInvalidError)
def _link_invalid(_error: LinkInvalidError) -> tuple[str, int]:
    return render_template("accounts/link_invalid.html"), HTTPStatus.UNPROCESSABLE_ENTITY


@pages.get("/forgotten")
def forgotten() -> str:
    """Ask whose password is forgotten."""
    return render_template("accounts/forgotten.html", form=Form())


@pages.post("/forgotten")
@limit_letters
def request_reset() -> Response:
    """Have a letter sent, if there is anybody to write to."""

    def act(given: AddressIn) -> Response:
        services().recovery.request_reset(given.email)
        return _sent("If this address has an account, a letter with a link is on its way to it.")

    return _filled_in("accounts/forgotten.html", Form.submitted(), AddressIn, act)


@pages.get("/verification")
def verification() -> str:
    """Ask to whom the letter shall go that asks to confirm an address."""
    return render_template("accounts/verification.html", form=Form())


@pages.post("/verification")
@limit_letters
def request_verification() -> Response:
    """Have the letter sent again, if the address waits to be confirmed."""

    def act(given: AddressIn) -> Response:
        services().recovery.request_verification(given.email)
        return _sent("If this address waits to be confirmed, a letter is on its way to it.")

    return _filled_in("accounts/verification.html", Form.submitted(), AddressIn, act)


@pages.get("/verify/<token>")
def verify(token: str) -> str:
    """Show whose address is to be confirmed."""
    email = services().recovery.look_at(LinkPurpose.VERIFY_EMAIL, token)
    return render_template("accounts/verify.html", form=Form(), email=email)


@pages.post("/verify/<token>")
@limit_sign_in
def submit_verification(token: str) -> Response:
    """Confirm the address."""
    recovery = services().recovery
    email = recovery.look_at(LinkPurpose.VERIFY_EMAIL, token)

    def act(given: VerificationIn) -> Response:
        recovery.verify(actor(), given)
        flash("Your address is confirmed.", "success")
        return _enter(email, given.password) if given.password else see(url_for("web.home"))

    return _filled_in("accounts/verify.html", _with(token), VerificationIn, act, email=email)


@pages.get("/reset/<token>")
def reset(token: str) -> str:
    """Ask for a new password."""
    email = services().recovery.look_at(LinkPurpose.RESET_PASSWORD, token)
    return render_template(
        "accounts/reset.html", form=Form(), email=email, password_min=PASSWORD_MIN
    )


@pages.post("/reset/<token>")
def submit_reset(token: str) -> Response:
    """Set the new password."""
    recovery = services().recovery
    page = {
        "email": recovery.look_at(LinkPurpose.RESET_PASSWORD, token),
        "password_min": PASSWORD_MIN,
    }

    def act(given: ResetIn) -> Response:
        recovery.reset(given)
        return _done("Your password is changed, and all sessions were ended. Please sign in.")

    return _filled_in("accounts/reset.html", _with(token), ResetIn, act, **page)


@pages.get("/address/<token>")
def address(token: str) -> str:
    """Show the address that an account is to get."""
    email = services().recovery.look_at(LinkPurpose.CHANGE_EMAIL, token)
    return render_template("accounts/address.html", form=Form(), email=email)


@pages.post("/address/<token>")
def submit_address(token: str) -> Response:
    """Change the address."""
    email = services().recovery.change_address(token)
    return _done(f"The address of your account is {email} now.")


@pages.get("/invitation/<token>")
def invitation(token: str) -> str:
    """Ask who accepts the invitation, and for a password."""
    found = services().admission.invitation(token)
    return render_template(
        "accounts/invitation.html", form=Form(), email=found.email, password_min=PASSWORD_MIN
    )


@pages.post("/invitation/<token>")
def accept_invitation(token: str) -> Response:
    """Make the account."""
    admission = services().admission
    page = {"email": admission.invitation(token).email, "password_min": PASSWORD_MIN}

    def act(given: AcceptanceIn) -> Response:
        admission.accept(given)
        return _done("Welcome! Your account is ready. Please sign in.")

    return _filled_in("accounts/invitation.html", _with(token), AcceptanceIn, act, **page)


@pages.get("/admin/invitations")
def invitations() -> str:
    """List the invitations that wait, and ask for another."""
    waiting = services().admission.list_invitations(actor())
    form = Form({"role": Role.MEMBER.value})
    return render_template("accounts/invitations.html", form=form, invitations=waiting)


@pages.post("/admin/invitations")
def invite() -> Response:
    """Invite somebody."""
    admission = services().admission

    def act(given: InvitationForm) -> Response:
        wanted = InvitationIn(email=given.email, roles=frozenset({given.role}))
        flash(
            f"An invitation is on its way to {admission.invite(actor(), wanted).email}.", "success"
        )
        return see(url_for("recovery_pages.invitations"))

    waiting = admission.list_invitations(actor())
    page = {"invitations": waiting}
    return _filled_in("accounts/invitations.html", Form.submitted(), InvitationForm, act, **page)


@pages.post("/admin/invitations/<public_id>/revoke")
def revoke_invitation(public_id: str) -> Response:
    """Make an invitation work no more."""
    services().admission.revoke_invitation(actor(), public_id)
    flash("The invitation works no more.", "success")
    return see(url_for("recovery_pages.invitations"))


def _with(token: str) -> Form:
    """Return the form that was sent, with the link that its page belongs to."""
    return Form({**Form.submitted().values, "token": token})


def _filled_in(
    template: str, form: Form, model: type[M], act: Callable[[M], Response], **page: object
) -> Response:
    """Act on a form, or show its page again with what is wrong.

    Args:
        template: Of the page.
        form: What was sent.
        model: What the form has to fit.
        act: Does what the form is for, and answers.
        **page: What the page shows besides.
    """
    status, headers = HTTPStatus.UNPROCESSABLE_ENTITY, {}
    given = form.parse(model)
    if given:
        try:
            return act(given)
        except RateLimitError as error:
            form.refuse(error)
            status, headers = HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": error.retry_after}
        except (AuthenticationError, ConflictError, ValidationError) as error:
            form.refuse(error)
    return make_response(render_template(template, form=form, **page), status, headers)


def _enter(email: str, password: SecretStr) -> Response:
    """Sign in who typed the password just now."""
    credentials = Credentials(email=email, password=password)
    try:
        return signed_in(services().accounts.sign_in(credentials, device=device()), "/")
    except SecondFactorRequiredError as error:
        return ask_second_factor(error, "/")


def _sent(message: str) -> Response:
    flash(f"{message} It may take a minute; look among unwanted mail as well.", "success")
    return see(url_for("accounts_pages.sign_in"))


def _done(message: str) -> Response:
    flash(message, "success")
    return see(url_for("accounts_pages.sign_in"))
