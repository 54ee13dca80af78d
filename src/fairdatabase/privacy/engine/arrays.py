"""Equivalence classes of a table in memory, by whole numbers instead of values.

Every column becomes codes in the order of its values, a missing one last; a row's codes make one
number, and counting these numbers gives the classes. For tables of some million rows that takes a
few milliseconds. ``classes`` does the same for tables of any size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fairdatabase.privacy.engine.classes import ClassSummary
from fairdatabase.privacy.engine.measures import GroupedCounts, Integers
from fairdatabase.privacy.engine.session import Source, as_texts, row_count
from fairdatabase.privacy.schemas import MissingChoice

ROWS_IN_MEMORY = 2_000_000
"""Tables with more rows are left to ``classes``, which spills to disk where memory is short."""

BYTES_IN_MEMORY = 1 << 27

ROOM = 8
FEW_PLACES = 1 << 16
"""Numbers up to ROOM times the rows, or these, are counted by place; others are sorted."""


@dataclass(frozen=True)
class Coded:
    """A column as codes, and the values that they stand for.

    Attributes:
        codes: One for each row: the place of its value among ``values``, or their number for NULL.
        values: Distinct values, ascending.
    """

    codes: Integers
    values: pa.Array

    @property
    def places(self) -> int:
        """How many codes there may be, the one of missing values included."""
        return len(self.values) + 1


def fits(source: Source, columns: Sequence[str]) -> bool:
    """Return whether the columns of a table can be held and coded in memory."""
    if isinstance(source, pa.Table):
        size, schema = source.select(columns).nbytes, source.schema
    else:
        size, schema = source.stat().st_size, pq.read_schema(source)
    return (
        row_count(source) <= ROWS_IN_MEMORY
        and size <= BYTES_IN_MEMORY
        and all(_codable(schema.field(name).type) for name in columns)
    )


def code(column: pa.ChunkedArray) -> Coded:
    """Code a column; negative and positive zero are the same number."""
    if pa.types.is_floating(column.type):
        column = pc.add(column, pa.scalar(0.0, column.type))
    encoded = _encoded(column)
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    ranks = np.empty(order.size + 1, dtype=np.int64)
    ranks[order] = np.arange(order.size)
    ranks[-1] = order.size
    indices = pc.fill_null(encoded.indices.cast(pa.int32()), order.size).to_numpy()
    return Coded(ranks[indices], encoded.dictionary.take(pa.array(order)))


def _encoded(column: pa.ChunkedArray) -> pa.DictionaryArray:
    if len(column) == 0:
        return pa.array([], column.type).dictionary_encode()
    return column.dictionary_encode().unify_dictionaries().combine_chunks()


def dense(key: Integers, places: int) -> tuple[Integers, Integers]:
    """Number the values of a key from 0 on in ascending order.

    Args:
        key: Whole numbers, 0 to ``places`` - 1.
        places: How many there may be.

    Returns:
        The number of each element's value, and the values.
    """
    if places > max(ROOM * key.size, FEW_PLACES):
        values, numbers = np.unique(key, return_inverse=True)
        return numbers, values
    seen = np.zeros(places, dtype=np.bool_)
    seen[key] = True
    return (np.cumsum(seen) - 1)[key], np.flatnonzero(seen)


def tally(key: Integers, places: int) -> tuple[Integers, Integers]:
    """Return the values of a key in ascending order, and how often each occurs."""
    if places > max(ROOM * key.size, FEW_PLACES):
        values, counts = np.unique(key, return_counts=True)
        return values, counts
    counts = np.bincount(key, minlength=places)
    values = np.flatnonzero(counts)
    return values, counts[values]


def join(columns: Sequence[Coded], rows: int) -> tuple[Integers, int]:
    """Make one number of the codes of a row, ascending with the values.

    Returns:
        The number of each row, and how many numbers there may be.
    """
    key, places = np.zeros(rows, dtype=np.int64), 1
    for column in columns:
        if places * column.places > max(ROOM * rows, FEW_PLACES):
            key, values = dense(key, places)
            places = values.size
        key, places = key * column.places + column.codes, places * column.places
    return key, places


def k_anonymity(source: Source, quasi_identifiers: Sequence[str]) -> int:
    """Return the size of the smallest class of a table in memory; 0 without rows.

    ``risk.assess`` says more, and takes tables of any size.
    """
    read = _read(source, quasi_identifiers)
    key, places = join([code(column) for column in read.columns], row_count(source))
    _, counts = tally(key, places)
    return int(counts.min()) if counts.size else 0


class ArrayClasses:
    """Equivalence classes of a table in memory; missing values equal missing ones only.

    Args:
        source: Parquet file or Arrow table.
        quasi_identifiers: Names of its columns.
    """

    missing: MissingChoice = "category"

    def __init__(self, source: Source, quasi_identifiers: Sequence[str]) -> None:
        self._source = source
        read = _read(source, quasi_identifiers)
        self._columns = [code(read[name]) for name in quasi_identifiers]
        self._numbers, values = dense(*join(self._columns, row_count(source)))
        self._counts = np.bincount(self._numbers, minlength=values.size)

    def sizes(self) -> dict[str, Integers]:
        """Return ``n`` and ``size`` of every class; they are the same."""
        return {"n": self._counts, "size": self._counts}

    def summary(self, k: int) -> ClassSummary:
        """Summarise the classes; those smaller than ``k`` are at risk."""
        return _summary(self._counts, k)

    def summary_without(self, index: int, k: int) -> ClassSummary:
        """Summarise the classes that the other quasi-identifiers alone would form."""
        others = [
            Coded(codes, column.values)
            for place, (codes, column) in enumerate(zip(self._codes, self._columns, strict=True))
            if place != index
        ]
        numbers, _ = dense(*join(others, self._counts.size))
        return _summary(np.bincount(numbers, weights=self._counts).astype(np.int64), k)

    def codes(self) -> list[Integers]:
        """Return the code of every class in each column."""
        return self._codes

    @cached_property
    def _codes(self) -> list[Integers]:
        first = np.empty(self._counts.size, dtype=np.int64)
        first[self._numbers] = np.arange(self._numbers.size)
        return [column.codes[first] for column in self._columns]

    def distinct_and_missing(self) -> list[tuple[int, int]]:
        """Return the distinct values of every quasi-identifier and its rows without one."""
        return [
            (len(column.values), int(np.count_nonzero(column.codes == len(column.values))))
            for column in self._columns
        ]

    def counts(self, sensitive: str) -> tuple[GroupedCounts, int]:
        """Count the rows of every class and value of a sensitive attribute, and missing values."""
        column = code(_read(self._source, [sensitive])[sensitive])
        totals = np.bincount(column.codes, minlength=column.places)
        missing = int(totals[-1])
        m = column.places if missing else column.places - 1
        keys, counts = tally(self._numbers * m + column.codes, self._counts.size * m)
        classes, values = np.divmod(keys, m)
        return GroupedCounts(classes, values, counts, totals[:m]), missing

    def smallest(self, k: int, limit: int) -> list[int]:
        """Return the ids of classes smaller than ``k``, smallest first."""
        small = np.flatnonzero(self._counts < k)
        order = np.argsort(self._counts[small], kind="stable")[:limit]
        found: list[int] = small[order].tolist()
        return found

    def values(self, ids: Sequence[int]) -> dict[int, tuple[str | None, ...]]:
        """Return the quasi-identifiers of classes as text, by id."""
        texts = []
        for column, codes in zip(self._columns, self._codes, strict=True):
            chosen = codes[list(ids)]
            gaps = chosen == len(column.values)
            texts.append(as_texts(column.values.take(pa.array(chosen, mask=gaps))))
        return dict(zip(ids, zip(*texts, strict=True) if texts else [() for _ in ids], strict=True))


def _summary(counts: Integers, k: int) -> ClassSummary:
    rows, small = int(counts.sum()), counts < k
    return ClassSummary(
        rows=rows,
        classes=counts.size,
        k=int(counts.min()) if rows else 0,
        classes_at_risk=int(small.sum()),
        rows_at_risk=int(counts[small].sum()),
        unique_rows=int(np.count_nonzero(counts == 1)),
        average_risk=counts.size / rows if rows else 1.0,
    )


def _read(source: Source, columns: Sequence[str]) -> pa.Table:
    if isinstance(source, pa.Table):
        return source.select(columns)
    with pq.ParquetFile(source, read_dictionary=list(columns)) as file:
        return file.read(columns=list(columns))


def _codable(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _codable(kind.value_type)
    return any(
        check(kind)
        for check in (
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_integer,
            pa.types.is_float32,
            pa.types.is_float64,
            pa.types.is_boolean,
            pa.types.is_temporal,
            pa.types.is_decimal,
        )
    )
