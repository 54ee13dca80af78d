"""Personal access tokens over REST."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from fairdatabase.accounts.schemas.tokens import NewToken, TokenIn, TokenPath, TokenRecord
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.http import Success, problems, success

_TAG = Tag(name="access tokens", description="What scripts come with instead of a password")
_SIGNED_IN: list[dict[str, list[str]]] = [{"bearer": []}, {"cookie": []}]
api = APIBlueprint(
    "tokens_api",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[_TAG],
    abp_responses=problems(401, 403, 429),
    abp_security=_SIGNED_IN,
)


@api.get("/tokens", responses={200: Success[list[TokenRecord]]})
def list_tokens() -> Response:
    """Your access tokens, the newest first."""
    return success(services().tokens.listed(actor()))


@api.post("/tokens", responses={201: Success[NewToken], **problems(413, 422)})
def create_token(body: TokenIn) -> Response:
    """Make an access token; it is shown this once. Needs a fresh confirmation."""
    made = services().tokens.create(actor(), body)
    return success(made, status=201, headers={"Cache-Control": "no-store"})


@api.delete("/tokens/<public_id>", responses={200: Success[None], **problems(404, 422)})
def revoke_token(path: TokenPath) -> Response:
    """Revoke an access token: it is refused from the next request on."""
    services().tokens.revoke(actor(), path.public_id)
    return success(None)
