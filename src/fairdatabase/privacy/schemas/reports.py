"""The report that a steward files or passes on: what was measured, what was done, what it led to.

It holds measures alone. No value of a table is in it: neither groups nor the values that a mapping
names, so that it can be shown to whoever has to decide.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import ConfigDict, Field

from fairdatabase.kernel.records import Closed, Record
from fairdatabase.privacy.schemas import P29Score, ReasonCode, ReleaseEffect, SizeBand
from fairdatabase.privacy.schemas.policies import Policy


class ReportFormat(StrEnum):
    """How a report is written."""

    JSON = "json"
    HTML = "html"
    PDF = "pdf"


class ReportQuery(Closed):
    """How the report is wanted."""

    format: ReportFormat = ReportFormat.JSON


class SensitiveMeasures(Record):
    """What the groups give away about one sensitive column; see ``SensitiveRisk``."""

    name: str
    ordered: bool
    distinct_values: int
    missing: int
    distinct_l: int
    entropy_l: float
    normalised_entropy: float
    recursive_c_bound: float | None
    t: float
    mean_t: float
    homogeneous_classes: int
    homogeneous_rows: int


class VersionMeasures(Record):
    """What a table tells together with an earlier one; see ``VersionComparison``."""

    version: int
    file: str
    sha256: str
    k: int
    groups: int
    telling_groups: int
    telling_rows: int


class Measures(Record):
    """The measures of a table without its groups; see ``RiskReport``."""

    rows: int
    quasi_identifiers: tuple[str, ...]
    k: int
    classes: int
    classes_at_risk: int
    rows_at_risk: int
    unique_rows: int
    uniqueness: float
    prosecutor_max: float
    prosecutor_average: float
    marketer: float
    sizes: tuple[SizeBand, ...]
    sensitive: tuple[SensitiveMeasures, ...]
    p29: P29Score
    versions: tuple[VersionMeasures, ...] = ()


class MeasuredTable(Record):
    """A table of the report.

    Attributes:
        sha256: Checksum of the Parquet file that was measured.
        csv_sha256: Checksum of the table as the platform hands it out in CSV.
        columns: Number of columns.
        measures: None where it was not measured as it is now.
        measured_at: When it was.
    """

    sha256: str
    csv_sha256: str
    columns: int
    measures: Measures | None
    measured_at: datetime | None


class ReportedColumn(Record):
    """A column of the table that leaves the house."""

    name: str
    type: str
    role: str


class ReportedReason(Record):
    """Why the table may not be published openly, without the groups concerned."""

    code: ReasonCode
    message: str
    advice: str
    rows: int | None


class PrivacyReport(Record):
    """What was measured on a file's tables, by which policy, and what was done.

    Attributes:
        format: Of this notation.
        issued_at: When the report was made.
        instance: Name and address of the platform, and its software.
        dataset: Title, identifier, version and access.
        file: Name and checksum of the file as it was deposited.
        policy: What openly published tables of the dataset have to fulfil.
        columns: Of the table that leaves the house.
        source: The table as it was deposited.
        release: The anonymised table, where one was made.
        recipe: What made it; of mappings only how many values they name.
        effect: What the recipe did.
        key_version: Version of the dataset's pseudonym key.
        passed: Whether the table that leaves the house holds the policy.
        reasons: Why not, where it does not.
        warnings: What somebody should look at, and what decides nothing.
        override_reason: Why a curator published it all the same.
    """

    format: Literal["fairdatabase-privacy-report/1"] = "fairdatabase-privacy-report/1"
    issued_at: datetime
    instance: dict[str, str]
    dataset: dict[str, str]
    file: dict[str, str]
    policy: Policy
    columns: tuple[ReportedColumn, ...]
    source: MeasuredTable
    release: MeasuredTable | None
    recipe: dict[str, Any] | None
    effect: ReleaseEffect | None
    key_version: int | None
    passed: bool
    reasons: tuple[ReportedReason, ...]
    warnings: tuple[ReportedReason, ...] = ()
    override_reason: str | None

    @property
    def outgoing(self) -> MeasuredTable:
        """The table that leaves the house."""
        return self.release or self.source

    @property
    def hashes(self) -> dict[str, str]:
        """Checksums by which the tables of the report can be told."""
        found = {
            "file": self.file["sha256"],
            "source": self.source.sha256,
            "source_csv": self.source.csv_sha256,
        }
        if self.release:
            found |= {"release": self.release.sha256, "release_csv": self.release.csv_sha256}
        return found


class Signature(Record):
    """Who signed a document, by Ed25519 (RFC 8032).

    Attributes:
        algorithm: Always this one.
        public_key: 32 bytes in Base64, with the alphabet for addresses and without padding.
        tables: Checksums of the tables that the document is about.
        value: The signature, in the same notation.
    """

    model_config = ConfigDict(extra="forbid")

    algorithm: Literal["Ed25519"]
    public_key: str = Field(min_length=43, max_length=43)
    tables: dict[str, str]
    value: str = ""


class SignedReport(Record):
    """A report with its signature; the signature is over the report in canonical JSON."""

    report: PrivacyReport
    signature: Signature


class Verified(Record):
    """What was found out about a document.

    Attributes:
        public_key: Of whoever signed it.
        trusted: Whether it is the key that was expected; None: none was named.
        tables: Checksums that the document names.
    """

    public_key: str
    trusted: bool | None
    tables: dict[str, str]
