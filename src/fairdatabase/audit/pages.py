"""The page of the audit log."""

from flask import Blueprint, Response, render_template, request

from fairdatabase.audit.formats.words import in_words
from fairdatabase.audit.schemas import AuditExportQuery, AuditForm, AuditQuery, ExportFormat
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.forms import Form
from fairdatabase.kernel.http import attachment

pages = Blueprint("audit_pages", __name__, url_prefix="/admin/audit")
_KINDS = (
    ("", "Everything"),
    ("user.", "Accounts and sign-ins"),
    ("dataset.", "Datasets"),
    ("access.", "Refusals"),
    ("audit.", "This log"),
)


@pages.get("")
def events() -> tuple[str, int]:
    """Show who did what, newest first, and whether the end of the chain holds."""
    form = _sent()
    asked = form.parse(AuditForm)
    query = asked or AuditForm()
    wanted = AuditQuery(**query.conditions, before=query.before)
    page = render_template(
        "audit/events.html",
        form=form,
        found=services().audit.list_events(actor(), wanted),
        state=services().audit.check_end(actor()),
        in_words=in_words,
        kinds=_KINDS,
        address=query.model_dump(mode="json", exclude_defaults=True, exclude={"before"}),
    )
    return page, 200 if asked else 422


@pages.get("/export/<any('jsonl', 'csv'):suffix>")
def export(suffix: str) -> Response:
    """Send the events that the form asks for as a file."""
    asked = _sent().parse(AuditForm) or AuditForm()
    query = AuditExportQuery(**asked.conditions, format=ExportFormat(suffix))
    made = services().audit.export(actor(), query)
    return attachment(made.chunks, made.name, made.media_type)


def _sent() -> Form:
    """Return the form that the address holds, without what others added to it."""
    return Form({name: request.args.get(name, "") for name in AuditForm.model_fields})
