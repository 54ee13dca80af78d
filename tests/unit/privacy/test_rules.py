"""The gate: what is refused, in which words, and with which advice."""

import datetime as dt
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from fairdatabase.privacy.engine.risk import assess
from fairdatabase.privacy.errors import AssessmentError
from fairdatabase.privacy.rules import comparable, judge, shared_columns, suggest_recipe
from fairdatabase.privacy.schemas import (
    DropColumn,
    P29Thresholds,
    Reason,
    ReasonCode,
    SuppressSmallGroups,
    Verdict,
    VersionComparison,
)
from fairdatabase.privacy.schemas.policies import Policy
from fairdatabase.privacy.schemas.versions import PublishedTable
from fairdatabase.tables.schemas import (
    ColumnRole,
    ColumnSchema,
    ColumnType,
    TableKind,
    TableRecord,
)
from tests.factories.privacy import write_parquet

QUASI = ColumnRole.QUASI_IDENTIFIER
SENSITIVE = ColumnRole.SENSITIVE
NEITHER = ColumnRole.INSENSITIVE
ROLES = {"age": QUASI, "region": QUASI, "illness": SENSITIVE, "reads": NEITHER}
TABLE: dict[str, list[Any]] = {
    "age": [30] * 6 + [40] * 5 + [41],
    "region": ["north"] * 12,
    "illness": ["flu", "cold"] * 3 + ["flu"] * 6,
    "reads": list(range(12)),
}


def verdict_on(
    tmp_path: Path,
    columns: dict[str, list[Any]],
    policy: Policy,
    roles: dict[str, ColumnRole] | None = None,
) -> Verdict:
    path = write_parquet(tmp_path / "table.parquet", columns)
    roles = ROLES if roles is None else roles
    report = assess(
        path,
        quasi_identifiers=[name for name, role in roles.items() if role is QUASI],
        sensitive=[name for name, role in roles.items() if role is SENSITIVE],
        thresholds=policy.thresholds,
        missing=policy.missing,
    )
    return judge(report, roles, policy)


def only(verdict: Verdict) -> Reason:
    assert not verdict.passed
    (reason,) = verdict.reasons
    return reason


def test_a_table_that_holds_the_policy_passes(tmp_path: Path) -> None:
    policy = Policy(k=1, l=1, t=1, max_missing=0, min_p29=0)
    verdict = verdict_on(tmp_path, TABLE, policy)
    assert verdict == Verdict(passed=True)
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict


def test_small_groups(tmp_path: Path) -> None:
    reason = only(verdict_on(tmp_path, TABLE, Policy(k=5)))
    assert reason.code is ReasonCode.SMALL_GROUPS
    assert reason.message == (
        "1 of 12 rows (8.3 %) are in groups smaller than 5, 1 of them alone: whoever knows"
        " `age` and `region` of a person can single out the person's row, or nearly so."
    )
    assert reason.advice == (
        "Put `age` into wider intervals, or drop it: without it 0 rows would remain in such"
        " groups. Leave out the rows that still are in small groups then."
    )
    assert reason.rows == 1
    assert [found.values["age"] for found in reason.classes] == ["41"]


@pytest.mark.parametrize(
    ("column", "values", "advice"),
    [
        ("text", ["a"] * 2 + ["b"] * 3, "Group the values of `text`, or drop it"),
        ("day", None, "Shorten `day` to the month or the year, or drop it"),
    ],
)
def test_advice_depends_on_the_kind_of_column(
    tmp_path: Path, column: str, values: list[str] | None, advice: str
) -> None:
    days = [dt.date(2020, 1, 1)] * 3 + [dt.date(2021, 1, 1)] * 2
    reason = only(verdict_on(tmp_path, {column: values or days}, Policy(k=3), {column: QUASI}))
    assert reason.advice.startswith(advice)
    assert "alone" not in reason.message


def test_one_row_would_remain(tmp_path: Path) -> None:
    columns = {"a": [1, 1, 1, 2], "b": [1, 2, 3, 3]}
    reason = only(verdict_on(tmp_path, columns, Policy(k=3), {"a": QUASI, "b": QUASI}))
    assert "without it 1 row would remain" in reason.advice


def test_a_tiny_table_cannot_be_made_safe(tmp_path: Path) -> None:
    reason = only(verdict_on(tmp_path, {"age": [30, 30]}, Policy(k=5), {"age": QUASI}))
    assert reason.code is ReasonCode.SMALL_GROUPS
    assert reason.message == "The table has 2 rows, and no group can have 5."
    assert "restricted access" in reason.advice


def test_low_diversity(tmp_path: Path) -> None:
    reason = only(verdict_on(tmp_path, TABLE, Policy(k=1, l=2)))
    assert reason.code is ReasonCode.LOW_DIVERSITY
    assert reason.message.startswith("6 of 12 rows (50.0 %) are in groups with fewer than 2")
    assert reason.columns == ("illness",)
    assert {found.values["age"] for found in reason.classes} == {"40", "41"}


def test_telling_groups(tmp_path: Path) -> None:
    reason = only(verdict_on(tmp_path, TABLE, Policy(k=1, t=0.24)))
    assert reason.code is ReasonCode.TELLING_GROUPS
    assert "distance up to 0.25, allowed 0.24" in reason.message
    assert reason.rows == 12
    assert verdict_on(tmp_path, TABLE, Policy(k=1, t=0.25)).passed


def test_likely_values(tmp_path: Path) -> None:
    """Half have the flu in one group, everybody in the other, which rules the cold out."""
    (reason,) = verdict_on(tmp_path, TABLE, Policy(k=1, alpha=0.99)).reasons
    assert reason.code is ReasonCode.LIKELY_VALUES
    assert "100% share one value of `illness` (alpha is 1, allowed 0.99)" in reason.message
    assert verdict_on(tmp_path, TABLE, Policy(k=1, alpha=1, beta=1)).passed
    (gain,) = verdict_on(tmp_path, TABLE, Policy(k=1, beta=0.5)).reasons
    assert "(beta is 1, allowed 0.5)" in gain.message
    (ruled_out,) = verdict_on(tmp_path, TABLE, Policy(k=1, delta=9)).reasons
    assert "(no number fulfils it, allowed 9)" in ruled_out.message


def test_missing_values(tmp_path: Path) -> None:
    gaps = {**TABLE, "age": [None, *TABLE["age"][1:]], "illness": [None] * 12}
    policy = Policy(k=1, max_missing=0.1)
    reason = only(verdict_on(tmp_path, gaps, policy))
    assert reason.code is ReasonCode.MISSING_VALUES
    assert reason.message.startswith("12 of 12 rows (100.0 %) have no value of `illness`")
    both = verdict_on(tmp_path, gaps, policy.model_copy(update={"max_missing": 0.0}))
    assert [found.columns for found in both.reasons] == [("age",), ("illness",)]


def test_low_score(tmp_path: Path) -> None:
    policy = Policy(k=1, min_p29=0.9, p29=P29Thresholds(k=0, normalised_entropy=0, t=1))
    reason = only(verdict_on(tmp_path, TABLE, policy))
    assert reason.code is ReasonCode.LOW_SCORE
    assert "0.000, because the normalised entropy of illness is 0" in reason.message
    diverse = {**TABLE, "age": [30] * 12}
    low = only(verdict_on(tmp_path, diverse, policy.model_copy(update={"min_p29": 0.99})))
    assert "because" not in low.message
    roles = {"age": QUASI, "region": NEITHER, "illness": NEITHER, "reads": NEITHER}
    undefined = only(verdict_on(tmp_path, TABLE, policy, roles))
    assert "not defined without a sensitive attribute" in undefined.message


def test_direct_identifiers_are_refused(tmp_path: Path) -> None:
    roles = {**ROLES, "reads": ColumnRole.DIRECT_IDENTIFIER}
    reason = only(verdict_on(tmp_path, TABLE, Policy(k=1), roles))
    assert reason.code is ReasonCode.DIRECT_IDENTIFIERS
    assert reason.message == "`reads` can tell directly who somebody is."


def test_columns_nobody_looked_at_are_refused(tmp_path: Path) -> None:
    nobody = dict.fromkeys(TABLE, ColumnRole.UNASSIGNED)
    codes = [found.code for found in verdict_on(tmp_path, TABLE, Policy(k=1), nobody).reasons]
    assert codes == [ReasonCode.NO_ROLES]
    roles = {**ROLES, "reads": ColumnRole.UNASSIGNED}
    reason = only(verdict_on(tmp_path, TABLE, Policy(k=1), roles))
    assert reason.code is ReasonCode.UNREVIEWED_COLUMNS
    assert reason.message == "`reads` has no role yet."
    assert verdict_on(tmp_path, TABLE, Policy(k=1, every_column_reviewed=False), roles).passed


def test_many_columns_are_counted_not_listed(tmp_path: Path) -> None:
    many = {f"t{number}": ColumnRole.UNASSIGNED for number in range(1010)}
    reason = only(verdict_on(tmp_path, TABLE, Policy(k=1), {**ROLES, **many}))
    assert reason.message.endswith("`t7` and 1,002 more have no role yet.")
    assert len(reason.columns) == 1010


def test_an_old_report_does_not_count(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "table.parquet", TABLE)
    policy = Policy(k=1)
    report = assess(
        path, quasi_identifiers=["age"], sensitive=["illness"], thresholds=policy.thresholds
    )
    reason = only(judge(report, ROLES, policy))
    assert reason.code is ReasonCode.ROLES_CHANGED
    assert reason.columns == ("region",)
    for other in (Policy(k=2), Policy(k=1, missing="wildcard")):
        with pytest.raises(AssessmentError, match="measured against other thresholds"):
            judge(report, ROLES, other)


def test_an_empty_table_is_refused(tmp_path: Path) -> None:
    empty: dict[str, list[Any]] = {"age": [], "region": [], "illness": [], "reads": []}
    reason = only(verdict_on(tmp_path, empty, Policy(k=1)))
    assert reason.code is ReasonCode.EMPTY_TABLE


def test_a_verdict_cannot_contradict_itself() -> None:
    with pytest.raises(ValidationError, match="passes exactly where it has no reasons"):
        Verdict(passed=False)


def test_a_recipe_is_suggested_for_the_policy(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "table.parquet", {"who": ["a", "b"], "age": [1, 1]})
    columns = [
        ColumnSchema(
            key="who", name="who", type=ColumnType.TEXT, role=ColumnRole.DIRECT_IDENTIFIER
        ),
        ColumnSchema(key="age", name="age", type=ColumnType.INTEGER, role=QUASI),
    ]
    recipe = suggest_recipe(path, columns, Policy(k=2))
    assert recipe.steps == (DropColumn(column="who"), SuppressSmallGroups(k=2))


def compared(*, groups: int, rows: int) -> VersionComparison:
    return VersionComparison(
        version=3, file="a.csv", sha256="0" * 64, k=5,
        groups=9, telling_groups=groups, telling_rows=rows, listed=(),
    )  # fmt: skip


def test_few_people_between_two_versions_stop_or_warn(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "table.parquet", TABLE)
    stop, warn = Policy(k=1), Policy(k=1, version_differences="warn")
    report = assess(
        path,
        quasi_identifiers=["age", "region"],
        sensitive=["illness"],
        thresholds=stop.thresholds,
    )
    quiet = report.model_copy(update={"versions": (compared(groups=0, rows=0),)})
    assert judge(quiet, ROLES, stop) == Verdict(passed=True)
    both = (compared(groups=1, rows=1), compared(groups=2, rows=7))
    telling = report.model_copy(update={"versions": both})
    stopped, warned = judge(telling, ROLES, stop), judge(telling, ROLES, warn)
    assert (stopped.passed, stopped.warnings) == (False, ())
    assert (warned.passed, warned.warnings) == (True, stopped.reasons)
    one, many = stopped.reasons
    assert one.code is ReasonCode.TELLING_VERSIONS
    assert one.message.startswith(
        "Compared with `a.csv` of version 3, which is public, 1 group changed by fewer than 5"
        " people (1 row came or went)"
    )
    assert "2 groups changed by fewer than 5 people (7 rows came or went)" in many.message


def stored(sha256: str, **roles: ColumnRole) -> TableRecord:
    return TableRecord(
        id=uuid4(), file_id=uuid4(), public_id="x", kind=TableKind.SOURCE, sha256=sha256,
        row_count=1, report=None, updated_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        columns=tuple(
            ColumnSchema(key=name, name=name, type=ColumnType.TEXT, role=role)
            for name, role in roles.items()
        ),
    )  # fmt: skip


def test_a_table_is_held_against_its_namesake_or_its_like() -> None:
    people = {"age": QUASI, "illness": SENSITIVE}
    published = [
        PublishedTable(version=2, file="a.csv", table=stored("2a", **people)),
        PublishedTable(version=2, file="b.csv", table=stored("2b", **people)),
        PublishedTable(version=2, file="c.csv", table=stored("2c", site=QUASI)),
        PublishedTable(version=1, file="a.csv", table=stored("1a", **people)),
        PublishedTable(version=1, file="b.csv", table=stored("2b", **people)),
    ]

    def held_against(file: str, table: TableRecord) -> list[str]:
        return [each.table.sha256 for each in comparable(file, table, published)]

    assert held_against("a.csv", stored("3a", **people)) == ["2a", "1a"]
    assert held_against("b.csv", stored("2b", **people)) == [], "the same table tells nothing"
    assert held_against("new.csv", stored("3n", age=QUASI)) == ["2a", "2b", "1a"]
    assert held_against("new.csv", stored("3n", income=QUASI)) == []
    assert held_against("a.csv", stored("3a", reads=NEITHER)) == []


def test_columns_that_either_version_says_are_known_or_secret() -> None:
    earlier = stored("1", age=QUASI, town=NEITHER, illness=QUASI, income=SENSITIVE, gone=QUASI)
    later = stored("2", age=NEITHER, town=QUASI, illness=SENSITIVE, income=NEITHER, new=SENSITIVE)
    assert shared_columns(earlier, later) == (["age", "town", "illness"], ["income"])
