"""Records of single groups of rows that are equal on the quasi-identifiers."""

from fairdatabase.tables.schemas import Record


class EquivalenceClass(Record):
    """Rows that are equal on the quasi-identifiers.

    Attributes:
        values: Value of each quasi-identifier as text; None where it is missing.
        rows: Rows with exactly these values.
        size: Rows that cannot be told apart from them: the same number, or more where missing
            values are wildcards.
    """

    values: dict[str, str | None]
    rows: int
    size: int


class GroupPage(Record):
    """Some of the groups that fulfil a filter, smallest first.

    Attributes:
        total: Groups that fulfil it.
        rows: Rows in all of them.
        groups: Those of this page.
    """

    total: int
    rows: int
    groups: tuple[EquivalenceClass, ...]
