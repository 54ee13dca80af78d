"""Limits of one ingestion; all of them can be set, none of them is silent."""

from dataclasses import dataclass

from fairdatabase.tables.errors import ExpansionLimitError
from fairdatabase.tables.rules import shorten


@dataclass(frozen=True, slots=True)
class IngestLimits:
    """What one file may cost.

    Attributes:
        row_bytes: Longest row; a longer one is rejected and reported.
        rejected_rows: Most rejected rows; with more, the file is refused as misread.
        columns: Most columns.
        expanded_bytes: Most bytes that a compressed workbook may expand to.
        expansion_ratio: Most bytes per compressed byte of a workbook.
        cell_bytes: Longest text in a cell of a binary format, in which it may occur in any number
            of cells and be stored once.
        cells: Most cells of a Parquet file, of which any number of equal ones takes no space.
        isolated: Whether binary formats are read in a process of their own, without which the next
            two limits do not hold; only where the files are one's own, because it takes 50 ms.
        memory_mib: Memory that the reading of a binary format may take.
        seconds: CPU time that the reading of a binary format may take.
        threads: Threads that convert columns.
    """

    row_bytes: int = 16 << 20
    rejected_rows: int = 10_000
    columns: int = 200_000
    expanded_bytes: int = 1 << 30
    expansion_ratio: int = 200
    cell_bytes: int = 1 << 20
    cells: int = 2_000_000_000
    isolated: bool = True
    memory_mib: int = 4096
    seconds: int = 900
    threads: int = 2


def cell_too_long(name: str, column: str, length: int, limit: int) -> ExpansionLimitError:
    """Return the refusal of a text in a cell.

    Args:
        name: Of the file.
        column: That the text stands in.
        length: Of the text, in bytes.
        limit: What is allowed, in bytes.
    """
    return ExpansionLimitError(
        f"A text in the column {shorten(column)!r} of {name} takes {length:,} bytes;"
        f" {limit:,} are possible. Send long texts as files of their own."
    )
