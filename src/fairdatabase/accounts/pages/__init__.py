"""Pages of accounts: sign in, register, sign out, users."""

from http import HTTPStatus

from flask import (
    Blueprint,
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)

from fairdatabase.accounts.authentication import (
    clear_session_cookies,
    device,
    limit_registration,
    limit_sign_in,
    local_path,
    set_session_cookies,
)
from fairdatabase.accounts.errors import LastAdminError, SecondFactorRequiredError
from fairdatabase.accounts.rules import PASSWORD_MIN
from fairdatabase.accounts.schemas import Credentials, Grant, Registration, RolesForm, UserQuery
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.errors import AuthenticationError, RateLimitError, ValidationError
from fairdatabase.kernel.forms import CSRF_FIELD, Form
from fairdatabase.kernel.records import PageMeta

pages = Blueprint("accounts_pages", __name__)
TICKET = "second_factor"
"""Where the browser keeps the ticket of a sign-in that waits for its second step."""
_REGISTERED = {
    True: "We have sent you a letter. Open its link to confirm your address, then sign in.",
    False: "We have sent you a letter. You can sign in right away.",
}
"""By whether an address has to be confirmed before."""


@pages.get("/sign-in")
def sign_in() -> Response:
    """Ask who it is; who is signed in already goes on."""
    target = local_path(request.args.get("next"))
    if actor().is_authenticated:
        return see(target)
    return make_response(show_sign_in(Form({"next": target})))


@pages.post("/sign-in")
@limit_sign_in
def submit_sign_in() -> Response:
    """Sign in, and go where the person wanted to."""
    form = Form.submitted()
    credentials = form.parse(Credentials, ignoring={"next"})
    target = local_path(form.value("next"))
    headers, status = {}, HTTPStatus.UNPROCESSABLE_ENTITY
    if credentials:
        try:
            return signed_in(services().accounts.sign_in(credentials, device=device()), target)
        except SecondFactorRequiredError as error:
            return ask_second_factor(error, target)
        except AuthenticationError as error:
            form.refuse(error)
        except RateLimitError as error:
            form.refuse(error)
            headers, status = {"Retry-After": error.retry_after}, HTTPStatus.TOO_MANY_REQUESTS
    return make_response(show_sign_in(form), status, headers)


@pages.get("/register")
def register() -> str:
    """Ask who wants an account."""
    return render_template("accounts/register.html", form=Form(), password_min=PASSWORD_MIN)


@pages.post("/register")
@limit_registration
def submit_registration() -> Response:
    """Have an account made; the answer is the same where the address has one already."""
    form = Form.submitted()
    registration = form.parse(Registration)
    if registration:
        try:
            services().admission.register(registration)
            flash(_REGISTERED[services().settings.verifies_email], "success")
            return see(url_for("accounts_pages.sign_in"))
        except ValidationError as error:
            form.refuse(error)
    page = render_template("accounts/register.html", form=form, password_min=PASSWORD_MIN)
    return make_response(page, 422)


@pages.post("/sign-out")
def sign_out() -> Response:
    """End the session and forget it."""
    services().accounts.sign_out(actor())
    flash("You are signed out.", "success")
    return clear_session_cookies(see(local_path(request.form.get("next"))))


@pages.get("/users")
def users() -> str:
    """List the users the actor may see."""
    query = UserQuery.model_validate(request.args.to_dict())
    found = services().accounts.list_users(actor(), query)
    page = PageMeta(page=query.page, per_page=query.per_page, total=found.total)
    return render_template("accounts/users.html", users=found.users, page=page, q=query.search)


@pages.errorhandler(LastAdminError)
def _explain(error: LastAdminError) -> Response:
    """Say it where somebody else can be made an admin."""
    flash(error.message, "error")
    return see(url_for("accounts_pages.users"))


@pages.post("/users/<public_id>/roles")
def change_roles(public_id: str) -> Response:
    """Give a user exactly the roles whose boxes are ticked."""
    change = Form.submitted().parse(RolesForm)
    if change is None:
        raise ValidationError("Please choose at least one role.")
    made = services().accounts.change_roles(actor(), public_id, change.roles)
    flash(f"{made.name} has these roles now: {', '.join(made.roles)}.", "success")
    return see(url_for("accounts_pages.users"))


@pages.post("/users/<public_id>/disable")
def disable_user(public_id: str) -> Response:
    """Close an account."""
    services().users.disable(actor(), public_id)
    flash("The account is closed, and its access tokens are revoked.", "success")
    return see(url_for("accounts_pages.users"))


@pages.post("/users/<public_id>/enable")
def enable_user(public_id: str) -> Response:
    """Open an account again."""
    services().users.enable(actor(), public_id)
    flash("The account is open again.", "success")
    return see(url_for("accounts_pages.users"))


def show_sign_in(form: Form) -> str:
    """Return the page that asks who it is; the form says in ``next`` where the person goes."""
    target = local_path(form.value("next"))
    site = services().passkeys.site
    return render_template("accounts/sign_in.html", form=form, next=target, site=site)


def ask_second_factor(error: SecondFactorRequiredError, target: str) -> Response:
    """Send the browser to the second step of signing in, however the first was taken."""
    session[TICKET] = error.step.ticket
    return see(url_for("confirmation_pages.second_factor", next=target))


def signed_in(grant: Grant, target: str) -> Response:
    """Give the browser its session and send it on."""
    session.pop(CSRF_FIELD, None)
    response = see(target)
    set_session_cookies(response, grant)
    return response


def see(target: str) -> Response:
    """Send the browser to another page."""
    return make_response(redirect(target, HTTPStatus.SEE_OTHER))
