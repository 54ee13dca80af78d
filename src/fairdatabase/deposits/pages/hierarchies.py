"""Pages of hierarchies: see how a column becomes coarser, edit that, and what it leads to."""

from typing import NamedTuple

from flask import Response, flash, make_response, request
from flask.typing import ResponseReturnValue

from fairdatabase.deposits.formats import fields
from fairdatabase.deposits.formats import hierarchy as hierarchy_form
from fairdatabase.deposits.pages.frame import pages, required_table, show_step
from fairdatabase.deposits.schemas import Deposit, DepositFile, HierarchyPreview
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.errors import NotFoundError, ValidationError
from fairdatabase.kernel.forms import Form, see
from fairdatabase.kernel.http import success
from fairdatabase.privacy.engine.groupings import coarser
from fairdatabase.privacy.schemas.hierarchies import Hierarchy
from fairdatabase.privacy.schemas.previews import HierarchyEdit
from fairdatabase.privacy.schemas.recipes import DropColumn
from fairdatabase.tables.schemas import ColumnRole, ColumnSchema, TableRecord

MAX_FILE_BYTES = 64 * 2**20
"""Largest file of levels that is read."""


class _Place(NamedTuple):
    """What an editor is about."""

    deposit: Deposit
    item: DepositFile
    table: TableRecord
    column: ColumnSchema

    @property
    def file_id(self) -> str:
        return self.item.file.public_id

    def here(self) -> ResponseReturnValue:
        return see(
            ".hierarchy",
            public_id=self.deposit.version.public_id,
            file=self.file_id,
            column=self.column.name,
        )


@pages.get("/deposits/<public_id>/hierarchy")
def hierarchy(public_id: str) -> str:
    """Show how a column becomes coarser, and what each level leads to."""
    place = _place(public_id)
    form = Form()
    try:
        present = services().hierarchies.present(actor(), place.file_id, place.column.name)
        return _editor(place, services().hierarchies.measure(actor(), place.file_id, present, None))
    except ValidationError as error:
        form.refuse(error)
    return _editor(place, None, form)


@pages.post("/deposits/<public_id>/hierarchy")
def edit_hierarchy(public_id: str) -> ResponseReturnValue:
    """Try the levels, add one, remove one, build them anew, or keep them."""
    place, form = _place(public_id), Form.submitted()
    action, _, number = form.value("action").partition(":")
    try:
        if action == "reset":
            return _reset(place)
        if edited := _edited(place, form, action, number):
            level = hierarchy_form.chosen(form.values, edited)
            if action == "save":
                return _keep(place, edited, level)
            measured = services().hierarchies.measure(actor(), place.file_id, edited, level)
            return make_response(_editor(place, measured))
    except ValidationError as error:
        form.refuse(error)
    return make_response(_editor(place, None, form), 422)


@pages.post("/deposits/<public_id>/hierarchy/preview")
def preview_hierarchy(public_id: str) -> Response:
    """Answer the script of the page: what the levels in the form lead to."""
    place, form = _place(public_id), Form.submitted()
    edited = _edited(place, form)
    if edited is None:
        raise ValidationError(next(iter(form.errors.values())))
    level = hierarchy_form.chosen(form.values, edited)
    found = services().hierarchies.measure(actor(), place.file_id, edited, level)
    return success(
        HierarchyPreview(
            preview=found.preview,
            levels=found.levels,
            chosen=found.chosen,
            tree=hierarchy_form.tree(found.table),
        )
    )


@pages.post("/deposits/<public_id>/hierarchy/file")
def bring_hierarchy(public_id: str) -> ResponseReturnValue:
    """Take a hierarchy from a file: the CSV of ARX, or JSON."""
    place = _place(public_id)
    try:
        services().hierarchies.replace(actor(), place.file_id, place.column.name, _sent_text())
        flash("The hierarchy of the file is used from now on.", "success")
    except ValidationError as error:
        flash(error.message, "error")
    return place.here()


def _sent_text() -> str:
    sent = request.files.get("hierarchy")
    content = sent.read(MAX_FILE_BYTES + 1) if sent else b""
    if len(content) > MAX_FILE_BYTES:
        raise ValidationError("The file is too large for levels. Use intervals or prefixes.")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        message = "The file is not text in UTF-8. Save it as CSV in UTF-8, then choose it."
        raise ValidationError(message) from None


def _place(public_id: str) -> _Place:
    deposit = services().deposits.get(actor(), public_id)
    item, table = required_table(deposit)
    wanted = request.args.get("column")
    for column in table.columns:
        if column.name == wanted:
            return _Place(deposit, item, table, column)
    raise NotFoundError(f"The table has no column {wanted!r}.")


def _edited(place: _Place, form: Form, action: str = "", number: str = "") -> Hierarchy | None:
    """Return the hierarchy of the form after an action; None where the form cannot be read."""
    name, hierarchies = place.column.name, services().hierarchies
    if action == "terms":
        try:
            terms = fields.pairs(form.value("terms"))
        except ValueError as error:
            form.errors["terms"] = fields.sentence(error)
            return None
        return hierarchies.propose(actor(), place.file_id, name, terms)
    levels, form.errors = hierarchy_form.from_form(form.values, place.column)
    if form.errors:
        return None
    edited = hierarchies.compose(actor(), place.file_id, name, levels)
    if action == "remove":
        left = (level for at, level in enumerate(edited.levels, 1) if str(at) != number)
        return edited.model_copy(update={"levels": tuple(left)})
    if action == "add":
        kept = [level for level in edited.levels if not isinstance(level, DropColumn)]
        last = edited.levels[len(kept) :]
        return hierarchies.compose(actor(), place.file_id, name, [*kept, coarser(edited), *last])
    return edited


def _keep(place: _Place, edited: Hierarchy, level: int | None) -> ResponseReturnValue:
    services().hierarchies.keep(actor(), place.file_id, edited, level)
    flash(f"The levels of {place.column.name} are kept, and the recipe uses them.", "success")
    return see(
        ".anonymise",
        public_id=place.deposit.version.public_id,
        file=place.file_id,
        _anchor="recipe",
    )


def _reset(place: _Place) -> ResponseReturnValue:
    services().hierarchies.reset(actor(), place.file_id, place.column.name)
    flash("These are the levels that are proposed for the column.", "success")
    return place.here()


def _editor(place: _Place, edit: HierarchyEdit | None, form: Form | None = None) -> str:
    return show_step(
        "hierarchy",
        place.deposit,
        item=place.item,
        table=place.table,
        column=place.column,
        siblings=[each for each in place.table.columns if each.role is ColumnRole.QUASI_IDENTIFIER],
        kinds=hierarchy_form.kinds(place.column),
        form=form or Form(hierarchy_form.to_form(edit) if edit else {}),
        edit=edit,
        tried=edit.preview if edit else None,
        policy=services().policies.show(actor(), place.deposit.version.public_id).policy,
        tree=hierarchy_form.tree(edit.table) if edit else (),
    )
