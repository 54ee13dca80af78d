"""Pages of second steps: finishing a sign-in, signing in by passkey, confirming who one is."""

from flask import Blueprint, Response, flash, render_template, request, session, url_for

from fairdatabase.accounts.authentication import device, limit_proofs, local_path
from fairdatabase.accounts.errors import SignInExpiredError
from fairdatabase.accounts.pages import TICKET, see, show_sign_in, signed_in
from fairdatabase.accounts.pages.answers import answered
from fairdatabase.accounts.schemas.factors import CodeIn
from fairdatabase.accounts.schemas.sessions import (
    ConfirmationAnswer,
    ConfirmationForm,
    PasskeyForm,
    Proof,
    SecondFactorAnswer,
)
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.forms import Form

pages = Blueprint("confirmation_pages", __name__)
_AGAIN = "Thank you. What you wanted to do was not done yet: please do it again now."


@pages.after_request
def _keep_to_oneself(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


@pages.errorhandler(SignInExpiredError)
def _begin_anew(error: SignInExpiredError) -> Response:
    session.pop(TICKET, None)
    flash(error.message, "warning")
    target = local_path(request.values.get("next"))
    return see(url_for("accounts_pages.sign_in", next=target))


@pages.get("/sign-in/second-factor")
def second_factor() -> str:
    """Ask for the second factor of whoever gave the right password."""
    return _second_factor(Form({"next": local_path(request.args.get("next"))}))


@pages.post("/sign-in/second-factor")
@limit_proofs
def submit_second_factor() -> Response:
    """Finish the sign-in by a code."""

    def act(sent: CodeIn) -> Response:
        return _finish(SecondFactorAnswer(ticket=_ticket(), code=sent.code))

    return answered(Form.submitted(), CodeIn, act, _second_factor)


@pages.post("/sign-in/second-factor/passkey")
@limit_proofs
def submit_second_passkey() -> Response:
    """Finish the sign-in by a passkey."""

    def act(sent: PasskeyForm) -> Response:
        return _finish(SecondFactorAnswer(ticket=_ticket(), passkey=sent.answer()))

    return answered(Form.submitted(), PasskeyForm, act, _second_factor)


@pages.post("/sign-in/passkey")
@limit_proofs
def submit_passkey() -> Response:
    """Sign in by a passkey alone."""

    def act(sent: PasskeyForm) -> Response:
        grant = services().confirmation.sign_in(sent.answer(), device=device())
        return signed_in(grant, _target())

    return answered(Form.submitted(), PasskeyForm, act, show_sign_in)


@pages.get("/confirm")
def confirm() -> str:
    """Ask for one more proof."""
    again = "yes" if request.args.get("again") else ""
    return _confirmation(Form({"next": local_path(request.args.get("next")), "again": again}))


@pages.post("/confirm")
@limit_proofs
def submit_confirmation() -> Response:
    """Confirm by a password or a code."""
    return answered(
        Form.submitted(), ConfirmationForm, lambda sent: _confirm(sent.answer()), _confirmation
    )


@pages.post("/confirm/passkey")
@limit_proofs
def submit_passkey_confirmation() -> Response:
    """Confirm by a passkey."""

    def act(sent: PasskeyForm) -> Response:
        return _confirm(ConfirmationAnswer(passkey=sent.answer()))

    return answered(Form.submitted(), PasskeyForm, act, _confirmation)


def _finish(answer: SecondFactorAnswer) -> Response:
    grant = services().confirmation.finish(answer, device=device())
    session.pop(TICKET, None)
    return signed_in(grant, _target())


def _confirm(answer: ConfirmationAnswer) -> Response:
    services().confirmation.confirm(actor(), answer)
    if request.form.get("again"):
        flash(_AGAIN, "info")
    return see(_target())


def _second_factor(form: Form) -> str:
    methods = services().confirmation.methods(_ticket())
    return render_template(
        "accounts/second_factor.html",
        form=form,
        ticket=_ticket(),
        has_passkey=Proof.PASSKEY in methods,
    )


def _confirmation(form: Form) -> str:
    ways = services().confirmation.ways(actor())
    return render_template("accounts/confirm.html", form=form, ways=ways)


def _target() -> str:
    return local_path(request.form.get("next"))


def _ticket() -> str:
    return str(session.get(TICKET, ""))
