"""Pages of deposits: the wizard, each step of it a page that one can leave and come back to."""

from typing import Any

from flask import flash, make_response, render_template, request
from flask.typing import ResponseReturnValue
from pydantic import ValidationError as PydanticValidationError

from fairdatabase.authorization.schemas import Action
from fairdatabase.catalog.errors import NotADraftError
from fairdatabase.catalog.rules import may_do
from fairdatabase.catalog.schemas import AccessClass, FileRole, Metadata
from fairdatabase.deposits.errors import NotPublishableError
from fairdatabase.deposits.formats import columns as columns_form
from fairdatabase.deposits.formats import metadata as metadata_form
from fairdatabase.deposits.pages import hierarchies, recipes, risks
from fairdatabase.deposits.pages.frame import pages, required_table, show_step, table_of
from fairdatabase.deposits.schemas import Deposit, DepositFile, DepositIn, OverrideIn
from fairdatabase.interop.formats.licences import LICENCES
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.errors import ConflictError, ValidationError
from fairdatabase.kernel.forms import Form, see
from fairdatabase.kernel.records import PageMeta, PageQuery
from fairdatabase.tables.schemas import IngestOptions, TableRecord

__all__ = ["hierarchies", "pages", "recipes", "risks"]

_COLUMNS_A_PAGE = 50


@pages.errorhandler(NotADraftError)
def _published(error: NotADraftError) -> ResponseReturnValue:
    """Lead from the steps of what is published by now to its page."""
    flash(error.message, "warning")
    return see("interop_pages.landing", public_id=(request.view_args or {})["public_id"])


@pages.get("/deposits")
def deposit_list() -> str:
    """List the actor's drafts."""
    query = PageQuery.model_validate(request.args.to_dict())
    drafts, total = services().deposits.drafts(actor(), query)
    page = PageMeta(page=query.page, per_page=query.per_page, total=total)
    return render_template("deposits/list.html", drafts=drafts, page=page)


@pages.get("/deposits/new")
def new() -> str:
    """Ask for a working title."""
    return render_template("deposits/new.html", form=Form())


@pages.post("/deposits/new")
def create() -> ResponseReturnValue:
    """Open a deposit."""
    form = Form.submitted()
    if metadata := form.parse(Metadata):
        opened = services().deposits.open(actor(), DepositIn(metadata=metadata))
        return see(".files", public_id=opened.version.public_id)
    return make_response(render_template("deposits/new.html", form=form), 422)


@pages.post("/datasets/<public_id>/versions")
def next_version(public_id: str) -> ResponseReturnValue:
    """Open the draft of a dataset's next version, or go to the one that is open already."""
    opened = services().deposits.open_next_version(actor(), public_id)
    flash(f"This is the draft of version {opened.version.number}.", "success")
    return see(".files", public_id=opened.version.public_id)


@pages.get("/deposits/<public_id>/files")
def files(public_id: str) -> str:
    """Show the files, what was read of them and what was not."""
    deposit = services().deposits.get(actor(), public_id)
    return show_step("files", deposit, max_size=services().settings.max_upload_bytes)


@pages.post("/deposits/<public_id>/files")
def add_files(public_id: str) -> ResponseReturnValue:
    """Take files from a form, one by one; a script sends each by a request of its own."""
    role = FileRole(request.form.get("role", FileRole.DATA))
    for sent in filter(None, request.files.getlist("file")):
        try:
            services().deposits.add_file(
                actor(), public_id, sent.filename or "", sent.stream, role=role,
            )  # fmt: skip
        except (ValidationError, ConflictError) as error:
            flash(f"{sent.filename}: {error.message}", "error")
    return see(".files", public_id=public_id)


@pages.post("/deposits/<public_id>/files/<file_id>/removal")
def remove_file(public_id: str, file_id: str) -> ResponseReturnValue:
    """Take a file out of the deposit."""
    services().deposits.remove_file(actor(), file_id)
    flash("The file was removed.", "success")
    return see(".files", public_id=public_id)


@pages.post("/deposits/<public_id>/files/<file_id>/reading")
def read_anew(public_id: str, file_id: str) -> ResponseReturnValue:
    """Read a stored file with other options."""
    sent: dict[str, Any] = {name: text for name, text in Form.submitted().values.items() if text}
    if "missing_codes" in sent:
        sent["missing_codes"] = [code.strip() for code in sent["missing_codes"].split(",")]
    try:
        services().deposits.revalidate(actor(), file_id, IngestOptions.model_validate(sent))
    except PydanticValidationError:
        flash("A delimiter is one character, and a header is there or is not.", "error")
    return see(".files", public_id=public_id)


@pages.get("/deposits/<public_id>/columns")
def columns(public_id: str) -> str:
    """Ask what each column means."""
    deposit = services().deposits.get(actor(), public_id)
    item, table = table_of(deposit)
    if item is None or table is None:
        return show_step("no_table", deposit)
    return _columns_step(deposit, item, table, Form(columns_form.to_form(table.columns)))


@pages.post("/deposits/<public_id>/columns")
def save_columns(public_id: str) -> ResponseReturnValue:
    """Keep what was said about the columns, which has the table measured again."""
    deposit = services().deposits.get(actor(), public_id)
    item, table = required_table(deposit)
    form, file_id = Form.submitted(), item.file.public_id
    edits, form.errors = columns_form.from_form(form.values, table.columns)
    if form.errors:
        return make_response(_columns_step(deposit, item, table, form), 422)
    if form.value("action") == "accept":
        suggestions = services().privacy.suggest_roles(actor(), file_id)
        edits = columns_form.accepted(suggestions, table.columns, edits)
    if edits or item.screening is None:
        services().deposits.set_columns(actor(), file_id, edits)
    flash("What you said about the columns is saved.", "success")
    step = ".risk" if form.value("action") == "continue" else ".columns"
    return see(step, public_id=public_id, file=file_id, page=request.args.get("page"))


@pages.get("/deposits/<public_id>/risk")
def risk(public_id: str) -> str:
    """Show the verdict on the table that would leave the house."""
    deposit = services().deposits.get(actor(), public_id)
    item, table = table_of(deposit)
    if item is None or table is None:
        return show_step("no_table", deposit)
    return show_step("risk", deposit, item=item, table=table)


@pages.post("/deposits/<public_id>/risk")
def measure_again(public_id: str) -> ResponseReturnValue:
    """Have the table measured as it is now."""
    deposit = services().deposits.get(actor(), public_id)
    item, _ = required_table(deposit)
    services().deposits.set_columns(actor(), item.file.public_id, {})
    return see(".risk", public_id=public_id, file=item.file.public_id)


@pages.get("/deposits/<public_id>/describe")
def describe(public_id: str) -> str:
    """Ask for the description."""
    deposit = services().deposits.get(actor(), public_id)
    fields = metadata_form.to_form(deposit.version.metadata)
    community = services().communities.of(deposit.version.dataset_id)
    chosen = {"access": deposit.version.access, "community": community.slug if community else ""}
    return _describe_step(deposit, Form({**fields, **chosen}))


@pages.post("/deposits/<public_id>/describe")
def save_description(public_id: str) -> ResponseReturnValue:
    """Keep the description; adding and removing creators changes the form alone."""
    deposit = services().deposits.get(actor(), public_id)
    form = Form.submitted()
    action, _, place = form.value("action").partition(":")
    if action == "add_creator":
        return _describe_step(deposit, Form(metadata_form.with_creator(form.values)))
    if action == "remove_creator" and place.isdecimal():
        left = metadata_form.without_creator(form.values, int(place))
        return _describe_step(deposit, Form(left))
    if not _keep_description(deposit, form):
        return make_response(_describe_step(deposit, form), 422)
    flash("The description is saved.", "success")
    return see(".review" if action == "continue" else ".describe", public_id=public_id)


@pages.get("/deposits/<public_id>/review")
def review(public_id: str) -> str:
    """Show what is missing and what would be published."""
    return _review_step(services().deposits.get(actor(), public_id), Form())


@pages.post("/deposits/<public_id>/publication")
def publish(public_id: str) -> ResponseReturnValue:
    """Publish, or say again what is missing."""
    try:
        version = services().deposits.publish(actor(), public_id)
    except NotPublishableError as error:
        flash(error.message, "error")
        return see(".review", public_id=public_id)
    flash(f"Version {version.number} is published under {version.identifier}.", "success")
    return see("interop_pages.landing", public_id=version.public_id)


@pages.post("/deposits/<public_id>/override")
def override(public_id: str) -> ResponseReturnValue:
    """Publish by the decision of a curator, who says why."""
    deposit = services().deposits.get(actor(), public_id)
    form = Form.submitted()
    if decided := form.parse(OverrideIn):
        try:
            made = services().deposits.publish(actor(), public_id, override=decided.reason)
            flash(f"Version {made.number} is published by your decision.", "success")
            return see("interop_pages.landing", public_id=public_id)
        except NotPublishableError as error:
            form.refuse(error)
    return make_response(_review_step(deposit, form), 422)


@pages.post("/deposits/<public_id>/discard")
def discard(public_id: str) -> ResponseReturnValue:
    """Throw the draft away."""
    services().deposits.discard(actor(), public_id)
    flash("The draft was discarded.", "success")
    return see(".deposit_list")


def _review_step(deposit: Deposit, form: Form) -> str:
    may_override = deposit.overridable and may_do(actor(), Action.OVERRIDE, deposit.version)
    return show_step("review", deposit, form=form, may_override=may_override)


def _columns_step(deposit: Deposit, item: DepositFile, table: TableRecord, form: Form) -> str:
    query = PageQuery(page=request.args.get("page", 1, type=int), per_page=_COLUMNS_A_PAGE)
    suggestions = services().privacy.suggest_roles(actor(), item.file.public_id)
    return show_step(
        "columns",
        deposit,
        item=item,
        table=table,
        form=form,
        shown=list(enumerate(table.columns))[query.offset : query.offset + query.per_page],
        page=PageMeta(page=query.page, per_page=query.per_page, total=len(table.columns)),
        suggestions={each.column: each for each in suggestions},
        reports={each.name: each for each in table.report.columns} if table.report else {},
    )


def _describe_step(deposit: Deposit, form: Form) -> str:
    chosen = form.value("licence")
    known = [(key, f"{key}: {each.name} ({each.meaning})") for key, each in LICENCES.items()]
    others = [(chosen, chosen)] if chosen and chosen not in LICENCES else []
    return show_step(
        "describe",
        deposit,
        form=form,
        creators=metadata_form.creator_count(form.values),
        licences=[("", "Choose one"), *known, *others],
        communities=[("", "None"), *((c.slug, c.name) for c in services().communities.all())],
    )


def _keep_description(deposit: Deposit, form: Form) -> bool:
    """Save the description and the access class; note what is wrong with them in the form."""
    record = metadata_form.from_form(form.values, deposit.version.metadata)
    try:
        metadata, access = Metadata.model_validate(record), AccessClass(form.value("access"))
    except PydanticValidationError as error:
        form.errors |= metadata_form.errors(error, form.values)
        return False
    except ValueError:
        form.errors["access"] = "Choose who may see the rows."
        return False
    services().deposits.describe(actor(), deposit.version.public_id, metadata, access=access)
    services().communities.assign(actor(), deposit.version.public_id, form.value("community"))
    return True
