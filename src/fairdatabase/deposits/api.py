"""Deposits over REST: from the first file to publication."""

from flask import Response
from flask_openapi3 import APIBlueprint, FileStorage, RawModel, Tag
from pydantic import Field

from fairdatabase.catalog.schemas import (
    DatasetPath,
    DepositPath,
    FilePath,
    FileRole,
    Metadata,
    VersionRecord,
    VersionSummary,
)
from fairdatabase.deposits.schemas import AccessIn, Deposit, DepositFile, DepositIn, OverrideIn
from fairdatabase.jobs.schemas import JobRecord
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.http import Success, problems, success
from fairdatabase.kernel.records import Closed, PageMeta, PageQuery
from fairdatabase.tables.schemas import ColumnEdits, IngestOptions, TableRecord

api = APIBlueprint(
    "deposits_api",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="deposits", description="Drafts on their way to publication")],
    abp_security=[{"bearer": []}, {"cookie": []}],
    abp_responses=problems(401, 403, 404, 409, 422),
)


class UploadPath(DepositPath):
    """Where a file goes."""

    name: str = Field(max_length=255, description="Name of the file.")


class UploadQuery(Closed):
    """What a file is for."""

    role: FileRole = FileRole.DATA


class UploadForm(UploadQuery):
    """A file sent by a form."""

    file: FileStorage


class FileBytes(RawModel):
    """The file itself."""

    mimetypes = ["application/octet-stream"]  # noqa: RUF012 - read by the OpenAPI layer


@api.post("/deposits", responses={201: Success[Deposit]})
def open_deposit(body: DepositIn) -> Response:
    """Open a deposit: the first draft of a new dataset."""
    return success(services().deposits.open(actor(), body), status=201)


@api.get("/deposits", responses={200: Success[list[VersionSummary]]})
def drafts(query: PageQuery) -> Response:
    """Your open deposits, newest first."""
    items, total = services().deposits.drafts(actor(), query)
    meta = PageMeta(page=query.page, per_page=query.per_page, total=total)
    return success(items, meta=meta)


@api.get("/deposits/<deposit_id>", responses={200: Success[Deposit]})
def get_deposit(path: DepositPath) -> Response:
    """A deposit, the state of its files, and what keeps it from publication."""
    return success(services().deposits.get(actor(), path.deposit_id))


@api.delete("/deposits/<deposit_id>", responses={200: Success[None]})
def discard(path: DepositPath) -> Response:
    """Throw a draft away."""
    services().deposits.discard(actor(), path.deposit_id)
    return success(None)


@api.put("/deposits/<deposit_id>/metadata", responses={200: Success[Deposit]})
def describe(path: DepositPath, body: Metadata) -> Response:
    """Replace the metadata of a deposit."""
    return success(services().deposits.describe(actor(), path.deposit_id, body))


@api.put("/deposits/<deposit_id>/access", responses={200: Success[Deposit]})
def set_access(path: DepositPath, body: AccessIn) -> Response:
    """Choose who may read the data once it is published."""
    return success(services().deposits.set_access(actor(), path.deposit_id, body.access))


@api.post(
    "/deposits/<deposit_id>/files", responses={201: Success[DepositFile], **problems(413, 507)}
)
def upload_form(path: DepositPath, form: UploadForm) -> Response:
    """Add a file by a form; it is stored as it is and validated by a job."""
    added = services().deposits.add_file(
        actor(),
        path.deposit_id,
        form.file.filename or "",
        form.file.stream,
        role=form.role,
    )
    return success(added, status=201)


@api.put(
    "/deposits/<deposit_id>/files/<name>",
    responses={201: Success[DepositFile], **problems(413, 507)},
)
def upload(path: UploadPath, query: UploadQuery, raw: FileBytes) -> Response:
    """Add a file by its bytes alone, streamed: the way for large files."""
    added = services().deposits.add_file(
        actor(),
        path.deposit_id,
        path.name,
        raw.stream,
        role=query.role,
    )
    return success(added, status=201)


@api.delete("/files/<file_id>", responses={200: Success[None]})
def remove_file(path: FilePath) -> Response:
    """Take a file out of a deposit."""
    services().deposits.remove_file(actor(), path.file_id)
    return success(None)


@api.post("/files/<file_id>/validation", responses={202: Success[JobRecord]})
def revalidate(path: FilePath, body: IngestOptions) -> Response:
    """Read a stored file anew with other options, without a new upload."""
    return success(services().deposits.revalidate(actor(), path.file_id, body), status=202)


@api.patch("/files/<file_id>/columns", responses={200: Success[TableRecord]})
def set_columns(path: FilePath, body: ColumnEdits) -> Response:
    """Change roles, units and descriptions of columns; a job then screens the table."""
    return success(services().deposits.set_columns(actor(), path.file_id, body.columns))


@api.post("/deposits/<deposit_id>/publication", responses={201: Success[VersionRecord]})
def publish(path: DepositPath) -> Response:
    """Publish a deposit that passes the gate; otherwise every reason is listed."""
    return success(services().deposits.publish(actor(), path.deposit_id), status=201)


@api.post("/deposits/<deposit_id>/override", responses={201: Success[VersionRecord]})
def override(path: DepositPath, body: OverrideIn) -> Response:
    """Publish although the privacy policy speaks against it (curators, confirmed)."""
    made = services().deposits.publish(actor(), path.deposit_id, override=body.reason)
    return success(made, status=201)


@api.post("/datasets/<dataset_id>/deposits", responses={201: Success[Deposit]})
def open_next_version(path: DatasetPath) -> Response:
    """Open a draft of the dataset's next version, with the files of the last one."""
    return success(services().deposits.open_next_version(actor(), path.dataset_id), status=201)
