"""The gate: which tables may be published openly, and what to do about the others."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from fairdatabase.privacy.engine import search
from fairdatabase.privacy.engine.measures import TOLERANCE
from fairdatabase.privacy.engine.outlook import unproven_likeness
from fairdatabase.privacy.errors import AssessmentError
from fairdatabase.privacy.schemas import (
    ColumnKind,
    EquivalenceClass,
    QuasiIdentifierRisk,
    Reason,
    ReasonCode,
    Recipe,
    RiskReport,
    SensitiveRisk,
    Verdict,
)
from fairdatabase.privacy.schemas.goals import Goal, SensitiveGoal
from fairdatabase.privacy.schemas.policies import Policy, PolicyIn
from fairdatabase.privacy.schemas.previews import SearchIn
from fairdatabase.privacy.schemas.recipes import (
    ColumnStep,
    Intervals,
    Partition,
    SuppressSmallGroups,
)
from fairdatabase.privacy.schemas.versions import PublishedTable
from fairdatabase.tables.schemas import ColumnRole, ColumnSchema, TableRecord

MAX_NAMED = 8
"""Columns named in one sentence."""
SUGGESTION_SECONDS = 10.0
"""How long somebody waits for a suggested recipe; the full search is a job."""

_GENERALISE: dict[ColumnKind, str] = {
    "number": "put {} into wider intervals",
    "date": "shorten {} to the month or the year",
    "text": "group the values of {}",
}
_MEASURED = {ColumnRole.QUASI_IDENTIFIER, ColumnRole.SENSITIVE}
_LESS_DETAIL = "Generalise the quasi-identifiers further so that groups grow"


def stricter(policy: Policy, wanted: PolicyIn) -> Policy:
    """Return the policy that asks, of each measure, the stricter of what both ask."""

    def most(*values: float | None) -> float | None:
        return max((value for value in values if value is not None), default=None)

    def least(*values: float | None) -> float | None:
        return min((value for value in values if value is not None), default=None)

    return policy.model_copy(
        update={
            "k": most(policy.k, wanted.k),
            "l": most(policy.l, wanted.l),
            "t": least(policy.t, wanted.t),
            "max_missing": least(policy.max_missing, wanted.max_missing),
            "alpha": least(policy.alpha, wanted.alpha),
            "beta": least(policy.beta, wanted.beta),
            "delta": least(policy.delta, wanted.delta),
            "min_p29": most(policy.min_p29, wanted.min_p29),
            "version_differences": "stop"
            if "stop" in {policy.version_differences, wanted.version_differences}
            else "warn",
        }
    )


def looser(policy: Policy, wanted: PolicyIn) -> tuple[str, ...]:
    """Name the measures of which a dataset asks less than its instance."""
    asked = wanted.model_dump(exclude_none=True)
    held = stricter(policy, wanted)
    return tuple(name for name, value in asked.items() if getattr(held, name) != value)


def judge(report: RiskReport, roles: Mapping[str, ColumnRole], policy: Policy) -> Verdict:
    """Decide whether a table may be published openly.

    Args:
        report: Risk of the very table that would be published.
        roles: Role of every column of that table.
        policy: What it has to fulfil.

    Returns:
        The verdict with every reason against publication, not just the first.

    Raises:
        AssessmentError: If the report was measured against other thresholds.
    """
    if (report.thresholds, report.missing) != (policy.thresholds, policy.missing):
        raise AssessmentError(
            "The report was measured against other thresholds than the policy has; measure the"
            " table again with the policy's thresholds and its choice for missing values."
        )
    reasons = tuple(_reasons(report, roles, policy))
    differences, warnings = tuple(_telling_versions(report)), tuple(_fingerprints(report))
    if policy.version_differences == "stop":
        reasons = (*reasons, *differences)
    else:
        warnings = (*differences, *warnings)
    return Verdict(passed=not reasons, reasons=reasons, warnings=warnings)


def names_of(table: TableRecord, role: ColumnRole) -> list[str]:
    """Return the names of the columns of a table that have a role."""
    return [column.name for column in table.columns if column.role is role]


def comparable(
    file: str, table: TableRecord, published: Sequence[PublishedTable]
) -> tuple[PublishedTable, ...]:
    """Return the published tables that a table has to be held against, the newest first.

    Of each version the table of the same file; where it has none, those that were measured by the
    same columns, or some of them: the file may have got another name.

    Args:
        file: Name of the table's file.
        table: The table.
        published: What everybody may have a copy of.
    """
    found: dict[str, PublishedTable] = {}
    for _, tables in groupby(published, key=attrgetter("version")):
        before = list(tables)
        namesakes = [each for each in before if each.file == file]
        for each in namesakes or [each for each in before if _alike(each.table, table)]:
            shared = shared_columns(each.table, table)
            if each.table.sha256 != table.sha256 and any(shared):
                found.setdefault(each.table.sha256, each)
    return tuple(found.values())


def shared_columns(earlier: TableRecord, later: TableRecord) -> tuple[list[str], list[str]]:
    """Return the quasi-identifiers and sensitive columns of either table that are in both."""
    roles = [{column.name: column.role for column in each.columns} for each in (later, earlier)]
    meanings = {name: {role, roles[1][name]} for name, role in roles[0].items() if name in roles[1]}
    known = [name for name, both in meanings.items() if ColumnRole.QUASI_IDENTIFIER in both]
    secret = [name for name, both in meanings.items() if ColumnRole.SENSITIVE in both]
    return known, [name for name in secret if name not in known]


def _alike(one: TableRecord, other: TableRecord) -> bool:
    measured = [
        {column.name for column in each.columns if column.role in _MEASURED}
        for each in (one, other)
    ]
    return measured[0] <= measured[1] or measured[1] <= measured[0]


def suggest_recipe(source: Path, columns: Sequence[ColumnSchema], policy: Policy) -> Recipe:
    """Return a recipe that makes a table pass the policy's k, l and t, as a start for a person.

    Args:
        source: Parquet file of the table.
        columns: Its columns with their roles.
        policy: Policy to pass.
    """
    sensitive = [column.name for column in columns if column.role is ColumnRole.SENSITIVE]
    goal = goal_of(policy, SearchIn(), sensitive)
    return search.suggest_recipe(source, columns, goal, seconds=SUGGESTION_SECONDS)


def _reasons(
    report: RiskReport, roles: Mapping[str, ColumnRole], policy: Policy
) -> Iterator[Reason]:
    yield from _role_reasons(report, roles, policy)
    if report.rows == 0:
        yield Reason(
            code=ReasonCode.EMPTY_TABLE,
            message="The table has no rows; nothing about it was shown to be safe.",
            advice="Keep more rows: generalise more, so that fewer have to be left out.",
        )
        return
    if report.k < policy.k:
        yield _small_groups(report)
    for risk in report.sensitive:
        if policy.l is not None and risk.distinct_l < policy.l:
            yield _low_diversity(report, risk, policy.l)
        if policy.t is not None and risk.t > policy.t + TOLERANCE:
            yield _telling_groups(report, risk, policy.t)
        yield from _likely_values(risk, policy)
    if policy.max_missing is not None:
        yield from _missing_values(report, policy.max_missing)
    if policy.min_p29 is not None and (report.p29.value or 0.0) < policy.min_p29 - TOLERANCE:
        yield _low_score(report, policy.min_p29)


def _role_reasons(
    report: RiskReport, roles: Mapping[str, ColumnRole], policy: Policy
) -> Iterator[Reason]:
    unassigned = _having(roles, ColumnRole.UNASSIGNED)
    if len(unassigned) == len(roles):
        yield Reason(
            code=ReasonCode.NO_ROLES,
            message="Nobody has said yet what the columns of this table mean for privacy.",
            advice="Confirm or correct the suggested role of every column, then screen again.",
        )
    elif unassigned and policy.every_column_reviewed:
        yield Reason(
            code=ReasonCode.UNREVIEWED_COLUMNS,
            message=f"{_columns(unassigned)} {_has(unassigned)} no role yet.",
            advice="Say of each whether it identifies people, directly or together with others,"
            " is sensitive, or neither.",
            columns=unassigned,
        )
    measured = [set(report.quasi_identifiers), {risk.name for risk in report.sensitive}]
    stated = [
        set(_having(roles, role)) for role in (ColumnRole.QUASI_IDENTIFIER, ColumnRole.SENSITIVE)
    ]
    if measured != stated:
        changed = (measured[0] ^ stated[0]) | (measured[1] ^ stated[1])
        yield Reason(
            code=ReasonCode.ROLES_CHANGED,
            message="The roles of the columns changed since the risk was measured.",
            advice="Screen the table again.",
            columns=tuple(sorted(changed)),
        )
    direct = _having(roles, ColumnRole.DIRECT_IDENTIFIER)
    if direct:
        yield Reason(
            code=ReasonCode.DIRECT_IDENTIFIERS,
            message=f"{_columns(direct)} can tell directly who somebody is.",
            advice="Drop such columns, or replace them by keyed pseudonyms where files have to"
            " be linked.",
            columns=direct,
        )


def _small_groups(report: RiskReport) -> Reason:
    k = report.thresholds.k
    if report.rows < k:
        return Reason(
            code=ReasonCode.SMALL_GROUPS,
            message=f"The table has {report.rows} rows, and no group can have {k}.",
            advice="Publish it with restricted access: no change makes so few rows safe.",
            rows=report.rows,
        )
    unique = f", {report.unique_rows:,} of them alone" if report.unique_rows else ""
    costs = sorted(report.by_quasi_identifier, key=lambda cost: cost.rows_at_risk_without)
    return Reason(
        code=ReasonCode.SMALL_GROUPS,
        message=f"{_rows(report.rows_at_risk, report)} are in groups smaller than {k}{unique}:"
        f" whoever knows {_columns(report.quasi_identifiers)} of a person can single out"
        " the person's row, or nearly so.",
        advice=_generalise(costs),
        columns=tuple(cost.name for cost in costs),
        rows=report.rows_at_risk,
        classes=report.small_classes,
    )


def _generalise(costs: Sequence[QuasiIdentifierRisk]) -> str:
    first = costs[0]
    left = first.rows_at_risk_without
    remedy = _GENERALISE[first.kind].format(_columns([first.name]))
    return (
        f"{remedy[0].upper()}{remedy[1:]}, or drop it: without it"
        f" {left:,} row{'' if left == 1 else 's'} would remain in such groups."
        " Leave out the rows that still are in small groups then."
    )


def _low_diversity(report: RiskReport, risk: SensitiveRisk, limit: int) -> Reason:
    return Reason(
        code=ReasonCode.LOW_DIVERSITY,
        message=f"{_rows(risk.rows_below_l, report)} are in groups with fewer than {limit}"
        f" different values of {_columns([risk.name])}: to know a person's group is to know"
        " the value, or nearly so.",
        advice=f"{_LESS_DETAIL}, or drop {_columns([risk.name])}.",
        columns=(risk.name,),
        rows=risk.rows_below_l,
        classes=_plain(risk.least_diverse),
    )


def _telling_groups(report: RiskReport, risk: SensitiveRisk, limit: float) -> Reason:
    return Reason(
        code=ReasonCode.TELLING_GROUPS,
        message=f"{_rows(risk.rows_above_t, report)} are in groups whose values of"
        f" {_columns([risk.name])} differ much from the whole table's (distance up to"
        f" {risk.t:.2g}, allowed {limit:g}): the group tells something about the person.",
        advice=f"{_LESS_DETAIL} and resemble the table.",
        columns=(risk.name,),
        rows=risk.rows_above_t,
        classes=_plain(risk.most_distant),
    )


def _likely_values(risk: SensitiveRisk, policy: Policy) -> Iterator[Reason]:
    found, name = risk.likeness or unproven_likeness(), _columns([risk.name])
    told = (
        (policy.alpha, found.alpha, f"in some group {found.alpha:.0%} share one value of {name}"),
        (policy.beta, found.beta, f"some group makes a value of {name} much more likely"),
        (policy.delta, found.delta, f"some group makes a value of {name} much more or less likely"),
    )
    for (limit, value, words), measure in zip(told, ("alpha", "beta", "delta"), strict=True):
        if limit is not None and (value is None or value > limit + TOLERANCE):
            shown = "no number fulfils it" if value is None else f"{measure} is {value:.3g}"
            yield Reason(
                code=ReasonCode.LIKELY_VALUES,
                message=f"To know a person's group tells too much: {words}"
                f" ({shown}, allowed {limit:g}).",
                advice=f"{_LESS_DETAIL} and resemble the table.",
                columns=(risk.name,),
            )


def _fingerprints(report: RiskReport) -> Iterator[Reason]:
    found = report.fingerprints
    if found is not None and found.unique_samples:
        yield Reason(
            code=ReasonCode.FINGERPRINTS,
            message=f"{found.unique_samples:,} of {found.samples:,} samples"
            f" {'has' if found.unique_samples == 1 else 'have'} a few taxa, five at most, that no"
            " other sample has together: whoever knows them of a person finds"
            " the sample.",
            advice=" ".join(found.advice),
            rows=found.unique_samples,
        )


def _missing_values(report: RiskReport, limit: float) -> Iterator[Reason]:
    found: tuple[QuasiIdentifierRisk | SensitiveRisk, ...] = (
        *report.by_quasi_identifier,
        *report.sensitive,
    )
    for column in found:
        if column.missing > limit * report.rows:
            yield Reason(
                code=ReasonCode.MISSING_VALUES,
                message=f"{_rows(column.missing, report)} have no value of"
                f" {_columns([column.name])}; at most {limit:.0%} may lack one, because gaps"
                " make groups look larger or more diverse than they are.",
                advice=f"Complete {_columns([column.name])}, or drop it.",
                columns=(column.name,),
                rows=column.missing,
            )


def _low_score(report: RiskReport, limit: float) -> Reason:
    if report.p29.value is None:
        return Reason(
            code=ReasonCode.LOW_SCORE,
            message="The P29 score is not defined without a sensitive attribute.",
            advice="Mark the sensitive columns, or use a policy without a smallest score.",
        )
    broken = f", because {'; '.join(report.p29.broken)}" if report.p29.broken else ""
    return Reason(
        code=ReasonCode.LOW_SCORE,
        message=f"The P29 score is {report.p29.value:.3f}{broken}; the policy asks {limit:g}.",
        advice=f"{_LESS_DETAIL} and resemble the table.",
    )


def _telling_versions(report: RiskReport) -> Iterator[Reason]:
    for found in report.versions:
        if not found.telling_groups:
            continue
        groups = "1 group" if found.telling_groups == 1 else f"{found.telling_groups:,} groups"
        rows = "1 row" if found.telling_rows == 1 else f"{found.telling_rows:,} rows"
        yield Reason(
            code=ReasonCode.TELLING_VERSIONS,
            message=f"Compared with `{found.file}` of version {found.version}, which is public,"
            f" {groups} changed by fewer than {found.k} people ({rows} came or went): whoever has"
            " both versions sees which values these few people brought along or took away.",
            advice=f"Let newcomers wait until a group gains at least {found.k} of them, and keep"
            " the rows of single people who left or were corrected until there are as many; or"
            " publish this version with restricted access.",
            rows=found.telling_rows,
        )


def _having(roles: Mapping[str, ColumnRole], role: ColumnRole) -> tuple[str, ...]:
    return tuple(name for name, found in roles.items() if found is role)


def _plain(classes: Sequence[EquivalenceClass]) -> tuple[EquivalenceClass, ...]:
    return tuple(
        EquivalenceClass(values=found.values, rows=found.rows, size=found.size) for found in classes
    )


def _rows(count: int, report: RiskReport) -> str:
    return f"{count:,} of {report.rows:,} rows ({count / report.rows:.1%})".replace("%", " %")


def _has(names: Sequence[str]) -> str:
    return "has" if len(names) == 1 else "have"


def _columns(names: Sequence[str]) -> str:
    quoted = [f"`{name}`" for name in names[:MAX_NAMED]]
    if len(names) > MAX_NAMED:
        return f"{', '.join(quoted)} and {len(names) - MAX_NAMED:,} more"
    return " and ".join(filter(None, (", ".join(quoted[:-1]), quoted[-1])))


def goal_of(policy: Policy, wanted: SearchIn, sensitive: Sequence[str]) -> Goal:
    """Return what a search has to reach: the policy, and what is asked for beyond it."""
    distinct_l = max(filter(None, (policy.l, wanted.l)), default=None)
    t = min((each for each in (policy.t, wanted.t) if each is not None), default=None)
    asked = distinct_l is not None or t is not None
    return Goal(
        k=max(policy.k, wanted.k or 1),
        sensitive=tuple(
            SensitiveGoal(column=column, distinct_l=distinct_l, t=t) for column in sensitive
        )
        if asked
        else (),
    )


def changes_of(recipe: Recipe, columns: Sequence[ColumnSchema]) -> dict[str, str]:
    """Say of each column that a recipe changes what happens to it, in the order of the table."""
    told: dict[str, list[str]] = {}
    for step in recipe.steps:
        if isinstance(step, Partition):
            for name in step.columns:
                told.setdefault(name, []).append("cut into groups of similar rows")
        elif not isinstance(step, SuppressSmallGroups):
            told.setdefault(step.column, []).append(_done(step))
    return {
        column.name: f"{_sentence('; then '.join(told[column.name]))}."
        for column in columns
        if column.name in told
    }


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _done(step: ColumnStep) -> str:
    words = _PLAINLY[step.op]
    if isinstance(step, Intervals) and step.cuts is not None:
        words = "put into {intervals} intervals"
    told = step.model_dump()
    return words.format(**told, intervals=len(told.get("cuts") or ()) + 1)


_PLAINLY = {
    "drop": "left out",
    "intervals": "put into intervals {width:g} wide",
    "prefix": "cut to the first {length} characters",
    "recode": "values grouped",
    "truncate_date": "shortened to the {to}",
    "round": "rounded to {decimals} decimals",
    "pseudonymise": "replaced by keyed pseudonyms",
    "code_extremes": "extreme values set to a bound",
    "suppress_cells": "risky cells emptied",
    "impute": "gaps filled",
    "shuffle": "values dealt out anew",
    "noise": "random numbers added",
}
