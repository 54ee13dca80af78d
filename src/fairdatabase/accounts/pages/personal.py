"""The page about one's own data."""

from flask import Blueprint, Response, flash, make_response, render_template, url_for

from fairdatabase.accounts.authentication import clear_session_cookies
from fairdatabase.accounts.pages import see
from fairdatabase.accounts.schemas.personal import GONE_AT_ONCE, KEPT, DeletionIn
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.errors import ConflictError
from fairdatabase.kernel.forms import Form
from fairdatabase.kernel.http import attachment

pages = Blueprint("personal_pages", __name__, url_prefix="/account/data")


@pages.get("")
def overview() -> str:
    """Show what is kept about the actor and what can be done with it."""
    return _page(Form())


@pages.get("/export")
def export() -> Response:
    """Send a copy of it."""
    made = services().personal_data.export(actor())
    return attachment(made.archive, made.name, "application/zip")


@pages.post("/consents")
def agree() -> Response:
    """Agree to the terms."""
    services().consents.agree(actor())
    flash("Thank you. You agree to the terms.", "success")
    return see(url_for(".overview"))


@pages.post("/consents/withdrawal")
def withdraw() -> Response:
    """Take the agreement back."""
    services().consents.withdraw(actor())
    flash("You no longer agree to the terms. You can delete your account below.", "success")
    return see(url_for(".overview"))


@pages.post("/deletion")
def delete() -> Response:
    """Delete the account."""
    form = Form.submitted()
    sent = form.parse(DeletionIn)
    if sent and sent.understood:
        try:
            services().personal_data.delete(actor())
            flash("Your account is deleted. Thank you for having been here.", "success")
            return clear_session_cookies(see(url_for("web.home")))
        except ConflictError as error:
            form.refuse(error)
    else:
        form.errors = {"understood": "Please tick that you know what goes and what stays."}
    return make_response(_page(form), 422)


def _page(form: Form) -> str:
    found = services().personal_data.overview(actor())
    return render_template(
        "accounts/data.html",
        form=form,
        found=found,
        gone=GONE_AT_ONCE,
        kept=KEPT,
    )
