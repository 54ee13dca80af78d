"""Suggest what the columns of a table mean for privacy, from their names and values.

A suggestion is for a person to confirm: a pattern proves nothing, and a column without any may
still identify people. Values are looked at in the stored file and never quoted.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from fairdatabase.privacy.engine.attributes import ATTRIBUTES
from fairdatabase.privacy.engine.detectors import Detector
from fairdatabase.privacy.engine.identifiers import IDENTIFIERS, RECORD_ID, SUBJECT
from fairdatabase.privacy.engine.reads import host_reads
from fairdatabase.privacy.engine.session import open_session, quote, scan_argument
from fairdatabase.privacy.schemas import RoleSuggestion
from fairdatabase.tables.schemas import ColumnRole, ColumnSchema, ColumnType

DETECTORS = (*IDENTIFIERS, *ATTRIBUTES)

EXAMINED = 2_000
"""Distinct values looked at in one column."""

FITTING = 0.9
"""Share of them that have to look like something for the column to be it."""

NEARLY_UNIQUE = 0.95
"""Share of distinct values among all from which on a column tells nearly every row apart."""

FEW_ROWS = 20
LONG_NUMBER = 10_000_000
"""Whole numbers below this are not looked at one by one: no known identifier is shorter."""

_BLOCK = 500
_EXAMINED_TYPES = frozenset({ColumnType.TEXT, ColumnType.DATE, ColumnType.DATETIME})
_NAME_AND_VALUES = 0.95
_NAME_ALONE = 0.7
_HOST_READS = 0.99
_NAME_AGAINST_VALUES = 0.5
_UNIQUENESS = 0.6
_DATE = 0.5
_NOTHING_FOUND = 0.3


@dataclass(frozen=True)
class _Profile:
    """Values of one column: examined ones, how many are distinct, how many are present."""

    values: tuple[str, ...]
    distinct: int
    present: int

    def share(self, detector: Detector, *, least: float) -> float:
        """Return the share of examined values that look like what the detector looks for.

        Once so many values failed that ``least`` is out of reach the others are not looked at, and
        the share is 0: most columns are none of most kinds.
        """
        if not self.values:
            return 0.0
        if detector.share is not None:
            return detector.share(self.values)
        if detector.fits is None:
            return 0.0
        total, failed = len(self.values), 0
        for value in self.values:
            failed += not detector.fits(value)
            if (total - failed) / total < least:
                return 0.0
        return (total - failed) / total


def suggest_roles(source: Path, columns: Sequence[ColumnSchema]) -> list[RoleSuggestion]:
    """Suggest a role for every column, with evidence and confidence.

    The values of texts, dates and long whole numbers are examined; other columns are judged by
    name and type. A kind is recognised where at least 90 % of the distinct values examined look
    like it.

    Args:
        source: Parquet file.
        columns: Its columns.

    Returns:
        One suggestion per column, in the same order.
    """
    with open_session() as connection:
        scan = scan_argument(source)
        examined = {
            column.key: _profile(connection, scan, column.key)
            for column in _worth_examining(connection, scan, columns)
        }
    nothing = _Profile((), 0, 0)
    return [_suggest(column, examined.get(column.key, nothing)) for column in columns]


def identifies_records(name: str) -> bool:
    """Return whether a column's name says that it numbers samples or people."""
    return RECORD_ID.fullmatch(_in_words(name)) is not None


def _in_words(name: str) -> str:
    """Return a column's name in lower-case words: ``patientID_2`` is ``patient id 2``."""
    spaced = re.sub(r"(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return " ".join(re.findall(r"[^\W_]+", spaced)).lower()


def _worth_examining(
    connection: duckdb.DuckDBPyConnection, scan: str, columns: Sequence[ColumnSchema]
) -> Iterator[ColumnSchema]:
    yield from (column for column in columns if column.type in _EXAMINED_TYPES)
    whole = [column for column in columns if column.type is ColumnType.INTEGER]
    for start in range(0, len(whole), _BLOCK):
        block = whole[start : start + _BLOCK]
        largest = ", ".join(f"max({quote(column.key)})" for column in block)
        found = connection.execute(f"SELECT {largest} FROM read_parquet(?)", [scan]).fetchall()[0]
        yield from (
            column
            for column, value in zip(block, found, strict=True)
            if (value or 0) >= LONG_NUMBER or identifies_records(column.name)
        )


def _profile(connection: duckdb.DuckDBPyConnection, scan: str, key: str) -> _Profile:
    rows = connection.execute(
        "SELECT v, count(*) OVER (), sum(n) OVER () FROM (SELECT CAST(c AS VARCHAR) AS v,"
        f" count(*) AS n FROM (SELECT {quote(key)} AS c FROM read_parquet($scan))"
        " WHERE c IS NOT NULL GROUP BY v) ORDER BY hash(v), v LIMIT $examined",
        {"scan": scan, "examined": EXAMINED},
    ).fetchall()
    _, distinct, present = rows[0] if rows else (None, 0, 0)
    return _Profile(tuple(value for value, _, _ in rows), distinct, int(present))


def _suggest(column: ColumnSchema, profile: _Profile) -> RoleSuggestion:
    words = _in_words(column.name)
    found = [
        suggestion
        for detector in DETECTORS
        if column.type in detector.types
        and (suggestion := _recognise(column, words, detector, profile)) is not None
    ]
    found += _by_uniqueness(column, profile)
    if column.type in {ColumnType.DATE, ColumnType.DATETIME}:
        found.append(
            RoleSuggestion(
                column=column.name,
                role=ColumnRole.QUASI_IDENTIFIER,
                detector="event_date",
                confidence=_DATE,
                evidence="The column holds dates, which others may know of a person.",
            )
        )
    # max keeps the first of equals: the order of the detectors decides.
    return max(found, key=lambda suggestion: suggestion.confidence, default=_unknown(column))


def _recognise(
    column: ColumnSchema, words: str, detector: Detector, profile: _Profile
) -> RoleSuggestion | None:
    named = detector.words is not None and detector.words.search(words) is not None
    enough = detector.content_only is not None and profile.distinct >= detector.content_only
    if not named and not enough:
        return None
    share = profile.share(detector, least=0.0 if named else FITTING)
    fits = share >= FITTING
    if not named and not fits:
        return None
    values = f"{share:.0%} of {len(profile.values):,} distinct values look like one"
    if not named:
        confidence, evidence = detector.alone, f"Perhaps {detector.what}: {values}."
    elif fits:
        confidence = _NAME_AND_VALUES
        evidence = f"The name says {detector.what}, and {values}."
    elif detector.fits is None:
        confidence, evidence = _NAME_ALONE, f"The name says {detector.what}."
    else:
        confidence = _NAME_AGAINST_VALUES
        evidence = f"The name says {detector.what}, but only {values}."
    code = detector.code
    if code == "sequence" and (found := host_reads(profile.values)).human:
        code, confidence = "host_read", _HOST_READS
        evidence += (
            f" {found.human:,} of {found.reads:,} contain a sequence that is human and not"
            " microbial: remove the reads of the host before you share any."
        )
    return RoleSuggestion(
        column=column.name,
        role=detector.role,
        detector=code,
        confidence=confidence,
        evidence=evidence,
    )


def _by_uniqueness(column: ColumnSchema, profile: _Profile) -> Iterator[RoleSuggestion]:
    share = profile.distinct / profile.present if profile.present else 0.0
    unique = share >= NEARLY_UNIQUE and profile.present >= FEW_ROWS
    subject = unique and SUBJECT.fullmatch(_in_words(column.name)) is not None
    named = subject or identifies_records(column.name)
    apart = f"{share:.0%} of {profile.present:,} values are different"
    if named:
        yield RoleSuggestion(
            column=column.name,
            role=ColumnRole.DIRECT_IDENTIFIER,
            detector="record_id",
            confidence=_NAME_AND_VALUES if unique else _NAME_ALONE,
            evidence=f"The name says that it numbers samples or people, and {apart}.",
        )
    elif unique and column.type is ColumnType.TEXT:
        yield RoleSuggestion(
            column=column.name,
            role=ColumnRole.DIRECT_IDENTIFIER,
            detector="record_id",
            confidence=_UNIQUENESS,
            evidence=f"It tells nearly every row apart: {apart}.",
        )


def _unknown(column: ColumnSchema) -> RoleSuggestion:
    if column.type is ColumnType.TEXT:
        return RoleSuggestion(
            column=column.name,
            role=ColumnRole.UNASSIGNED,
            detector=None,
            confidence=0.0,
            evidence="Nothing was recognised; please look at the column.",
        )
    return RoleSuggestion(
        column=column.name,
        role=ColumnRole.INSENSITIVE,
        detector=None,
        confidence=_NOTHING_FOUND,
        evidence=f"Nothing about people was recognised in this {column.type} column.",
    )
