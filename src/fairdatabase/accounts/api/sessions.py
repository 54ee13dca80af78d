"""Sessions over REST: on which devices one is signed in."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from fairdatabase.accounts.schemas.sessions import Revoked, SessionPath, SessionRecord
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.http import Success, problems, success

_TAG = Tag(name="sessions", description="On which devices you are signed in")
_SIGNED_IN: list[dict[str, list[str]]] = [{"bearer": []}, {"cookie": []}]
api = APIBlueprint(
    "sessions_api",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[_TAG],
    abp_responses=problems(401, 403, 429),
    abp_security=_SIGNED_IN,
)


@api.get("/sessions", responses={200: Success[list[SessionRecord]]})
def list_sessions() -> Response:
    """Your sessions, the last seen first."""
    return success(services().sessions.listed(actor()))


@api.delete("/sessions", responses={200: Success[Revoked]})
def revoke_other_sessions() -> Response:
    """End all your sessions but this one."""
    return success(Revoked(ended=services().sessions.revoke_others(actor())))


@api.delete("/sessions/<public_id>", responses={200: Success[None], **problems(404, 422)})
def revoke_session(path: SessionPath) -> Response:
    """End one of your sessions: its tokens are refused from the next request on."""
    services().sessions.revoke(actor(), path.public_id)
    return success(None)
