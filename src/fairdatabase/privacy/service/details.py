"""Use cases of a closer look at the risk: group by group, and by further models."""

from dataclasses import replace
from math import comb

from fairdatabase.authorization.schemas import Actor
from fairdatabase.catalog.rules import looks_after
from fairdatabase.catalog.schemas import VersionRecord
from fairdatabase.catalog.service import Catalog
from fairdatabase.kernel.errors import LimitExceededError, PermissionDeniedError
from fairdatabase.privacy.engine import risk
from fairdatabase.privacy.engine.fingerprints import find_fingerprints
from fairdatabase.privacy.engine.groups import list_groups
from fairdatabase.privacy.engine.outlook import Models
from fairdatabase.privacy.formats.sentences import statements
from fairdatabase.privacy.rules import names_of
from fairdatabase.privacy.schemas import GroupPage, RiskReport
from fairdatabase.privacy.schemas.details import MAX_WORK, GroupsQuery, ModelsQuery, RiskModels
from fairdatabase.privacy.service.policies import Policies
from fairdatabase.tables.schemas import ColumnRole, TableKind, TableRecord
from fairdatabase.tables.service import Tables


class Details:
    """Shows those who look after a dataset what stands behind the verdict."""

    def __init__(self, *, tables: Tables, catalog: Catalog, policies: Policies) -> None:
        self._tables = tables
        self._catalog = catalog
        self._policies = policies

    def groups(self, actor: Actor, file_public_id: str, query: GroupsQuery) -> GroupPage:
        """Return groups of people who cannot be told apart, smallest first.

        Raises:
            NotFoundError: There is no such file or table, or the actor may not know of it.
            PermissionDeniedError: The dataset is somebody else's: the list says who stands out.
            AssessmentError: The column to filter by is no quasi-identifier.
        """
        version, table = self._table(actor, file_public_id, query.kind)
        return list_groups(
            self._tables.path(table),
            quasi_identifiers=names_of(table, ColumnRole.QUASI_IDENTIFIER),
            smaller_than=query.smaller_than,
            where={query.column: query.value or None} if query.column else None,
            offset=query.offset,
            limit=query.per_page,
            columns=table.columns,
            missing=self._policies.policy_for(version.dataset_id).missing,
        )

    def models(self, actor: Actor, file_public_id: str, query: ModelsQuery) -> RiskModels:
        """Measure a table by the models beside k, l and t.

        Raises:
            NotFoundError: There is no such file or table, or the actor may not know of it.
            PermissionDeniedError: The dataset, or the table of the population, is somebody else's.
            LimitExceededError: It would take too long while somebody waits.
            AssessmentError: The table of the population has other columns.
        """
        version, table = self._table(actor, file_public_id, query.kind)
        _require_little(table, query.unique_on)
        models = Models(sampling=query.sampled, uniques_up_to=query.unique_on)
        if query.population:
            self._catalog.require_file(actor, query.population, need="data")
            people = self._tables.describe(actor, query.population)
            models = replace(
                models,
                population=self._tables.path(people),
                population_columns=people.columns,
            )
        policy = self._policies.policy_for(version.dataset_id)
        path = self._tables.path(table)
        report = risk.assess(
            path,
            quasi_identifiers=names_of(table, ColumnRole.QUASI_IDENTIFIER),
            sensitive=names_of(table, ColumnRole.SENSITIVE),
            columns=table.columns,
            thresholds=policy.thresholds,
            missing=policy.missing,
            models=models,
        )
        found = find_fingerprints(path, table.columns, subject=query.subject)
        return _models(report.model_copy(update={"fingerprints": found}))

    def _table(
        self, actor: Actor, file_public_id: str, kind: TableKind | None
    ) -> tuple[VersionRecord, TableRecord]:
        version, _ = self._catalog.require_file(actor, file_public_id, need="metadata")
        if not looks_after(actor, version):
            raise PermissionDeniedError(
                "Who stands out in a table is for those who look after the dataset."
            )
        return version, self._tables.describe(actor, file_public_id, kind)


def _require_little(table: TableRecord, unique_on: int) -> None:
    columns = len(names_of(table, ColumnRole.QUASI_IDENTIFIER))
    combinations = sum(comb(columns, size) for size in range(1, unique_on + 1))
    if table.row_count * combinations > MAX_WORK:
        raise LimitExceededError(
            f"{combinations:,} combinations of columns in {table.row_count:,} rows are too many to"
            " look through while you wait. Ask for fewer columns, or download the table and use"
            " `fairdatabase privacy assess --models`."
        )


def _models(report: RiskReport) -> RiskModels:
    return RiskModels(
        rows=report.rows,
        quasi_identifiers=report.quasi_identifiers,
        likeness={each.name: each.likeness for each in report.sensitive if each.likeness},
        uniques=report.uniques,
        population=report.population,
        individual=report.individual,
        fingerprints=report.fingerprints,
        in_words=tuple(statements(report)),
    )
