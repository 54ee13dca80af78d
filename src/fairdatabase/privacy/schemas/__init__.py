"""Records of the privacy feature: what was measured, suggested and changed.

All records are frozen, refuse unknown fields and hold nothing that JSON cannot (no NaN, no
infinity). Nothing in here reads a file or a database.
"""

from datetime import datetime
from enum import StrEnum
from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from fairdatabase.privacy.schemas.groups import EquivalenceClass, GroupPage
from fairdatabase.privacy.schemas.outlook import (
    ColumnScore,
    FingerprintRemedy,
    FingerprintRisk,
    IndividualRisk,
    LikenessRisk,
    PopulationRisk,
    SpecialUnique,
    SpecialUniques,
    VersionComparison,
    VersionRisk,
)
from fairdatabase.privacy.schemas.recipes import (
    ApplyResult,
    ColumnStep,
    DropColumn,
    Intervals,
    Partition,
    Prefix,
    Pseudonymise,
    Recipe,
    Recode,
    ReleaseEffect,
    Round,
    Step,
    StepEffect,
    SuppressSmallGroups,
    TruncateDate,
    ValueStep,
)
from fairdatabase.tables.schemas import ColumnRole, Record

__all__ = [
    "ApplyResult",
    "ColumnKind",
    "ColumnScore",
    "ColumnStep",
    "DropColumn",
    "EquivalenceClass",
    "FingerprintRemedy",
    "FingerprintRisk",
    "GroupPage",
    "IndividualRisk",
    "Intervals",
    "LikenessRisk",
    "MissingChoice",
    "P29Score",
    "P29Thresholds",
    "Partition",
    "PopulationRisk",
    "Prefix",
    "Pseudonymise",
    "QuasiIdentifierRisk",
    "Reason",
    "ReasonCode",
    "Recipe",
    "Recode",
    "ReleaseEffect",
    "ReleaseRecord",
    "RiskReport",
    "RoleSuggestion",
    "Round",
    "SensitiveClass",
    "SensitiveRisk",
    "SizeBand",
    "SpecialUnique",
    "SpecialUniques",
    "Step",
    "StepEffect",
    "SuppressSmallGroups",
    "Thresholds",
    "TruncateDate",
    "ValueStep",
    "Verdict",
    "VersionComparison",
    "VersionRisk",
]

MissingChoice = Literal["category", "wildcard"]
"""``category``: a missing quasi-identifier equals only another missing one. ``wildcard``: it
equals every value."""

ColumnKind = Literal["number", "date", "text"]
"""What can be done to a column: widen numbers, truncate dates, group texts."""


class P29Thresholds(Record):
    """When the P29 score is zero; the defaults are those of the score's first implementation.

    Attributes:
        k: Broken where k is at most this.
        normalised_entropy: Broken where a class has at most this for a sensitive attribute.
        t: Broken where a class is further than this from the table.
    """

    k: int = Field(default=1, ge=0)
    normalised_entropy: float = Field(default=0.0, ge=0, le=1)
    t: float = Field(default=0.5, ge=0, le=1)


class Thresholds(Record):
    """What counts as a class at risk.

    Attributes:
        k: Classes smaller than this are at risk.
        l: Classes with fewer distinct sensitive values than this are at risk.
        t: Classes further than this from the table are at risk.
        recursive_l: The l of recursive (c,l)-diversity.
        p29: Thresholds of the P29 score.
    """

    k: int = Field(default=5, ge=1)
    l: int | None = Field(default=None, ge=1)  # noqa: E741 - the field's own name
    t: float | None = Field(default=None, ge=0, le=1)
    recursive_l: int = Field(default=2, ge=2)
    p29: P29Thresholds = P29Thresholds()


class SensitiveClass(EquivalenceClass):
    """A class and what it gives away about one sensitive attribute.

    Attributes:
        distinct: Number of distinct sensitive values.
        normalised_entropy: 0 (one value) to 1 (all values of the table, equally often).
        t: Distance of the class from the table, 0 to 1.
    """

    distinct: int
    normalised_entropy: float
    t: float


class SensitiveRisk(Record):
    """Risk that a class gives away one sensitive attribute.

    A missing value is a value of its own, the last one where values are ordered.

    Attributes:
        name: Column.
        ordered: Whether t is the ordered distance (numbers, dates) or the equal one (categories).
        constant: Whether the whole table has at most one value.
        distinct_values: Distinct values in the table.
        missing: Rows without a value.
        distinct_l: Fewest distinct values in a class.
        entropy: Smallest entropy of a class, in nats.
        entropy_l: exp(entropy).
        normalised_entropy: Smallest normalised entropy of a class.
        mean_normalised_entropy: Mean over the classes.
        recursive_c_bound: Recursive (c,l)-diversity holds for every c greater than this; None
            where a class has fewer than l values, so that it holds for no c.
        t: Greatest distance of a class from the table.
        mean_t: Mean distance over the classes.
        homogeneous_classes: Classes with one single value, which membership gives away.
        homogeneous_rows: Rows in them.
        rows_below_l: Rows in classes with fewer values than the threshold l, if there is one.
        rows_above_t: Rows in classes further away than the threshold t, if there is one.
        likeness: How alike the classes are to the table; None in reports of earlier versions.
        least_diverse: Classes with the fewest values first, capped.
        most_distant: Classes furthest from the table first, capped.
    """

    name: str
    ordered: bool
    constant: bool
    distinct_values: int
    missing: int
    distinct_l: int
    entropy: float
    entropy_l: float
    normalised_entropy: float
    mean_normalised_entropy: float
    recursive_c_bound: float | None
    t: float
    mean_t: float
    homogeneous_classes: int
    homogeneous_rows: int
    rows_below_l: int
    rows_above_t: int
    likeness: LikenessRisk | None = None
    least_diverse: tuple[SensitiveClass, ...] = ()
    most_distant: tuple[SensitiveClass, ...] = ()

    def satisfies_recursive(self, c: float) -> bool:
        """Return whether r_1 < c (r_l + ... + r_m) holds in every class."""
        return self.recursive_c_bound is not None and self.recursive_c_bound < c


class QuasiIdentifierRisk(Record):
    """What one quasi-identifier costs: the risk that would remain without it.

    Attributes:
        name: Column.
        kind: What can be done to it.
        distinct: Distinct values, missing ones not counted.
        missing: Rows without a value.
        k_without: k over the other quasi-identifiers.
        unique_rows_without: Rows unique on the others.
        rows_at_risk_without: Rows in classes smaller than the threshold k on the others.
    """

    name: str
    kind: ColumnKind
    distinct: int
    missing: int
    k_without: int
    unique_rows_without: int
    rows_at_risk_without: int


class P29Score(Record):
    """The P29 score and how it came about.

    Attributes:
        value: 0 to 1; None without a sensitive attribute, for which it is not defined.
        broken: Thresholds that are broken and make it zero, in words.
        mean_diversity: Mean normalised entropy over sensitive attributes and classes.
        mean_t: Mean absolute t over sensitive attributes and classes.
    """

    value: float | None
    broken: tuple[str, ...] = ()
    mean_diversity: float | None = None
    mean_t: float | None = None


class SizeBand(Record):
    """How many classes have a size from ``low`` to ``high`` (None: or more)."""

    low: int
    high: int | None
    classes: int


class RiskReport(Record):
    """Re-identification risk of one table.

    An empty table has the worst value of every measure: nothing about it was shown to be safe.

    Attributes:
        rows: Rows of the table.
        quasi_identifiers: Columns that an attacker may know; none makes the table one class.
        missing: How missing quasi-identifiers were compared.
        thresholds: What counted as at risk.
        k: Size of the smallest class.
        classes: Distinct combinations of quasi-identifiers.
        classes_at_risk: Classes smaller than the threshold k.
        rows_at_risk: Rows in them.
        unique_rows: Rows that nobody else resembles.
        uniqueness: Their share.
        prosecutor_max: Highest risk of one row, 1/k.
        prosecutor_average: Mean over the rows of 1/size.
        marketer: Expected share of rows re-identified by an attacker who matches all of them;
            without a population table it equals the average prosecutor risk.
        sizes: How many classes have which size, in bands that the threshold k separates.
        small_classes: Classes at risk, smallest first, capped.
        by_quasi_identifier: What each quasi-identifier costs.
        sensitive: One record for every sensitive attribute.
        p29: The P29 score.
        population: Risk against a table of the population, where one was given.
        individual: Risk of single rows, where it was said how the table was sampled.
        uniques: Which few columns tell rows apart, where that was asked for.
        versions: What the table tells together with earlier versions of its dataset.
        fingerprints: Samples that few taxa tell apart, where there are columns of abundances.
    """

    rows: int
    quasi_identifiers: tuple[str, ...]
    missing: MissingChoice
    thresholds: Thresholds
    k: int
    classes: int
    classes_at_risk: int
    rows_at_risk: int
    unique_rows: int
    uniqueness: float
    prosecutor_max: float
    prosecutor_average: float
    marketer: float
    sizes: tuple[SizeBand, ...] = ()
    small_classes: tuple[EquivalenceClass, ...] = ()
    by_quasi_identifier: tuple[QuasiIdentifierRisk, ...] = ()
    sensitive: tuple[SensitiveRisk, ...] = ()
    p29: P29Score
    population: PopulationRisk | None = None
    individual: IndividualRisk | None = None
    uniques: SpecialUniques | None = None
    versions: tuple[VersionComparison, ...] = ()
    fingerprints: FingerprintRisk | None = None


class ReasonCode(StrEnum):
    """What speaks against open publication."""

    EMPTY_TABLE = "empty_table"
    NO_ROLES = "no_roles"
    UNREVIEWED_COLUMNS = "unreviewed_columns"
    ROLES_CHANGED = "roles_changed"
    DIRECT_IDENTIFIERS = "direct_identifiers"
    SMALL_GROUPS = "small_groups"
    LOW_DIVERSITY = "low_diversity"
    TELLING_GROUPS = "telling_groups"
    LIKELY_VALUES = "likely_values"
    MISSING_VALUES = "missing_values"
    LOW_SCORE = "low_score"
    TELLING_VERSIONS = "telling_versions"
    FINGERPRINTS = "fingerprints"


class Reason(Record):
    """One reason against publication, for a reader without statistics.

    Attributes:
        code: Kind of reason.
        message: What is wrong.
        advice: What to do about it.
        columns: Columns concerned.
        rows: Rows concerned, where they can be counted.
        classes: Groups concerned, riskiest first, capped.
    """

    code: ReasonCode
    message: str
    advice: str
    columns: tuple[str, ...] = ()
    rows: int | None = None
    classes: tuple[EquivalenceClass, ...] = ()


class Verdict(Record):
    """Whether a table may be published openly.

    Attributes:
        passed: Whether it may.
        reasons: Everything that speaks against it; empty exactly where it may.
        warnings: What somebody should look at, and what decides nothing.
    """

    passed: bool
    reasons: tuple[Reason, ...] = ()
    warnings: tuple[Reason, ...] = ()

    @model_validator(mode="after")
    def _reasons_decide(self) -> Self:
        if self.passed == bool(self.reasons):
            raise ValueError("A verdict passes exactly where it has no reasons.")
        return self


class RoleSuggestion(Record):
    """A suggested role for one column, to be confirmed by a person.

    Attributes:
        column: Column.
        role: Suggested role; unassigned where nothing speaks for any.
        detector: What was recognised, such as ``email``; None where nothing was.
        confidence: 0 to 1.
        evidence: Why, in one sentence that quotes no value.
    """

    column: str
    role: ColumnRole
    detector: str | None
    confidence: float = Field(ge=0, le=1)
    evidence: str


class ReleaseRecord(Record):
    """The recipe of a release table and what it did.

    Attributes:
        recipe: As it was applied.
        effect: Rows in, out and suppressed, and the effect of each step.
        source_sha256: Checksum of the source table it was applied to.
        key_version: Version of the dataset's pseudonym key.
        created_at: When it was applied.
    """

    model_config = ConfigDict(from_attributes=True)

    recipe: Recipe
    effect: ReleaseEffect
    source_sha256: str
    key_version: int
    created_at: datetime
