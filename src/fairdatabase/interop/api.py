"""Descriptions of datasets in the formats of others, over REST."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from fairdatabase.interop.formats.registry import BY_MEDIA_TYPE
from fairdatabase.interop.schemas import FormatPath
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.http import conditional, problems

api = APIBlueprint(
    "interop_api",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="formats", description="Datasets described in the formats of others")],
    abp_responses=problems(404, 422),
)
_DOCUMENT = {
    "description": "The description.",
    "content": {media_type: {} for media_type in BY_MEDIA_TYPE},
}


@api.get("/datasets/<dataset_id>/export/<format>", responses={200: _DOCUMENT})
def export(path: FormatPath) -> Response:
    """A dataset as schema.org JSON-LD, DataCite JSON, BibTeX or citation."""
    found = services().interop.export(actor(), path.dataset_id, path.format)
    headers = {"Content-Disposition": f'inline; filename="{found.name}"'}
    return conditional(
        found.etag,
        lambda: Response(found.text, content_type=found.media_type, headers=headers),
    )
