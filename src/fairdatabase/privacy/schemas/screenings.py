"""The verdict on a table as it is kept."""

from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from fairdatabase.privacy.schemas import RiskReport, Verdict
from fairdatabase.privacy.schemas.policies import Policy
from fairdatabase.tables.schemas import Record


class ScreeningRecord(Record):
    """The stored verdict on one table.

    Attributes:
        table_id: Of the table.
        sha256: Checksum of the Parquet file that was measured.
        passed: Whether the table may be published openly.
        policy: What it had to fulfil.
        verdict: Why not, where it may not.
        report: Every measure behind the verdict.
        created_at: When it was measured.
    """

    model_config = ConfigDict(from_attributes=True)

    table_id: UUID = Field(exclude=True)
    sha256: str
    passed: bool
    policy: Policy
    verdict: Verdict
    report: RiskReport
    created_at: datetime
