"""Tables for agents: schema, rows, aggregates, statistics."""

from typing import TYPE_CHECKING

from fairdatabase.authorization.schemas import Actor
from fairdatabase.tables.rules import columns_asked
from fairdatabase.tables.schemas import ColumnStatistics, Page
from fairdatabase.tables.schemas.tools import (
    AggregateQuestion,
    RowsQuestion,
    SchemaPage,
    SchemaQuestion,
    StatisticsQuestion,
)

if TYPE_CHECKING:
    from fairdatabase.services import Services


def read_schema(services: "Services", actor: Actor, asked: SchemaQuestion) -> SchemaPage:
    """List the columns of a data file's table: name, type, unit, description, role.

    Read it before query_rows, aggregate_rows and column_statistics, which take these names. The
    schema is open even where the data are restricted. Wide tables come in pages.
    """
    table = services.tables.describe(actor, asked.file_id, asked.kind)
    return columns_asked(table, asked)


def query_rows(services: "Services", actor: Actor, asked: RowsQuestion) -> Page:
    """Read rows of a data file's table: filtered, searched, sorted, with the columns you choose.

    An answer with next_cursor has more rows: ask the same again with that cursor. To count or to
    compare groups use aggregate_rows, which needs no rows.
    """
    return services.tables.query(actor, asked.file_id, asked, asked.kind)


def aggregate_rows(services: "Services", actor: Actor, asked: AggregateQuestion) -> Page:
    """Compute counts, sums, means and other measures of a data file's table, for each group."""
    return services.tables.aggregate(actor, asked.file_id, asked, asked.kind)


def column_statistics(
    services: "Services", actor: Actor, asked: StatisticsQuestion
) -> tuple[ColumnStatistics, ...]:
    """Summarise columns: missing share, range, mean, quantiles and most frequent values."""
    return services.tables.statistics(actor, asked.file_id, tuple(asked.columns), asked.kind)
