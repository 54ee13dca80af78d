"""Refusals of the tables feature; each message says what is wrong, where, and what to do.

The tree::

    ValidationError
    └── TableError                   a file or a query about a table is refused
        ├── EmptyFileError           nothing in the file
        ├── UnsupportedFormatError   the content is not a table format read here
        ├── CorruptFileError         the format is known and the file is damaged
        ├── EncryptedFileError       protected by a password
        ├── EncodingError            bytes that are no text in the encoding used
        ├── HeaderError              no usable header or worksheet
        ├── NestedDataError          lists or objects inside cells
        ├── TooManyRejectedRowsError most likely the wrong delimiter or file
        ├── UnknownColumnError       a query names a column the table does not have
        ├── FilterValueError         an operand that does not fit the column's type
        ├── CursorError              a cursor that is damaged or of another query
        ├── QueryTimeoutError        a query took longer than allowed
        └── QueryMemoryError         a query needed more memory than allowed
    LimitExceededError
    └── ExpansionLimitError          a compressed file would expand too far

A query that costs too much is no body that is too large: the one who asks can narrow it.
"""

from fairdatabase.kernel.errors import LimitExceededError, ValidationError


class TableError(ValidationError):
    """A file, or a question about a table, is refused."""

    code = "table-invalid"
    title = "The table cannot be used"


class EmptyFileError(TableError):
    """The file has no content."""

    code = "table-empty"
    title = "The file is empty"


class UnsupportedFormatError(TableError):
    """The content is not one of the table formats."""

    code = "table-format"
    title = "The file is not a table"


class CorruptFileError(TableError):
    """The format is known, and the file is damaged."""

    code = "table-corrupt"
    title = "The file is damaged"


class EncryptedFileError(TableError):
    """The file is protected by a password."""

    code = "table-encrypted"
    title = "The file is protected by a password"


class EncodingError(TableError):
    """The bytes are no text in the encoding they were read with."""

    code = "table-encoding"
    title = "The text encoding does not fit"


class HeaderError(TableError):
    """There is no usable header, or no such worksheet."""

    code = "table-header"
    title = "The header cannot be used"


class NestedDataError(TableError):
    """Cells hold lists or objects instead of values."""

    code = "table-nested"
    title = "The table is nested"


class TooManyRejectedRowsError(TableError):
    """So many rows do not fit that the file was most likely read the wrong way."""

    code = "table-rejected"
    title = "Too many rows do not fit"


class UnknownColumnError(TableError):
    """A query or an edit names a column that the table does not have."""

    code = "column-unknown"
    title = "No such column"


class FilterValueError(TableError):
    """The operand of a filter, or the measure, does not fit the type of its column."""

    code = "filter-value"
    title = "The value does not fit the column"


class CursorError(TableError):
    """A page cursor is damaged or belongs to another query."""

    code = "cursor-invalid"
    title = "The page cursor cannot be used"


class ExpansionLimitError(LimitExceededError):
    """A compressed file would expand to far more than its size."""

    code = "table-expansion"
    title = "The file expands too far"


class QueryTimeoutError(TableError):
    """A query took longer than it may."""

    code = "query-timeout"
    title = "The query took too long"


class QueryMemoryError(TableError):
    """A query needed more memory than it may."""

    code = "query-memory"
    title = "The query needs too much memory"
