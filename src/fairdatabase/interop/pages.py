"""Pages of interoperability: the landing page, and the identifiers that lead to it."""

from functools import partial
from http import HTTPStatus

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from fairdatabase.catalog.schemas import VersionState
from fairdatabase.interop.formats.registry import BY_MEDIA_TYPE
from fairdatabase.interop.schemas import Landing
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.http import conditional

pages = Blueprint("interop_pages", __name__)


@pages.get("/datasets/<public_id>")
def landing(public_id: str) -> ResponseReturnValue:
    """Show a dataset, to machines in the format they ask for; a draft as the deposit it is."""
    if wanted := _wanted_format():
        address = url_for("interop_api.export", dataset_id=public_id, format=wanted)
        return redirect(address, HTTPStatus.SEE_OTHER)
    found = services().interop.landing(actor(), public_id)
    if found.version.state is VersionState.DRAFT:
        address = url_for("deposits_pages.review", public_id=found.version.public_id)
        return redirect(address, HTTPStatus.SEE_OTHER)
    status = HTTPStatus.GONE if found.version.state is VersionState.WITHDRAWN else HTTPStatus.OK
    page = partial(_page, found, status)
    # With a cookie the page may hold a message or a name that is not to be shown again.
    personal = bool(request.cookies) or status is HTTPStatus.GONE
    response = page() if personal else conditional(found.etag, page)
    response.vary.add("Accept")
    return response


@pages.get("/ark:<naan>/<public_id>")
@pages.get("/ark:/<naan>/<public_id>")
def resolve(naan: str, public_id: str) -> ResponseReturnValue:
    """Lead from an ARK, in its old and its new form, to the page of what it names."""
    known = services().catalog.require_identifier(actor(), naan, public_id)
    return redirect(url_for(".landing", public_id=known), HTTPStatus.SEE_OTHER)


def _page(landing: Landing, status: HTTPStatus) -> Response:
    return make_response(render_template("interop/landing.html", landing=landing), status)


def _wanted_format() -> str | None:
    """Return the name of the format that the address or the ``Accept`` header asks for."""
    if "format" in request.args:
        return request.args["format"]
    offered = ["text/html", *BY_MEDIA_TYPE]
    best = request.accept_mimetypes.best_match(offered, default="text/html")
    return BY_MEDIA_TYPE[best].name if best in BY_MEDIA_TYPE else None
