"""Use cases of privacy: suggest roles, screen a table, anonymise it by a recipe."""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from fairdatabase.authorization.schemas import WORKER, Actor
from fairdatabase.catalog.rules import looks_after
from fairdatabase.catalog.schemas import FileRecord
from fairdatabase.catalog.service import Catalog
from fairdatabase.jobs.schemas import JobRecord
from fairdatabase.jobs.service import Jobs
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import ConflictError, NotFoundError, PermissionDeniedError
from fairdatabase.privacy.engine import anonymise, detect, risk
from fairdatabase.privacy.engine.fingerprints import find_fingerprints
from fairdatabase.privacy.formats.provenance import provenance
from fairdatabase.privacy.models import ReleaseRecipe, Screening
from fairdatabase.privacy.repository import RecipeRepository, ScreeningRepository
from fairdatabase.privacy.rules import comparable, judge, names_of, suggest_recipe
from fairdatabase.privacy.schemas import (
    ApplyResult,
    Recipe,
    ReleaseRecord,
    RiskReport,
    RoleSuggestion,
)
from fairdatabase.privacy.schemas.policies import Policy
from fairdatabase.privacy.schemas.screenings import ScreeningRecord
from fairdatabase.privacy.schemas.versions import PublishedTable
from fairdatabase.privacy.service.keys import Pseudonyms
from fairdatabase.privacy.service.policies import Policies
from fairdatabase.privacy.service.versions import Versions
from fairdatabase.tables.schemas import ColumnRole, TableKind, TableRecord
from fairdatabase.tables.service import Tables

Progress = Callable[[float, str], None]
RELEASE_JOB = "privacy.release"


class Privacy:
    """Screens stored tables, never what somebody says about them, and makes releases."""

    def __init__(
        self,
        database: Database,
        *,
        tables: Tables,
        catalog: Catalog,
        jobs: Jobs,
        pseudonyms: Pseudonyms,
        policies: Policies,
        versions: Versions,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._tables = tables
        self._catalog = catalog
        self._jobs = jobs
        self._pseudonyms = pseudonyms
        self._policies = policies
        self._versions = versions
        self._site_url = settings.public_url
        self._clock = clock
        self._screenings = ScreeningRepository(database)
        self._recipes = RecipeRepository(database)

    def suggest_roles(self, actor: Actor, file_public_id: str) -> tuple[RoleSuggestion, ...]:
        """Return a role for each column of a draft's table, with evidence, to be confirmed.

        Raises:
            NotFoundError: There is no such file or table, or the actor may not know of it.
        """
        table = self._editable(actor, file_public_id)
        return tuple(detect.suggest_roles(self._tables.path(table), table.columns))

    def screen(self, file_id: UUID, kind: TableKind) -> ScreeningRecord:
        """Measure the stored table of a file, judge it and keep the verdict.

        Called by jobs, after the roles of the columns were set or a release was made.

        Raises:
            NotFoundError: The file has no such table any more.
        """
        table = self._tables.of_file(file_id, kind)
        if table is None:
            raise _gone()
        dataset_id = self._catalog.dataset_of(file_id)
        policy = self._policies.policy_for(dataset_id)
        path = self._tables.path(table)
        name = self._catalog.file(file_id).name
        report = self.measure(name, table, path, dataset_id, policy=policy)
        found = find_fingerprints(path, table.columns)
        report = report.model_copy(update={"fingerprints": found})
        verdict = judge(report, _roles(table), policy)
        judged = {"table": kind.value, "passed": verdict.passed}
        with self._database.transaction():
            self._catalog.record_file_act(WORKER, file_id, "dataset.screened", after=judged)
            self._screenings.remove(table.id)
            row = self._screenings.add(
                Screening(
                    table_id=table.id,
                    sha256=table.sha256,
                    roles=table.roles,
                    passed=verdict.passed,
                    policy=policy.model_dump(mode="json"),
                    verdict=verdict.model_dump(mode="json"),
                    report=report.model_dump(mode="json"),
                    created_at=self._clock(),
                )
            )
            return ScreeningRecord.model_validate(row)

    def measure(
        self, file_name: str, table: TableRecord, path: Path, dataset_id: UUID, *, policy: Policy
    ) -> RiskReport:
        """Measure what the policy of a dataset judges, and keep nothing.

        For services that have checked access themselves.

        Args:
            file_name: Of the file that the table is of.
            table: Its columns and their roles.
            path: Parquet file of its rows.
            dataset_id: Whose earlier versions it is held against.
            policy: What it has to fulfil.
        """
        report = risk.assess(
            path,
            quasi_identifiers=names_of(table, ColumnRole.QUASI_IDENTIFIER),
            sensitive=names_of(table, ColumnRole.SENSITIVE),
            columns=table.columns,
            missing=policy.missing,
            thresholds=policy.thresholds,
        )
        compared = self._versions.compare(file_name, table, path, dataset_id, k=policy.k)
        return report.model_copy(update={"versions": compared})

    def of_draft(
        self, dataset_id: UUID, files: Collection[FileRecord], tables: Collection[TableRecord]
    ) -> dict[UUID, ScreeningRecord]:
        """Return the verdicts on tables of a draft, by the policy that its dataset has now.

        A table counts as not measured that was measured against other thresholds, or was not
        compared with everything that is public of the dataset by now.

        Args:
            dataset_id: Of the draft.
            files: Those of the draft that the tables belong to.
            tables: Of which verdicts are wanted.
        """
        policy = self._policies.policy_for(dataset_id)
        published = self._versions.published(dataset_id)
        names = {file.id: file.name for file in files}
        known = {table.id: table for table in tables}
        found = {}
        for table_id, record in self.of_tables(tables).items():
            table = known[table_id]
            before = comparable(names[table.file_id], table, published)
            if current := _judged_anew(record, table, policy, before):
                found[table_id] = current
        return found

    def of_tables(self, tables: Collection[TableRecord]) -> dict[UUID, ScreeningRecord]:
        """Return the verdicts that still hold: on these bytes and with these roles."""
        known = {table.id: table for table in tables}
        with self._database.reading():
            found = self._screenings.of_tables(known)
            return {
                row.table_id: ScreeningRecord.model_validate(row)
                for row in found
                if row.sha256 == known[row.table_id].sha256
                and row.roles == known[row.table_id].roles
            }

    def screening(
        self, actor: Actor, file_public_id: str, kind: TableKind | None = None
    ) -> ScreeningRecord:
        """Return the verdict on a file's table.

        Which groups changed since an earlier version, perhaps a withdrawn one, is for those who
        look after the dataset.

        Raises:
            NotFoundError: The table was not screened since it last changed.
            PermissionDeniedError: The actor may not see the data the verdict is about.
        """
        version, _ = self._catalog.require_file(actor, file_public_id, need="data")
        table = self._tables.describe(actor, file_public_id, kind)
        found = self.of_tables([table])
        if table.id not in found:
            message = "This table was not screened since it last changed; set the column roles."
            raise NotFoundError(message)
        record = found[table.id]
        return record if looks_after(actor, version) else _without_changes(record)

    def suggest_recipe(self, actor: Actor, file_public_id: str) -> Recipe:
        """Return a recipe that should make the table pass, as a start for the steward."""
        version, _ = self._catalog.require_file(actor, file_public_id, need="edit")
        table = self._tables.describe(actor, file_public_id, TableKind.SOURCE)
        policy = self._policies.policy_for(version.dataset_id)
        return suggest_recipe(self._tables.path(table), table.columns, policy)

    def recipe(self, actor: Actor, file_public_id: str) -> ReleaseRecord | None:
        """Return the recipe of a file's release table, if there is one.

        It may name values of the source, so it is for those who look after the dataset.

        Raises:
            NotFoundError: There is no such file, or the actor may not know of it.
            PermissionDeniedError: The dataset is somebody else's.
        """
        version, file = self._catalog.require_file(actor, file_public_id, need="metadata")
        if not looks_after(actor, version):
            message = "The recipe is for those who look after the dataset: it may name values."
            raise PermissionDeniedError(message)
        table = self._tables.of_file(file.id, TableKind.RELEASE)
        if table is None:
            return None
        with self._database.reading():
            row = self._recipes.get(table.id)
            return ReleaseRecord.model_validate(row) if row else None

    def provenance(self, actor: Actor, file_public_id: str) -> dict[str, Any]:
        """Return where a file's release comes from, as PROV-JSON.

        For everybody who may know of the dataset; values of the source that the recipe names are
        for those who look after it.

        Raises:
            NotFoundError: There is no such file or release, or the actor may not know of it.
        """
        version, file = self._catalog.require_file(actor, file_public_id, need="metadata")
        table = self._tables.of_file(file.id, TableKind.RELEASE)
        with self._database.reading():
            made = self._recipes.get(table.id) if table else None
        if table is None or made is None:
            raise NotFoundError("The file has no anonymised release.")
        return provenance(
            ReleaseRecord.model_validate(made),
            table,
            file,
            version,
            site_url=self._site_url,
            with_values=looks_after(actor, version),
        )

    def request_release(self, actor: Actor, file_public_id: str, recipe: Recipe) -> JobRecord:
        """Ask for an anonymised release of a draft's table, made by a job.

        Raises:
            RecipeError: The recipe does not fit the columns; nothing was started.
        """
        version, file = self._catalog.require_file(actor, file_public_id, need="edit")
        table = self._editable(actor, file_public_id)
        anonymise.check(recipe, table.columns)
        payload = {
            "file_id": str(file.id),
            "dataset_id": str(version.dataset_id),
            "recipe": recipe.model_dump(mode="json"),
            "created_by": str(actor.user_id),
        }
        asked = {"steps": [step.op for step in recipe.steps]}
        with self._database.transaction():
            act = "dataset.release-requested"
            self._catalog.record_file_act(actor, file.id, act, after=asked)
            return self._jobs.enqueue(
                RELEASE_JOB, payload, subject_id=file.id, owner_id=actor.user_id
            )

    def release(
        self,
        file_id: UUID,
        dataset_id: UUID,
        created_by: UUID,
        *,
        recipe: Recipe,
        progress: Progress,
    ) -> ScreeningRecord:
        """Apply a recipe to the stored source table, keep the result and screen it.

        What is judged is the file that would be published, read back from the store.
        """
        source = self._tables.of_file(file_id, TableKind.SOURCE)
        if source is None:
            raise _gone()
        progress(0.1, "Applying the recipe")
        key_version = self._pseudonyms.current_version(dataset_id)
        with self._tables.workspace() as folder:
            target = folder / "release.parquet"
            effect = self.anonymise(source, target, recipe, dataset_id)
            progress(0.6, "Storing the release")
            stored = self._tables.store(target)
        with self._database.transaction():
            current = self._tables.of_file(file_id, TableKind.SOURCE)
            if current is None or current.roles != source.roles:
                message = "The columns changed meanwhile; please apply the recipe again."
                raise ConflictError(message)
            table = self._tables.keep_release(file_id, stored, effect.columns)
            made = {"rows": table.row_count, "columns": len(table.columns)}
            self._catalog.record_file_act(WORKER, file_id, "dataset.release-made", after=made)
            self._recipes.add(
                ReleaseRecipe(
                    table_id=table.id,
                    recipe=recipe.model_dump(mode="json"),
                    effect=effect.model_dump(mode="json", exclude={"columns"}),
                    source_sha256=source.sha256,
                    key_version=key_version,
                    created_by=created_by,
                    created_at=self._clock(),
                )
            )
        progress(0.8, "Measuring the release")
        return self.screen(file_id, TableKind.RELEASE)

    def anonymise(
        self, source: TableRecord, target: Path, recipe: Recipe, dataset_id: UUID
    ) -> ApplyResult:
        """Write what a recipe makes of a stored table to a file, with the dataset's present key.

        For services that have checked access themselves; nothing is stored or measured.
        """
        version = self._pseudonyms.current_version(dataset_id)
        return anonymise.apply(
            self._tables.path(source),
            target,
            recipe,
            quasi_identifiers=names_of(source, ColumnRole.QUASI_IDENTIFIER),
            columns=source.columns,
            key=self._pseudonyms.key(dataset_id, version),
        )

    def discard_release(self, actor: Actor, file_public_id: str) -> None:
        """Go back to the source table of a draft's file."""
        _, file = self._catalog.require_file(actor, file_public_id, need="edit")
        with self._database.transaction():
            self._tables.drop_release(file.id)
            self._catalog.record_file_act(actor, file.id, "dataset.release-discarded")

    def keep_verdicts(self, records: Collection[ScreeningRecord]) -> None:
        """Keep verdicts as they are at a publication, by the policy of that moment.

        For the deposits service, which has read them and holds the draft's lock.
        """
        known = {record.table_id: record for record in records}
        with self._database.transaction():
            for row in self._screenings.of_tables(known):
                record = known[row.table_id]
                row.passed = record.passed
                row.policy = record.policy.model_dump(mode="json")
                row.verdict = record.verdict.model_dump(mode="json")
                row.report = record.report.model_dump(mode="json")

    def copy(self, tables: Mapping[UUID, UUID]) -> None:
        """Give copied tables the verdicts and recipes of the ones they were copied from."""
        with self._database.transaction():
            for old, new in tables.items():
                for screening in self._screenings.of_tables([old]):
                    self._screenings.add(screening.copy_for(new))
                recipe = self._recipes.get(old)
                if recipe is not None:
                    self._recipes.add(recipe.copy_for(new))

    def _editable(self, actor: Actor, file_public_id: str) -> TableRecord:
        self._catalog.require_file(actor, file_public_id, need="edit")
        return self._tables.describe(actor, file_public_id, TableKind.SOURCE)


def _without_changes(record: ScreeningRecord) -> ScreeningRecord:
    compared = tuple(each.model_copy(update={"listed": ()}) for each in record.report.versions)
    report = record.report.model_copy(update={"versions": compared})
    return record.model_copy(update={"report": report})


def _roles(table: TableRecord) -> dict[str, ColumnRole]:
    return {column.name: column.role for column in table.columns}


def _judged_anew(
    record: ScreeningRecord, table: TableRecord, policy: Policy, before: Sequence[PublishedTable]
) -> ScreeningRecord | None:
    """Return the verdict of now, or nothing where what it needs was not measured."""
    report = record.report
    compared = {each.sha256: each for each in report.versions}
    if (report.thresholds, report.missing) != (policy.thresholds, policy.missing) or any(
        each.table.sha256 not in compared for each in before
    ):
        return None
    needed = tuple(compared[each.table.sha256] for each in before)
    report = report.model_copy(update={"versions": needed})
    verdict = judge(report, _roles(table), policy)
    return record.model_copy(
        update={
            "passed": verdict.passed,
            "policy": policy,
            "verdict": verdict,
            "report": report,
        }
    )


def _gone() -> NotFoundError:
    return NotFoundError("The table does not exist any more; the file was removed or replaced.")
