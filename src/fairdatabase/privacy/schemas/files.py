"""What was found out about a file on disk, without an instance."""

from fairdatabase.privacy.schemas import ReleaseEffect, RiskReport, RoleSuggestion, Verdict
from fairdatabase.privacy.schemas.policies import Policy
from fairdatabase.tables.schemas import ColumnRole, Record


class FileRoles(Record):
    """What the columns of a file mean for privacy.

    Attributes:
        quasi_identifiers: What an attacker may know.
        sensitive: What nobody may learn.
        insensitive: Columns that look like direct identifiers and are none.
    """

    quasi_identifiers: tuple[str, ...]
    sensitive: tuple[str, ...] = ()
    insensitive: tuple[str, ...] = ()


class FileAssessment(Record):
    """The risk of a file and whether it passes a policy.

    Attributes:
        file: Its name.
        rejected_rows: Rows that could not be read, and were not measured.
        roles: What each column counted as.
        policy: What it was held against.
        report: What was measured.
        verdict: Whether it passes, and why not.
    """

    file: str
    rejected_rows: int
    roles: dict[str, ColumnRole]
    policy: Policy
    report: RiskReport
    verdict: Verdict


class FileRelease(Record):
    """A release made of a file.

    Attributes:
        source: Assessment of the file.
        effect: What the recipe did.
        release: Assessment of the release, read back from the disk.
    """

    source: FileAssessment
    effect: ReleaseEffect
    release: FileAssessment


class FileSuggestions(Record):
    """Roles suggested for the columns of a file."""

    file: str
    suggestions: tuple[RoleSuggestion, ...]
