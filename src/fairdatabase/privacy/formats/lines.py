"""Findings about files as lines for a terminal."""

from collections.abc import Iterator
from textwrap import wrap

from fairdatabase.privacy.formats.sentences import statements
from fairdatabase.privacy.schemas import EquivalenceClass, RiskReport, SensitiveRisk, VersionRisk
from fairdatabase.privacy.schemas.files import FileAssessment, FileRelease, FileSuggestions
from fairdatabase.tables.schemas import ColumnRole

MOST_GROUPS = 10
_WIDTH = 96


def assessment_lines(found: FileAssessment, *, explained: bool = False) -> Iterator[str]:
    """Say what was measured, which groups are risky, and whether the file passes.

    Args:
        found: The assessment.
        explained: Whether every number of the models gets a sentence.
    """
    report = found.report
    if found.rejected_rows:
        yield f"{found.rejected_rows:,} rows could not be read and were not measured."
    yield f"{found.file}: {report.rows:,} rows in {report.classes:,} groups"
    yield f"  smallest group (k)             {report.k:,}"
    yield f"  rows in groups below k = {report.thresholds.k:<6,}{report.rows_at_risk:,}"
    yield f"  rows that are alone            {report.unique_rows:,} ({report.uniqueness:.1%})"
    yield f"  highest risk of a row          {report.prosecutor_max:.1%}"
    yield f"  average risk of a row          {report.prosecutor_average:.1%}"
    for risk in report.sensitive:
        yield from _sensitive_lines(risk)
    yield from _explained_lines(report) if explained else _outlook_lines(report)
    yield from _group_lines("Riskiest groups", report.small_classes)
    yield from _verdict_lines(found)


def release_lines(made: FileRelease, target: str) -> Iterator[str]:
    """Say what the recipe did and whether the release passes."""
    effect, before, after = made.effect, made.source.report, made.release.report
    yield f"{target}: {effect.rows_out:,} of {effect.rows_in:,} rows kept"
    for step in effect.effects:
        about = f" {step.column}" if step.column else ""
        yield f"  {step.op}{about}: {step.rows_changed:,} rows changed"
    yield f"  smallest group (k)     {before.k:,} before, {after.k:,} after"
    yield (
        f"  average risk of a row  {before.prosecutor_average:.1%} before,"
        f" {after.prosecutor_average:.1%} after"
    )
    yield from _group_lines("Riskiest groups that are left", after.small_classes)
    yield from _verdict_lines(made.release)


def suggestion_lines(found: FileSuggestions) -> Iterator[str]:
    """Say what each column seems to mean, and why."""
    width = max((len(each.column) for each in found.suggestions), default=0)
    for each in found.suggestions:
        role = f"{each.role.value:<17}  {each.confidence:4.0%}"
        yield f"{each.column:<{width}}  {role}  {each.evidence}"


def version_lines(found: VersionRisk) -> Iterator[str]:
    """Say which groups changed by so few rows that these people show."""
    if not found.telling_groups:
        yield f"None of {found.groups:,} groups changed by few rows only."
        return
    yield (
        f"{found.telling_groups:,} of {found.groups:,} groups changed by few rows, which shows what"
        f" these people have: {found.telling_rows:,} rows came or left."
    )
    yield from _group_lines("Groups as they are now", found.listed)
    yield "Let newcomers wait until there are enough of them, or generalise both versions further."


def _sensitive_lines(risk: SensitiveRisk) -> Iterator[str]:
    yield f"{risk.name}:"
    yield f"  fewest values in a group (l)   {risk.distinct_l:,}"
    yield f"  greatest distance (t)          {risk.t:.3f}"
    yield f"  rows whose group gives it away {risk.homogeneous_rows:,}"
    if risk.likeness is not None:
        yield f"  largest share in a group       {risk.likeness.alpha:.1%}"
        yield f"  beta                           {_number(risk.likeness.beta)}"
        yield f"  delta                          {_number(risk.likeness.delta)}"


def _outlook_lines(report: RiskReport) -> Iterator[str]:
    if (people := report.population) is not None:
        yield f"Against a population of {people.people:,}:"
        yield f"  fewest people alike (k-map)    {people.k_map:,}"
        yield f"  highest risk (journalist)      {people.journalist_max:.1%}"
        yield f"  expected share found (marketer) {people.marketer:.1%}"
        yield from (f"  {note}" for note in people.notes)
    if (sample := report.individual) is not None:
        yield "As a sample of the population:"
        yield f"  highest risk of a row          {sample.highest:.1%}"
        yield f"  rows expected to be found      {sample.expected:,.1f}"
    if (uniques := report.uniques) is not None:
        yield f"Rows that at most {uniques.max_size} columns tell apart: {uniques.rows:,}"
        for column in uniques.by_column:
            yield f"  {column.name}: {column.share:.0%} of the score, {column.rows:,} rows"


def _explained_lines(report: RiskReport) -> Iterator[str]:
    for each in statements(report):
        about = f" of {each.column}" if each.column else ""
        yield f"{each.measure}{about}: {each.value}"
        yield from wrap(each.meaning, _WIDTH, initial_indent="  ", subsequent_indent="  ")
    if report.uniques is not None and report.uniques.riskiest:
        yield "Rows that the fewest columns tell apart:"
        for row in report.uniques.riskiest[:MOST_GROUPS]:
            combinations = "; ".join(", ".join(names) for names in row.combinations)
            yield f"  {_values(row)}: alone by {combinations}"


def _group_lines(title: str, groups: tuple[EquivalenceClass, ...]) -> Iterator[str]:
    if not groups:
        return
    yield f"{title} (at most {MOST_GROUPS} are shown):"
    for group in groups[:MOST_GROUPS]:
        yield f"  {group.size:,}: {_values(group)}"


def _values(group: EquivalenceClass) -> str:
    return ", ".join(
        f"{name} {'missing' if value is None else value}" for name, value in group.values.items()
    )


def _verdict_lines(found: FileAssessment) -> Iterator[str]:
    assumed = [name for name, role in found.roles.items() if role is ColumnRole.INSENSITIVE]
    if assumed:
        yield f"Not looked at: {', '.join(assumed)}"
    for warning in found.verdict.warnings:
        yield f"Please look at this: {warning.message}"
        yield f"    {warning.advice}"
    if found.verdict.passed:
        yield f"{found.file} passes the policy."
        return
    yield f"{found.file} does not pass the policy:"
    for reason in found.verdict.reasons:
        yield f"  - {reason.message}"
        yield f"    {reason.advice}"


def _number(value: float | None) -> str:
    return "none holds" if value is None else f"{value:.3f}"
