"""Accounts over REST: tokens, and the users behind them."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from fairdatabase.accounts.authentication import (
    device,
    limit_registration,
    limit_sign_in,
    read_token,
    tokens_for,
)
from fairdatabase.accounts.errors import SecondFactorRequiredError
from fairdatabase.accounts.schemas import (
    LETTER_SENT,
    Credentials,
    RefreshRequest,
    Registration,
    RolesChange,
    Sent,
    Tokens,
    UserPath,
    UserQuery,
    UserRecord,
)
from fairdatabase.accounts.schemas.sessions import SecondStep
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.http import Success, problems, success
from fairdatabase.kernel.records import PageMeta

_TAG = Tag(name="accounts", description="Accounts, tokens and roles")
_SIGNED_IN: list[dict[str, list[str]]] = [{"bearer": []}, {"cookie": []}]
api = APIBlueprint(
    "accounts_api",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[_TAG],
    abp_responses=problems(422, 429),
)


@api.post("/auth/register", responses={202: Success[Sent], **problems(403)})
@limit_registration
def register(body: Registration) -> Response:
    """Create an account; the answer is the same where the address has one already."""
    services().admission.register(body)
    return success(Sent(message=LETTER_SENT), status=202)


@api.post(
    "/auth/login",
    responses={200: Success[Tokens], 202: Success[SecondStep], **problems(401)},
)
@limit_sign_in
def login(body: Credentials) -> Response:
    """Sign in: a pair of tokens for an e-mail address and a password.

    Where the account has a second factor the answer is 202 with a ticket, to be sent with the
    factor to `POST /api/v1/auth/login/second-factor`.
    """
    try:
        return success(tokens_for(services().accounts.sign_in(body, device=device())))
    except SecondFactorRequiredError as error:
        return success(error.step, status=202)


@api.post("/auth/refresh", responses={200: Success[Tokens], **problems(401)})
def refresh(body: RefreshRequest) -> Response:
    """Exchange a refresh token for a new pair; using one twice ends its session."""
    claims = read_token(body.refresh_token.get_secret_value(), "refresh", "bearer")
    return success(tokens_for(services().accounts.refresh(claims.sid, claims.jti)))


@api.post("/auth/logout", responses={200: Success[None], **problems(401, 403)}, security=_SIGNED_IN)
def logout() -> Response:
    """End this session: its tokens are refused from now on."""
    services().accounts.sign_out(actor())
    return success(None)


@api.get(
    "/auth/me", responses={200: Success[UserRecord], **problems(401, 403)}, security=_SIGNED_IN
)
def me() -> Response:
    """Your own account."""
    return success(services().accounts.get_user(actor(), actor().public_id))


@api.get(
    "/users/<public_id>",
    responses={200: Success[UserRecord], **problems(401, 403, 404)},
    security=_SIGNED_IN,
)
def get_user(path: UserPath) -> Response:
    """One user: yourself, or anybody for curators and admins."""
    return success(services().accounts.get_user(actor(), path.public_id))


@api.get(
    "/users", responses={200: Success[list[UserRecord]], **problems(401, 403)}, security=_SIGNED_IN
)
def list_users(query: UserQuery) -> Response:
    """The users you may see, by name: all for curators and admins, else yourself."""
    page = services().accounts.list_users(actor(), query)
    meta = PageMeta(page=query.page, per_page=query.per_page, total=page.total)
    return success(page.users, meta=meta)


@api.patch(
    "/users/<public_id>/roles",
    responses={200: Success[UserRecord], **problems(401, 403, 404, 409)},
    security=_SIGNED_IN,
)
def change_roles(path: UserPath, body: RolesChange) -> Response:
    """Give a user exactly these roles (admins)."""
    return success(services().accounts.change_roles(actor(), path.public_id, body.roles))


@api.put(
    "/users/<public_id>/disabled",
    responses={200: Success[None], **problems(401, 403, 404, 409)},
    security=_SIGNED_IN,
)
def disable_user(path: UserPath) -> Response:
    """Close an account (admins): its sessions end, its access tokens are revoked for good."""
    services().users.disable(actor(), path.public_id)
    return success(None)


@api.delete(
    "/users/<public_id>/disabled",
    responses={200: Success[None], **problems(401, 403, 404, 409)},
    security=_SIGNED_IN,
)
def enable_user(path: UserPath) -> Response:
    """Open an account again (admins)."""
    services().users.enable(actor(), path.public_id)
    return success(None)
