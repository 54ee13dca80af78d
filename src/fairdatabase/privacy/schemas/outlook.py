"""Records of the risk models that ask for more than the table's groups.

How a group resembles the table, what the population tells, how a table was sampled, and which few
columns tell a row apart.
"""

from fairdatabase.privacy.schemas.groups import EquivalenceClass
from fairdatabase.tables.schemas import Record


class LikenessRisk(Record):
    """How much a class may tell about a sensitive value, beyond what the table tells anyway.

    q is the share of a value in a class, p its share in the table.

    Attributes:
        alpha: Greatest share of one value in a class; with k, the table is (alpha, k)-anonymous.
        beta: Basic beta-likeness: greatest gain (q - p) / p of a value in a class; None without
            rows, where nothing limits it.
        enhanced_beta: Enhanced beta-likeness, in which a gain may not exceed -ln p either: the same
            number; None where a value exceeds it, so that it holds for no beta.
        delta: Greatest |ln(q / p)|: delta-disclosure privacy holds for every delta greater than
            this; None where a class lacks a value of the table, so that it holds for none.
        notes: Why a number is missing, in words.
    """

    alpha: float
    beta: float | None
    enhanced_beta: float | None
    delta: float | None
    notes: tuple[str, ...] = ()

    def satisfies_enhanced(self, beta: float) -> bool:
        """Return whether every gain is at most beta, and at most -ln p of its value."""
        return self.enhanced_beta is not None and self.enhanced_beta <= beta

    def satisfies_delta(self, delta: float) -> bool:
        """Return whether |ln(q / p)| < delta for every value in every class."""
        return self.delta is not None and self.delta < delta


class PopulationRisk(Record):
    """Risk for an attacker who looks people up in a table of the population.

    n is the number of rows of a class in the table, F the number of people in the population who
    are alike to it. A class with fewer people than rows shows that the population table is not
    complete; its risk is taken to be 1 where there is nobody.

    Attributes:
        people: Rows of the population table.
        k_map: Fewest people alike to a class, min F.
        journalist_max: Highest risk of one row, max 1/F.
        marketer: Expected share of rows that are re-identified, (1/N) sum n/F.
        rows_at_risk: Rows whose class has fewer people than the threshold k.
        uncovered_classes: Classes with fewer people than rows.
        uncovered_rows: Rows in them.
        notes: What to know about the numbers, in words.
    """

    people: int
    k_map: int
    journalist_max: float
    marketer: float
    rows_at_risk: int
    uncovered_classes: int
    uncovered_rows: int
    notes: tuple[str, ...] = ()


class IndividualRisk(Record):
    """Risk of single rows of a sample, by Benedetti and Franconi: E(1/F | n).

    Attributes:
        highest: Highest risk of a row.
        mean: Mean over the rows, the global risk.
        expected: Rows expected to be re-identified.
        population: Estimated number of people, from the fraction or the weights.
        rows_at_risk: Rows with a risk above 1/k.
        notes: What to know about the numbers, in words.
    """

    highest: float
    mean: float
    expected: float
    population: float
    rows_at_risk: int
    notes: tuple[str, ...] = ()


class ColumnScore(Record):
    """How much one quasi-identifier helps to tell rows apart.

    Attributes:
        name: Column.
        rows: Rows with a minimal sample unique that contains it.
        share: Share of all scores that combinations with the column contribute.
    """

    name: str
    rows: int
    share: float


class SpecialUnique(EquivalenceClass):
    """A row that few columns tell apart.

    Attributes:
        score: The higher, the more and the smaller the combinations that tell it apart.
        combinations: The minimal ones, smallest first.
    """

    score: float
    combinations: tuple[tuple[str, ...], ...]


class SpecialUniques(Record):
    """Minimal sample uniques: combinations of few columns that tell a row apart.

    A missing value counts as a value of its own.

    Attributes:
        max_size: Most columns in a combination.
        rows: Rows that have a minimal sample unique.
        by_size: Minimal sample uniques of 1, 2 ... columns, over all rows.
        by_column: What each quasi-identifier contributes, the most first.
        highest: Highest score of a row.
        riskiest: Rows with the highest scores first, capped.
    """

    max_size: int
    rows: int
    by_size: tuple[int, ...]
    by_column: tuple[ColumnScore, ...]
    highest: float
    riskiest: tuple[SpecialUnique, ...]


class FingerprintRemedy(Record):
    """How many samples would still be told apart after a change.

    Attributes:
        name: ``genus`` (taxa added up to genera) or ``prevalence`` (rare taxa left out).
        taxa: Columns that remain.
        unique_samples: Samples that a short presence code tells apart then.
        unique_share: Their share.
    """

    name: str
    taxa: int
    unique_samples: int
    unique_share: float


class FingerprintRisk(Record):
    """Samples that the presence of a few taxa tells apart from everybody else's.

    Attributes:
        samples: Rows of the table.
        taxa: Columns of abundances.
        unique_samples: Samples with a presence code of at most five taxa.
        unique_share: Their share.
        by_size: Samples whose shortest code found has 1, 2, 3, 4 or 5 taxa.
        remedies: What two changes would achieve, measured.
        advice: What to do, in words.
    """

    samples: int
    taxa: int
    unique_samples: int
    unique_share: float
    by_size: tuple[int, ...]
    remedies: tuple[FingerprintRemedy, ...]
    advice: tuple[str, ...]


class VersionRisk(Record):
    """What somebody learns who compares two versions of a table.

    A group that has a few rows more or fewer than before says that these few people came or left,
    and the sensitive values that came or left with them are theirs.

    Attributes:
        groups: Groups of either version.
        telling_groups: Groups to which, or from which, at least one and fewer than k rows went.
        telling_rows: Rows that came or left in them.
        listed: The telling groups, smallest difference first, capped; ``rows`` is the difference
            and ``size`` the rows in the later version.
    """

    groups: int
    telling_groups: int
    telling_rows: int
    listed: tuple[EquivalenceClass, ...]


class VersionComparison(VersionRisk):
    """What a table tells together with one that was published openly before.

    Attributes:
        version: Number of the earlier version.
        file: Name of the earlier file.
        sha256: Checksum of the Parquet file of its table.
        k: Fewest people that a difference may be about.
    """

    version: int
    file: str
    sha256: str
    k: int
