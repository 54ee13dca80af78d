"""Local recoding of a table: the groups that Mondrian cuts, and the labels they get."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from fairdatabase.privacy.engine.arrays import Coded, code, dense, join, tally
from fairdatabase.privacy.engine.candidates import describe, identifier_steps, suppression
from fairdatabase.privacy.engine.combinations import ORDERED, is_ordered, sensitive_columns
from fairdatabase.privacy.engine.goals import Attribute, failures
from fairdatabase.privacy.engine.measures import Floats, GroupedCounts, Integers
from fairdatabase.privacy.engine.mondrian import Cells, cut
from fairdatabase.privacy.engine.session import as_texts, quote, relation
from fairdatabase.privacy.schemas.goals import Goal
from fairdatabase.privacy.schemas.hierarchies import Hierarchy
from fairdatabase.privacy.schemas.recipes import Partition, Recipe, Recode
from fairdatabase.privacy.schemas.searches import Candidate
from fairdatabase.tables.schemas import ColumnRole, ColumnSchema

OR_MISSING = " or missing"


@dataclass(frozen=True)
class Recoding:
    """A table recoded locally.

    Attributes:
        groups: The group of each row.
        combinations: Classes before.
        labels: By column, the label of each group; None where all its values are missing.
        loss: Granularity loss of each group: mean over the columns of (leaves-1)/(domain-1).
        sizes: Rows of each class, groups with equal labels being one.
        attributes: Sensitive attributes and their counts per class.
    """

    groups: Integers
    combinations: int
    labels: Mapping[str, list[str | None]]
    loss: Floats
    sizes: Integers
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True)
class _Column:
    """A column in the order in which it is cut.

    Attributes:
        values: Text of each value in that order; a missing one is last, and is None.
        places: Place of each row's value.
        levels: For categories with a hierarchy, the label of each value, finest level first.
        ordered: Whether a label is an interval or a set.
    """

    values: list[str | None]
    places: Integers
    levels: list[list[str | None]]
    ordered: bool


def recode(
    table: pa.Table,
    columns: Mapping[str, ColumnSchema],
    step: Partition,
) -> Recoding:
    """Cut the rows of a table into groups and label them.

    Args:
        table: One row for each row; its columns are named as people see them.
        columns: Schema of its columns.
        step: What to recode, and what every group has to reach.
    """
    chosen = [_column(table[name], columns[name], step.groups) for name in step.columns]
    coded = [Coded(each.places, pa.nulls(len(each.values))) for each in chosen]
    numbers, keys = dense(*join(coded, table.num_rows))
    first = np.empty(keys.size, dtype=np.int64)
    first[numbers] = np.arange(numbers.size)
    attributes = [
        _attribute(table[goal.column], is_ordered(goal, columns[goal.column]), numbers, keys.size)
        for goal in step.sensitive
    ]
    cells = Cells(
        places=np.stack([each.places[first] for each in chosen], axis=1),
        widths=np.array([len(each.values) for each in chosen]),
        weights=np.bincount(numbers, minlength=keys.size),
        attributes=[
            Attribute(goal, ordered, counts)
            for goal, (ordered, counts) in zip(step.sensitive, attributes, strict=True)
        ],
        k=step.k,
    )
    groups = cut(cells)
    return _labelled(cells, chosen, step, groups, numbers)


def _labelled(
    cells: Cells,
    chosen: Sequence[_Column],
    step: Partition,
    groups: Integers,
    numbers: Integers,
) -> Recoding:
    count = int(groups.max(initial=-1)) + 1
    labels, losses = {}, np.zeros(count)
    for name, column, places in zip(step.columns, chosen, cells.places.T, strict=True):
        labels[name], leaves = _labels(column, groups, places, count)
        losses += (leaves - 1) / max(len(column.values) - 1, 1) / len(chosen)
    coded = [code(pa.chunked_array([pa.array(each, pa.string())])) for each in labels.values()]
    classes, keys = dense(*join(coded, count))
    weights = np.bincount(classes[groups], cells.weights, keys.size)
    return Recoding(
        groups=groups[numbers],
        combinations=groups.size,
        labels=labels,
        loss=losses,
        sizes=weights.astype(np.int64),
        attributes=tuple(
            Attribute(each.goal, each.ordered, _by_class(each.counts, classes[groups], keys.size))
            for each in cells.attributes
        ),
    )


def _by_class(counts: GroupedCounts, classes: Integers, places: int) -> GroupedCounts:
    m = counts.totals.size
    numbers, keys = dense(classes[counts.classes] * m + counts.values, places * m)
    owners, values = np.divmod(keys, max(m, 1))
    summed = np.bincount(numbers, counts.counts, keys.size).astype(np.int64)
    return GroupedCounts(owners, values, summed, counts.totals)


def _attribute(
    values: pa.ChunkedArray, ordered: bool, numbers: Integers, combinations: int
) -> tuple[bool, GroupedCounts]:
    coded = code(values)
    m = coded.places
    keys, counts = tally(numbers * m + coded.codes, combinations * m)
    owners, found = np.divmod(keys, m)
    totals = np.bincount(coded.codes, minlength=m)
    present = totals > 0
    return ordered, GroupedCounts(owners, (np.cumsum(present) - 1)[found], counts, totals[present])


def _column(values: pa.ChunkedArray, schema: ColumnSchema, groups: Iterable[Recode]) -> _Column:
    """Put the values of a column into the order in which it is cut, missing ones last."""
    coded = code(values)
    texts: list[str | None] = as_texts(coded.values)
    rows = np.bincount(coded.codes, minlength=coded.places)
    levels = [
        [step.mapping.get(str(text), step.other) for text in texts]
        for step in groups
        if step.column == schema.name
    ]
    order = np.arange(len(texts))
    if schema.type not in ORDERED:
        order = np.array(sorted(order.tolist(), key=lambda at: _key(at, rows, levels)), int)
    if rows[-1]:
        order, texts = np.append(order, len(texts)), [*texts, None]
        levels = [[*level, None] for level in levels]
    places = np.empty(coded.places, dtype=np.int64)
    places[order] = np.arange(order.size)
    return _Column(
        values=[texts[at] for at in order],
        places=places[coded.codes],
        levels=[[level[at] for at in order] for level in levels],
        ordered=schema.type in ORDERED,
    )


def _key(at: int, rows: Integers, levels: Sequence[Sequence[str | None]]) -> tuple[object, ...]:
    """Return what a category is ordered by: its labels, coarsest first; how frequent it is."""
    return (*(str(level[at]) for level in reversed(levels)), -int(rows[at]))


def _labels(
    column: _Column, groups: Integers, places: Integers, count: int
) -> tuple[list[str | None], Integers]:
    """Return the label of each group in a column, and how many values share it."""
    width = len(column.values)
    pairs = np.unique(groups * width + places)
    owners, found = np.divmod(pairs, width)
    members = np.split(found, np.flatnonzero(np.diff(owners)) + 1) if count else []
    made: dict[bytes, tuple[str | None, int]] = {}
    labels = []
    for each in members:
        ends = each[[0, max(each.size - 2, 0), -1]]
        key = (ends if column.ordered else each).tobytes()
        if key not in made:
            made[key] = _label(column, each)
        labels.append(made[key])
    return [label for label, _ in labels], np.array([leaves for _, leaves in labels], dtype=int)


def _label(column: _Column, members: Integers) -> tuple[str | None, int]:
    """Return the label of some values, and how many values it stands for."""
    texts = [column.values[at] for at in members.tolist()]
    present = [text for text in texts if text is not None]
    missing = len(present) < len(texts)
    if not present:
        return None, 1
    suffix = OR_MISSING if missing else ""
    if len(present) == 1:
        return present[0] + suffix, 1 + missing
    if column.ordered:
        extent = int(members[len(present) - 1] - members[0]) + 1
        return f"[{present[0]}, {present[-1]}]{suffix}", extent + missing
    for level in column.levels:
        shared = {level[at] for at in members.tolist()}
        if len(shared) == 1 and None not in shared:
            return str(level[members[0]]), level.count(level[members[0]])
    return f"{{{', '.join(sorted(present))}}}{suffix}", len(texts)


def local_candidate(
    connection: duckdb.DuckDBPyConnection,
    source: Path,
    columns: Sequence[ColumnSchema],
    goal: Goal,
    hierarchies: Mapping[str, Hierarchy],
) -> Candidate | None:
    """Return what local recoding makes of a table; None where even one group misses the goal.

    Args:
        connection: Session to read with.
        source: Parquet file of the table.
        columns: Its columns with their roles.
        goal: What every group has to reach.
        hierarchies: Of categories, by column.
    """
    named = {column.name: column for column in columns}
    chosen = [each.name for each in columns if each.role is ColumnRole.QUASI_IDENTIFIER]
    asked = sensitive_columns(goal.sensitive, named)
    if not chosen:
        return None
    wanted = [named[name] for name in dict.fromkeys([*chosen, *(each.column for each, _ in asked)])]
    cells = ", ".join(f"{quote(each.key)} AS {quote(each.name)}" for each in wanted)
    table = connection.sql(f"SELECT {cells} FROM {relation(connection, source)}").to_arrow_table()
    step = Partition(
        columns=tuple(chosen),
        k=goal.k,
        sensitive=goal.sensitive,
        groups=tuple(
            level
            for name in chosen
            for level in (hierarchies[name].levels if name in hierarchies else ())
            if isinstance(level, Recode)
        ),
    )
    found = recode(table, named, step)
    failing = failures(found.sizes, goal.k, found.attributes)
    if failing.any() or not found.sizes.size:
        return None
    last = suppression(goal)
    step = step.model_copy(update={"sensitive": last.sensitive})
    return describe(
        levels={},
        recipe=Recipe(steps=(*identifier_steps(columns), step, last)),
        loss=float(found.loss[found.groups].mean()),
        sizes=found.sizes,
        attributes=found.attributes,
        failing=failing,
    )
