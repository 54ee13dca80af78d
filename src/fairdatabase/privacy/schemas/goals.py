"""What every class of a release has to fulfil; several models hold together."""

from pydantic import Field, FiniteFloat

from fairdatabase.tables.schemas import Record


class RecursiveDiversity(Record):
    """Recursive (c,l)-diversity: r_1 < c (r_l + ... + r_m), counts sorted downwards."""

    c: FiniteFloat = Field(gt=0)
    l: int = Field(ge=2)  # noqa: E741 - the model's own name


class SensitiveGoal(Record):
    """What every class has to fulfil for one sensitive attribute.

    A missing value is a value of its own. What is None is not asked for.

    Attributes:
        column: The attribute.
        distinct_l: Each class has at least so many distinct values.
        entropy_l: The exponential of each class's entropy is at least this.
        recursive: Recursive (c,l)-diversity.
        t: No class is further than this from the table.
        alpha: No value is a greater share of its class than this: (alpha,k)-anonymity.
        ordered: Whether t is the ordered distance or the equal one; by default the ordered one for
            numbers, dates and times.
    """

    column: str
    distinct_l: int | None = Field(default=None, ge=1)
    entropy_l: FiniteFloat | None = Field(default=None, ge=1)
    recursive: RecursiveDiversity | None = None
    t: FiniteFloat | None = Field(default=None, ge=0, le=1)
    alpha: FiniteFloat | None = Field(default=None, gt=0, le=1)
    ordered: bool | None = None


class Goal(Record):
    """What every class has to fulfil.

    Attributes:
        k: It has at least so many rows.
        sensitive: What it has to fulfil for sensitive attributes.
    """

    k: int = Field(default=5, ge=1)
    sensitive: tuple[SensitiveGoal, ...] = ()
