"""Personal data over REST: a copy of them, and the end of an account."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from fairdatabase.accounts.authentication import clear_session_cookies
from fairdatabase.accounts.schemas.personal import ConsentRecord, Deletion
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.http import Success, attachment, problems, success

api = APIBlueprint(
    "personal_api",
    __name__,
    url_prefix="/api/v1/account",
    abp_tags=[Tag(name="personal data", description="What is kept about you")],
    abp_security=[{"bearer": []}, {"cookie": []}],
    abp_responses=problems(401, 403),
)
_FILE = {"description": "JSON files in a ZIP archive.", "content": {"application/zip": {}}}


@api.get("/export", responses={200: _FILE})
def export() -> Response:
    """Everything that is kept about you (confirmed)."""
    made = services().personal_data.export(actor())
    return attachment(made.archive, made.name, "application/zip")


@api.get("/consents", responses={200: Success[list[ConsentRecord]]})
def consents() -> Response:
    """What you agreed to, the newest first."""
    return success(services().personal_data.overview(actor()).consents)


@api.post("/consents", responses={201: Success[None], **problems(409)})
def agree() -> Response:
    """Agree to the terms that are in force."""
    services().consents.agree(actor())
    return success(None, status=201)


@api.delete("/consents", responses={200: Success[None], **problems(409)})
def withdraw() -> Response:
    """Take your agreement to the terms back, from now on."""
    services().consents.withdraw(actor())
    return success(None)


@api.delete("", responses={200: Success[Deletion], **problems(409)})
def delete() -> Response:
    """Delete your account, for good (confirmed); the answer says what stays and why."""
    return clear_session_cookies(success(services().personal_data.delete(actor())))
