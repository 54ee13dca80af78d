"""How one's account is protected: password, second factor, passkeys, tokens, sessions."""

from http import HTTPStatus

from flask import Blueprint, Response, flash, make_response, render_template, url_for

from fairdatabase.accounts.errors import LastWayInError
from fairdatabase.accounts.pages import see
from fairdatabase.accounts.pages.answers import answered
from fairdatabase.accounts.rules import PASSWORD_MIN
from fairdatabase.accounts.rules.codes import setup_image
from fairdatabase.accounts.schemas.factors import CodeIn, PasskeyChange, PasskeyInForm
from fairdatabase.accounts.schemas.sessions import PasswordChange
from fairdatabase.accounts.schemas.tokens import DEFAULT_DAYS, LONGEST_DAYS, TokenForm
from fairdatabase.authorization.rules import useful_scopes
from fairdatabase.authorization.schemas import Scope
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.errors import ValidationError
from fairdatabase.kernel.forms import Form

pages = Blueprint("security_pages", __name__, url_prefix="/account/security")
_SCOPES = {
    Scope.DATASETS_READ: "Read datasets, drafts included, and restricted data",
    Scope.DATASETS_WRITE: "Deposit, edit and publish datasets",
    Scope.ACCOUNT_READ: "Read your name, address and roles",
    Scope.USERS_READ: "Read about the users that you may see",
    Scope.USERS_WRITE: "Invite users",
    Scope.AUDIT_READ: "Read the log of events",
}


@pages.after_request
def _keep_to_oneself(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


@pages.errorhandler(LastWayInError)
def _explain(error: LastWayInError) -> Response:
    """Say it where the person can add another way."""
    flash(error.message, "error")
    return see(url_for("security_pages.overview"))


@pages.get("")
def overview() -> str:
    """Show everything that protects the account."""
    return _overview(Form())


@pages.post("/password")
def change_password() -> Response:
    """Replace the password."""

    def act(change: PasswordChange) -> Response:
        services().confirmation.change_password(actor(), change)
        return _done("Your password is changed. All other devices are signed out.")

    return answered(Form.submitted(), PasswordChange, act, _overview)


@pages.get("/authenticator")
def authenticator() -> str:
    """Show the secret of a new authenticator app."""
    return _authenticator(Form())


@pages.post("/authenticator")
def activate() -> Response:
    """Put the app to use, and show the recovery codes."""

    def act(sent: CodeIn) -> Response:
        made = services().factors.activate(actor(), sent.code)
        return make_response(_recovery_codes(made.recovery_codes, is_new=True))

    return answered(Form.submitted(), CodeIn, act, _authenticator)


@pages.post("/authenticator/remove")
def disable() -> Response:
    """Go back to a password alone."""
    services().factors.disable(actor())
    return _done("Signing in takes your password alone from now on.")


@pages.post("/recovery-codes")
def renew_recovery_codes() -> str:
    """Show new recovery codes."""
    codes = services().factors.renew_recovery_codes(actor())
    return _recovery_codes(codes.recovery_codes, is_new=False)


@pages.get("/passkeys/new")
def new_passkey() -> str:
    """Ask how a new passkey shall be called."""
    return _new_passkey(Form())


@pages.post("/passkeys/new")
def add_passkey() -> Response:
    """Keep a new passkey."""

    def act(sent: PasskeyInForm) -> Response:
        services().passkeys.add(actor(), sent.new())
        return _done(f"The passkey {sent.name} is ready. You can sign in with it.")

    return answered(Form.submitted(), PasskeyInForm, act, _new_passkey)


@pages.post("/passkeys/<public_id>/name")
def rename_passkey(public_id: str) -> Response:
    """Give a passkey another name."""
    change = Form.submitted().parse(PasskeyChange)
    if change is None:
        raise ValidationError("Please give the passkey a name of at most 100 characters.")
    services().passkeys.rename(actor(), public_id, change.name)
    return _done("The passkey has its new name.")


@pages.post("/passkeys/<public_id>/remove")
def remove_passkey(public_id: str) -> Response:
    """Remove a passkey."""
    services().passkeys.remove(actor(), public_id)
    return _done("The passkey is removed. Delete it on your device as well.")


@pages.get("/tokens/new")
def new_token() -> str:
    """Ask what a new access token shall be for."""
    return _new_token(Form({"days": str(DEFAULT_DAYS)}))


@pages.post("/tokens/new")
def create_token() -> Response:
    """Make an access token and show it this once."""

    def act(sent: TokenForm) -> Response:
        made = services().tokens.create(actor(), sent.wanted())
        page = render_template("accounts/token.html", token=made)
        return make_response(page, HTTPStatus.CREATED)

    return answered(Form.submitted(), TokenForm, act, _new_token)


@pages.post("/tokens/<public_id>/revoke")
def revoke_token(public_id: str) -> Response:
    """Revoke an access token."""
    services().tokens.revoke(actor(), public_id)
    return _done("The access token is revoked.")


@pages.post("/sessions/<public_id>/revoke")
def revoke_session(public_id: str) -> Response:
    """Sign a device out."""
    services().sessions.revoke(actor(), public_id)
    return _done("The device is signed out.")


@pages.post("/sessions/revoke-others")
def revoke_other_sessions() -> Response:
    """Sign all other devices out."""
    services().sessions.revoke_others(actor())
    return _done("All other devices are signed out.")


def _overview(form: Form) -> str:
    who = actor()
    return render_template(
        "accounts/security.html",
        form=form,
        password_min=PASSWORD_MIN,
        factors=services().factors.overview(who),
        passkeys=services().passkeys.listed(who),
        site=services().passkeys.site,
        tokens=services().tokens.listed(who),
        sessions=services().sessions.listed(who),
        linked=services().identities.overview(who),
    )


def _authenticator(form: Form) -> str:
    found = services().factors.enrol(actor())
    return render_template(
        "accounts/authenticator.html",
        form=form,
        secret=found.secret,
        image=setup_image(found.address),
    )


def _recovery_codes(codes: tuple[str, ...], *, is_new: bool) -> str:
    return render_template("accounts/recovery_codes.html", codes=codes, is_new=is_new)


def _new_passkey(form: Form) -> str:
    return render_template("accounts/passkey.html", form=form, site=services().passkeys.site)


def _new_token(form: Form) -> str:
    useful = useful_scopes(actor().roles)
    scopes = [(scope, text) for scope, text in _SCOPES.items() if scope in useful]
    return render_template(
        "accounts/new_token.html", form=form, scopes=scopes, longest_days=LONGEST_DAYS
    )


def _done(message: str) -> Response:
    flash(message, "success")
    return see(url_for("security_pages.overview"))
