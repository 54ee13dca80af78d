"""Communities over REST."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from fairdatabase.catalog.schemas import (
    CommunityEdit,
    CommunityIn,
    CommunityPath,
    CommunityRecord,
    DepositPath,
    Membership,
)
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.http import Success, problems, success

api = APIBlueprint(
    "communities_api",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="communities", description="Whose datasets belong together")],
    abp_responses=problems(404, 422),
)
_SIGNED_IN: list[dict[str, list[str]]] = [{"bearer": []}, {"cookie": []}]


@api.get("/communities", responses={200: Success[list[CommunityRecord]]})
def list_communities() -> Response:
    """Every community, in the order of their names."""
    return success(services().communities.all())


@api.post(
    "/communities",
    responses={201: Success[CommunityRecord], **problems(401, 403, 409)},
    security=_SIGNED_IN,
)
def create(body: CommunityIn) -> Response:
    """Found a community, as a curator."""
    return success(services().communities.create(actor(), body), status=201)


@api.get("/communities/<slug>", responses={200: Success[CommunityRecord]})
def get(path: CommunityPath) -> Response:
    """A community."""
    return success(services().communities.get(path.slug))


@api.put(
    "/communities/<slug>",
    responses={200: Success[CommunityRecord], **problems(401, 403)},
    security=_SIGNED_IN,
)
def edit(path: CommunityPath, body: CommunityEdit) -> Response:
    """Change what is said about a community, as a curator."""
    return success(services().communities.edit(actor(), path.slug, body))


@api.get(
    "/deposits/<deposit_id>/community",
    responses={200: Success[CommunityRecord | None], **problems(401, 403, 409)},
    security=_SIGNED_IN,
)
def of_deposit(path: DepositPath) -> Response:
    """The community that a draft's dataset belongs to."""
    return success(services().communities.of_draft(actor(), path.deposit_id))


@api.put(
    "/deposits/<deposit_id>/community",
    responses={200: Success[CommunityRecord | None], **problems(401, 403, 409)},
    security=_SIGNED_IN,
)
def assign(path: DepositPath, body: Membership) -> Response:
    """Have a draft's dataset belong to a community, whose privacy policy it then has to hold."""
    found = services().communities.assign(actor(), path.deposit_id, body.community)
    return success(found)
