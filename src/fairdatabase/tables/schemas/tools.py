"""What agents ask about tables, and the one answer that the other surfaces do not give."""

from pydantic import Field

from fairdatabase.kernel.records import Closed, PageQuery
from fairdatabase.tables.schemas import (
    AggregateSpec,
    ColumnName,
    ColumnSchema,
    QuerySpec,
    Record,
    TableKind,
)

_MOST_ROWS = 500
_FILE = "Public id of a file with the role data; read_dataset lists them."
_KIND = (
    "Source or release. When absent: of a draft the source; of a published version the release, or"
    " the source where no release was made."
)


class SchemaQuestion(PageQuery):
    """Which columns of which table."""

    file_id: str = Field(max_length=64, description=_FILE)
    containing: str | None = Field(
        default=None,
        max_length=1000,
        description="Only columns with this text in their name or description, in any case.",
    )
    kind: TableKind | None = Field(default=None, description=_KIND)


class StatisticsQuestion(Closed):
    """Which columns of which table."""

    file_id: str = Field(max_length=64, description=_FILE)
    columns: list[ColumnName] = Field(
        min_length=1, max_length=50, description="Names of columns, as read_schema gives them."
    )
    kind: TableKind | None = Field(default=None, description=_KIND)


class RowsQuestion(QuerySpec):
    """Which rows of which table."""

    file_id: str = Field(max_length=64, description=_FILE)
    kind: TableKind | None = Field(default=None, description=_KIND)
    limit: int = Field(default=50, ge=1, le=_MOST_ROWS, description="Most rows of the page.")


class AggregateQuestion(AggregateSpec):
    """Which measures of which table."""

    file_id: str = Field(max_length=64, description=_FILE)
    kind: TableKind | None = Field(default=None, description=_KIND)
    limit: int = Field(default=100, ge=1, le=_MOST_ROWS, description="Most groups returned.")


class SchemaPage(Record):
    """Columns of a table.

    Attributes:
        kind: Source or anonymised release.
        row_count: Number of rows of the table.
        column_count: Number of columns of the table.
        matching: Number of columns that match.
        columns: A page of those.
    """

    kind: TableKind
    row_count: int
    column_count: int
    matching: int
    columns: tuple[ColumnSchema, ...]
