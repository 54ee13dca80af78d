"""Risk models that ask for more than the groups of the table, as records for the report."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fairdatabase.privacy.engine.likeness import likeness
from fairdatabase.privacy.engine.measures import TOLERANCE, Floats, GroupedCounts, Integers
from fairdatabase.privacy.engine.population import expected_risk
from fairdatabase.privacy.engine.session import Source
from fairdatabase.privacy.engine.uniques import minimal_uniques
from fairdatabase.privacy.schemas import (
    ColumnScore,
    IndividualRisk,
    LikenessRisk,
    PopulationRisk,
    SpecialUnique,
    SpecialUniques,
)
from fairdatabase.tables.schemas import ColumnSchema


@dataclass(frozen=True)
class Models:
    """Risk models to measure beside the groups of the table; nothing by default.

    Attributes:
        population: Table of the population, with the quasi-identifiers under the same names:
            measures k-map, journalist and marketer risk against it.
        population_columns: Its schema; without one its own names and types are taken.
        sampling: Share of the population in the table, or the column of the rows' sampling
            weights: estimates individual risk.
        uniques_up_to: Most columns in a minimal sample unique; searches these.
    """

    population: Source | None = None
    population_columns: Sequence[ColumnSchema] | None = None
    sampling: float | str | None = None
    uniques_up_to: int | None = None

    @property
    def column(self) -> str | None:
        """The column of sampling weights, if there is one."""
        return self.sampling if isinstance(self.sampling, str) else None

    @property
    def need_tables(self) -> bool:
        """Whether classes have to be joined with other tables or sums."""
        return self.population is not None or self.sampling is not None


Describe = Callable[[Sequence[int]], list[dict[str, object]]]

_NO_ENHANCED = (
    "Enhanced beta-likeness holds for no beta: in some group a value is so much more frequent"
    " than in the table that the gain exceeds -ln p."
)
_NO_DELTA = (
    "Delta-disclosure privacy holds for no delta: some group lacks a value that the table has,"
    " so that the group rules this value out for its members."
)
_NO_ROWS = "The table has no rows; nothing about it was shown to be safe."


def likeness_risk(grouped: GroupedCounts) -> LikenessRisk:
    """Compare the classes of a table with rows to the table itself."""
    found = likeness(grouped)
    finite = np.isfinite(found.delta)
    notes = [] if found.enhanced else [_NO_ENHANCED]
    return LikenessRisk(
        alpha=found.alpha,
        beta=found.beta,
        enhanced_beta=found.beta if found.enhanced else None,
        delta=found.delta if finite else None,
        notes=tuple(notes if finite else [*notes, _NO_DELTA]),
    )


def unproven_likeness() -> LikenessRisk:
    """Return the worst values, those of a table without rows."""
    return LikenessRisk(alpha=1.0, beta=None, enhanced_beta=None, delta=None, notes=(_NO_ROWS,))


def population_risk(rows: Integers, people: Integers, total: int, k: int) -> PopulationRisk:
    """Compare the classes of a table with the people alike to them.

    Args:
        rows: Rows of every class.
        people: People of the population who are alike to it.
        total: All people of the population.
        k: Classes with fewer people are at risk.
    """
    if rows.size == 0:
        return PopulationRisk(
            people=total, k_map=0, journalist_max=1.0, marketer=1.0,
            rows_at_risk=0, uncovered_classes=0, uncovered_rows=0, notes=(_NO_ROWS,),
        )  # fmt: skip
    risk = 1 / np.maximum(people, 1)
    uncovered = people < rows
    note = (
        f"The population table lacks people who are in this table: {int(uncovered.sum()):,} groups"
        " have fewer people there than rows here. A complete population table gives other numbers."
    )
    return PopulationRisk(
        people=total,
        k_map=int(people.min()),
        journalist_max=float(risk.max()),
        marketer=float(np.average(risk, weights=rows)),
        rows_at_risk=int(rows[people < k].sum()),
        uncovered_classes=int(uncovered.sum()),
        uncovered_rows=int(rows[uncovered].sum()),
        notes=(note,) if uncovered.any() else (),
    )


def individual_risk(rows: Integers, size: Integers, people: Floats, k: int) -> IndividualRisk:
    """Estimate the risk of single rows of a sample.

    Args:
        rows: Rows of every class.
        size: Rows alike to it.
        people: Estimated people alike to it, at least ``size``.
        k: Rows with a risk above 1/k are at risk.
    """
    if rows.size == 0:
        return IndividualRisk(
            highest=1.0, mean=1.0, expected=0.0, population=0.0, rows_at_risk=0, notes=(_NO_ROWS,)
        )
    risk = expected_risk(size, np.minimum(size / people, 1.0))
    return IndividualRisk(
        highest=float(risk.max()),
        mean=float(np.average(risk, weights=rows)),
        expected=float(rows @ risk),
        population=float(people @ (rows / size)),
        rows_at_risk=int(rows[risk > 1 / k + TOLERANCE].sum()),
    )


def special_uniques(
    codes: Mapping[str, Integers],
    counts: Integers,
    *,
    max_size: int,
    describe: Describe,
    limit: int,
) -> SpecialUniques:
    """Find the few columns that tell rows apart.

    Args:
        codes: For every quasi-identifier a whole number for each class.
        counts: Rows of every class.
        max_size: Most columns in a combination.
        describe: Returns what is known of some classes.
        limit: Most rows to list.
    """
    names = list(codes)
    found = minimal_uniques(list(codes.values()), counts, max_size=max_size)
    scores = found.scores()
    total = float(scores.sum()) or 1.0
    columns = []
    for place, name in enumerate(names):
        part = found.scores_of(place)
        rows = int(np.count_nonzero(part))
        columns.append(ColumnScore(name=name, rows=rows, share=float(part.sum()) / total))
    riskiest = np.argsort(-scores, kind="stable")[:limit]
    ids = riskiest[scores[riskiest] > 0].tolist()
    by_size = [0] * found.max_size
    for combination, hits in found.found.items():
        by_size[len(combination) - 1] += hits.size
    return SpecialUniques(
        max_size=found.max_size,
        rows=int(np.count_nonzero(scores)),
        by_size=tuple(by_size),
        by_column=tuple(sorted(columns, key=lambda column: -column.share)),
        highest=float(scores.max(initial=0.0)),
        riskiest=tuple(
            SpecialUnique(
                **common,
                score=float(scores[identifier]),
                combinations=tuple(
                    tuple(names[place] for place in combination)
                    for combination in found.of(identifier)
                ),
            )
            for identifier, common in zip(ids, describe(ids), strict=True)
        ),
    )
