"""The page that browsers are shown instead of an error document."""

from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from flask import Response, g, make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import default_exceptions

from fairdatabase.authorization.errors import ConfirmationRequiredError

_MESSAGES: Final = {
    HTTPStatus.BAD_REQUEST: "What your browser sent could not be understood.",
    HTTPStatus.NOT_FOUND: "There is no page at this address, or it is not public.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address only takes forms of another page.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "What you sent is larger than this platform accepts.",
}
_ADVICE: Final = {
    HTTPStatus.BAD_REQUEST: "Go back, load the page again and send it once more.",
    HTTPStatus.FORBIDDEN: "If you think you should be able to do this, ask an admin.",
    HTTPStatus.NOT_FOUND: "Look for a typing error in the address, or search for the dataset by"
    " its title. A draft is shown to its owner and the curators only.",
    HTTPStatus.CONFLICT: "Go back and load the page again: it will show how things stand now.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Nothing of it was kept. Large tables become much smaller"
    " as Parquet.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Go back and correct it; your browser kept what you typed.",
    HTTPStatus.TOO_MANY_REQUESTS: "Wait a minute and try again. Nothing was lost.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Nothing half-done was kept. The log knows more.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Try again in a minute. What you saved is safe.",
    HTTPStatus.INSUFFICIENT_STORAGE: "Nothing of it was kept. Tell an admin, then send it again.",
}


def error_page(status: HTTPStatus, title: str, message: str, code: str) -> Response:
    """Show what went wrong; who has to sign in or to confirm does so and comes back afterwards."""
    if code == ConfirmationRequiredError.code:
        return _ask_to_confirm()
    if status == HTTPStatus.UNAUTHORIZED:
        here = request.full_path.rstrip("?") if request.method == "GET" else None
        # Werkzeug's redirects are its own responses, which Flask's are a kind of.
        return make_response(redirect(url_for("accounts_pages.sign_in", next=here), 303))
    page = render_template(
        "error.html",
        status=int(status),
        title=title,
        message=_message(status, message),
        advice=_ADVICE.get(status),
        actions=_actions(status),
        correlation_id=g.get("request_id"),
    )
    return make_response(page, status)


def _ask_to_confirm() -> Response:
    """Send the person to confirm; what a form asked for has to be asked for again."""
    if request.method == "GET":
        here, again = request.full_path.rstrip("?"), None
    else:
        here, again = _came_from(), "yes"
    address = url_for("confirmation_pages.confirm", next=here, again=again)
    return make_response(redirect(address, HTTPStatus.SEE_OTHER))


def _came_from() -> str:
    """Return the page of ours whose form was sent."""
    before = urlsplit(request.referrer or "")
    is_ours = before.netloc == request.host
    return f"{before.path}?{before.query}".rstrip("?") if is_ours else url_for("web.home")


def _message(status: HTTPStatus, message: str) -> str:
    """Return the message, or our own words where it is only the framework's."""
    framework = default_exceptions.get(status)
    if framework is not None and message == framework.description:
        return _MESSAGES.get(status, message)
    return message


def _actions(status: HTTPStatus) -> list[tuple[str, str]]:
    home = ("Back to the start", url_for("web.home"))
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return [("Search the datasets", url_for("catalog_pages.search")), home]
    return [home]
