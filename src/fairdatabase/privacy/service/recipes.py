"""Use cases of recipes before they are applied: try, keep, search for, and compare."""

from typing import Any
from uuid import UUID

from fairdatabase.authorization.rules import require_user
from fairdatabase.authorization.schemas import Actor
from fairdatabase.catalog.service import Catalog
from fairdatabase.jobs.schemas import JobRecord
from fairdatabase.jobs.service import Jobs
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import ConflictError, LimitExceededError, NotFoundError
from fairdatabase.privacy.engine import anonymise
from fairdatabase.privacy.engine.distributions import distributions
from fairdatabase.privacy.engine.search import find_recipe
from fairdatabase.privacy.models import RecipeDraft, RecipeSearch, SavedRecipe
from fairdatabase.privacy.repository import (
    HierarchyRepository,
    RecipeDraftRepository,
    SavedRecipeRepository,
    SearchRepository,
)
from fairdatabase.privacy.rules import changes_of, goal_of, judge, names_of
from fairdatabase.privacy.schemas import ApplyResult, Recipe, RiskReport
from fairdatabase.privacy.schemas.hierarchies import Hierarchy
from fairdatabase.privacy.schemas.policies import Policy
from fairdatabase.privacy.schemas.previews import (
    MAX_PREVIEW_ROWS,
    ColumnComparison,
    RecipePreview,
    RecipeSearchRecord,
    ReleaseComparison,
    SavedRecipeIn,
    SavedRecipeRecord,
    SearchIn,
)
from fairdatabase.privacy.schemas.searches import SearchProgress, SearchRequest
from fairdatabase.privacy.service import Privacy, Progress
from fairdatabase.privacy.service.policies import Policies
from fairdatabase.tables.schemas import ColumnRole, TableKind, TableRecord
from fairdatabase.tables.service import Tables

SEARCH_JOB = "privacy.search"
FRONTIER_FACTORS = (1, 2, 3, 5, 10)
"""Multiples of the policy's k for which recipes are found as well, to choose from."""
MAX_COMPARED = 12
"""Columns whose distributions are shown before and after."""
_SEARCHING, _STORING = 0.9, 0.95


class Recipes:
    """Recipes that somebody is working on: nothing in here changes a release."""

    def __init__(
        self,
        database: Database,
        *,
        privacy: Privacy,
        policies: Policies,
        tables: Tables,
        catalog: Catalog,
        jobs: Jobs,
        clock: Clock,
    ) -> None:
        self._database = database
        self._privacy = privacy
        self._policies = policies
        self._tables = tables
        self._catalog = catalog
        self._jobs = jobs
        self._clock = clock
        self._drafts = RecipeDraftRepository(database)
        self._saved = SavedRecipeRepository(database)
        self._searches = SearchRepository(database)
        self._hierarchies = HierarchyRepository(database)

    def preview(
        self, actor: Actor, file_public_id: str, recipe: Recipe, *, keep: bool = True
    ) -> RecipePreview:
        """Measure what a recipe would lead to.

        Args:
            actor: Who asks.
            file_public_id: Of a draft's file.
            recipe: To try.
            keep: Whether it is what somebody works on, to be there when they return.

        Raises:
            RecipeError: It does not fit the columns.
            LimitExceededError: The table is too large to try a recipe while somebody waits.
        """
        version, file = self._catalog.require_file(actor, file_public_id, need="edit")
        source = self._tables.describe(actor, file_public_id, TableKind.SOURCE)
        anonymise.check(recipe, source.columns)
        if keep:
            self.keep_draft(actor, file_public_id, recipe)
        if source.row_count > MAX_PREVIEW_ROWS:
            raise LimitExceededError(
                f"The table has more than {MAX_PREVIEW_ROWS:,} rows, too many to try a recipe"
                " while you wait. Apply it; it can be changed afterwards."
            )
        policy = self._policies.policy_for(version.dataset_id)
        with self._tables.workspace() as folder:
            target = folder / "preview.parquet"
            effect = self._privacy.anonymise(source, target, recipe, version.dataset_id)
            made = source.model_copy(update={"columns": effect.columns, "sha256": ""})
            report = self._privacy.measure(
                file.name, made, target, version.dataset_id, policy=policy
            )
        return _preview(source, effect, report, policy)

    def keep_draft(self, actor: Actor, file_public_id: str, recipe: Recipe) -> None:
        """Keep the recipe that somebody is working on, so that it is there when they return."""
        with self._database.transaction():
            _, file = self._catalog.require_file(actor, file_public_id, need="edit")
            self._drafts.put(
                RecipeDraft(
                    file_id=file.id,
                    recipe=recipe.model_dump(mode="json"),
                    updated_at=self._clock(),
                )
            )

    def draft(self, actor: Actor, file_public_id: str) -> Recipe | None:
        """Return the recipe that somebody is working on."""
        _, file = self._catalog.require_file(actor, file_public_id, need="edit")
        with self._database.reading():
            row = self._drafts.get(file.id)
            return Recipe.model_validate(row.recipe) if row else None

    def present(self, actor: Actor, file_public_id: str) -> Recipe | None:
        """Return the recipe that somebody works on, or else the one that was applied."""
        made = self._privacy.recipe(actor, file_public_id)
        return self.draft(actor, file_public_id) or (made.recipe if made else None)

    def compare(self, actor: Actor, file_public_id: str) -> ReleaseComparison:
        """Return a draft's table and its release side by side.

        Raises:
            NotFoundError: There is no release.
        """
        version, file = self._catalog.require_file(actor, file_public_id, need="edit")
        tables = self._tables.of_files([file.id]).get(file.id, {})
        source, release = tables.get(TableKind.SOURCE), tables.get(TableKind.RELEASE)
        made = self._privacy.recipe(actor, file_public_id)
        if source is None or release is None or made is None:
            raise NotFoundError("There is no release to compare with. Apply a recipe first.")
        verdicts = self._privacy.of_draft(version.dataset_id, [file], [source, release])
        shown_columns = [
            column for column in source.columns if column.role is not ColumnRole.DIRECT_IDENTIFIER
        ]
        changes = changes_of(made.recipe, shown_columns)
        shown = dict(list(changes.items())[:MAX_COMPARED])
        return ReleaseComparison(
            before=verdicts.get(source.id),
            after=verdicts.get(release.id),
            effect=made.effect,
            columns=self._compared(source, release, shown),
            further=len(changes) - len(shown),
        )

    def search(self, actor: Actor, file_public_id: str, wanted: SearchIn) -> JobRecord:
        """Have a recipe searched for by a job, which its owner can cancel.

        Raises:
            ConflictError: The columns have no roles yet.
        """
        version, file = self._catalog.require_file(actor, file_public_id, need="edit")
        source = self._tables.describe(actor, file_public_id, TableKind.SOURCE)
        if not names_of(source, ColumnRole.QUASI_IDENTIFIER):
            raise ConflictError(
                "No column is a quasi-identifier, so there is nothing to generalise. Say which"
                " columns others may know of a person."
            )
        policy = self._policies.policy_for(version.dataset_id)
        goal = goal_of(policy, wanted, names_of(source, ColumnRole.SENSITIVE))
        request = SearchRequest(
            goal=goal,
            max_suppression=wanted.max_suppression,
            method=wanted.method,
            seconds=wanted.seconds,
            frontier=tuple(goal.k * factor for factor in FRONTIER_FACTORS),
        )
        with self._database.transaction():
            job = self._jobs.enqueue(
                SEARCH_JOB, {"file_id": str(file.id)}, subject_id=file.id, owner_id=actor.user_id
            )
            self._searches.put(
                RecipeSearch(
                    file_id=file.id,
                    job_id=job.public_id,
                    source_sha256=source.sha256,
                    roles=source.roles,
                    request=request.model_dump(mode="json"),
                    result=None,
                    created_at=self._clock(),
                )
            )
            return job

    def run_search(self, file_id: UUID, job_id: str, progress: Progress) -> None:
        """Search for a recipe; called by the job, which may have a successor by now."""
        with self._database.reading():
            row = self._searches.get(file_id)
            edited = [each.hierarchy for each in self._hierarchies.of_file(file_id)]
        source = self._tables.of_file(file_id, TableKind.SOURCE)
        if row is None or source is None or row.job_id != job_id:
            return
        names = set(names_of(source, ColumnRole.QUASI_IDENTIFIER))
        hierarchies = [Hierarchy.model_validate(each) for each in edited]

        def tell(found: SearchProgress) -> None:
            looked = f"{found.checked:,} ways of coarsening looked at"
            progress(_SEARCHING * found.fraction, looked)

        result = find_recipe(
            self._tables.path(source),
            source.columns,
            SearchRequest.model_validate(row.request),
            hierarchies=[each for each in hierarchies if each.column in names],
            progress=tell,
        )
        progress(_STORING, "Keeping what was found")
        with self._database.transaction():
            present = self._searches.get(file_id)
            if present is not None and present.job_id == job_id:
                present.result = result.model_dump(mode="json")

    def found(self, actor: Actor, file_public_id: str) -> RecipeSearchRecord | None:
        """Return the newest search on a file, if there is one."""
        _, file = self._catalog.require_file(actor, file_public_id, need="edit")
        source = self._tables.of_file(file.id, TableKind.SOURCE)
        with self._database.reading():
            row = self._searches.get(file.id)
        if row is None:
            return None
        told: dict[str, Any] = {
            "job": row.job_id,
            "request": row.request,
            "result": row.result,
            "current": source is not None
            and (row.source_sha256, row.roles) == (source.sha256, source.roles),
            "created_at": row.created_at,
        }
        return RecipeSearchRecord.model_validate(told)

    def saved(self, actor: Actor) -> tuple[SavedRecipeRecord, ...]:
        """Return the actor's saved recipes by their names."""
        owner_id = require_user(actor)
        with self._database.reading():
            rows = self._saved.of_owner(owner_id)
            return tuple(SavedRecipeRecord.model_validate(row) for row in rows)

    def of_owner(self, owner_id: UUID, _public_id: str) -> list[SavedRecipeRecord]:
        """Return all recipes of a user, for the user's copy of personal data."""
        with self._database.reading():
            return [SavedRecipeRecord.model_validate(row) for row in self._saved.of_owner(owner_id)]

    def erase_of(self, _actor: Actor, owner_id: UUID) -> None:
        """Remove all recipes of a user, for the service of personal data, which knows who asks."""
        with self._database.transaction():
            for row in self._saved.of_owner(owner_id):
                self._saved.remove(row)

    def load(self, actor: Actor, public_id: str) -> SavedRecipeRecord:
        """Return one of the actor's saved recipes.

        Raises:
            NotFoundError: There is none, or it is somebody else's.
        """
        with self._database.reading():
            return SavedRecipeRecord.model_validate(self._own(actor, public_id))

    def save(self, actor: Actor, wanted: SavedRecipeIn) -> SavedRecipeRecord:
        """Keep a recipe under a name, in the place of one that has this name."""
        owner_id, now = require_user(actor), self._clock()
        with self._database.transaction():
            row = self._saved.named(owner_id, wanted.name)
            if row is None:
                row = SavedRecipe(owner_id=owner_id, name=wanted.name, created_at=now)
            row.recipe, row.updated_at = wanted.recipe.model_dump(mode="json"), now
            row.hierarchies = [each.model_dump(mode="json") for each in wanted.hierarchies]
            return SavedRecipeRecord.model_validate(self._saved.add(row))

    def forget(self, actor: Actor, public_id: str) -> None:
        """Remove one of the actor's saved recipes; raises as :meth:`load`."""
        with self._database.transaction():
            self._saved.remove(self._own(actor, public_id))

    def _own(self, actor: Actor, public_id: str) -> SavedRecipe:
        row = self._saved.find(require_user(actor), public_id)
        if row is None:
            raise NotFoundError(f"You have no saved recipe {public_id}.")
        return row

    def _compared(
        self, source: TableRecord, release: TableRecord, changes: dict[str, str]
    ) -> tuple[ColumnComparison, ...]:
        before = self._distributions(source, changes)
        after = self._distributions(release, changes)
        return tuple(
            ColumnComparison(column=name, before=before[name], after=after.get(name), words=words)
            for name, words in changes.items()
        )

    def _distributions(self, table: TableRecord, names: dict[str, str]) -> dict[str, Any]:
        wanted = tuple(column for column in table.columns if column.name in names)
        found = distributions(self._tables.path(table), wanted)
        return {each.column: each for each in found}


def _preview(
    source: TableRecord, effect: ApplyResult, report: RiskReport, policy: Policy
) -> RecipePreview:
    verdict = judge(report, {each.name: each.role for each in effect.columns}, policy)
    return RecipePreview(
        rows_in=effect.rows_in,
        rows_out=effect.rows_out,
        columns_in=len(source.columns),
        columns_out=len(effect.columns),
        k=report.k,
        policy_k=policy.k,
        rows_at_risk=report.rows_at_risk,
        unique_rows=report.unique_rows,
        average_risk=report.prosecutor_average,
        passed=verdict.passed,
        reasons=tuple(reason.message for reason in verdict.reasons),
        sizes=report.sizes,
    )
