"""Pages of recipes: find one, edit it, try it, apply it, compare what came of it."""

from collections.abc import Sequence

from flask import Response, flash, make_response, request
from flask.typing import ResponseReturnValue
from pydantic import ValidationError as PydanticValidationError

from fairdatabase.deposits.formats import recipe as recipe_form
from fairdatabase.deposits.pages.frame import pages, required_table, show_step, table_of
from fairdatabase.deposits.schemas import Deposit, DepositFile
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.errors import FAIRDatabaseError, NotFoundError, ValidationError
from fairdatabase.kernel.forms import Form, see
from fairdatabase.kernel.http import success
from fairdatabase.privacy.rules import changes_of
from fairdatabase.privacy.schemas import Recipe
from fairdatabase.privacy.schemas.hierarchies import Hierarchy
from fairdatabase.privacy.schemas.previews import RecipePreview, SavedRecipeIn, SearchIn
from fairdatabase.tables.schemas import ColumnRole, TableRecord

_MANY_COLUMNS = 50
_NOTHING = {"", recipe_form.KEEP}
_NO_MATTER = {ColumnRole.INSENSITIVE, ColumnRole.UNASSIGNED}


@pages.get("/deposits/<public_id>/anonymise")
def anonymise(public_id: str) -> str:
    """Show the recipe that somebody works on, or the applied one, or a suggested one."""
    deposit = services().deposits.get(actor(), public_id)
    item, table = table_of(deposit)
    if item is None or table is None:
        return show_step("no_table", deposit)
    recipe = _present_recipe(item.file.public_id)
    return _recipe_step(deposit, item, table, Form(recipe_form.to_form(recipe, table.columns)))


@pages.post("/deposits/<public_id>/anonymise")
def apply_recipe(public_id: str) -> ResponseReturnValue:
    """Apply the recipe, try it, keep it under a name, or go back to the table as deposited."""
    deposit = services().deposits.get(actor(), public_id)
    item, table = required_table(deposit)
    form = Form.submitted()
    name, _, key = form.value("action").partition(":")
    if name == "then":
        return _recipe_step(deposit, item, table, Form(recipe_form.with_further(form.values, key)))
    recipe, form.errors = recipe_form.from_form(form.values, table.columns)
    try:
        if name == "revert" or not form.errors:
            return _ACTIONS.get(name, _apply)(deposit, item, table, form, recipe)
    except ValidationError as error:
        form.refuse(error)
    return make_response(_recipe_step(deposit, item, table, form), 422)


@pages.post("/deposits/<public_id>/anonymise/preview")
def preview(public_id: str) -> Response:
    """Answer the script of the page: what the recipe in the form would lead to."""
    item, table = required_table(services().deposits.get(actor(), public_id))
    form = Form.submitted()
    recipe, form.errors = recipe_form.from_form(form.values, table.columns)
    if form.errors:
        raise ValidationError(next(iter(form.errors.values())))
    return success(services().recipes.preview(actor(), item.file.public_id, recipe))


@pages.post("/deposits/<public_id>/anonymise/search")
def search_recipe(public_id: str) -> ResponseReturnValue:
    """Have a recipe searched for."""
    deposit = services().deposits.get(actor(), public_id)
    item, _ = required_table(deposit)
    wanted = {name: text for name, text in Form.submitted().values.items() if text.strip()}
    try:
        services().recipes.search(actor(), item.file.public_id, SearchIn.model_validate(wanted))
    except PydanticValidationError:
        flash("A group has at least one row, and a distance lies between 0 and 1.", "error")
    return see(".anonymise", public_id=public_id, file=item.file.public_id)


@pages.post("/deposits/<public_id>/anonymise/choice")
def choose_recipe(public_id: str) -> ResponseReturnValue:
    """Take a recipe that was found, or a saved one, to work on."""
    item, _ = required_table(services().deposits.get(actor(), public_id))
    file_id = item.file.public_id
    recipe, hierarchies = _chosen(file_id, Form.submitted())
    services().recipes.keep_draft(actor(), file_id, recipe)
    if aside := services().hierarchies.take(actor(), file_id, hierarchies):
        flash(
            f"The levels of {', '.join(aside)} do not fit this file, so it has its own.", "warning"
        )
    flash("The recipe is below. Change it, or apply it as it is.", "success")
    return see(".anonymise", public_id=public_id, file=file_id, _anchor="recipe")


@pages.post("/deposits/<public_id>/jobs/<job_id>/cancellation")
def cancel_job(public_id: str, job_id: str) -> ResponseReturnValue:
    """Cancel work on a file."""
    services().jobs.cancel(actor(), job_id)
    flash("The work was cancelled. Nothing of it was kept.", "success")
    return see(".anonymise", public_id=public_id, file=request.args.get("file"))


@pages.get("/deposits/<public_id>/compare")
def compare(public_id: str) -> str:
    """Show the table and its release side by side."""
    deposit = services().deposits.get(actor(), public_id)
    item, table = table_of(deposit)
    if item is None or table is None:
        return show_step("no_table", deposit)
    found = services().recipes.compare(actor(), item.file.public_id) if item.release else None
    return show_step("compare", deposit, item=item, table=table, found=found)


def _apply(
    deposit: Deposit, item: DepositFile, _table: TableRecord, _form: Form, recipe: Recipe
) -> ResponseReturnValue:
    services().recipes.keep_draft(actor(), item.file.public_id, recipe)
    services().privacy.request_release(actor(), item.file.public_id, recipe)
    return see(".compare", public_id=deposit.version.public_id, file=item.file.public_id)


def _revert(
    deposit: Deposit, item: DepositFile, _table: TableRecord, _form: Form, _recipe: Recipe
) -> ResponseReturnValue:
    services().privacy.discard_release(actor(), item.file.public_id)
    flash("The release was discarded. Your table is as you deposited it.", "success")
    return see(".anonymise", public_id=deposit.version.public_id, file=item.file.public_id)


def _try(
    deposit: Deposit, item: DepositFile, table: TableRecord, form: Form, recipe: Recipe
) -> ResponseReturnValue:
    tried = services().recipes.preview(actor(), item.file.public_id, recipe)
    return make_response(_recipe_step(deposit, item, table, form, tried))


def _save(
    deposit: Deposit, item: DepositFile, _table: TableRecord, form: Form, recipe: Recipe
) -> ResponseReturnValue:
    services().recipes.keep_draft(actor(), item.file.public_id, recipe)
    try:
        saved = SavedRecipeIn(
            name=form.value("recipe_name"),
            recipe=recipe,
            hierarchies=services().hierarchies.edited(actor(), item.file.public_id),
        )
    except PydanticValidationError:
        raise ValidationError("Give the recipe a name of at most 200 characters.") from None
    services().recipes.save(actor(), saved)
    flash(f"The recipe is kept as {saved.name}. You can use it on other files.", "success")
    return see(".anonymise", public_id=deposit.version.public_id, file=item.file.public_id)


_ACTIONS = {"apply": _apply, "revert": _revert, "preview": _try, "save": _save}


def _present_recipe(file_id: str) -> Recipe | None:
    if request.args.get("suggest"):
        return services().privacy.suggest_recipe(actor(), file_id)
    return services().recipes.present(actor(), file_id)


def _chosen(file_id: str, form: Form) -> tuple[Recipe, Sequence[Hierarchy]]:
    if form.value("saved"):
        saved = services().recipes.load(actor(), form.value("saved"))
        return saved.recipe, saved.hierarchies
    found = services().recipes.found(actor(), file_id)
    candidates = found.result.frontier if found and found.result else ()
    place = form.value("candidate")
    if not place.isdecimal() or int(place) >= len(candidates):
        raise NotFoundError("There is no such recipe any more. Please search again.")
    return candidates[int(place)].recipe, ()


def _recipe_step(
    deposit: Deposit,
    item: DepositFile,
    table: TableRecord,
    form: Form,
    tried: RecipePreview | None = None,
) -> str:
    file_id = item.file.public_id
    recipe, search = _present_recipe(file_id), services().recipes.found(actor(), file_id)
    return show_step(
        "anonymise",
        deposit,
        item=item,
        table=table,
        form=form,
        rows=_to_decide(form, table),
        ordered=recipe_form.needs_places(form.values, table.columns),
        carried=() if "carried" in form.errors else recipe_form.carried(form.values),
        tried=tried or _tried(file_id, recipe),
        search=search,
        described=[
            changes_of(each.recipe, table.columns)
            for each in (search.result.frontier if search and search.result else ())
        ],
        policy=services().policies.show(actor(), deposit.version.public_id).policy,
        saved=services().recipes.saved(actor()),
    )


def _tried(file_id: str, recipe: Recipe | None) -> RecipePreview | None:
    """Return what a recipe leads to; None where it does not fit or takes too long to try."""
    try:
        return services().recipes.preview(actor(), file_id, recipe, keep=False) if recipe else None
    except FAIRDatabaseError:
        return None


def _to_decide(form: Form, table: TableRecord) -> list[recipe_form.Row]:
    """Return the steps of columns, and of the columns without any those that matter for privacy."""
    every = recipe_form.rows(form.values, table.columns)
    if len(every) <= _MANY_COLUMNS:
        return every
    done = {row.key for row in every if form.value(f"action-{row.key}") not in _NOTHING}
    others = [row for row in every if row.key not in done and row.column.role not in _NO_MATTER]
    shown = done | {row.key for row in others[: max(0, recipe_form.MAX_ROWS - len(done))]}
    return [row for row in every if row.key in shown or row.further]
