"""What a detector of a kind of column is; the tables are ``identifiers`` and ``attributes``."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fairdatabase.privacy.engine.recognisers import Fits
from fairdatabase.tables.schemas import ColumnRole, ColumnType

MANY = 10
"""Distinct values from which on a weak pattern says something without a fitting name."""

SURE = 0.8
UNSURE = 0.65
"""Confidence in values alone: of patterns that are hard to meet, and of others."""

TEXTS = frozenset({ColumnType.TEXT})
CODES = frozenset({ColumnType.TEXT, ColumnType.INTEGER})
DATES = frozenset({ColumnType.DATE, ColumnType.DATETIME, ColumnType.TEXT})
ANY = frozenset(ColumnType)


@dataclass(frozen=True)
class Detector:
    """One kind of column.

    Attributes:
        code: Its stable name.
        what: Its name for people, in the singular with an article.
        role: Role to suggest.
        words: What the column's name, in lower-case words, has to contain.
        types: Column types it can have.
        fits: Whether a value looks like it.
        content_only: Distinct values from which on the values suffice without a fitting name;
            None where they never do.
        alone: Confidence in the values without a fitting name.
        share: Share of values that look like it, where one value alone cannot say.
    """

    code: str
    what: str
    role: ColumnRole
    words: re.Pattern[str] | None = None
    types: frozenset[ColumnType] = ANY
    fits: Fits | None = None
    content_only: int | None = None
    alone: float = SURE
    share: Callable[[Sequence[str]], float] | None = None


def words(*alternatives: str) -> re.Pattern[str]:
    """Return what finds one of some expressions as whole words."""
    return re.compile(rf"\b(?:{'|'.join(alternatives)})\b")
