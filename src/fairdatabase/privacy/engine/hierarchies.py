"""Hierarchies of values: built from a table, checked against it, and written out.

``build_hierarchy`` proposes one for any column, ``check_hierarchy`` tells whether an edited or
imported one fits, ``tabulate`` shows what it does. A level is a step of a recipe, so the labels of
a release are those shown here. ``hierarchy_files`` reads and writes files.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import cycle, pairwise
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from fairdatabase.privacy.engine.arrays import code
from fairdatabase.privacy.engine.measures import Integers
from fairdatabase.privacy.engine.session import Source, as_texts, open_session, quote, relation
from fairdatabase.privacy.engine.steps import DATES, NUMBERS, Expression, apply_step, check
from fairdatabase.privacy.errors import HierarchyError, RecipeError
from fairdatabase.privacy.schemas.hierarchies import (
    Generalisation,
    Hierarchy,
    HierarchyRow,
    HierarchyTable,
)
from fairdatabase.privacy.schemas.recipes import (
    DropColumn,
    Intervals,
    Prefix,
    Recipe,
    Recode,
    TruncateDate,
)
from fairdatabase.tables.schemas import ColumnSchema, ColumnType

LEFT_OUT = "*"
"""Label of every value where the column is left out, as ARX writes it."""
OTHER = "other"

_RARE = (0.01, 0.05, 0.1)
"""Values with a smaller share of the rows than this go together, level by level."""
_CODE_LENGTHS = range(2, 11)
_CODES = 0.9
"""Share of the distinct values that look like codes, where all are cut like codes."""
_FEWEST_INTERVALS = 2
_LEAST_COARSER = 1.5
_FEW = 10
_LEAST_EXPONENT = -9
_WIDEST = 10**15


@dataclass(frozen=True)
class Domain:
    """The distinct values of a column, ascending with the missing one last, and their labels.

    Attributes:
        values: The values.
        rows: Rows with each of them.
        labels: One array for each level of a hierarchy, in the order of the values.
    """

    values: pa.ChunkedArray
    rows: Integers
    labels: tuple[pa.ChunkedArray, ...]

    @cached_property
    def codes(self) -> tuple[Integers, ...]:
        """The place of each value and, for each level, a number for its label."""
        return (np.arange(self.rows.size), *(code(labels).codes for labels in self.labels))

    @cached_property
    def texts(self) -> list[str | None]:
        """The values as text."""
        return as_texts(self.values.combine_chunks())


def domain(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    column: ColumnSchema,
    levels: Sequence[Generalisation] = (),
) -> Domain:
    """Read the values of a column and label them.

    Args:
        connection: Session to read with.
        source: Parquet file or Arrow table.
        column: Its column.
        levels: Levels to label the values with.
    """
    labels = [label_of(level, Expression("v"), place) for place, level in enumerate(levels)]
    parameters: dict[str, object] = {}
    for each in labels:
        parameters |= each.parameters
    chosen = "".join(f", {each.sql} AS l{place}" for place, each in enumerate(labels))
    found = connection.sql(
        f"SELECT v, n{chosen} FROM (SELECT {quote(column.key)} AS v, count(*) AS n"
        f" FROM {relation(connection, source)} GROUP BY ALL) ORDER BY v NULLS LAST",
        params=parameters,
    ).to_arrow_table()
    return Domain(
        found["v"],
        found["n"].to_numpy().astype(np.int64),
        tuple(found[f"l{place}"] for place in range(len(labels))),
    )


def label_of(level: Generalisation, value: Expression, place: int) -> Expression:
    """Return the label of a value on a level, as SQL with parameters named by its place."""
    if isinstance(level, DropColumn):
        return Expression(f"'{LEFT_OUT}'")
    return apply_step(level, value, place, None)


def build_hierarchy(
    source: Path, column: ColumnSchema, *, parents: Mapping[str, str] | None = None
) -> Hierarchy:
    """Propose a hierarchy for a column.

    Numbers go into ever wider round intervals, dates become months, quarters, years and decades,
    codes such as postcodes lose their last characters, and rare categories go together. With
    ``parents`` categories become their ancestors. Leaving the column out is always the last level.

    Args:
        source: Parquet file of the table.
        column: Its column.
        parents: Broader term of each term, such as those of an ontology; terms without one stay.

    Raises:
        HierarchyError: If a term is its own ancestor, or the column's type has no categories.
    """
    with open_session() as connection:
        return propose(connection, source, column, parents=parents)


def propose(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    column: ColumnSchema,
    *,
    parents: Mapping[str, str] | None = None,
) -> Hierarchy:
    """Propose a hierarchy within a session; see ``build_hierarchy``."""
    plain = domain(connection, source, column)
    levels = (
        *(_ancestors(column.name, plain, parents) if parents else _levels(column, plain)),
        DropColumn(column=column.name),
    )
    hierarchy = Hierarchy(column=column.name, levels=levels)
    check_levels(hierarchy, column)
    labelled = domain(connection, source, column, levels)
    distinct = [int(np.unique(codes).size) for codes in labelled.codes]
    kept = [
        level
        for level, (before, after) in zip(levels, pairwise(distinct), strict=True)
        if after < before or level is levels[-1]
    ]
    return hierarchy.model_copy(update={"levels": tuple(kept)})


def _levels(column: ColumnSchema, plain: Domain) -> Iterator[Generalisation]:
    name = column.name
    if column.type in DATES:
        finest = ("day",) if column.type is ColumnType.DATETIME else ()
        for to in (*finest, "month", "quarter", "year", "decade"):
            yield TruncateDate(column=name, to=to)
    elif column.type in NUMBERS:
        for width in _widths(plain):
            yield Intervals(column=name, width=width)
    elif column.type is ColumnType.TEXT:
        yield from _text_levels(name, plain)


def _widths(plain: Domain) -> list[float]:
    values = plain.values.drop_null().to_numpy().astype(np.float64)
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return []
    return nested_widths(float(finite.max()) - float(finite.min()), finite.size)


def nested_widths(extent: float, distinct: int) -> list[float]:
    """Return round interval widths for a column, each a multiple of the one before.

    Powers of ten and their fives, and doublings as soon as few intervals are left.

    Args:
        extent: Difference of the column's largest and smallest value.
        distinct: Number of its distinct values; no width makes nearly as many intervals.
    """
    if extent <= 0:
        return []
    spacing = Decimal(extent / distinct).adjusted()
    width, factors = Decimal(1).scaleb(max(spacing, _LEAST_EXPONENT)), cycle((5, 2))
    widths = []
    while extent / float(width) >= _FEWEST_INTERVALS and width <= _WIDEST:
        intervals = extent / float(width)
        if intervals <= distinct / _LEAST_COARSER:
            widths.append(float(width))
        width *= 2 if intervals <= _FEW else next(factors)
    return widths


def _text_levels(name: str, plain: Domain) -> Iterator[Generalisation]:
    texts = [text for text in plain.texts if text is not None]
    longest = max(map(len, texts), default=0)
    if _are_codes(texts):
        for length in range(longest - 1, 0, -1):
            yield Prefix(column=name, length=length)
        return
    total = plain.rows.sum()
    for share in _RARE:
        common = {
            text: text
            for text, rows in zip(plain.texts, plain.rows.tolist(), strict=True)
            if text is not None and rows >= share * total
        }
        if common:
            yield Recode(column=name, mapping=common, other=OTHER)


def _are_codes(texts: Sequence[str]) -> bool:
    """Return whether nearly all texts are short, without words, and hold a digit."""
    alike = sum(
        len(text) in _CODE_LENGTHS
        and any(character.isdigit() for character in text)
        and all(character.isalnum() or character in " ./-" for character in text)
        for text in texts
    )
    return alike > 0 and alike >= _CODES * len(texts)


def _ancestors(name: str, plain: Domain, parents: Mapping[str, str]) -> Iterator[Generalisation]:
    """Yield one level for each step towards the roots, deepest terms first."""
    lines = {text: _line(text, parents) for text in plain.texts if text is not None}
    deepest = max(map(len, lines.values()), default=0)
    for depth in range(deepest - 1, 0, -1):
        yield Recode(column=name, mapping={text: line[:depth][-1] for text, line in lines.items()})


def _line(term: str, parents: Mapping[str, str]) -> list[str]:
    """Return the ancestors of a term, root first, and the term itself."""
    line = [term]
    while line[-1] in parents:
        line.append(parents[line[-1]])
        if len(line) > len(parents) + 1:
            raise HierarchyError(
                f"{term!r} is its own ancestor; correct its broader terms so that they end."
            )
    return line[::-1]


def check_levels(hierarchy: Hierarchy, column: ColumnSchema) -> None:
    """Check that the levels of a hierarchy fit a column, without looking at its values.

    Raises:
        HierarchyError: If they do not; the message says which level and how to mend it.
    """
    for place, level in enumerate(hierarchy.levels, start=1):
        if level.column != column.name or hierarchy.column != column.name:
            raise HierarchyError(
                f"Level {place} is for column {level.column!r}, the hierarchy for"
                f" {hierarchy.column!r}, and the column is {column.name!r}; use one name."
            )
        if isinstance(level, DropColumn):
            if place < len(hierarchy.levels):
                raise HierarchyError(
                    f"Level {place} leaves the column out; that can only be the last level."
                )
            continue
        try:
            check(Recipe(steps=(level,)), [column])
        except RecipeError as error:
            raise HierarchyError(f"Level {place} does not fit: {error}") from error


def check_hierarchy(source: Path, column: ColumnSchema, hierarchy: Hierarchy) -> None:
    """Check that a hierarchy covers every value of a column and that its levels nest.

    Args:
        source: Parquet file of the table.
        column: Its column.
        hierarchy: Hierarchy to check.

    Raises:
        HierarchyError: If it does not; the message says which level and how to mend it. It quotes
            labels of the hierarchy and no value of the table: ``uncovered`` lists these.
    """
    with open_session() as connection:
        fitting(connection, source, column, hierarchy)


def fitting(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    column: ColumnSchema,
    hierarchy: Hierarchy,
) -> Domain:
    """Return the labelled values of a column within a session; see ``check_hierarchy``."""
    check_levels(hierarchy, column)
    found = domain(connection, source, column, hierarchy.levels)
    for place, gaps in enumerate(_gaps(found), start=1):
        if gaps.any():
            raise HierarchyError(
                f"Level {place} of {column.name!r} has no label for {int(gaps.sum())} values"
                f" ({int(found.rows[gaps].sum())} rows) of the table; add them, or name a label"
                " for all others."
            )
    for place in range(1, len(hierarchy.levels)):
        _check_nesting(hierarchy, place, found)
    return found


def uncovered(
    source: Path, column: ColumnSchema, hierarchy: Hierarchy, *, limit: int = 100
) -> tuple[str, ...]:
    """Return values of a column for which some level of a hierarchy has no label, in order.

    Args:
        source: Parquet file of the table.
        column: Its column.
        hierarchy: Hierarchy to look at.
        limit: Most values returned.
    """
    with open_session() as connection:
        found = domain(connection, source, column, hierarchy.levels)
    missing = np.logical_or.reduce(_gaps(found), initial=False, axis=0)
    places = np.flatnonzero(np.broadcast_to(missing, found.rows.shape))[:limit]
    return tuple(str(found.texts[place]) for place in places)


def _gaps(found: Domain) -> list[np.ndarray]:
    present = found.values.is_valid().to_numpy()
    return [labels.is_null().to_numpy() & present for labels in found.labels]


def _check_nesting(hierarchy: Hierarchy, place: int, found: Domain) -> None:
    finer, coarser = found.codes[place], found.codes[place + 1]
    torn = np.bincount(np.unique(np.stack([finer, coarser]), axis=1)[0]) > 1
    if not torn.any():
        return
    members = np.flatnonzero(finer == torn.argmax())
    other = members[coarser[members] != coarser[members[0]]][0]
    example = ""
    if all(isinstance(level, Recode) for level in hierarchy.levels[place - 1 : place + 1]):
        label, one, two = (
            labels[int(member)].as_py()
            for labels, member in zip(
                (found.labels[place - 1], *[found.labels[place]] * 2),
                (members[0], members[0], other),
                strict=True,
            )
        )
        example = f" ({label!r} becomes both {one!r} and {two!r})"
    raise HierarchyError(
        f"Level {place + 1} of {hierarchy.column!r} separates what level {place} joins, for"
        f" {int(torn.sum())} of its labels{example}. Let each label go to one coarser label."
    )


def tabulate(
    source: Path, column: ColumnSchema, hierarchy: Hierarchy, *, limit: int | None = None
) -> HierarchyTable:
    """Write a hierarchy out over the values of a column, to be shown or edited.

    Args:
        source: Parquet file of the table.
        column: Its column.
        hierarchy: Hierarchy that fits it.
        limit: Most values written out; all by default.

    Raises:
        HierarchyError: If the hierarchy does not fit, see ``check_hierarchy``.
    """
    with open_session() as connection:
        found = fitting(connection, source, column, hierarchy)
    labels = [each.to_pylist() for each in found.labels]
    rows = [
        HierarchyRow(value=value, rows=count, labels=tuple(each[place] for each in labels))
        for place, (value, count) in enumerate(
            zip(found.texts[:limit], found.rows.tolist(), strict=False)
        )
    ]
    return HierarchyTable(
        column=column.name,
        distinct=tuple(int(np.unique(codes).size) for codes in found.codes),
        rows=tuple(rows),
    )
