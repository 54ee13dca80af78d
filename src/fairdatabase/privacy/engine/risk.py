"""Re-identification risk of a stored table.

One grouping by the quasi-identifiers and one per sensitive attribute compress the table to its
equivalence classes, in memory (``arrays``) or for tables of any size (``classes``); every
measure is computed from these counts. The definitions stand in ``measures``, ``likeness``,
``population`` and ``uniques``, and in the records of ``privacy.schemas``.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

from fairdatabase.privacy.engine.arrays import ArrayClasses, fits
from fairdatabase.privacy.engine.classes import ClassTables
from fairdatabase.privacy.engine.measures import TOLERANCE, ClassMeasures, Integers, measure
from fairdatabase.privacy.engine.outlook import (
    Models,
    individual_risk,
    likeness_risk,
    population_risk,
    special_uniques,
    unproven_likeness,
)
from fairdatabase.privacy.engine.session import Source, described, open_session, row_count
from fairdatabase.privacy.errors import AssessmentError
from fairdatabase.privacy.schemas import (
    ColumnKind,
    EquivalenceClass,
    IndividualRisk,
    MissingChoice,
    P29Score,
    P29Thresholds,
    PopulationRisk,
    QuasiIdentifierRisk,
    RiskReport,
    SensitiveClass,
    SensitiveRisk,
    SizeBand,
    SpecialUniques,
    Thresholds,
)
from fairdatabase.tables.schemas import ColumnSchema, ColumnType

DEFAULT_THRESHOLDS = Thresholds()
NO_MODELS = Models()

_BANDS = (*range(1, 11), 20, 50, 100, 1000)

_KINDS: dict[ColumnType, ColumnKind] = {
    ColumnType.INTEGER: "number",
    ColumnType.NUMBER: "number",
    ColumnType.DATE: "date",
    ColumnType.DATETIME: "date",
}
_ORDERED = frozenset(_KINDS) | {ColumnType.TIME}


def assess(
    source: Source,
    *,
    quasi_identifiers: Sequence[str],
    sensitive: Sequence[str] = (),
    ordered: Collection[str] = (),
    nominal: Collection[str] = (),
    columns: Sequence[ColumnSchema] | None = None,
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
    missing: MissingChoice = "category",
    max_listed: int = 50,
    models: Models = NO_MODELS,
) -> RiskReport:
    """Measure the re-identification risk of a table.

    Values are compared as they are stored: ``01234`` is not ``1234``, NaN is not NULL, and texts
    that differ in their Unicode normalisation differ. Rows stand for people: a person with several
    rows counts several times.

    Args:
        source: Parquet file, or Arrow table in memory.
        quasi_identifiers: Columns an attacker may know; none makes the table one class.
        sensitive: Attributes nobody may learn.
        ordered: Sensitive texts in a meaningful alphabetical order; numbers and dates are anyway.
        nominal: Sensitive numbers that are mere codes of categories.
        columns: Schema of the table; without one its own names and types are taken.
        thresholds: What counts as at risk.
        missing: How missing quasi-identifiers are compared, see ``classes``.
        max_listed: Longest list of classes in the report.
        models: What to measure beside the groups.

    Returns:
        The report; without rows every measure has its worst value.

    Raises:
        AssessmentError: If a column does not exist or is named twice, or a model does not fit.
    """
    known = described(source, columns)
    weights = [models.column] if models.column else []
    _check(known, quasi_identifiers, sensitive, {*ordered, *nominal, *weights})
    chosen = [known[name] for name in quasi_identifiers]
    with _classes(source, chosen, [known[s].key for s in sensitive], missing, models) as tables:
        assessment = _Assessment(tables, chosen, thresholds, max_listed)
        attributes = {known[s]: _is_ordered(known[s], ordered, nominal) for s in sensitive}
        return assessment.report(attributes, known, models)


def _is_ordered(column: ColumnSchema, ordered: Collection[str], nominal: Collection[str]) -> bool:
    return column.name in ordered or (column.type in _ORDERED and column.name not in nominal)


@contextmanager
def _classes(
    source: Source,
    quasi_identifiers: Sequence[ColumnSchema],
    sensitive: Sequence[str],
    missing: MissingChoice,
    models: Models,
) -> Iterator[ClassTables | ArrayClasses]:
    """Compress a table to its classes, in memory where that is possible."""
    keys = [column.key for column in quasi_identifiers]
    if missing == "category" and not models.need_tables and fits(source, [*keys, *sensitive]):
        yield ArrayClasses(source, keys)
        return
    with open_session() as connection:
        tables = ClassTables(connection, source, keys, missing)
        tables.build()
        yield tables


def p29(k: int, sensitive: Sequence[SensitiveRisk], thresholds: P29Thresholds) -> P29Score:
    """Combine k, diversity and closeness to the P29 score.

    0 where a threshold is broken, else 0.5 (1 - 1/k) + 0.25 mean_s mean_g e + 0.25 (1 - mean_s
    mean_g t), where s runs over every sensitive attribute, g over the classes, e is the
    normalised entropy and t the absolute distance, not rescaled to the smallest and largest one
    that occur.

    Args:
        k: Size of the smallest class.
        sensitive: Risk of every sensitive attribute.
        thresholds: When the score is zero.

    Returns:
        The score, and what made it zero.
    """
    if not sensitive:
        return P29Score(value=None)
    diversity = float(np.mean([risk.mean_normalised_entropy for risk in sensitive]))
    distance = float(np.mean([risk.mean_t for risk in sensitive]))
    broken = [f"k is {k}, at most {thresholds.k}"] if k <= thresholds.k else []
    for risk in sensitive:
        if risk.normalised_entropy <= thresholds.normalised_entropy + TOLERANCE:
            broken.append(
                f"the normalised entropy of {risk.name} is {risk.normalised_entropy:.4g} in a"
                f" class, at most {thresholds.normalised_entropy:g}"
            )
        if risk.t > thresholds.t + TOLERANCE:
            broken.append(f"t of {risk.name} is {risk.t:.4g}, more than {thresholds.t:g}")
    value = 0.0 if broken else 0.5 * (1 - 1 / k) + 0.25 * diversity + 0.25 * (1 - distance)
    return P29Score(value=value, broken=tuple(broken), mean_diversity=diversity, mean_t=distance)


def size_bands(sizes: Integers, k: int) -> tuple[SizeBand, ...]:
    """Count classes by their size, in bands up to the one of the largest class.

    Args:
        sizes: Size of each class.
        k: Threshold; no band has sizes on both sides of it.
    """
    starts = sorted({*_BANDS, k})
    places = np.searchsorted(starts, sizes, side="right") - 1
    counts = np.bincount(places)
    ends = [start - 1 for start in starts[1:]]
    return tuple(
        SizeBand(low=low, high=high, classes=int(count))
        for low, high, count in zip(starts, [*ends, None], counts, strict=False)
        if sizes.size
    )


def _check(
    known: Mapping[str, ColumnSchema],
    quasi_identifiers: Sequence[str],
    sensitive: Sequence[str],
    others: Iterable[str],
) -> None:
    chosen = [*quasi_identifiers, *sensitive]
    unknown = sorted({*chosen, *others} - set(known))
    if unknown:
        raise AssessmentError(
            f"The table has no column {', '.join(map(repr, unknown))}. Names are compared exactly.",
            details={"columns": unknown},
        )
    twice = sorted({name for name in chosen if chosen.count(name) > 1})
    if twice:
        raise AssessmentError(
            f"{', '.join(map(repr, twice))} is named twice. A column is either a quasi-identifier"
            " or sensitive, and is named once.",
            details={"columns": twice},
        )


class _Assessment:
    """Turns class tables into the records of a report."""

    def __init__(
        self,
        tables: ClassTables | ArrayClasses,
        quasi_identifiers: Sequence[ColumnSchema],
        thresholds: Thresholds,
        max_listed: int,
    ) -> None:
        self._tables = tables
        self._columns = quasi_identifiers
        self._thresholds = thresholds
        self._max_listed = max_listed
        sizes = tables.sizes()
        self._rows, self._sizes = sizes["n"], sizes["size"]

    def report(
        self,
        sensitive: Mapping[ColumnSchema, bool],
        known: Mapping[str, ColumnSchema],
        models: Models,
    ) -> RiskReport:
        """Return the report; ``sensitive`` says of each attribute whether it is ordered."""
        summary = self._tables.summary(self._thresholds.k)
        details = [
            self._sensitive_risk(column, ordered=ordered) for column, ordered in sensitive.items()
        ]
        return RiskReport(
            rows=summary.rows,
            quasi_identifiers=tuple(column.name for column in self._columns),
            missing=self._tables.missing,
            thresholds=self._thresholds,
            k=summary.k,
            classes=summary.classes,
            classes_at_risk=summary.classes_at_risk,
            rows_at_risk=summary.rows_at_risk,
            unique_rows=summary.unique_rows,
            uniqueness=summary.unique_rows / summary.rows if summary.rows else 1.0,
            prosecutor_max=1 / max(summary.k, 1),
            prosecutor_average=summary.average_risk,
            marketer=summary.average_risk,
            sizes=size_bands(self._sizes, self._thresholds.k),
            small_classes=self._small_classes(),
            by_quasi_identifier=self._costs(),
            sensitive=tuple(details),
            p29=p29(summary.k, details, self._thresholds.p29),
            uniques=self._uniques(models.uniques_up_to) if models.uniques_up_to else None,
            population=self._population(models),
            individual=self._individual(models, known),
        )

    def _population(self, models: Models) -> PopulationRisk | None:
        if models.population is None or not isinstance(self._tables, ClassTables):
            return None
        known = described(models.population, models.population_columns)
        keys = []
        for column in self._columns:
            found = known.get(column.name)
            if found is None or found.type is not column.type:
                raise AssessmentError(
                    f"The population table needs a column {column.name!r} of the type"
                    f" {column.type}; it has {'none' if found is None else found.type}.",
                    details={"columns": [column.name]},
                )
            keys.append(found.key)
        alike = self._tables.population(models.population, keys)
        total = row_count(models.population)
        return population_risk(self._rows, alike, total, self._thresholds.k)

    def _individual(
        self, models: Models, known: Mapping[str, ColumnSchema]
    ) -> IndividualRisk | None:
        sampling = models.sampling
        if sampling is None or not isinstance(self._tables, ClassTables):
            return None
        if isinstance(sampling, str):
            people = self._tables.weights(known[sampling].key)
            problem = "Every row needs a sampling weight of at least 1."
        else:
            people = self._sizes / sampling if 0 < sampling <= 1 else None
            problem = "The sampled share of the population lies above 0 and is at most 1."
        if people is None:
            raise AssessmentError(problem)
        return individual_risk(self._rows, self._sizes, people, self._thresholds.k)

    def _uniques(self, max_size: int) -> SpecialUniques:
        names = [column.name for column in self._columns]
        return special_uniques(
            dict(zip(names, self._tables.codes(), strict=True)),
            self._rows,
            max_size=max_size,
            describe=self._describe,
            limit=self._max_listed,
        )

    def _small_classes(self) -> tuple[EquivalenceClass, ...]:
        ids = self._tables.smallest(self._thresholds.k, self._max_listed)
        return tuple(EquivalenceClass(**common) for common in self._describe(ids))

    def _costs(self) -> tuple[QuasiIdentifierRisk, ...]:
        if not self._columns:
            return ()
        values = self._tables.distinct_and_missing()
        costs = []
        for index, (column, (distinct, missing)) in enumerate(
            zip(self._columns, values, strict=True)
        ):
            without = self._tables.summary_without(index, self._thresholds.k)
            costs.append(
                QuasiIdentifierRisk(
                    name=column.name,
                    kind=_KINDS.get(column.type, "text"),
                    distinct=distinct,
                    missing=missing,
                    k_without=without.k,
                    unique_rows_without=without.unique_rows,
                    rows_at_risk_without=without.rows_at_risk,
                )
            )
        return tuple(costs)

    def _sensitive_risk(self, column: ColumnSchema, *, ordered: bool) -> SensitiveRisk:
        if self._rows.size == 0:
            return _unproven(column.name, ordered=ordered)
        grouped, missing = self._tables.counts(column.key)
        classes = measure(grouped, ordered=ordered, recursive_l=self._thresholds.recursive_l)
        single = classes.distinct == 1
        low = classes.distinct < (self._thresholds.l or 0)
        limit = 1.0 if self._thresholds.t is None else self._thresholds.t
        far = classes.t > limit + TOLERANCE
        bound = float(classes.recursive.max())
        return SensitiveRisk(
            name=column.name,
            ordered=ordered,
            constant=grouped.totals.size == 1,
            distinct_values=grouped.totals.size,
            missing=missing,
            distinct_l=int(classes.distinct.min()),
            entropy=float(classes.entropy.min()),
            entropy_l=float(np.exp(classes.entropy.min())),
            normalised_entropy=float(classes.normalised_entropy.min()),
            mean_normalised_entropy=float(classes.normalised_entropy.mean()),
            recursive_c_bound=bound if np.isfinite(bound) else None,
            t=float(classes.t.max()),
            mean_t=float(classes.t.mean()),
            homogeneous_classes=int(single.sum()),
            homogeneous_rows=int(self._rows[single].sum()),
            rows_below_l=int(self._rows[low].sum()),
            rows_above_t=int(self._rows[far].sum()),
            likeness=likeness_risk(grouped),
            least_diverse=self._list(
                classes, single | low, (classes.normalised_entropy, classes.distinct)
            ),
            most_distant=self._list(classes, far, (-classes.t,)),
        )

    def _list(
        self,
        classes: ClassMeasures,
        chosen: np.ndarray,
        keys: tuple[np.ndarray, ...],
    ) -> tuple[SensitiveClass, ...]:
        candidates = np.flatnonzero(chosen)
        order = np.lexsort(tuple(key[candidates] for key in keys))
        ids = candidates[order][: self._max_listed].tolist()
        return tuple(
            SensitiveClass(
                **common,
                distinct=int(classes.distinct[identifier]),
                normalised_entropy=float(classes.normalised_entropy[identifier]),
                t=float(classes.t[identifier]),
            )
            for identifier, common in zip(ids, self._describe(ids), strict=True)
        )

    def _describe(self, ids: Sequence[int]) -> list[dict[str, object]]:
        names = [column.name for column in self._columns]
        values = self._tables.values(ids)
        return [
            {
                "values": dict(zip(names, values[identifier], strict=True)),
                "rows": int(self._rows[identifier]),
                "size": int(self._sizes[identifier]),
            }
            for identifier in ids
        ]


def _unproven(name: str, *, ordered: bool) -> SensitiveRisk:
    """Return the worst values: a table without rows shows nothing to be safe."""
    return SensitiveRisk(
        name=name,
        ordered=ordered,
        constant=True,
        distinct_values=0,
        missing=0,
        distinct_l=0,
        entropy=0.0,
        entropy_l=1.0,
        normalised_entropy=0.0,
        mean_normalised_entropy=0.0,
        recursive_c_bound=None,
        t=1.0,
        mean_t=1.0,
        homogeneous_classes=0,
        homogeneous_rows=0,
        rows_below_l=0,
        rows_above_t=0,
        likeness=unproven_likeness(),
    )
