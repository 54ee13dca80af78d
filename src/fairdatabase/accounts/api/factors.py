"""How an account is protected, over REST: authenticator app, recovery codes, passkeys, password."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from fairdatabase.accounts.schemas.factors import (
    CodeIn,
    Enrolment,
    FactorsRecord,
    PasskeyChange,
    PasskeyIn,
    PasskeyPath,
    PasskeyRecord,
    RecoveryCodes,
)
from fairdatabase.accounts.schemas.sessions import PasskeyQuestion, PasswordChange
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.http import Success, problems, success

_TAG = Tag(name="protection", description="Second factors, passkeys and the password")
_SIGNED_IN: list[dict[str, list[str]]] = [{"bearer": []}, {"cookie": []}]
api = APIBlueprint(
    "factors_api",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[_TAG],
    abp_responses=problems(401, 403, 429),
    abp_security=_SIGNED_IN,
)


@api.get("/auth/factors", responses={200: Success[FactorsRecord]})
def overview() -> Response:
    """How your account is protected."""
    return success(services().factors.overview(actor()))


@api.put("/auth/password", responses={200: Success[None], **problems(422)})
def change_password(body: PasswordChange) -> Response:
    """Change your password; all your other sessions end."""
    services().confirmation.change_password(actor(), body)
    return success(None)


@api.post("/auth/authenticator", responses={200: Success[Enrolment], **problems(409)})
def enrol() -> Response:
    """Begin to set up an authenticator app (TOTP). Needs a fresh confirmation."""
    return success(services().factors.enrol(actor()))


@api.post(
    "/auth/authenticator/activation",
    responses={200: Success[RecoveryCodes], **problems(404, 409, 422)},
)
def activate(body: CodeIn) -> Response:
    """Ask for a code at every sign-in from now on, proved by the first code of the app."""
    return success(services().factors.activate(actor(), body.code))


@api.delete("/auth/authenticator", responses={200: Success[None], **problems(404)})
def disable() -> Response:
    """Ask for the password alone from now on. Needs a fresh confirmation."""
    services().factors.disable(actor())
    return success(None)


@api.post("/auth/recovery-codes", responses={200: Success[RecoveryCodes], **problems(404)})
def renew_recovery_codes() -> Response:
    """Get new recovery codes; earlier ones work no more. Needs a fresh confirmation."""
    return success(services().factors.renew_recovery_codes(actor()))


@api.get("/passkeys", responses={200: Success[list[PasskeyRecord]]})
def list_passkeys() -> Response:
    """Your passkeys, the oldest first."""
    return success(services().passkeys.listed(actor()))


@api.post("/passkeys/options", responses={200: Success[PasskeyQuestion], **problems(413)})
def passkey_options() -> Response:
    """What a browser makes a new passkey by. Needs a fresh confirmation."""
    return success(services().passkeys.begin(actor()))


@api.post("/passkeys", responses={201: Success[PasskeyRecord], **problems(409, 422)})
def add_passkey(body: PasskeyIn) -> Response:
    """Add a passkey that a browser made. Needs a fresh confirmation."""
    return success(services().passkeys.add(actor(), body), status=201)


@api.patch("/passkeys/<public_id>", responses={200: Success[None], **problems(404, 422)})
def rename_passkey(path: PasskeyPath, body: PasskeyChange) -> Response:
    """Give a passkey another name."""
    services().passkeys.rename(actor(), path.public_id, body.name)
    return success(None)


@api.delete("/passkeys/<public_id>", responses={200: Success[None], **problems(404, 409, 422)})
def remove_passkey(path: PasskeyPath) -> Response:
    """Remove a passkey. Needs a fresh confirmation."""
    services().passkeys.remove(actor(), path.public_id)
    return success(None)
