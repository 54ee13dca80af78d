"""Records of the tables feature: column schema, ingestion report, queries and pages.

All records are frozen and refuse unknown fields. Nothing in here reads a file or a database, so
every other module of the feature, and the features above it, may import this one.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from fairdatabase.kernel.records import Closed

MAX_PAGE_ROWS = 10_000
DEFAULT_MISSING_CODES = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")

ColumnName = Annotated[str, Field(min_length=1)]
Scalar = StrictBool | StrictInt | StrictFloat | StrictStr | None
"""A JSON value of one cell: dates and times are ISO 8601 text, whole numbers are exact."""


class Record(BaseModel):
    """Base of all records here: immutable, and unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ColumnRole(StrEnum):
    """What a column means for the privacy of the people in the table."""

    DIRECT_IDENTIFIER = "direct_identifier"
    QUASI_IDENTIFIER = "quasi_identifier"
    SENSITIVE = "sensitive"
    INSENSITIVE = "insensitive"
    UNASSIGNED = "unassigned"


class ColumnType(StrEnum):
    """The logical type of a column, proven over every stored value."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"


class TableFormat(StrEnum):
    """File formats that can be ingested."""

    DELIMITED = "delimited"
    EXCEL = "excel"
    JSON_LINES = "json_lines"
    PARQUET = "parquet"


class ExportFormat(StrEnum):
    """File formats a stored table can be exported to."""

    CSV = "csv"
    TSV = "tsv"
    JSON = "json"
    JSON_LINES = "jsonl"
    PARQUET = "parquet"


class Severity(StrEnum):
    """How much a finding matters: nothing changed, look at it, or data was left out."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class ColumnSchema(Record):
    """One column of a stored table.

    Attributes:
        key: The column's physical name in the Parquet file (``c0``, ``c1``, ...), always safe.
        name: The name people see; unique within the table, compared case-sensitively.
        type: Proven type of all values.
        role: Meaning for privacy.
        unit: Unit of measurement, if one is known.
        description: What the column holds, in words.
        ontology_term: Identifier of the term that defines the column.
        missing_codes: Texts that were found in the file and are stored as NULL.
        original_name: The header as it stood in the file, where it had to be changed.
    """

    key: ColumnName
    name: ColumnName
    type: ColumnType
    role: ColumnRole = ColumnRole.UNASSIGNED
    unit: str | None = None
    description: str | None = None
    ontology_term: str | None = None
    missing_codes: tuple[str, ...] = ()
    original_name: str | None = None


class ColumnEdit(Record):
    """What a user may change about a column; fields that are not sent stay as they are.

    Types and missing codes are properties of the stored values: changing them means a new
    ingestion with other ``IngestOptions``.
    """

    name: ColumnName | None = Field(default=None, max_length=1000)
    role: ColumnRole | None = None
    unit: str | None = Field(default=None, max_length=100)
    description: str | None = Field(default=None, max_length=5000)
    ontology_term: str | None = Field(default=None, max_length=500)


class Finding(Record):
    """Something worth knowing about a file, a column or a value.

    Attributes:
        code: Stable, machine-readable kind of finding, such as ``padded_values``.
        severity: How much it matters.
        message: What was found.
        advice: What to do about it.
        column: Name of the column concerned.
        line: Line of the first occurrence in the file, counted from 1, where it is known.
        value: An example value, truncated.
        count: Number of values concerned, where it is known.
    """

    code: str
    severity: Severity
    message: str
    advice: str | None = None
    column: str | None = None
    line: int | None = None
    value: str | None = None
    count: int | None = None


class RejectedRow(Record):
    """A row of the file that is not in the stored table, and why.

    Attributes:
        line: Line of the file on which the row begins, counted from 1.
        column: Name of the first column concerned, where there is one.
        value: The value, or the beginning of the row, truncated.
        reason: What is wrong.
        advice: How to repair it.
        severity: Always an error: the row is not stored.
    """

    line: int
    column: str | None = None
    value: str
    reason: str
    advice: str
    severity: Severity = Severity.ERROR


class Dialect(Record):
    """How the bytes of a file were read.

    Attributes:
        encoding: Python name of the character encoding.
        delimiter: Character between two cells of delimited text.
        quote: Quotation character, or None where quotes are ordinary characters.
        header: Whether the first row holds the column names.
        newline: ``lf``, ``crlf``, ``cr`` or ``mixed``.
        sheet: Name of the worksheet that was read.
    """

    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    header: bool = True
    newline: str | None = None
    sheet: str | None = None


class ColumnReport(Record):
    """How one column was typed, and what was read as missing in it.

    Attributes:
        name: Name of the column.
        type: The type that was proven.
        reason: Why it has this type, in words.
        missing: Number of missing values.
        missing_codes: Number of missing values per code.
    """

    name: str
    type: ColumnType
    reason: str
    missing: int
    missing_codes: dict[str, int] = Field(default_factory=dict)


class IngestReport(Record):
    """What was read, stored and left out. ``rows_read == rows_stored + rows_rejected``."""

    format: TableFormat
    dialect: Dialect = Dialect()
    rows_read: int
    rows_stored: int
    rows_rejected: int
    rejected: tuple[RejectedRow, ...] = ()
    findings: tuple[Finding, ...] = ()
    columns: tuple[ColumnReport, ...] = ()


class IngestOptions(Record):
    """Overrides of what is otherwise detected from the file.

    Attributes:
        delimiter: Character between cells.
        encoding: Python name of the character encoding.
        quote: Quotation character; an empty text means that quotes are ordinary characters.
        header: Whether the first row holds the column names.
        sheet: Name of the worksheet; the first one by default.
        missing_codes: Texts that mean a missing value (compared without surrounding spaces). By
            default ``DEFAULT_MISSING_CODES`` for delimited text and Excel, and none for JSON Lines
            and Parquet, which write a missing value as such.
        trim: Remove surrounding spaces from text values.
        types: Types to use by column name; ``text`` always holds, others have to be proven.
    """

    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    encoding: str | None = Field(default=None, max_length=40)
    quote: str | None = Field(default=None, max_length=1)
    header: bool | None = None
    sheet: str | None = Field(default=None, max_length=255)
    missing_codes: tuple[str, ...] | None = Field(default=None, max_length=200)
    trim: bool = False
    types: dict[str, ColumnType] = Field(default_factory=dict)


class IngestResult(Record):
    """Columns of the stored table and the report of its ingestion."""

    columns: tuple[ColumnSchema, ...]
    report: IngestReport


class FilterOp(StrEnum):
    """Operators of a filter. NULL never satisfies any of them but ``is_null``."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    IN = "in"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    IS_NULL = "is_null"
    NOT_NULL = "not_null"


class Filter(Record):
    """One condition on one column; all filters of a query have to hold."""

    column: ColumnName = Field(description="Name of the column.")
    op: FilterOp = Field(description="Operator.")
    value: Scalar | tuple[Scalar, ...] = Field(
        default=None,
        description="Operand of the column's type (dates as ISO text); a list for in; absent for"
        " is_null and not_null.",
    )


class Sort(Record):
    """Order by one column; missing values come last in both directions."""

    column: ColumnName = Field(description="Name of the column.")
    descending: bool = Field(default=False, description="From large to small.")


class QuerySpec(Record):
    """A page of rows: which columns and rows, in which order, from where on."""

    columns: tuple[ColumnName, ...] | None = Field(
        default=None,
        min_length=1,
        description="Names of the columns to return, in this order; all when absent.",
    )
    filters: tuple[Filter, ...] = Field(
        default=(), max_length=100, description="Conditions that all have to hold."
    )
    sort: tuple[Sort, ...] = Field(
        default=(),
        max_length=20,
        description="Order; rows that tie, and rows without any, keep the order of the file.",
    )
    limit: int = Field(default=100, ge=1, le=MAX_PAGE_ROWS, description="Most rows of the page.")
    cursor: str | None = Field(
        default=None, max_length=20_000, description="next_cursor of the page before."
    )
    search: str | None = Field(
        default=None,
        min_length=1,
        max_length=1000,
        description="Text that has to occur, in any case, in at least one text column.",
    )
    with_total: bool = Field(default=False, description="Also count all rows that match.")


class MeasureFunction(StrEnum):
    """Aggregate functions of a group-by query; all but ``count`` skip missing values."""

    COUNT = "count"
    COUNT_DISTINCT = "count_distinct"
    SUM = "sum"
    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    MEDIAN = "median"
    STDDEV = "stddev"


class Measure(Record):
    """One aggregate: count without a column counts rows, with one its non-missing values."""

    function: MeasureFunction = Field(description="What to compute.")
    column: ColumnName | None = Field(default=None, description="Name of the column.")


class AggregateSpec(Record):
    """Aggregates per group, ordered by the group's values."""

    group_by: tuple[ColumnName, ...] = Field(
        default=(),
        max_length=10,
        description="Names of the grouping columns; none gives one row for the whole table.",
    )
    measures: tuple[Measure, ...] = Field(
        default=(Measure(function=MeasureFunction.COUNT),),
        min_length=1,
        max_length=50,
        description="What to compute for each group.",
    )
    filters: tuple[Filter, ...] = Field(
        default=(), max_length=100, description="Conditions on the rows; all have to hold."
    )
    search: str | None = Field(
        default=None,
        min_length=1,
        max_length=1000,
        description="Text that has to occur, in any case, in at least one text column.",
    )
    limit: int = Field(default=1000, ge=1, le=MAX_PAGE_ROWS, description="Most groups returned.")


class Page(Record):
    """Rows of a query.

    Attributes:
        columns: Names of the columns, in the order of the cells.
        rows: One tuple of JSON values per row.
        next_cursor: Where the next page begins; None on the last page.
        total: Number of matching rows, if it was asked for.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Scalar, ...], ...]
    next_cursor: str | None = None
    total: int | None = None


class ValueCount(Record):
    """A value and how often it occurs."""

    value: Scalar
    count: int


class ColumnStatistics(Record):
    """Summary of one stored column.

    Attributes:
        name: Name of the column.
        type: Its type.
        rows: Number of rows of the table.
        nulls: Number of missing values.
        null_share: Share of missing values, 0 to 1 (0 for an empty table).
        distinct: Approximate number of distinct values.
        minimum: Smallest value.
        maximum: Largest value.
        mean: Arithmetic mean of an integer or number column.
        stddev: Sample standard deviation of an integer or number column.
        quantiles: Values at the shares 0.05, 0.25, 0.5, 0.75 and 0.95 (approximate).
        top: Most frequent values with their counts, most frequent first.
    """

    name: str
    type: ColumnType
    rows: int
    nulls: int
    null_share: float
    distinct: int
    minimum: Scalar = None
    maximum: Scalar = None
    mean: float | None = None
    stddev: float | None = None
    quantiles: dict[str, float] = Field(default_factory=dict)
    top: tuple[ValueCount, ...] = ()


class TableKind(StrEnum):
    """Which table of a file this is."""

    SOURCE = "source"
    RELEASE = "release"


class TableRecord(Record):
    """A stored table of a file.

    Attributes:
        file_id: Of the file it was made from.
        kind: Source or anonymised release.
        sha256: Checksum of its Parquet file.
        row_count: Number of rows.
        columns: Its columns, in order.
        report: How it was made from the file; None for releases and for whom the data are closed.
        updated_at: When the table or its column schema was last changed.
    """

    id: UUID = Field(exclude=True)
    file_id: UUID = Field(exclude=True)
    public_id: str
    kind: TableKind
    sha256: str
    row_count: int
    columns: tuple[ColumnSchema, ...]
    report: IngestReport | None = None
    updated_at: datetime

    @property
    def roles(self) -> dict[str, str]:
        """Role of each column by its physical name."""
        return {column.key: column.role.value for column in self.columns}


class ColumnEdits(Record):
    """Changes of columns, by the name they have now; none: only have the table measured again."""

    columns: dict[ColumnName, ColumnEdit]


class RowsQuery(Closed):
    """A page of rows as an address writes it; ``QuerySpec`` is the same with typed values."""

    columns: list[str] = Field(
        default_factory=list,
        max_length=MAX_PAGE_ROWS,
        description="Columns to return, in this order; repeat the parameter. All when absent.",
    )
    filter: list[str] = Field(
        default_factory=list,
        max_length=100,
        description="Condition `column:operator:value`; repeat the parameter, all have to hold. "
        "Operators: eq, ne, lt, le, gt, ge, in (values separated by |), contains, starts_with, "
        "is_null, not_null.",
        json_schema_extra={"example": ["age:ge:30", "sex:eq:female"]},
    )
    sort: list[str] = Field(
        default_factory=list,
        max_length=20,
        description="Column to sort by, with a leading - for descending; repeat the parameter.",
        json_schema_extra={"example": ["-age"]},
    )
    search: str | None = Field(default=None, max_length=1000)
    limit: int = Field(default=100, ge=1, le=MAX_PAGE_ROWS)
    cursor: str | None = Field(default=None, max_length=20_000)
    with_total: bool = False
    kind: TableKind | None = Field(
        default=None,
        description="Source or release. When absent: of a draft the source; of a published version "
        "the release, or the source where no release was made.",
    )


class ExportQuery(RowsQuery):
    """All rows that match, in a file format."""

    format: ExportFormat = ExportFormat.CSV
