"""Jinja filters: how numbers, dates and the platform's own words are shown to people."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final

_THIN_SPACE: Final = "\u202f"
_BINARY_STEP: Final = 1000
_SIZES: Final = ("bytes", "kB", "MB", "GB", "TB")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_COLUMN_TYPES: Final = {
    "text": "Text",
    "integer": "Whole number",
    "number": "Number",
    "boolean": "Yes or no",
    "date": "Date",
    "datetime": "Date and time",
    "time": "Time of day",
}
_COLUMN_ROLES: Final = {
    "direct_identifier": "Direct identifier",
    "quasi_identifier": "Quasi-identifier",
    "sensitive": "Sensitive",
    "insensitive": "Insensitive",
    "unassigned": "Not decided",
}


def number(value: float) -> str:
    """Show a number with groups of three digits, set apart by narrow no-break spaces.

    Four-digit numbers stay together, as the SI brochure recommends.
    """
    text = f"{value:,}"
    return text.replace(",", "" if abs(value) < 10_000 else _THIN_SPACE)  # noqa: PLR2004


def filesize(size: int) -> str:
    """Show a number of bytes in the largest decimal unit that keeps it at least 1."""
    if size == 1:
        return "1 byte"
    amount, unit = float(size), 0
    while round(amount, 1) >= _BINARY_STEP and unit < len(_SIZES) - 1:
        amount, unit = amount / _BINARY_STEP, unit + 1
    shown = f"{amount:.0f}" if unit == 0 or amount >= 100 else f"{amount:.1f}"  # noqa: PLR2004
    return f"{shown}\u00a0{_SIZES[unit]}"


def long_date(moment: date) -> str:
    """Show a day as ``22 November 2026``; a moment is shown as its day in UTC."""
    day = moment.astimezone(UTC).date() if isinstance(moment, datetime) else moment
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def percent(share: float) -> str:
    """Show a share between 0 and 1 as per cent; what is not 0 is never shown as 0."""
    shown = share * 100
    if 0 < shown < 0.1:  # noqa: PLR2004
        return "<\u202f0.1\u00a0%"
    return f"{shown:.0f}\u00a0%" if shown >= 10 or shown == 0 else f"{shown:.1f}\u00a0%"  # noqa: PLR2004


def decimal(value: float, digits: int = 2) -> str:
    """Show a measure with a fixed number of digits after the point."""
    return f"{value:.{digits}f}"


def paragraphs(text: str) -> list[str]:
    """Split a text at its empty lines; the template wraps each part, so no markup is made here."""
    return [
        part.strip() for part in re.split(r"\n\s*\n", text.replace("\r\n", "\n")) if part.strip()
    ]


def column_type(name: str) -> str:
    """Name a column type in the reader's words; an unknown name is shown as it is."""
    return _COLUMN_TYPES.get(name, name)


def column_role(name: str) -> str:
    """Name a column's role in the privacy check; an unknown name is shown as it is."""
    return _COLUMN_ROLES.get(name, name)


def spaced(name: str) -> str:
    """Show a word of a vocabulary written in one, such as ``IsSupplementTo``, as several."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize()


FILTERS: Final[dict[str, Callable[..., object]]] = {
    "number": number,
    "filesize": filesize,
    "date": long_date,
    "percent": percent,
    "decimal": decimal,
    "paragraphs": paragraphs,
    "column_type": column_type,
    "column_role": column_role,
    "spaced": spaced,
}
