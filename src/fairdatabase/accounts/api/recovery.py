"""What works by letters over REST: confirming an address, new passwords, invitations."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from fairdatabase.accounts.authentication import limit_letters, limit_sign_in
from fairdatabase.accounts.schemas import (
    LETTER_SENT,
    AcceptanceIn,
    Address,
    AddressIn,
    InvitationIn,
    InvitationPath,
    InvitationRecord,
    LinkIn,
    ResetIn,
    Sent,
    VerificationIn,
)
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.http import Success, problems, success

_TAG = Tag(name="letters", description="Links that come by e-mail, and invitations")
_SIGNED_IN: list[dict[str, list[str]]] = [{"bearer": []}, {"cookie": []}]
api = APIBlueprint(
    "recovery_api",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[_TAG],
    abp_responses=problems(422, 429),
)


@api.post("/auth/verification", responses={202: Success[Sent]})
@limit_letters
def request_verification(body: AddressIn) -> Response:
    """Send the letter that asks to confirm an address again, if it waits for that."""
    services().recovery.request_verification(body.email)
    return success(Sent(message=LETTER_SENT), status=202)


@api.post("/auth/verification/confirm", responses={200: Success[Address], **problems(401)})
@limit_sign_in
def verify(body: VerificationIn) -> Response:
    """Confirm an address: by the link, and by the password or a session of its account."""
    return success(Address(email=services().recovery.verify(actor(), body)))


@api.post("/auth/password/forgotten", responses={202: Success[Sent]})
@limit_letters
def request_reset(body: AddressIn) -> Response:
    """Send a link to a new password, if the address has an account."""
    services().recovery.request_reset(body.email)
    return success(Sent(message=LETTER_SENT), status=202)


@api.post("/auth/password/reset", responses={200: Success[None]})
def reset(body: ResetIn) -> Response:
    """Set a new password by a link; all sessions of the account end."""
    services().recovery.reset(body)
    return success(None)


@api.post("/auth/email", responses={202: Success[Sent], **problems(401, 403)}, security=_SIGNED_IN)
@limit_letters
def request_address(body: AddressIn) -> Response:
    """Ask for another address of your account: a letter to it has the link that changes it."""
    services().recovery.request_address(actor(), body.email)
    return success(Sent(message=LETTER_SENT), status=202)


@api.post("/auth/email/confirm", responses={200: Success[Address], **problems(409)})
def change_address(body: LinkIn) -> Response:
    """Change the address of an account by the link that was sent to the new one."""
    email = services().recovery.change_address(body.token.get_secret_value())
    return success(Address(email=email))


@api.get(
    "/invitations",
    responses={200: Success[list[InvitationRecord]], **problems(401, 403)},
    security=_SIGNED_IN,
)
def list_invitations() -> Response:
    """The invitations that wait, the newest first (admins)."""
    return success(services().admission.list_invitations(actor()))


@api.post(
    "/invitations",
    responses={201: Success[InvitationRecord], **problems(401, 403, 409)},
    security=_SIGNED_IN,
)
def invite(body: InvitationIn) -> Response:
    """Invite somebody by e-mail, with roles (admins)."""
    return success(services().admission.invite(actor(), body), status=201)


@api.delete(
    "/invitations/<public_id>",
    responses={200: Success[None], **problems(401, 403, 404)},
    security=_SIGNED_IN,
)
def revoke_invitation(path: InvitationPath) -> Response:
    """Make an invitation work no more (admins)."""
    services().admission.revoke_invitation(actor(), path.public_id)
    return success(None)


@api.post("/invitations/accept", responses={201: Success[Address], **problems(409)})
@limit_letters
def accept_invitation(body: AcceptanceIn) -> Response:
    """Make the account that you were invited to, by the link in the letter."""
    return success(Address(email=services().admission.accept(body)), status=201)
