"""Reads the texts of one column batch by batch into the type that holds for all of them.

The first batch with a value suggests a type; every later batch has to prove it again. When one
does not, the column is *contradicted*: it takes the next type that holds for all values seen, and
whoever writes the table has to begin again with the types known then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from fairdatabase.tables.engine.prove import (
    ARROW_TYPES,
    MAX_EXACT_INTEGER,
    TextBytes,
    may_be_padded,
    may_be_value,
    prove,
)
from fairdatabase.tables.schemas import ColumnType

ALL_TYPES = (
    ColumnType.INTEGER,
    ColumnType.NUMBER,
    ColumnType.BOOLEAN,
    ColumnType.DATE,
    ColumnType.DATETIME,
    ColumnType.TIME,
)
"""What a text may turn out to be, in the order in which it is tried; text itself always holds."""

_PADDING = " \t"
_BEGINNING = 20
_SAMPLE_ROWS = 5000
_SAMPLE_VALUES = 500


class MissingCodes:
    """Texts that mean a missing value, compared without the spaces around them."""

    def __init__(self, codes: Sequence[str]) -> None:
        self.codes = tuple(dict.fromkeys(code.strip(_PADDING) for code in codes))
        self.array = pa.array(self.codes, pa.string())
        self.longest = max((len(code.encode()) for code in self.codes), default=-1)
        self.may_be_values = any(may_be_value(code) for code in self.codes)


class ColumnReader:
    """The reading of one column.

    Attributes:
        type: The type so far; None as long as every value was missing.
        arrow_type: The Arrow type of the converted values.
        missing: Number of missing values per code; the key None counts values without any text.
        padded: Number of values with spaces around them.
        contradiction: Row (from 0) and value that did not fit the type before, with that type.
        retyped: Whether the type changed after rows had been converted to another one.
        sample: Some distinct values, for advice.
    """

    def __init__(
        self, candidates: Sequence[ColumnType], missing: MissingCodes, *, trim: bool = False
    ) -> None:
        self.type: ColumnType | None = None
        self.arrow_type = ARROW_TYPES[ColumnType.TEXT]
        self.contradiction: tuple[int, str, ColumnType] | None = None
        self.sample: list[str] = []
        self._candidates = tuple(candidates)
        self._codes = missing
        self._trim = trim
        self._largest = 0
        self.restart()

    def restart(self) -> None:
        """Forget the counts, and keep the type, for another reading from the beginning."""
        self.missing: Counter[str | None] = Counter()
        self.padded = 0
        self.retyped = False

    @property
    def missing_total(self) -> int:
        """Number of missing values."""
        return self.missing.total()

    def read(self, values: pa.Array, row: int) -> pa.Array:
        """Convert the next batch; may set ``contradiction`` and change ``type``.

        Args:
            values: The texts; NULL where the file has no value at all.
            row: Number of the first value's row, from 0.

        Returns:
            The converted values, of ``arrow_type``.
        """
        if self._is_settled():
            converted = prove(values, self.type or ColumnType.TEXT)
            if converted is not None and self._fits(converted):
                if converted.null_count:
                    self.missing[None] += converted.null_count
                return converted
        texts = self._without_missing(values)
        if texts.null_count == len(texts):
            return pa.nulls(len(texts), self.arrow_type)
        if self.type is None:
            converted = self._suggest(texts)
            self.retyped = row > 0 and self.type is not ColumnType.TEXT
        else:
            converted = prove(texts, self.type)
        if converted is None or not self._fits(converted):
            converted = self._contradicted(texts, row)
        if converted is not texts or self._trim or not self.padded:
            return converted
        return pc.if_else(pc.is_valid(texts), values, None)  # texts keep their spaces

    def _is_settled(self) -> bool:
        """Whether values can be converted before missing codes are looked for."""
        return self.type not in (None, ColumnType.TEXT) and not self._codes.may_be_values

    def _without_missing(self, values: pa.Array) -> pa.Array:
        if values.null_count:
            self.missing[None] += values.null_count
        view = TextBytes(values)
        texts = values
        if may_be_padded(view):
            texts = pc.ascii_trim(values, characters=_PADDING)
            self.padded += pc.sum(pc.not_equal(texts, values)).as_py() or 0
            view = TextBytes(texts)
        if not (view.lengths <= self._codes.longest).any():
            return texts
        coded = pc.is_in(texts, value_set=self._codes.array)
        if not pc.any(coded, min_count=0).as_py():
            return texts
        for count in pc.value_counts(pc.filter(texts, coded)).to_pylist():
            self.missing[count["values"]] += count["counts"]
        return pc.if_else(coded, None, texts)

    def _suggest(self, texts: pa.Array) -> pa.Array:
        for candidate in self._candidates:
            converted = prove(texts, candidate)
            if converted is not None:
                self.type, self.arrow_type = candidate, converted.type
                return converted
        self.type = ColumnType.TEXT
        self._take_sample(texts)
        return texts

    def _take_sample(self, texts: pa.Array) -> None:
        """Keep values from the beginning, and from where numbers end if it begins with them."""
        begins = prove(pc.drop_null(texts.slice(0, _BEGINNING)), ColumnType.NUMBER) is not None
        end = _first_misfit(texts, ColumnType.NUMBER, pa.float64()) if begins else 0
        present = (pc.drop_null(texts.slice(start, _SAMPLE_ROWS)) for start in {0, end})
        self.sample = [
            value
            for values in present
            for value in pc.unique(values).slice(0, _SAMPLE_VALUES).to_pylist()
        ]

    def _fits(self, converted: pa.Array) -> bool:
        if converted.type != self.arrow_type:
            return False
        if self.type is ColumnType.INTEGER:
            bounds = pc.min_max(converted).as_py()
            self._largest = max(self._largest, -(bounds["min"] or 0), bounds["max"] or 0)
        return True

    def _contradicted(self, texts: pa.Array, row: int) -> pa.Array:
        before = self.type or ColumnType.TEXT
        self.retyped = True
        position = _first_misfit(texts, before, self.arrow_type)
        self.contradiction = (row + position, texts[position].as_py() or "", before)
        converted = None
        if before is ColumnType.INTEGER and self._largest <= MAX_EXACT_INTEGER:
            self.type, self.arrow_type = ColumnType.NUMBER, ARROW_TYPES[ColumnType.NUMBER]
            converted = prove(texts, ColumnType.NUMBER)
        if converted is None:
            self.type, self.arrow_type = ColumnType.TEXT, ARROW_TYPES[ColumnType.TEXT]
            converted = texts
            self._take_sample(texts.slice(position))
        return converted


def _first_misfit(texts: pa.Array, column_type: ColumnType, arrow_type: pa.DataType) -> int:
    low, high = 0, len(texts)
    while high - low > 1:
        middle = (low + high) // 2
        converted = prove(texts.slice(low, middle - low), column_type)
        if converted is None or converted.type != arrow_type:
            high = middle
        else:
            low = middle
    return low
