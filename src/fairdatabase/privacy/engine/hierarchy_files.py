"""Hierarchies as files: the CSV of ARX, and JSON.

The CSV has one line for each value: the value, then its label on each level, separated by
semicolons; text that a spreadsheet would take for a formula has an apostrophe in front.
https://arx.deidentifier.org/anonymization-tool/configuration/ describes it. JSON is the record
``Hierarchy`` itself and keeps how levels were made, where the CSV lists values.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from fairdatabase.privacy.engine.hierarchies import LEFT_OUT, tabulate
from fairdatabase.privacy.errors import HierarchyError
from fairdatabase.privacy.schemas.hierarchies import Generalisation, Hierarchy
from fairdatabase.privacy.schemas.recipes import DropColumn, Recode
from fairdatabase.tables.rules import disarm, rearm
from fairdatabase.tables.schemas import ColumnSchema

MAX_VALUES = 1_000_000
_FEWEST_CELLS = 2


def read_csv(text: str, column: str) -> Hierarchy:
    """Read a hierarchy from the CSV of ARX.

    A last level with ``*`` for every value becomes leaving the column out.

    Args:
        text: Content of the file.
        column: Column that it is for.

    Raises:
        HierarchyError: If it is not such a file; the message names the line.
    """
    rows = _rows(text)
    levels: list[Generalisation] = []
    for place in range(1, len(rows[0])):
        mapping = {row[0]: row[place] for row in rows}
        if place == len(rows[0]) - 1 and set(mapping.values()) == {LEFT_OUT}:
            levels.append(DropColumn(column=column))
        else:
            levels.append(Recode(column=column, mapping=mapping))
    return Hierarchy(column=column, levels=tuple(levels))


def _rows(text: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=";")
    rows: list[list[str]] = []
    known: dict[str, int] = {}
    try:
        for cells in reader:
            if row := [rearm(cell) for cell in cells]:
                _check_row(row, reader.line_num, rows, known)
                rows.append(row)
    except csv.Error as error:
        raise HierarchyError(f"Line {reader.line_num} cannot be read: {error}.") from error
    if not rows:
        raise HierarchyError("The file is empty; write one line for each value.")
    return rows


def _check_row(
    row: Sequence[str], line: int, rows: Sequence[Sequence[str]], known: dict[str, int]
) -> None:
    if len(rows) == MAX_VALUES:
        raise HierarchyError(f"The file has more than {MAX_VALUES:,} values; use intervals.")
    if len(row) < _FEWEST_CELLS:
        raise HierarchyError(
            f"Line {line} has no level; write the value and its labels, separated by semicolons."
        )
    if rows and len(row) != len(rows[0]):
        raise HierarchyError(
            f"Line {line} has {len(row)} cells and the first line {len(rows[0])}; give every value"
            " a label on each level."
        )
    if row[0] in known:
        raise HierarchyError(
            f"Line {line} repeats the value of line {known[row[0]]}; keep one of them."
        )
    known[row[0]] = line


def read_json(text: str, column: str) -> Hierarchy:
    """Read a hierarchy from JSON, for a column that may have another name than it had.

    Raises:
        HierarchyError: If it is not the notation of a hierarchy; the message names the fields.
    """
    try:
        found = Hierarchy.model_validate_json(text)
    except ValidationError as error:
        places = sorted({".".join(map(str, each["loc"])) or "(all)" for each in error.errors()})
        raise HierarchyError(
            f"The JSON is not a hierarchy; look at {', '.join(places[:5])}."
        ) from error
    levels = tuple(level.model_copy(update={"column": column}) for level in found.levels)
    return Hierarchy(column=column, levels=levels)


def write_csv(source: Path, column: ColumnSchema, hierarchy: Hierarchy) -> str:
    """Write a hierarchy out over the values of a column, as the CSV of ARX.

    The missing value has no line: it stays missing on every level.

    Args:
        source: Parquet file of the table.
        column: Its column.
        hierarchy: Hierarchy that fits it.

    Raises:
        HierarchyError: If it does not.
    """
    target = io.StringIO()
    writer = csv.writer(target, delimiter=";", lineterminator="\n")
    for row in tabulate(source, column, hierarchy).rows:
        if row.value is not None:
            writer.writerow([disarm(cell or "") for cell in (row.value, *row.labels)])
    return target.getvalue()


def write_json(hierarchy: Hierarchy) -> str:
    """Write a hierarchy as JSON."""
    return hierarchy.model_dump_json(indent=2)
