"""Records of utility: how much of a table is left in its release."""

from fairdatabase.tables.schemas import Record


class ColumnUtility(Record):
    """What a release keeps of one column.

    Attributes:
        column: The column of the source.
        quasi_identifier: Whether it counts for the table's losses.
        kept: Whether it is in the release.
        granularity_loss: Mean over the rows of (leaves-1)/(domain-1), where leaves are the values
            of the source with the row's label; 1 for rows left out. 0 (nothing) to 1 (all).
        entropy_loss: Non-uniform entropy: the information about the value that the label leaves
            open, over what leaving the column out leaves open; 0 to 1.
        distance: Between the column's distributions in source and release, 0 to 1: ordered
            distance for numbers, dates and times, otherwise the equal one. A label counts as each
            of its values equally often. None where nothing is left to compare.
    """

    column: str
    quasi_identifier: bool
    kept: bool
    granularity_loss: float
    entropy_loss: float
    distance: float | None


class UtilityReport(Record):
    """What a release keeps of a table.

    Attributes:
        rows_in: Rows of the source.
        rows_out: Rows of the release.
        rows_suppressed: Rows left out.
        classes: Classes of the release.
        average_class_size: Rows of the release for each class; None without rows.
        discernibility: Sum of the squared sizes of the classes, and for each row left out the
            number of all rows.
        discernibility_share: The same over the square of the number of all rows, 0 to 1.
        granularity_loss: Mean over the quasi-identifiers.
        entropy_loss: The same of the non-uniform entropy.
        columns: One record for each column of the source.
    """

    rows_in: int
    rows_out: int
    rows_suppressed: int
    classes: int
    average_class_size: float | None
    discernibility: int
    discernibility_share: float
    granularity_loss: float
    entropy_loss: float
    columns: tuple[ColumnUtility, ...]
