"""Use cases of hierarchies: show, edit, and exchange how columns become coarser."""

from collections.abc import Mapping, Sequence
from typing import Literal
from uuid import UUID

from fairdatabase.authorization.schemas import Actor
from fairdatabase.catalog.schemas import FileRecord
from fairdatabase.catalog.service import Catalog
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import NotFoundError
from fairdatabase.privacy.engine.groupings import compose, members
from fairdatabase.privacy.engine.hierarchies import build_hierarchy, check_hierarchy, tabulate
from fairdatabase.privacy.engine.hierarchy_files import read_csv, read_json, write_csv, write_json
from fairdatabase.privacy.engine.levels import beside, level_of, level_risks, with_level
from fairdatabase.privacy.errors import HierarchyError
from fairdatabase.privacy.models import ColumnHierarchy
from fairdatabase.privacy.repository import HierarchyRepository
from fairdatabase.privacy.schemas import Recipe
from fairdatabase.privacy.schemas.hierarchies import (
    Hierarchy,
    HierarchyTable,
    LevelDraft,
    LevelRisk,
)
from fairdatabase.privacy.schemas.previews import MAX_PREVIEW_ROWS, HierarchyEdit, HierarchyFile
from fairdatabase.privacy.service import Privacy
from fairdatabase.privacy.service.policies import Policies
from fairdatabase.privacy.service.recipes import Recipes
from fairdatabase.tables.schemas import ColumnRole, ColumnSchema, TableKind, TableRecord
from fairdatabase.tables.service import Tables

MAX_SHOWN = 200
"""Values of a column that a page shows of its hierarchy."""
MAX_MEMBERS = 100
"""Values of a level that somebody groups one by one; longer lists are edited as a file."""
HierarchyFormat = Literal["csv", "json"]


class Hierarchies:
    """Hierarchies of the columns of a draft: proposed until somebody edits them."""

    def __init__(
        self,
        database: Database,
        *,
        privacy: Privacy,
        policies: Policies,
        recipes: Recipes,
        tables: Tables,
        catalog: Catalog,
        clock: Clock,
    ) -> None:
        self._database = database
        self._privacy = privacy
        self._policies = policies
        self._recipes = recipes
        self._tables = tables
        self._catalog = catalog
        self._clock = clock
        self._hierarchies = HierarchyRepository(database)

    def show(self, actor: Actor, file_public_id: str, column: str) -> HierarchyTable:
        """Return the hierarchy of a column over its first values.

        Raises:
            NotFoundError: There is no such file or column, or the actor may not know of it.
        """
        file, table, schema = self._column(actor, file_public_id, column)
        hierarchy = self._of(file, table, schema)
        return tabulate(self._tables.path(table), schema, hierarchy, limit=MAX_SHOWN)

    def present(self, actor: Actor, file_public_id: str, column: str) -> Hierarchy:
        """Return the hierarchy that a column has, edited or proposed; raises as show."""
        file, table, schema = self._column(actor, file_public_id, column)
        return self._of(file, table, schema)

    def compose(
        self, actor: Actor, file_public_id: str, column: str, levels: Sequence[LevelDraft]
    ) -> Hierarchy:
        """Make a hierarchy of edited levels, which is kept nowhere yet.

        Raises:
            HierarchyError: They do not fit the column.
            NotFoundError: There is no such file or column, or the actor may not know of it.
        """
        file, table, schema = self._column(actor, file_public_id, column)
        present = self._of(file, table, schema)
        return compose(self._tables.path(table), schema, levels, present)

    def propose(
        self, actor: Actor, file_public_id: str, column: str, parents: Mapping[str, str]
    ) -> Hierarchy:
        """Propose a hierarchy by broader terms, such as those of an ontology.

        Raises:
            HierarchyError: A term is its own ancestor.
            NotFoundError: There is no such file or column, or the actor may not know of it.
        """
        _, table, schema = self._column(actor, file_public_id, column)
        return build_hierarchy(self._tables.path(table), schema, parents=parents)

    def measure(
        self, actor: Actor, file_public_id: str, hierarchy: Hierarchy, level: int | None
    ) -> HierarchyEdit:
        """Measure what the levels of a hierarchy lead to, with the recipe somebody works on.

        Args:
            actor: Who asks.
            file_public_id: Of a draft's file.
            hierarchy: Of one of its columns.
            level: To which the recipe is to take the column; none: as it does.

        Raises:
            HierarchyError: The hierarchy does not fit the values of the column.
            RecipeError: The recipe does not fit the columns.
            NotFoundError: There is no such file or column, or the actor may not know of it.
        """
        _, table, schema = self._column(actor, file_public_id, hierarchy.column)
        version, _ = self._catalog.require_file(actor, file_public_id, need="edit")
        path = self._tables.path(table)
        written = tabulate(path, schema, hierarchy, limit=MAX_SHOWN)
        recipe = self._recipes.present(actor, file_public_id) or Recipe()
        if level is not None:
            recipe = with_level(recipe, hierarchy, level)
        policy = self._policies.policy_for(version.dataset_id)
        small = table.row_count <= MAX_PREVIEW_ROWS
        return HierarchyEdit(
            hierarchy=hierarchy,
            table=written,
            groups=members(path, schema, hierarchy, limit=MAX_MEMBERS),
            chosen=level_of(recipe, hierarchy),
            levels=self._risks(table, hierarchy, recipe, version.dataset_id) if small else (),
            preview=self._recipes.preview(actor, file_public_id, recipe, keep=False)
            if small
            else None,
            policy_k=policy.k,
        )

    def keep(
        self, actor: Actor, file_public_id: str, hierarchy: Hierarchy, level: int | None
    ) -> None:
        """Keep a hierarchy, and take the column to one of its levels in the recipe.

        Raises as measure.
        """
        file, table, schema = self._column(actor, file_public_id, hierarchy.column)
        check_hierarchy(self._tables.path(table), schema, hierarchy)
        with self._database.transaction():
            self._put(file, hierarchy)
            if level is not None:
                recipe = self._recipes.present(actor, file_public_id) or Recipe()
                changed = with_level(recipe, hierarchy, level)
                self._recipes.keep_draft(actor, file_public_id, changed)

    def edited(self, actor: Actor, file_public_id: str) -> tuple[Hierarchy, ...]:
        """Return the hierarchies of a draft's file that somebody edited."""
        _, file = self._catalog.require_file(actor, file_public_id, need="edit")
        with self._database.reading():
            rows = self._hierarchies.of_file(file.id)
            return tuple(Hierarchy.model_validate(row.hierarchy) for row in rows)

    def take(
        self, actor: Actor, file_public_id: str, hierarchies: Sequence[Hierarchy]
    ) -> tuple[str, ...]:
        """Use hierarchies that were made for another file, as far as they fit.

        Returns:
            The columns whose hierarchy fits nothing here, and is left aside.
        """
        aside = []
        for hierarchy in hierarchies:
            try:
                self.keep(actor, file_public_id, hierarchy, None)
            except (HierarchyError, NotFoundError):
                aside.append(hierarchy.column)
        return tuple(aside)

    def export(
        self, actor: Actor, file_public_id: str, column: str, kind: HierarchyFormat
    ) -> HierarchyFile:
        """Return the hierarchy of a column as a file: the CSV of ARX, or JSON; raises as show."""
        file, table, schema = self._column(actor, file_public_id, column)
        hierarchy = self._of(file, table, schema)
        if kind == "json":
            text, media_type = write_json(hierarchy), "application/vnd.fairdatabase.hierarchy+json"
        else:
            text = write_csv(self._tables.path(table), schema, hierarchy)
            media_type = "text/csv; charset=utf-8"
        return HierarchyFile(name=f"{column}.{kind}", media_type=media_type, text=text)

    def replace(self, actor: Actor, file_public_id: str, column: str, text: str) -> HierarchyTable:
        """Take the hierarchy of a column from a file, in the CSV of ARX or in JSON.

        Raises:
            HierarchyError: It is neither, or does not fit the values of the column.
            NotFoundError: There is no such file or column, or the actor may not know of it.
        """
        file, table, schema = self._column(actor, file_public_id, column)
        read = read_json if text.lstrip().startswith("{") else read_csv
        hierarchy = read(text, column)
        check_hierarchy(self._tables.path(table), schema, hierarchy)
        with self._database.transaction():
            self._put(file, hierarchy)
        return tabulate(self._tables.path(table), schema, hierarchy, limit=MAX_SHOWN)

    def reset(self, actor: Actor, file_public_id: str, column: str) -> None:
        """Go back to the hierarchy that is proposed; raises as show."""
        file, _, _ = self._column(actor, file_public_id, column)
        with self._database.transaction():
            self._hierarchies.remove(file.id, column)

    def _put(self, file: FileRecord, hierarchy: Hierarchy) -> None:
        self._hierarchies.put(
            ColumnHierarchy(
                file_id=file.id,
                column=hierarchy.column,
                hierarchy=hierarchy.model_dump(mode="json"),
                updated_at=self._clock(),
            )
        )

    def _risks(
        self, source: TableRecord, hierarchy: Hierarchy, recipe: Recipe, dataset_id: UUID
    ) -> tuple[LevelRisk, ...]:
        others = beside(recipe, hierarchy.column)
        policy = self._policies.policy_for(dataset_id)
        with self._tables.workspace() as folder:
            target = folder / "others.parquet"
            effect = self._privacy.anonymise(source, target, others, dataset_id)
            known = {column.name: column for column in effect.columns}
            return level_risks(
                target,
                known.pop(hierarchy.column),
                hierarchy,
                quasi_identifiers=[
                    column
                    for column in known.values()
                    if column.role is ColumnRole.QUASI_IDENTIFIER
                ],
                thresholds=policy.thresholds,
                missing=policy.missing,
            )

    def _column(
        self, actor: Actor, file_public_id: str, column: str
    ) -> tuple[FileRecord, TableRecord, ColumnSchema]:
        _, file = self._catalog.require_file(actor, file_public_id, need="edit")
        table = self._tables.describe(actor, file_public_id, TableKind.SOURCE)
        for each in table.columns:
            if each.name == column:
                return file, table, each
        raise NotFoundError(f"The table has no column {column!r}.")

    def _of(self, file: FileRecord, table: TableRecord, column: ColumnSchema) -> Hierarchy:
        with self._database.reading():
            for row in self._hierarchies.of_file(file.id):
                if row.column == column.name:
                    return Hierarchy.model_validate(row.hierarchy)
        return build_hierarchy(self._tables.path(table), column)
