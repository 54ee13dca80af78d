"""Advice about columns that stayed text although they look like something else."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fairdatabase.tables.engine.columns import ColumnReader
from fairdatabase.tables.rules import shorten
from fairdatabase.tables.schemas import ColumnType, Finding, Severity

_PATTERNS: tuple[tuple[str, str, str, str], ...] = (
    (
        "leading_zeros",
        r"[-+]?0\d+(\.\d+)?",
        "Values begin with zeros, which a number would lose, so they stayed text.",
        "Nothing has to be done if these are codes or identifiers.",
    ),
    (
        "integer_too_large",
        r"[-+]?\d{16,}",
        "Whole numbers are too large to be stored exactly as numbers, so they stayed text.",
        "Nothing has to be done if these are identifiers.",
    ),
    (
        "number_not_exact",
        r"[-+]?\d+\.?\d*([eE][-+]?\d+)?",
        "Numbers have more digits, or a larger exponent, than a number can hold exactly.",
        "Round them in the file if they are measurements.",
    ),
    (
        "thousands_separator",
        r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?",
        "Values look like numbers with thousands separators, so they stayed text.",
        "Write them without separators, as in 1234.5.",
    ),
    (
        "decimal_comma",
        r"[-+]?\d+(\.\d{3})*,\d+",
        "Values look like numbers with a decimal comma, so they stayed text.",
        "Write them with a decimal point, as in 1234.5.",
    ),
    (
        "date_format",
        r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{2,4}",
        "Values look like dates in an ambiguous order, so they stayed text.",
        "Write dates as YYYY-MM-DD.",
    ),
    (
        "datetime_offset",
        r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*[-+]\d\d:?\d\d",
        "Times have different offsets from UTC, which would be lost, so they stayed text.",
        "Write them in UTC with a Z at the end, and the offset in its own column.",
    ),
    (
        "percent",
        r"[-+]?\d+([.,]\d+)?\s*%",
        "Values are percentages with their sign, so they stayed text.",
        "Write the number alone and state the unit % in the column.",
    ),
)
_PLAIN_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_CENSORED = re.compile(r"[<>≤≥]=?\s*[\d.]+")
_MIXED_SHARE = 0.5
_MAX_STRAY_TEXTS = 3
_LIKELY_CODE = re.compile(
    r"[?.*-]|--|n\.a\.|n/?d|none|unknown|no_?data|unspecified|missing(\s*:.*)?"
    r"|not[ _](collected|applicable|provided|available)",
    re.IGNORECASE,
)


def column_findings(
    name: str, reader: ColumnReader, wished: ColumnType | None, line: int | None
) -> list[Finding]:
    """What is worth knowing about how a column was typed.

    Args:
        name: Name of the column.
        reader: Its finished reading.
        wished: The type the user asked for.
        line: Line of the value that contradicted an earlier type, if known.
    """
    findings = [*_padding(name, reader), *_wish(name, reader, wished)]
    if reader.type is not ColumnType.TEXT or wished is ColumnType.TEXT:
        return findings
    if reader.contradiction is not None:
        findings.append(_contradiction(name, reader, line))
    sample = [value.strip() for value in reader.sample]
    if not (pattern := _pattern(name, sample)):
        codes = _likely_codes(name, sample)
        return findings + (codes or _mixed(name, sample, reader))
    return findings + pattern


def reason(reader: ColumnReader, wished: ColumnType | None) -> str:
    """Why a column has its type, in words."""
    if wished is not None and reader.type is wished:
        return "You asked for this type, and it holds for all values."
    if reader.type is None:
        return "All values are missing, so nothing is known about the type."
    if reader.type is ColumnType.TEXT:
        if reader.contradiction is None:
            return "The values are not all of one other type."
        row, value, before = reader.contradiction
        return f"Row {row + 1:,} holds {shorten(value)!r}, which is no {before.value}."
    return f"All {_PLURALS[reader.type]} convert without any loss."


_PLURALS = {
    ColumnType.INTEGER: "values are whole numbers and",
    ColumnType.NUMBER: "values are numbers and",
    ColumnType.BOOLEAN: "values are true or false and",
    ColumnType.DATE: "values are dates (YYYY-MM-DD) and",
    ColumnType.DATETIME: "values are dates with times and",
    ColumnType.TIME: "values are times of day and",
}


def _padding(name: str, reader: ColumnReader) -> list[Finding]:
    if not reader.padded:
        return []
    kept = reader.type is ColumnType.TEXT
    return [
        Finding(
            code="padded_values",
            severity=Severity.INFO,
            message="Values have spaces around them"
            + (", which were kept." if kept else "; they were read without."),
            advice="Set the option `trim` to remove them." if kept else None,
            column=name,
            count=reader.padded,
        )
    ]


def _wish(name: str, reader: ColumnReader, wished: ColumnType | None) -> list[Finding]:
    if wished is None or reader.type in (wished, None):
        return []
    return [
        Finding(
            code="type_not_proven",
            severity=Severity.WARNING,
            message=f"The column stayed text: not all values are of the type {wished.value}.",
            advice="Repair these values, or declare them as missing codes.",
            column=name,
            value=_example(reader),
        )
    ]


def _example(reader: ColumnReader) -> str | None:
    if reader.contradiction is not None:
        return shorten(reader.contradiction[1])
    return shorten(reader.sample[0]) if reader.sample else None


def _contradiction(name: str, reader: ColumnReader, line: int | None) -> Finding:
    row, value, before = reader.contradiction or (0, "", ColumnType.TEXT)
    return Finding(
        code="mixed_types",
        severity=Severity.WARNING,
        message=f"The values before row {row + 1:,} are of the type {before.value}, this one is "
        "not, so the column stayed text.",
        advice="Repair the value, or declare it as a missing code.",
        column=name,
        line=line,
        value=shorten(value),
    )


def _pattern(name: str, sample: Sequence[str]) -> list[Finding]:
    for code, pattern, message, advice in _PATTERNS:
        special = [value for value in sample if re.fullmatch(pattern, value)]
        others = (value for value in sample if not re.fullmatch(pattern, value))
        if special and all(_PLAIN_NUMBER.fullmatch(value) for value in others):
            return [
                Finding(
                    code=code,
                    severity=Severity.WARNING if code not in _HARMLESS else Severity.INFO,
                    message=message,
                    advice=advice,
                    column=name,
                    value=shorten(special[0]),
                )
            ]
    return []


_HARMLESS = ("leading_zeros", "integer_too_large")


def _likely_codes(name: str, sample: Sequence[str]) -> list[Finding]:
    codes = [value for value in sample if _LIKELY_CODE.fullmatch(value)]
    if not codes:
        return []
    return [
        Finding(
            code="possible_missing_code",
            severity=Severity.WARNING,
            message="Values look like codes for missing values; they were stored as text.",
            advice="If they mean that the value is missing, declare them as missing codes.",
            column=name,
            value=shorten(", ".join(codes[:_MAX_STRAY_TEXTS])),
        )
    ]


def _mixed(name: str, sample: Sequence[str], reader: ColumnReader) -> list[Finding]:
    strays = [value for value in sample if not _PLAIN_NUMBER.fullmatch(value)]
    if reader.contradiction or not strays or len(strays) > _MIXED_SHARE * len(sample):
        return []
    censored = all(_CENSORED.fullmatch(value) for value in strays)
    return [
        Finding(
            code="censored_values" if censored else "mixed_types",
            severity=Severity.WARNING,
            message="Most values are numbers and some are "
            + ("limits such as <0.5" if censored else "not")
            + ", so the column stayed text.",
            advice="Repair these values, or declare them as missing codes.",
            column=name,
            value=shorten(strays[0]),
        )
    ]
