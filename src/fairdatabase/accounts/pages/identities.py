"""Pages of signing in by other providers, and of linking them.

The browser keeps a secret in its session cookie, so that an answer that was meant for another
browser is worthless in this one, and the id of an identity that waits for its owner.
"""

import secrets
from collections.abc import Callable
from typing import Any

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

from fairdatabase.accounts.authentication import device, limit_letters, limit_proofs, local_path
from fairdatabase.accounts.errors import (
    IdentityTakenError,
    LastWayInError,
    ProviderError,
    SecondFactorRequiredError,
)
from fairdatabase.accounts.pages import ask_second_factor, see, signed_in
from fairdatabase.accounts.pages.answers import answered
from fairdatabase.accounts.schemas.identities import (
    AddressCode,
    ApplicantIn,
    Arrival,
    ProviderAnswer,
)
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.errors import FAIRDatabaseError, UnavailableError
from fairdatabase.kernel.forms import Form

pages = Blueprint("identity_pages", __name__)
_BROWSER = "browser"
_PENDING = "identity"
_TARGET = "identity_target"
_SECURITY = "security_pages.overview"


@pages.app_context_processor
def _buttons() -> dict[str, Any]:
    return {"sign_in_providers": services().identities.providers}


@pages.after_request
def _keep_to_oneself(response: Response) -> Response:
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


@pages.errorhandler(ProviderError)
@pages.errorhandler(UnavailableError)
@pages.errorhandler(IdentityTakenError)
@pages.errorhandler(LastWayInError)
def _explain(error: FAIRDatabaseError) -> Response:
    """Say what went wrong where the person can go on."""
    flash(error.message, "error")
    return see(url_for(_SECURITY if actor().is_authenticated else "accounts_pages.sign_in"))


@pages.get("/sign-in/with/<provider>")
def begin(provider: str) -> Response:
    """Send the browser to a provider, to sign in."""
    target = local_path(request.args.get("next"))
    session[_TARGET] = target
    departure = services().identities.begin(provider, browser=_browser(), target=target)
    return make_response(redirect(departure.address))


@pages.get("/sign-in/with/<provider>/answer")
def finish(provider: str) -> Response:
    """Take the provider's answer."""
    answer = ProviderAnswer.model_validate(request.args.to_dict())
    return _arrived(
        lambda: services().identities.finish(
            actor(), provider, answer, browser=_browser(), device=device()
        )
    )


@pages.get("/sign-in/finish")
def pending() -> Response:
    """Ask for what the provider did not say; who has signed in meanwhile is asked about linking."""
    if actor().is_authenticated:
        return see(url_for("identity_pages.link_pending"))
    return make_response(_ask(Form()))


@pages.post("/sign-in/finish")
@limit_letters
def apply() -> Response:
    """Make the account of somebody whose address is known, or send a code to it."""

    def act(applicant: ApplicantIn) -> Response:
        apply = services().identities.apply
        return _arrived(lambda: apply(_pending(), applicant, browser=_browser(), device=device()))

    return answered(Form.submitted(), ApplicantIn, act, _ask)


@pages.post("/sign-in/finish/code")
@limit_proofs
def join() -> Response:
    """Make the account of somebody who knows the code."""

    def act(code: AddressCode) -> Response:
        join = services().identities.join
        return _arrived(lambda: join(_pending(), code, browser=_browser(), device=device()))

    return answered(Form.submitted(), AddressCode, act, _ask)


@pages.get("/account/identities/link")
def link_pending() -> str:
    """Ask whether what waited belongs to this account."""
    waiting = services().identities.newcomers.pending(_pending(), browser=_browser())
    return render_template("accounts/link_identity.html", waiting=waiting)


@pages.post("/account/identities/link")
def submit_link() -> Response:
    """Link what waited."""
    link = services().identities.link_pending
    return _arrived(lambda: link(actor(), _pending(), browser=_browser()))


@pages.post("/account/identities/with/<provider>")
def begin_link(provider: str) -> str:
    """Send the browser to a provider, to link it.

    The content policy lets no form lead to another site, not even by a redirect, so a page of ours
    does it.
    """
    target = local_path(request.form.get("next", url_for(_SECURITY)))
    departure = services().identities.begin_link(
        actor(), provider, browser=_browser(), target=target
    )
    return render_template("accounts/leave.html", departure=departure)


@pages.post("/account/identities/<public_id>/unlink")
def unlink(public_id: str) -> Response:
    """Let nobody sign in by an identity any more."""
    services().identities.unlink(actor(), public_id)
    flash("The link is removed.", "success")
    return see(url_for(_SECURITY))


def _arrived(arrive: Callable[[], Arrival]) -> Response:
    """Send the browser on after an answer: signed in, linked, or to what is still missing."""
    try:
        arrival = arrive()
    except SecondFactorRequiredError as error:
        return ask_second_factor(error, local_path(session.get(_TARGET)))
    if arrival.pending:
        session[_PENDING] = arrival.pending
        return see(url_for("identity_pages.pending"))
    session.pop(_PENDING, None)
    if arrival.grant:
        return signed_in(arrival.grant, local_path(arrival.target))
    if arrival.linked:
        flash(f"You can sign in by {arrival.linked} from now on.", "success")
        return see(url_for(_SECURITY))
    return see(local_path(arrival.target))


def _ask(form: Form) -> str:
    waiting = services().identities.newcomers.pending(_pending(), browser=_browser())
    if not form.values:
        form = Form({"name": waiting.name, "email": waiting.email})
    return render_template("accounts/finish.html", form=form, waiting=waiting)


def _browser() -> str:
    return str(session.setdefault(_BROWSER, secrets.token_urlsafe()))


def _pending() -> str:
    return str(session.get(_PENDING, ""))
