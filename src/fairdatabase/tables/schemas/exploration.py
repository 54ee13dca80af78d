"""Records of the data explorer."""

from pydantic import Field

from fairdatabase.tables.schemas import MeasureFunction, Page, Record, RowsQuery, TableRecord


class ExploreQuery(RowsQuery):
    """What the data explorer is asked: rows, or one aggregate per group."""

    limit: int = Field(default=50, ge=1, le=500)
    group_by: str | None = Field(default=None, max_length=1000)
    function: MeasureFunction = MeasureFunction.COUNT
    measure: str | None = Field(default=None, max_length=1000)


class Exploration(Record):
    """What the data explorer shows.

    Attributes:
        title: Of the dataset.
        version_id: Public id of the version.
        file_id: Public id of the file.
        file_name: Name of the file.
        table: The table that was asked.
        shown: Names of the columns that were asked for, or the first ones of a wide table.
        page: The answer.
    """

    title: str
    version_id: str
    file_id: str
    file_name: str
    table: TableRecord
    shown: tuple[str, ...]
    page: Page
