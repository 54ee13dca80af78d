"""Errors of the privacy feature.

::

    ValidationError
    ├── AssessmentError      the columns to assess do not fit the table
    ├── RecipeError          a release recipe does not fit the table
    ├── HierarchyError       a hierarchy is not well formed, or does not fit its column
    ├── PolicyTooLooseError  a dataset's policy asks less than the instance's
    └── SignatureError       a report is not what was signed
"""

from collections.abc import Sequence

from fairdatabase.kernel.errors import ValidationError


class AssessmentError(ValidationError):
    """The columns that are to be assessed do not fit the table."""

    code = "assessment-invalid"
    title = "The table cannot be assessed like this"


class RecipeError(ValidationError):
    """A release recipe does not fit the table it is applied to."""

    code = "recipe-invalid"
    title = "The recipe does not fit the table"


class HierarchyError(ValidationError):
    """A hierarchy is not well formed, or does not fit the column it is for."""

    code = "hierarchy-invalid"
    title = "The hierarchy does not fit"


class PolicyTooLooseError(ValidationError):
    """A dataset or a community may ask more than the instance, never less.

    Args:
        measures: Of which it asks less.
    """

    code = "policy-too-loose"
    title = "The policy asks less than the instance does"

    def __init__(self, measures: Sequence[str]) -> None:
        super().__init__(
            f"The policy asks less of {', '.join(measures)} than this instance does of every"
            " dataset. It may be stricter, not looser.",
            details=[
                {"field": measure, "message": "The instance asks more than this."}
                for measure in measures
            ],
        )


class SignatureError(ValidationError):
    """A report is not what was signed, or not signed by whom it says."""

    code = "signature-invalid"
    title = "The signature does not hold"
