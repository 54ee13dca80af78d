"""Accounts at other providers, over REST."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from fairdatabase.accounts.authentication import limit_registration
from fairdatabase.accounts.schemas import Address
from fairdatabase.accounts.schemas.identities import (
    IdentityOverview,
    IdentityPath,
    ProviderRecord,
    SupabaseApplicant,
)
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.http import Success, problems, success

_TAG = Tag(name="providers", description="Other sites by which one signs in")
_SIGNED_IN: list[dict[str, list[str]]] = [{"bearer": []}, {"cookie": []}]
api = APIBlueprint(
    "identities_api",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[_TAG],
    abp_responses=problems(429),
)


@api.get("/auth/providers", responses={200: Success[list[ProviderRecord]]})
def providers() -> Response:
    """The sites by which one may sign in, at `/sign-in/with/<name>` in a browser."""
    return success(services().identities.providers())


@api.post("/auth/register/supabase", responses={201: Success[Address], **problems(401, 422, 503)})
@limit_registration
def register(body: SupabaseApplicant) -> Response:
    """Get an account by a token of Supabase Auth, agreeing to the terms, where there are any."""
    return success(Address(email=services().supabase.register(body)), status=201)


@api.get(
    "/auth/identities",
    responses={200: Success[IdentityOverview], **problems(401, 403)},
    security=_SIGNED_IN,
)
def overview() -> Response:
    """Your accounts at other sites that are linked to this one."""
    return success(services().identities.overview(actor()))


@api.delete(
    "/auth/identities/<public_id>",
    responses={200: Success[None], **problems(401, 403, 404, 409, 422)},
    security=_SIGNED_IN,
)
def unlink(path: IdentityPath) -> Response:
    """Let nobody sign in by this account any more. Needs a fresh confirmation."""
    services().identities.unlink(actor(), path.public_id)
    return success(None)
