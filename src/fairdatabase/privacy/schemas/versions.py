"""What was published of a dataset before."""

from fairdatabase.tables.schemas import Record, TableRecord


class PublishedTable(Record):
    """A table that was published openly, so that anybody may have a copy of it.

    Attributes:
        version: Number of its version.
        file: Name of its file.
        table: The table that left the house.
    """

    version: int
    file: str
    table: TableRecord
