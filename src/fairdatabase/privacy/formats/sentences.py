"""The numbers of the risk models, each with a sentence for a reader without statistics."""

from collections.abc import Iterator

from fairdatabase.privacy.schemas import (
    FingerprintRisk,
    IndividualRisk,
    LikenessRisk,
    PopulationRisk,
    RiskReport,
    SpecialUniques,
)
from fairdatabase.privacy.schemas.details import Statement

NONE_HOLDS = "none holds"


def statements(report: RiskReport) -> Iterator[Statement]:
    """Yield what the models of a report found, in words."""
    for risk in report.sensitive:
        if risk.likeness is not None:
            yield from _likeness(risk.name, risk.likeness)
    if report.uniques is not None:
        yield from _uniques(report.uniques, report.rows)
    if report.population is not None:
        yield from _population(report.population)
    if report.individual is not None:
        yield from _individual(report.individual)
    if report.fingerprints is not None:
        yield _fingerprints(report.fingerprints)


def share(value: float) -> str:
    """Return a share in per cent."""
    return f"{value:.1%}".replace("%", " %")


def _likeness(column: str, found: LikenessRisk) -> Iterator[Statement]:
    yield Statement(
        measure="alpha",
        column=column,
        value=share(found.alpha),
        meaning="In some group this share of the people has the same value, so that to know the"
        " group is to guess the value with this certainty.",
    )
    yield Statement(
        measure="beta",
        column=column,
        value=_number(found.beta),
        meaning="How much more likely a value becomes by knowing the group, at most: 0 is not at"
        " all, 1 is twice as likely as in the whole table, 3 four times.",
    )
    yield Statement(
        measure="enhanced beta",
        column=column,
        value=_number(found.enhanced_beta),
        meaning="The same, where common values may gain less than rare ones. None holds as soon"
        " as one gains more than its rarity allows.",
    )
    yield Statement(
        measure="delta",
        column=column,
        value=_number(found.delta),
        meaning="Gains and losses count alike here: 0.69 means that some value is twice or half"
        " as likely. None holds as soon as a group rules a value out.",
    )


def _uniques(found: SpecialUniques, rows: int) -> Iterator[Statement]:
    part = share(found.rows / rows) if rows else share(1.0)
    yield Statement(
        measure="minimal sample uniques",
        value=f"{found.rows:,} rows ({part})",
        meaning=f"So many rows are alone already on at most {found.max_size} of the columns that"
        " others may know. The fewer columns it takes, the more people can find the row.",
    )
    if found.rows:
        worst = found.by_column[0]
        yield Statement(
            measure="column that tells most apart",
            value=worst.name,
            meaning=f"It has a part in {share(worst.share)} of what makes these rows stand out:"
            " make it coarser first.",
        )


def _population(found: PopulationRisk) -> Iterator[Statement]:
    yield Statement(
        measure="k-map",
        value=f"{found.k_map:,}",
        meaning=f"Everybody in the table is like at least so many of the {found.people:,} people"
        " of the population. What counts is who could be meant, in the table or not."
        + "".join(f" {note}" for note in found.notes),
    )
    yield Statement(
        measure="journalist risk",
        value=share(found.journalist_max),
        meaning="The chance of somebody who picks the easiest victim and chooses one of the"
        " people in the population who are alike.",
    )
    yield Statement(
        measure="marketer risk",
        value=share(found.marketer),
        meaning="The share of all rows that somebody gets right who links the whole table with"
        " the population.",
    )


def _individual(found: IndividualRisk) -> Iterator[Statement]:
    yield Statement(
        measure="individual risk",
        value=share(found.highest),
        meaning="The estimated chance to find the most exposed person, who has look-alikes among"
        " those who were not sampled." + "".join(f" {note}" for note in found.notes),
    )
    yield Statement(
        measure="people expected to be found",
        value=f"{found.expected:,.1f}",
        meaning=f"The sum of all rows' chances, among an estimated {found.population:,.0f} people.",
    )


def _fingerprints(found: FingerprintRisk) -> Statement:
    remedies = "".join(
        f" {_REMEDIES[each.name]} {each.unique_samples:,} would remain." for each in found.remedies
    )
    return Statement(
        measure="fingerprints of microbiomes",
        value=f"{found.unique_samples:,} of {found.samples:,} samples"
        f" ({share(found.unique_share)})",
        meaning="So many samples have a few taxa, five at most, that no other sample has together:"
        f" whoever knows these of a person finds the sample.{remedies}",
    )


_REMEDIES = {
    "genus": "With the taxa added up to genera,",
    "prevalence": "Without taxa that hardly anybody has,",
}


def _number(value: float | None) -> str:
    return NONE_HOLDS if value is None else f"{value:.3f}"
