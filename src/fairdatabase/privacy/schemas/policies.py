"""What a table has to fulfil to be published openly."""

from typing import Literal

from pydantic import Field, FiniteFloat

from fairdatabase.kernel.records import Closed
from fairdatabase.privacy.schemas import MissingChoice, P29Thresholds, Thresholds
from fairdatabase.tables.schemas import Record

OnDifferences = Literal["stop", "warn"]
"""What small differences to an earlier version do: stop open publication, or be told alone."""


class Policy(Record):
    """What a table has to fulfil to be published openly.

    Attributes:
        k: Every group has at least this many rows.
        l: Every group has at least this many values of each sensitive attribute.
        t: No group is further than this from the table.
        alpha: No value is a greater share of its group than this.
        beta: No value is more than so many times more likely in a group than in the table.
        delta: No value's likelihood in a group differs more than this on a logarithmic scale.
        max_missing: Greatest share of missing values in a quasi-identifier or sensitive column.
        min_p29: Smallest P29 score.
        every_column_reviewed: Whether each column needs a role; otherwise one is enough.
        missing: How missing quasi-identifiers are compared.
        p29: Thresholds of the P29 score.
        version_differences: What happens where a group differs from its like in an earlier open
            version by fewer than k people.
    """

    k: int = Field(default=5, ge=1)
    l: int | None = Field(default=None, ge=1)  # noqa: E741 - the field's own name
    t: float | None = Field(default=None, ge=0, le=1)
    alpha: float | None = Field(default=None, gt=0, le=1)
    beta: float | None = Field(default=None, ge=0)
    delta: float | None = Field(default=None, ge=0)
    max_missing: float | None = Field(default=None, ge=0, le=1)
    min_p29: float | None = Field(default=None, ge=0, le=1)
    every_column_reviewed: bool = True
    missing: MissingChoice = "category"
    p29: P29Thresholds = P29Thresholds()
    version_differences: OnDifferences = "stop"

    @property
    def thresholds(self) -> Thresholds:
        """The thresholds to measure a table against for this policy."""
        return Thresholds(k=self.k, l=self.l, t=self.t, p29=self.p29)


class PolicyIn(Closed):
    """What is asked of tables beyond the policy of the instance."""

    k: int | None = Field(default=None, ge=1, le=1_000_000, description="Smallest group.")
    l: int | None = Field(  # noqa: E741 - the field's own name
        default=None, ge=1, le=1_000_000, description="Fewest sensitive values of a group."
    )
    t: float | None = Field(default=None, ge=0, le=1, description="Greatest distance of a group.")
    alpha: FiniteFloat | None = Field(
        default=None, gt=0, le=1, description="Greatest share of one value in a group."
    )
    beta: FiniteFloat | None = Field(
        default=None, ge=0, description="Greatest relative gain of a value in a group."
    )
    delta: FiniteFloat | None = Field(
        default=None, ge=0, description="Greatest |ln(q / p)| of a value in a group."
    )
    max_missing: float | None = Field(default=None, ge=0, le=1)
    min_p29: float | None = Field(default=None, ge=0, le=1)
    version_differences: OnDifferences | None = Field(
        default=None, description="Whether few people who came or left stop publication."
    )


class CommunityPolicyRecord(Record):
    """The policy of a community and where it comes from.

    Attributes:
        policy: What holds: the stricter of both for each measure.
        instance: What the instance asks of every dataset.
        community: What the community asks beyond it; None: nothing.
    """

    policy: Policy
    instance: Policy
    community: PolicyIn | None


class PolicyRecord(CommunityPolicyRecord):
    """The policy of a dataset and where it comes from.

    Attributes:
        policy: What holds: the strictest of all for each measure.
        community_name: What addresses call the community that it belongs to; None: to none.
        dataset: What this dataset asks itself; None: nothing.
    """

    community_name: str | None
    dataset: PolicyIn | None
