"""The audit log over REST."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from fairdatabase.audit.schemas import AuditExportQuery, AuditMeta, AuditQuery, AuditRecord
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.http import Success, attachment, problems, success

api = APIBlueprint(
    "audit_api",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="audit", description="Who did what, and when")],
    abp_security=[{"bearer": []}, {"cookie": []}],
    abp_responses=problems(401, 403, 422),
)
_FILE = {
    "description": "The events as a file.",
    "content": {"application/jsonl": {}, "text/csv": {}},
}


@api.get("/audit", responses={200: Success[list[AuditRecord]]})
def list_events(query: AuditQuery) -> Response:
    """Events of the audit log, newest first (admins)."""
    page = services().audit.list_events(actor(), query)
    return success(page.events, meta=AuditMeta(next=page.next, head=page.head))


@api.get("/audit/export", responses={200: _FILE})
def export(query: AuditExportQuery) -> Response:
    """All events that match, oldest first, as JSON Lines or CSV (admins, confirmed)."""
    made = services().audit.export(actor(), query)
    return attachment(made.chunks, made.name, made.media_type)
