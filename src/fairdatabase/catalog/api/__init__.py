"""The catalogue over REST: search, versions, withdrawal, original files."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from fairdatabase.catalog.schemas import (
    DatasetPath,
    FilePath,
    NumberPath,
    SearchMeta,
    SearchQuery,
    VersionPath,
    VersionRecord,
    VersionSummary,
    Withdrawal,
)
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.http import Success, conditional, download, problems, success

api = APIBlueprint(
    "catalog_api",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="datasets", description="Published datasets and their versions")],
    abp_responses=problems(404, 422),
)
_SIGNED_IN: list[dict[str, list[str]]] = [{"bearer": []}, {"cookie": []}]
_FILE = {"description": "The bytes, as what they are.", "content": {"*/*": {}}}


@api.get("/datasets", responses={200: Success[list[VersionSummary]]})
def search(query: SearchQuery) -> Response:
    """Search the published datasets; facets count over all results, not over the page alone."""
    found = services().catalog.search(query)
    meta = SearchMeta(
        page=query.page, per_page=query.per_page, total=found.total, facets=found.facets
    )
    return success(found.items, meta=meta)


@api.get(
    "/datasets/<dataset_id>",
    responses={200: Success[VersionRecord], 304: {"description": "You have it already."}},
)
def get_dataset(path: DatasetPath) -> Response:
    """A dataset in its newest version, or a version by its own id; a tombstone where withdrawn."""
    version = services().catalog.show(actor(), path.dataset_id)
    return conditional(version.etag, lambda: success(version))


@api.get("/datasets/<dataset_id>/versions", responses={200: Success[list[VersionSummary]]})
def list_versions(path: DatasetPath) -> Response:
    """All versions of a dataset, newest first."""
    return success(services().catalog.list_versions(actor(), path.dataset_id))


@api.get("/datasets/<dataset_id>/versions/<int:number>", responses={200: Success[VersionRecord]})
def get_number(path: NumberPath) -> Response:
    """A version of a dataset by its number."""
    return success(services().catalog.get_number(actor(), path.dataset_id, path.number))


@api.post(
    "/versions/<version_id>/withdrawal",
    responses={201: Success[VersionRecord], **problems(401, 403, 409)},
    security=_SIGNED_IN,
)
def withdraw(path: VersionPath, body: Withdrawal) -> Response:
    """Take the data of a version back, for good; its description stays as a tombstone."""
    withdrawn = services().catalog.withdraw(actor(), path.version_id, body.reason)
    return success(withdrawn, status=201)


@api.get(
    "/files/<file_id>/content",
    responses={200: _FILE, 206: _FILE, 304: {"description": "You have it already."},
               **problems(401, 403, 410, 416)},
)  # fmt: skip
def content(path: FilePath) -> Response:
    """A file as it was deposited, whole or in ranges; its SHA-256 checksum is the entity tag."""
    _, file = services().catalog.require_download(actor(), path.file_id)
    storage = services().storage
    return download(
        lambda start, end: storage.open(file.sha256, start=start, end=end),
        file.name,
        file.media_type,
        size=file.size,
        sha256=file.sha256,
    )
