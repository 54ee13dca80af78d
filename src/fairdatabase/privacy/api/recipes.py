"""Recipes over REST: try, search, keep; hierarchies to take along and to bring."""

from flask import Response
from flask_openapi3 import APIBlueprint, RawModel, Tag
from pydantic import Field

from fairdatabase.catalog.schemas import FilePath
from fairdatabase.jobs.schemas import JobRecord
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.http import Success, attachment, problems, success
from fairdatabase.kernel.records import Closed
from fairdatabase.privacy.schemas import Recipe
from fairdatabase.privacy.schemas.hierarchies import HierarchyTable
from fairdatabase.privacy.schemas.previews import (
    RecipePreview,
    RecipeSearchRecord,
    ReleaseComparison,
    SavedRecipeIn,
    SavedRecipeRecord,
    SearchIn,
)
from fairdatabase.privacy.service.hierarchies import HierarchyFormat

api = APIBlueprint(
    "recipes_api",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="recipes", description="Recipes before they are applied, and hierarchies")],
    abp_security=[{"bearer": []}, {"cookie": []}],
    abp_responses=problems(401, 403, 404, 409, 422),
)
_FILE = {"description": "The file.", "content": {"text/csv": {}, "application/json": {}}}


class SavedPath(Closed):
    """Which saved recipe."""

    recipe_id: str = Field(max_length=64, description="Public id of the recipe.")


class HierarchyQuery(Closed):
    """Which column's hierarchy."""

    column: str = Field(max_length=1000, description="Name of the column.")


class HierarchyFileQuery(HierarchyQuery):
    """Which column's hierarchy, as which file."""

    format: HierarchyFormat = "csv"


class HierarchyText(RawModel):
    """The hierarchy: the CSV of ARX, or JSON."""

    mimetypes = ["text/csv", "application/json"]  # noqa: RUF012 - read by the OpenAPI layer


@api.post(
    "/files/<file_id>/recipe-preview", responses={200: Success[RecipePreview], **problems(413)}
)
def preview(path: FilePath, body: Recipe) -> Response:
    """What a recipe would lead to, measured on a copy that is thrown away."""
    return success(services().recipes.preview(actor(), path.file_id, body))


@api.get("/files/<file_id>/release/comparison", responses={200: Success[ReleaseComparison]})
def comparison(path: FilePath) -> Response:
    """The table and its release side by side: risk, and how changed columns are distributed."""
    return success(services().recipes.compare(actor(), path.file_id))


@api.post("/files/<file_id>/recipe-search", responses={202: Success[JobRecord]})
def search(path: FilePath, body: SearchIn) -> Response:
    """Search for the recipe that costs least; a job does it, `DELETE /jobs/{id}` cancels it."""
    return success(services().recipes.search(actor(), path.file_id, body), status=202)


@api.get("/files/<file_id>/recipe-search", responses={200: Success[RecipeSearchRecord | None]})
def found(path: FilePath) -> Response:
    """What the newest search found: the best recipe, and others to choose from."""
    return success(services().recipes.found(actor(), path.file_id))


@api.get("/recipes", responses={200: Success[list[SavedRecipeRecord]]})
def saved() -> Response:
    """Your saved recipes."""
    return success(services().recipes.saved(actor()))


@api.post("/recipes", responses={201: Success[SavedRecipeRecord]})
def save(body: SavedRecipeIn) -> Response:
    """Keep a recipe for other files; one of the same name is replaced."""
    return success(services().recipes.save(actor(), body), status=201)


@api.get("/recipes/<recipe_id>", responses={200: Success[SavedRecipeRecord]})
def load(path: SavedPath) -> Response:
    """One of your saved recipes."""
    return success(services().recipes.load(actor(), path.recipe_id))


@api.delete("/recipes/<recipe_id>", responses={200: Success[None]})
def forget(path: SavedPath) -> Response:
    """Remove one of your saved recipes."""
    services().recipes.forget(actor(), path.recipe_id)
    return success(None)


@api.get("/files/<file_id>/hierarchy", responses={200: Success[HierarchyTable]})
def hierarchy(path: FilePath, query: HierarchyQuery) -> Response:
    """How the values of a column become coarser, level by level."""
    return success(services().hierarchies.show(actor(), path.file_id, query.column))


@api.get("/files/<file_id>/hierarchy/file", responses={200: _FILE})
def export_hierarchy(path: FilePath, query: HierarchyFileQuery) -> Response:
    """The hierarchy of a column as a file: the CSV that ARX reads and writes, or JSON."""
    made = services().hierarchies.export(actor(), path.file_id, query.column, query.format)
    return attachment([made.text.encode()], made.name, made.media_type)


@api.put("/files/<file_id>/hierarchy", responses={200: Success[HierarchyTable]})
def replace_hierarchy(path: FilePath, query: HierarchyQuery, raw: HierarchyText) -> Response:
    """Take the hierarchy of a column from a file; searches use it from now on."""
    text = raw.get_data(as_text=True)
    return success(services().hierarchies.replace(actor(), path.file_id, query.column, text))


@api.delete("/files/<file_id>/hierarchy", responses={200: Success[None]})
def reset_hierarchy(path: FilePath, query: HierarchyQuery) -> Response:
    """Go back to the hierarchy that is proposed."""
    services().hierarchies.reset(actor(), path.file_id, query.column)
    return success(None)
