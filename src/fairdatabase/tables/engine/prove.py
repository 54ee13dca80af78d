"""Proofs that texts are values of a type, without losing anything.

A type is taken only if every value converts, and converting back gives the same value: ``01234``
stays text because an integer would lose the zero, ``12345678901234567890`` because neither an
integer nor a number can hold it exactly. Whole Arrow arrays are proven at once.

A number (IEEE 754 double) is exact when it has at most 15 significant digits, or when its digits
are those of the shortest text that reads back as the same double, or those of that double printed
with 17 digits. [1]

[1] W. Kahan, "Lecture Notes on the Status of IEEE Standard 754", 1997: 15 decimal digits survive
    the way into a double and back, 17 digits identify a double.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fairdatabase.tables.schemas import ColumnType

MAX_EXACT_INTEGER = 2**53
"""Up to this magnitude every integer is a double as well."""

ARROW_TYPES: dict[ColumnType, Any] = {
    ColumnType.TEXT: pa.string(),
    ColumnType.INTEGER: pa.int64(),
    ColumnType.NUMBER: pa.float64(),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.DATE: pa.date32(),
    ColumnType.DATETIME: pa.timestamp("us"),
    ColumnType.TIME: pa.time64("us"),
}
UTC_DATETIME = pa.timestamp("us", tz="UTC")
_TRUE = pa.array(["true", "True", "TRUE"])
_BOOLEANS = pa.array(["true", "True", "TRUE", "false", "False", "FALSE", None])

_ZERO, _NINE, _PLUS, _MINUS, _SPACE, _TAB = b"09+- \t"
_SAFE_LENGTH = 15  # no text this short has more than 15 digits
_SIGN_EXPONENT = r"[eE].*$|[-+]"
_LEAST, _GREATEST = 1e-290, 1e300  # within, 15 digits never lose to underflow or overflow
_NO_BYTES = np.zeros(1, np.uint8)
_TIME_LENGTH = len("HH:MM:SS")
_DATETIME_LENGTH = len("YYYY-MM-DDTHH:MM")


def all_true(mask: pa.Array) -> bool:
    """Whether no value of a boolean array is false; missing ones do not count."""
    return bool(pc.all(mask, min_count=0).as_py())


class TextBytes:
    """The bytes of a string array as NumPy arrays, without copying them.

    Attributes:
        data: All bytes; at least one.
        starts: Index of each text's first byte.
        lengths: Number of bytes of each text.
    """

    __slots__ = ("data", "lengths", "starts")

    def __init__(self, values: pa.Array) -> None:
        _, offsets, data = values.buffers()
        bounds = np.frombuffer(offsets, np.int32)[values.offset : values.offset + len(values) + 1]
        self.data = np.frombuffer(data, np.uint8) if data else _NO_BYTES
        if not len(self.data):
            self.data = _NO_BYTES
        self.starts = bounds[:-1]
        self.lengths = np.diff(bounds)

    def byte(self, positions: NDArray[np.int32]) -> NDArray[np.uint8]:
        """Bytes at positions; one outside the data gives the nearest byte."""
        return self.data.take(positions, mode="clip")


def may_be_padded(texts: TextBytes) -> bool:
    """Whether any text may begin or end with a space or a tab; empty texts may be mistaken."""
    for positions in (texts.starts, texts.starts + texts.lengths - 1):
        edge = texts.byte(positions)
        if ((edge == _SPACE) | (edge == _TAB)).any():
            return True
    return False


def _after_sign(
    texts: TextBytes,
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.bool_]]:
    """Starts behind a sign, lengths from there, and whether there is a sign."""
    first = texts.byte(texts.starts)
    signed = ((first == _PLUS) | (first == _MINUS)) & (texts.lengths > 0)
    if not signed.any():
        return texts.starts, texts.lengths, signed
    return texts.starts + signed, texts.lengths - signed, signed


def has_leading_zeros(texts: TextBytes) -> bool:
    """Whether any text is a digit after a zero, such as ``007`` or ``-01.5``."""
    starts, lengths, _ = _after_sign(texts)
    second = texts.byte(starts[(texts.byte(starts) == _ZERO) & (lengths > 1)] + 1)
    return bool(((second >= _ZERO) & (second <= _NINE)).any())


def prove(values: pa.Array, column_type: ColumnType) -> pa.Array | None:
    """Convert texts to a type if that loses nothing.

    Args:
        values: Arrow string array; NULL where a value is missing.
        column_type: The type to prove.

    Returns:
        The converted array, or None if at least one value is not of the type.
    """
    if column_type is ColumnType.TEXT:
        return values
    try:
        return _PROOFS[column_type](values)
    except pa.ArrowInvalid:  # how Arrow says that a text does not convert
        return None


def _integer(values: pa.Array) -> pa.Array | None:
    converted = pc.cast(values, pa.int64())
    # Arrow takes an optional minus and digits, or hexadecimal digits after 0x; of these, exactly
    # the texts that begin with a zero and are not "0" would look different afterwards.
    texts = TextBytes(values)
    starts, lengths, signed = _after_sign(texts)
    zero = (texts.byte(starts) == _ZERO) & (lengths > 0)
    return None if (zero & ((lengths > 1) | signed)).any() else converted


def _number(values: pa.Array) -> pa.Array | None:
    converted = pc.cast(values, pa.float64())
    texts = TextBytes(values)
    if has_leading_zeros(texts):
        return None
    numbers = np.frombuffer(converted.buffers()[1], np.float64)[
        converted.offset : converted.offset + len(converted)
    ]
    magnitude = np.abs(numbers)
    exact = (texts.lengths <= _SAFE_LENGTH) & (magnitude >= _LEAST) & (magnitude <= _GREATEST)
    exact |= (numbers == 0) & (texts.lengths == 1)
    if not exact.all():
        doubtful = pa.array(~exact)
        if not _same_digits(pc.filter(values, doubtful), pc.filter(converted, doubtful)):
            return None
    return converted


def _same_digits(texts: pa.Array, numbers: pa.Array) -> bool:
    if not all_true(pc.is_finite(numbers)):
        return False
    shortest = pc.cast(numbers, pa.string())
    differs = pc.not_equal(texts, shortest)
    texts, numbers, shortest = (pc.filter(item, differs) for item in (texts, numbers, shortest))
    differs = pc.not_equal(_significant(texts), _significant(shortest))
    rest = pc.filter(texts, differs).to_pylist()
    return all(_is_exact(text) for text in set(rest))


def _significant(texts: pa.Array) -> pa.Array:
    bare = pc.replace_substring_regex(texts, _SIGN_EXPONENT, "")
    return pc.utf8_trim(pc.replace_substring(bare, ".", ""), "0")


def _is_exact(text: str) -> bool:
    return Decimal(text) == Decimal(f"{float(text):.16e}")


def _boolean(values: pa.Array) -> pa.Array | None:
    if not pc.all(pc.is_in(values, value_set=_BOOLEANS)).as_py():
        return None
    truth = pc.is_in(values, value_set=_TRUE)
    return pc.if_else(pc.is_valid(values), truth, None) if values.null_count else truth


def _date(values: pa.Array) -> pa.Array | None:
    return pc.cast(values, pa.date32())  # Arrow takes YYYY-MM-DD only


def _datetime(values: pa.Array) -> pa.Array | None:
    if not all_true(pc.greater_equal(pc.binary_length(values), _DATETIME_LENGTH)):
        return None
    zoned = pc.ends_with(values, "Z")
    if pc.any(zoned, min_count=0).as_py():
        # Only UTC: converting another offset would lose the local time.
        return pc.cast(values, UTC_DATETIME) if all_true(zoned) else None
    return pc.cast(values, ARROW_TYPES[ColumnType.DATETIME])


def _time(values: pa.Array) -> pa.Array | None:
    if not all_true(pc.greater_equal(pc.binary_length(values), _TIME_LENGTH)):
        return None
    if not all_true(pc.match_substring_regex(values, r"^\d\d:\d\d:\d\d(\.\d{1,6})?$")):
        return None
    day = pa.scalar("1970-01-01", pa.string())
    moments = pc.cast(
        pc.binary_join_element_wise(day, values, " "), ARROW_TYPES[ColumnType.DATETIME]
    )
    return pc.cast(moments, pa.time64("us"))


_PROOFS: dict[ColumnType, Callable[[pa.Array], pa.Array | None]] = {
    ColumnType.INTEGER: _integer,
    ColumnType.NUMBER: _number,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.DATE: _date,
    ColumnType.DATETIME: _datetime,
    ColumnType.TIME: _time,
}

_NUMERIC_CODE = re.compile(r"[-+.\d]")


def may_be_value(code: str) -> bool:
    """Whether a missing code, such as ``-9``, could be taken for a value of some type."""
    return bool(_NUMERIC_CODE.match(code)) or code.lower() in ("true", "false", "inf")
