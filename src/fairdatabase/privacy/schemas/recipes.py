"""Release recipes: the steps, the notation, and what applying them did."""

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from fairdatabase.privacy.schemas.goals import SensitiveGoal
from fairdatabase.tables.schemas import ColumnSchema, Record


class DropColumn(Record):
    """Leave a column out."""

    op: Literal["drop"] = "drop"
    column: str


class Pseudonymise(Record):
    """Replace values by keyed pseudonyms, the same for the same value in all files of a dataset.

    Who holds the key can undo it: pseudonyms remain personal data.
    """

    op: Literal["pseudonymise"] = "pseudonymise"
    column: str


class Intervals(Record):
    """Generalise numbers to half-open intervals such as ``[20, 30)``.

    Attributes:
        op: Kind of step.
        column: A column of numbers.
        width: Width of equal intervals; either this or ``cuts``.
        origin: Where one of the equal intervals begins.
        cuts: Explicit bounds, ascending; below the first and from the last on are open intervals,
            which codes the bottom and the top.
    """

    op: Literal["intervals"] = "intervals"
    column: str
    width: FiniteFloat | None = None
    origin: FiniteFloat = 0.0
    cuts: tuple[FiniteFloat, ...] | None = None


class Prefix(Record):
    """Generalise codes to their first characters, such as postcodes to areas."""

    op: Literal["prefix"] = "prefix"
    column: str
    length: int


class Recode(Record):
    """Generalise categories by a mapping.

    Attributes:
        op: Kind of step.
        column: A column of texts, whole numbers or truth values.
        mapping: New text by old text.
        other: New text for what the mapping does not name; without it every value needs an entry.
    """

    op: Literal["recode"] = "recode"
    column: str
    mapping: dict[str, str]
    other: str | None = None


class TruncateDate(Record):
    """Generalise dates to ``2024-05-17``, ``2024-05``, ``2024-Q2``, ``2024`` or ``2020s``."""

    op: Literal["truncate_date"] = "truncate_date"
    column: str
    to: Literal["day", "month", "quarter", "year", "decade"]


class Round(Record):
    """Round numbers to decimals; negative ones round to tens, hundreds and so on."""

    op: Literal["round"] = "round"
    column: str
    decimals: int


class CodeExtremes(Record):
    """Top and bottom code: numbers beyond a bound become the bound.

    Attributes:
        op: Kind of step.
        column: A column of numbers.
        bottom: Smaller numbers become this; none: they stay.
        top: Larger numbers become this; none: they stay.
    """

    op: Literal["code_extremes"] = "code_extremes"
    column: str
    bottom: FiniteFloat | None = None
    top: FiniteFloat | None = None


class SuppressCells(Record):
    """Empty the cells of a column that are risky; the rows stay.

    Attributes:
        op: Kind of step.
        column: Any column.
        rarer_than: Empty values that fewer rows have; either this or ``groups_below``.
        groups_below: Empty values of rows in classes smaller than this, where rows are alike that
            agree on the other quasi-identifiers.
    """

    op: Literal["suppress_cells"] = "suppress_cells"
    column: str
    rarer_than: int | None = None
    groups_below: int | None = None


class Impute(Record):
    """Fill the gaps of a column.

    Attributes:
        op: Kind of step.
        column: A column of numbers; any column for the mode.
        by: Mean or median of the values that are there, or the most frequent one.
        within: Of the rows that agree on the other quasi-identifiers, or of the whole table, which
            also serves where a class has no value.
    """

    op: Literal["impute"] = "impute"
    column: str
    by: Literal["mean", "median", "mode"]
    within: Literal["class", "table"] = "table"


class Shuffle(Record):
    """Deal the values of a column out anew, so that they no longer belong to their rows.

    Attributes:
        op: Kind of step.
        column: Any column.
        within: Among the rows that agree on the other quasi-identifiers, or among all.
    """

    op: Literal["shuffle"] = "shuffle"
    column: str
    within: Literal["class", "table"] = "table"


class Noise(Record):
    """Add a random number to each number of a column.

    Attributes:
        op: Kind of step.
        column: A column of numbers; whole ones stay whole.
        scale: Half width of the uniform distribution, scale of Laplace's, standard deviation of the
            normal one.
        distribution: What the numbers are drawn from; its mean is 0.
    """

    op: Literal["noise"] = "noise"
    column: str
    scale: FiniteFloat
    distribution: Literal["laplace", "normal", "uniform"] = "laplace"


class SuppressSmallGroups(Record):
    """Leave out rows in classes that do not reach a goal; has to be the last step.

    Classes are left out whole. The distance t is that of a class from the rows that stay, so
    classes are left out again until all that stay are close enough.

    Attributes:
        op: Kind of step.
        k: Smaller classes are left out.
        sensitive: What the other classes have to fulfil as well.
    """

    op: Literal["suppress"] = "suppress"
    k: int
    sensitive: tuple[SensitiveGoal, ...] = ()


class Partition(Record):
    """Recode locally: cut the rows into groups by median after median, each with its own labels.

    Mondrian with strict partitioning (LeFevre et al. 2006). Numbers and dates become closed
    intervals such as ``[20, 34]``, categories the set of their values.

    Attributes:
        op: Kind of step.
        columns: The quasi-identifiers, all of them recoded together.
        k: Every group has at least so many rows.
        sensitive: What every group has to fulfil as well.
        groups: Levels of hierarchies of categories, finest first for each column: values that
            belong together stay neighbours, and a group in one label of a level gets that label.
            Categories without any are ordered by their frequency.
    """

    op: Literal["partition"] = "partition"
    columns: tuple[str, ...]
    k: int
    sensitive: tuple[SensitiveGoal, ...] = ()
    groups: tuple[Recode, ...] = ()


ValueStep = Pseudonymise | Intervals | Prefix | Recode | TruncateDate | Round | CodeExtremes
"""Steps that need a row's own value alone."""
TableStep = SuppressCells | Impute | Shuffle | Noise
"""Steps that look at other rows, or at the position of a row."""
ColumnStep = DropColumn | ValueStep | TableStep
RowStep = SuppressSmallGroups | Partition
"""Steps over rows: they look at several columns, or leave rows out."""
Step = Annotated[ColumnStep | RowStep, Field(discriminator="op")]


class Recipe(Record):
    """How a release table is made from its source: steps, applied in this order.

    Attributes:
        version: Version of this notation.
        steps: The steps; columns are named as people see them.
    """

    version: Literal[1] = 1
    steps: tuple[Step, ...] = ()


class StepEffect(Record):
    """What one step of a recipe did.

    Attributes:
        index: Place of the step in the recipe, counted from 0.
        op: Kind of step.
        column: Column it changed; None for steps over rows.
        rows_changed: Rows whose value changed, or that were removed.
        distinct_before: Distinct values of the column, or classes, before the step.
        distinct_after: The same after it.
    """

    index: int
    op: str
    column: str | None
    rows_changed: int
    distinct_before: int
    distinct_after: int


class ReleaseEffect(Record):
    """What a recipe did to a table.

    Attributes:
        rows_in: Rows of the source.
        rows_out: Rows of the target.
        rows_suppressed: Rows left out.
        pseudonymised: Columns that now hold keyed pseudonyms.
        effects: One record per step.
    """

    rows_in: int
    rows_out: int
    rows_suppressed: int
    pseudonymised: tuple[str, ...]
    effects: tuple[StepEffect, ...]


class ApplyResult(ReleaseEffect):
    """The effect of a recipe together with the columns of the target, with their new types."""

    columns: tuple[ColumnSchema, ...]
