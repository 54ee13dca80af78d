"""Look at single groups: page through those that can be singled out, filtered by their values."""

from collections.abc import Mapping, Sequence

from fairdatabase.privacy.engine.classes import ClassTables
from fairdatabase.privacy.engine.session import Source, described, open_session
from fairdatabase.privacy.errors import AssessmentError
from fairdatabase.privacy.schemas import EquivalenceClass, GroupPage, MissingChoice
from fairdatabase.tables.schemas import ColumnSchema


def list_groups(
    source: Source,
    *,
    quasi_identifiers: Sequence[str],
    smaller_than: int | None = None,
    where: Mapping[str, str | None] | None = None,
    offset: int = 0,
    limit: int = 50,
    columns: Sequence[ColumnSchema] | None = None,
    missing: MissingChoice = "category",
) -> GroupPage:
    """Return some groups of a table, smallest first.

    Args:
        source: Parquet file, or Arrow table in memory.
        quasi_identifiers: Columns that form the groups.
        smaller_than: Only groups with fewer rows that cannot be told apart.
        where: Only groups with these values, as text; None for a missing value.
        offset: Groups to leave out before the first.
        limit: Most groups to return.
        columns: Schema of the table; without one its own names and types are taken.
        missing: How missing quasi-identifiers are compared.

    Raises:
        AssessmentError: If a column does not exist, or a filter is not about a quasi-identifier.
    """
    known, where = described(source, columns), where or {}
    wrong = sorted({*quasi_identifiers} - set(known) | {*where} - set(quasi_identifiers))
    if wrong:
        raise AssessmentError(
            f"Groups have quasi-identifiers of the table, and {', '.join(wrong)} is none of them.",
            details={"columns": wrong},
        )
    with open_session() as connection:
        keys = [known[name].key for name in quasi_identifiers]
        tables = ClassTables(connection, source, keys, missing)
        tables.build()
        places = {quasi_identifiers.index(name): value for name, value in where.items()}
        total, rows, found = tables.page(places, smaller_than, offset, limit)
    return GroupPage(
        total=total,
        rows=rows,
        groups=tuple(
            EquivalenceClass(
                values=dict(zip(quasi_identifiers, values, strict=True)), rows=n, size=size
            )
            for n, size, *values in found
        ),
    )
